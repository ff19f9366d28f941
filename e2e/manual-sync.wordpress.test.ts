/** "Make the target like the source" with the command line as a person runs it: preview, run, and after it. */
import { spawn } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeHubFile } from '#hub/cli/hub-file.ts';
import type { Site } from '#lab/start-site.ts';
import { createAccount, person, type Stage, startStage } from './stage.ts';

const CLI = new URL('../bin/rollcall.mjs', import.meta.url).pathname;
let stage: Stage;
let shop: Site;
let blog: Site;

beforeAll(async () => {
  stage = await startStage({ sites: ['shop', 'blog'], routes: [] });
  [shop, blog] = [stage.site('shop'), stage.site('blog')];
  writeHubFile(stage.dataFolder, { url: stage.hub.url, token: stage.hub.token, pid: process.pid });
  // Two grown user bases: no route while these came about.
  await createAccount(shop, 'only-here', { firstName: 'Only', role: 'author' });
  await createAccount(shop, 'vera', {
    email: 'vera@people.test',
    firstName: 'Vera',
    password: 'shop pw',
  });
  await createAccount(blog, 'vera-blog', { email: 'vera@people.test', firstName: 'V.' });
  await createAccount(shop, 'clash', { email: 'clash@shop.test' });
  await createAccount(blog, 'clash', { email: 'clash@blog.test', firstName: 'Somebody else' });
  await stage.hub.rest();
  await stage.hub.route('shop', 'blog');
});
afterAll(() => stage?.end());

/** Answers of `--json`; the hub runs in this process, so the command must not block it. */
function rollcall<T>(...args: string[]): Promise<T> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CLI, ...args, '--json', '--data', stage.dataFolder]);
    let out = '';
    let err = '';
    child.stdout.on('data', (data: Buffer) => {
      out += data.toString('utf8');
    });
    child.stderr.on('data', (data: Buffer) => {
      err += data.toString('utf8');
    });
    child.on('close', (code) => {
      if (code !== 0) reject(new Error(`${args.join(' ')}: ${code} ${out} ${err}`));
      else resolve(JSON.parse(out));
    });
  });
}

test('the preview names who would be created, linked and held, and writes nothing', async () => {
  const plan = await rollcall<{ targets: object[]; decisions: { login: string; what: string }[] }>(
    'sync',
    '--from',
    'shop',
    '--to',
    'blog',
    '--all',
    '--dry-run',
  );
  const what = Object.fromEntries(plan.decisions.map((row) => [row.login, row.what]));
  expect(what).toEqual({ admin: 'skip', 'only-here': 'create', vera: 'link', clash: 'hold' });
  expect(await person(blog, 'only-here')).toBeNull();
  expect((await person(blog, 'vera-blog'))?.firstName).toBe('V.');
});

test('T401: a manual sync creates, proves the link that was named to it and no other, and leaves the clash alone', async () => {
  const blind = ['--from', 'shop', '--to', 'blog', '--accounts', 'only-here,vera,clash'] as const;
  const before = await person(blog, 'vera-blog');
  expect(await rollcall('sync', ...blind)).toMatchObject({ skipped: 1 });
  await rollcall('status', '--wait-idle', '60');
  // Nobody has named the link yet.
  expect(await person(blog, 'vera-blog')).toEqual(before);
  await rollcall('sync', ...blind, '--link', 'vera');
  await rollcall('status', '--wait-idle', '60');
  expect(await person(blog, 'only-here')).toMatchObject({ firstName: 'Only', roles: ['author'] });
  const vera = await person(blog, 'vera-blog');
  expect(vera).toMatchObject({ firstName: 'Vera', hash: (await person(shop, 'vera'))?.hash });
  expect(await person(blog, 'clash')).toMatchObject({
    email: 'clash@blog.test',
    firstName: 'Somebody else',
  });
});

test('from then on edits of the linked person travel by themselves, and a second preview finds nothing to do', async () => {
  await shop.wp('user', 'meta', 'update', 'vera', 'last_name', 'Afterwards');
  await rollcall('run');
  await stage.hub.rest();
  expect((await person(blog, 'vera-blog'))?.lastName).toBe('Afterwards');
  const plan = await rollcall<{ targets: unknown }>(
    'sync',
    '--from',
    'shop',
    '--to',
    'blog',
    '--accounts',
    'only-here,vera',
    '--dry-run',
  );
  expect(plan.targets).toMatchObject([{ create: 0, update: 0, link: 0, unchanged: 2 }]);
  const why = await rollcall<{ targets: { why: { verdict: string; fields: string[] }[] }[] }>(
    'explain',
    'shop',
    'vera',
  );
  const lastName = why.targets[0]?.why.find((row) => row.fields.includes('last_name'));
  expect(lastName?.verdict).toBe('in_step');
});
