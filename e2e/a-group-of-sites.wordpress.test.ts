/** A group of real sites: in step, with an exception, with somebody who comes and somebody who goes; and the file of it. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ConfigDiff, ConfigView } from '#hub/api/schemas/config.ts';
import type { GroupView } from '#hub/api/schemas/group.ts';
import type { SyncRun } from '#hub/api/schemas/sync.ts';
import { writeHubFile } from '#hub/cli/hub-file.ts';
import { waitUntil } from '#lab/wait-until.ts';
import { ENGINE, person, REST_MS, type Stage, startStage } from './stage.ts';

const CLI = new URL('../bin/rollcall.mjs', import.meta.url).pathname;
let stage: Stage;

beforeAll(async () => {
  stage = await startStage({
    sites: [
      'shop',
      { name: 'blog', ...(ENGINE === 'native' ? { version: '6.1' as const } : {}) },
      'academy',
    ],
    routes: [],
  });
  writeHubFile(stage.dataFolder, { url: stage.hub.url, token: stage.hub.token, pid: process.pid });
  await on('shop', register('elder'));
});
afterAll(() => stage?.end());

const register = (login: string): string =>
  `wp_insert_user( array( 'user_login' => '${login}', 'user_email' => '${login}@people.test', 'user_pass' => 'pw of ${login}', 'first_name' => 'Žofie 😀', 'last_name' => 'محمدی', 'role' => 'author' ) );`;
const edit = (login: string, fields: Record<string, string>): string =>
  `wp_update_user( array_merge( array( 'ID' => get_user_by( 'login', '${login}' )->ID ), json_decode( '${JSON.stringify(fields)}', true ) ) );`;
const phone = (login: string, number: string): string =>
  `update_user_meta( get_user_by( 'login', '${login}' )->ID, 'phone', '${number}' );`;

async function on(site: string, deed: string): Promise<void> {
  await stage.site(site).php(deed);
  await stage.hub.rest();
}
/** WordPress's own view, without the id. */
async function whole(site: string, login: string) {
  const found = await person(stage.site(site), login);
  const meta = await stage
    .site(site)
    .php(
      `$u = get_user_by( 'login', '${login}' ); echo $u ? get_user_meta( $u->ID, 'phone', true ) : '';`,
    );
  return found && { ...found, id: 0, phone: meta };
}
async function inStep(login: string, ...sites: string[]): Promise<void> {
  const [first, ...others] = await Promise.all(sites.map((site) => whole(site, login)));
  expect(first).not.toBeNull();
  for (const other of others) expect(other).toEqual(first);
}
const group = (method: string, path: string, body?: object) =>
  stage.hub.call<GroupView>(method, `/groups${path}`, body);
test('members are in step: who registers, edits and sets a password, on either', async () => {
  const members = ['shop', 'blog'].map((site) => ({ site }));
  const made = await group('POST', '', { name: 'Brands', members, rules: { meta: ['phone'] } });
  expect(made.routes).toBe(2);
  await on('shop', register('anna') + phone('anna', '030 / 12'));
  await inStep('anna', 'shop', 'blog');
  const before = (await person(stage.site('blog'), 'anna'))?.hash;
  const fields = { first_name: 'アンナ', user_email: 'anna-2@people.test', user_pass: 'another' };
  await on('blog', edit('anna', fields));
  await inStep('anna', 'shop', 'blog');
  const after = await whole('shop', 'anna');
  expect(after).toMatchObject({ firstName: 'アンナ', lastName: 'محمدی', phone: '030 / 12' });
  expect(after?.hash).not.toBe(before);
  expect(await whole('blog', 'elder')).toBeNull();
});

test('what differs on one route stays so when the group changes, until it is taken back', async () => {
  const except = (how: object) =>
    group('POST', '/Brands/exceptions', { source: 'shop', target: 'blog', ...how });
  await except({ rules: { fields: ['last_name'] } });
  await group('PATCH', '/Brands', { rules: { creates: true, updates: true } });
  await on('shop', edit('anna', { first_name: 'Anne', last_name: 'Smith' }) + phone('anna', '1'));
  const there = { firstName: 'アンナ', lastName: 'Smith', phone: '1' };
  expect(await whole('blog', 'anna')).toMatchObject(there);
  await except({ status: 'group' });
  await on('shop', edit('anna', { first_name: 'Anja' }));
  await inStep('anna', 'shop', 'blog');
});

test('a new member gets what changes from then on, and the rest by a manual sync; then all are in step', async () => {
  expect(await group('POST', '/Brands/members', { members: [{ site: 'academy' }] })).toMatchObject({
    routes: 6,
  });
  await on('blog', register('new'));
  await inStep('new', 'shop', 'blog', 'academy');
  expect(await whole('academy', 'anna')).toBeNull();
  const wanted = { from: 'shop', to: ['academy'], accounts: { by: 'all' } };
  const { id } = await stage.hub.call<SyncRun>('POST', '/syncs', wanted);
  await waitUntil(
    async () => (await stage.hub.call<SyncRun>('GET', `/syncs/${id}`)).state === 'done',
    REST_MS,
  );
  await stage.hub.rest();
  await inStep('elder', 'shop', 'academy');
  await on('academy', edit('anna', { last_name: 'Academy' }));
  await inStep('anna', 'academy', 'shop', 'blog');
});

test('who leaves keeps all accounts, and neither gives nor gets; the others go on', async () => {
  await group('DELETE', '/Brands/members/blog');
  const before = await whole('blog', 'anna');
  await on('shop', edit('anna', { first_name: 'Later' }));
  expect(await whole('blog', 'anna')).toEqual(before);
  await on('blog', edit('anna', { first_name: 'Alone' }));
  await inStep('anna', 'shop', 'academy');
  expect(await whole('shop', 'anna')).toMatchObject({ firstName: 'Later' });
  expect(await whole('blog', 'anna')).toEqual({ ...before, firstName: 'Alone' });
});

test('the file of it differs in nothing; without the group nothing travels, with it again all does', async () => {
  await rollcall('config', 'export', '--out', file());
  const { revision, config } = await stage.hub.call<ConfigView>('GET', '/config');
  const same = { config, remove: true };
  expect(await stage.hub.call<ConfigDiff>('POST', '/config/diff', same)).toMatchObject({
    changes: [],
    problems: [],
  });
  await stage.hub.call('PUT', '/config', { revision, config: { ...config, groups: [] } });
  const before = await whole('academy', 'anna');
  await on('shop', edit('anna', { first_name: 'Nobody hears' }));
  expect(await whole('academy', 'anna')).toEqual(before);
  const applied = await rollcall<ConfigDiff>('config', 'apply', file(), '--yes');
  expect(applied?.routes).toEqual({ added: 2, changed: 0, removed: 0 });
  await on('academy', edit('anna', { first_name: 'Again' }));
  await inStep('anna', 'shop', 'academy');
});
const file = (): string => join(stage.dataFolder, 'rollcall.yaml');

/** The hub runs in this process: the command must not block it. */
function rollcall<Answer>(...args: string[]): Promise<Answer | null> {
  return new Promise((resolve, reject) => {
    const json = args.includes('export') ? [] : ['--json'];
    const child = spawn(process.execPath, [CLI, ...args, ...json, '--data', stage.dataFolder]);
    let out = '';
    child.stdout.on('data', (data: Buffer) => {
      out += data.toString('utf8');
    });
    child.stderr.on('data', (data: Buffer) => {
      out += data.toString('utf8');
    });
    child.on('close', (code) => {
      if (code !== 0) reject(new Error(`${args.join(' ')}: ${code} ${out}`));
      else resolve(out === '' ? null : JSON.parse(out));
    });
  });
}
