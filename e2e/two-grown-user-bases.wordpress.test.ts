/**
 * Two shops that grew apart, with hundreds of people in common, are brought together: looked at, decided
 * about in a file, linked, filled, made alike; and what somebody tries to gain from it.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AccountView } from '#hub/api/schemas/account.ts';
import type { SyncRun, SyncStepRow, SyncSteps } from '#hub/api/schemas/sync.ts';
import { writeHubFile } from '#hub/cli/hub-file.ts';
import type { RunningHub } from '#hub/cli/hub-process.ts';
import { startHub } from '#hub/main.ts';
import type { Site } from '#lab/start-site.ts';
import { waitUntil } from '#lab/wait-until.ts';
import { accountsOf, type Held } from './accounts-of.ts';
import { ENGINE, Hub, POLL_SECONDS, prepare, REST_MS, startStorySite } from './stage.ts';

const CLI = new URL('../bin/rollcall.mjs', import.meta.url).pathname;
/** More than one slice of a run, and more than one page of a small limit. */
const PEOPLE = ENGINE === 'native' ? 200 : 110;

let folder: string;
let running: RunningHub;
let hub: Hub;
let shop: Site;
let blog: Site;

interface Settled {
  readonly login: string;
  readonly email: string;
  readonly role?: string;
  readonly first?: string;
  readonly last?: string;
  readonly display?: string;
}

/** From before Rollcall; as a database takes them, also what WordPress would not. */
const settle = (site: Site, people: readonly Settled[]): Promise<string> =>
  site.php(`global $wpdb;
    $hash = wp_hash_password( 'password of ${site.name}' );
    foreach ( json_decode( base64_decode( '${Buffer.from(JSON.stringify(people)).toString('base64')}' ), true ) as $one ) {
      $wpdb->insert( $wpdb->users, array( 'user_login' => $one['login'], 'user_pass' => $hash,
        'user_nicename' => 'n' . md5( $one['login'] ), 'user_email' => $one['email'],
        'display_name' => $one['display'] ?? $one['login'], 'user_registered' => '2024-01-02 03:04:05' ) );
      $id = $wpdb->insert_id;
      $meta = array( $wpdb->prefix . 'capabilities' => serialize( array( ( $one['role'] ?? 'subscriber' ) => true ) ),
        $wpdb->prefix . 'user_level' => '0', 'nickname' => $one['login'],
        'first_name' => $one['first'] ?? '', 'last_name' => $one['last'] ?? '',
        'description' => '', 'locale' => '' );
      foreach ( $meta as $key => $value ) {
        $wpdb->insert( $wpdb->usermeta, array( 'user_id' => $id, 'meta_key' => $key, 'meta_value' => $value ) );
      }
    }`);

const number = (index: number): string => String(index).padStart(3, '0');
const here = (index: number): string => `person-${number(index)}`;
const there = (index: number): string => `p-${number(index)}`;
const numbers = Array.from({ length: PEOPLE }, (_, index) => index);
const isEven = (index: number): boolean => index % 2 === 0;

const SHOP: readonly Settled[] = [
  ...numbers.map((index) => ({
    login: here(index),
    email: `person-${number(index)}@people.test`,
    first: `Shop ${index}`,
    last: `سلام 日本 😀 ${index}`,
    display: `=SUM(${index}) 😀`,
  })),
  { login: 'clash', email: '=clash@shop.test' },
  { login: 'one-of-two', email: 'two@people.test' },
  { login: 'boss-here', email: 'boss@people.test', role: 'administrator' },
  { login: 'plain-here', email: 'chief@people.test' },
  { login: 'accent-one-side', email: 'ádmin@people.test' },
  { login: 'accent-both', email: 'zoë@people.test' },
  { login: 'only-shop', email: '+only@people.test', first: 'Only' },
  { login: 'liar-one', email: 'liar-one@shop.test' },
  { login: 'liar-two', email: 'liar-two@shop.test' },
  { login: 'liar-boss', email: 'liar-boss@shop.test' },
];
const BLOG: readonly Settled[] = [
  ...numbers.map((index) => ({
    login: there(index),
    email: isEven(index)
      ? `Person-${number(index)}@People.test`
      : `person-${number(index)}@people.test`,
    first: `Blog ${index}`,
    last: isEven(index) ? '' : `Own ${index}`,
  })),
  { login: 'clash', email: 'clash@blog.test' },
  { login: 'one-of-two', email: 'two-b@people.test' },
  { login: 'two-of-two', email: 'two@people.test' },
  { login: 'plain-there', email: 'boss@people.test' },
  { login: 'boss-there', email: 'chief@people.test', role: 'administrator' },
  { login: 'accent-plain', email: 'admin@people.test' },
  { login: 'accent-there', email: 'zoë@people.test' },
  { login: 'only-blog', email: 'only-blog@people.test' },
  { login: 'victim', email: 'victim@blog.test', first: 'Victim' },
];

/** Says of some of its accounts what an option says, whoever they are. */
const LIES = `<?php add_filter( 'rest_post_dispatch', function ( $response, $server, $request ) {
  $lies = get_option( 'lies', array() );
  if ( '/rollcall/v1/accounts' !== $request->get_route() || ! $lies ) { return $response; }
  $data = $response->get_data();
  foreach ( $data['accounts'] as &$account ) {
    $account = (array) $account;
    if ( isset( $lies[ $account['login'] ] ) ) { $account['email'] = $lies[ $account['login'] ]; }
  }
  $response->set_data( $data );
  return $response;
}, 1, 3 );`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rollcall-grown-'));
  const old = ENGINE === 'native' ? ({ version: '6.1' } as const) : {};
  [shop, blog] = await Promise.all([
    startStorySite({ name: 'shop', muPlugins: { 'lies.php': LIES } }),
    startStorySite({ name: 'blog', ...old }),
  ]);
  await Promise.all([prepare(shop), prepare(blog)]);
  await Promise.all([settle(shop, SHOP), settle(blog, BLOG)]);
  running = await startHub({ dataFolder: folder, port: 0, pollSeconds: POLL_SECONDS });
  hub = new Hub(running);
  writeHubFile(folder, { url: hub.url, token: hub.token, pid: process.pid });
  await Promise.all([hub.connect(shop), hub.connect(blog)]);
  await hub.route('shop', 'blog', { both: true });
  await hub.rest();
}, 180_000);
afterAll(async () => {
  await running?.stop();
  await Promise.all([shop?.stop(), blog?.stop()]);
  if (folder) await rm(folder, { recursive: true, force: true });
});

/** The hub runs in this process, so the command must not block it. */
function rollcall(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [CLI, ...args, '--data', folder]);
    let out = '';
    let err = '';
    child.stdout.on('data', (data: Buffer) => {
      out += data.toString('utf8');
    });
    child.stderr.on('data', (data: Buffer) => {
      err += data.toString('utf8');
    });
    child.on('close', (code) => resolve({ code, out, err }));
  });
}

async function until(id: string, meant: (run: SyncRun) => boolean): Promise<SyncRun> {
  let run = await hub.call<SyncRun>('GET', `/syncs/${id}`);
  try {
    await waitUntil(async () => {
      run = await hub.call<SyncRun>('GET', `/syncs/${id}`);
      return meant(run);
    }, REST_MS);
  } catch (error) {
    throw new Error(`it does not come to that: ${JSON.stringify(run)}`, { cause: error });
  }
  return run;
}

async function plan(adopt: object, logins?: readonly string[]): Promise<SyncRun> {
  const accounts = logins === undefined ? { by: 'all' } : { by: 'accounts', logins };
  const request = { from: 'shop', to: ['blog'], accounts, adopt };
  const { id } = await hub.call<SyncRun>('POST', '/syncs/plan', request);
  return until(id, ({ state }) => state === 'planned');
}

async function carriedOut(id: string): Promise<SyncRun> {
  await hub.call('POST', `/syncs/${id}/start`, {});
  const done = await until(id, ({ state }) => state === 'done');
  await hub.rest();
  return done;
}

async function rows(id: string): Promise<ReadonlyMap<string, SyncStepRow>> {
  const { accounts } = await hub.call<SyncSteps>('GET', `/syncs/${id}/accounts`);
  return new Map(accounts.map((row) => [row.login, row]));
}

async function elsewhere(login: string): Promise<string[]> {
  const query = new URLSearchParams({ site: 'shop', login }).toString();
  const account = await hub.call<AccountView>('GET', `/account?${query}`);
  return account.elsewhere.map((other) => other.login);
}

const both = async () => ({ shop: await accountsOf(shop), blog: await accountsOf(blog) });
const held = (accounts: Readonly<Record<string, Held>>, login: string): Held => {
  const found = accounts[login];
  if (found === undefined) throw new Error(`nobody is called ${login}`);
  return found;
};

test('the preview counts and names everybody, and takes nobody for another by a database’s comparison', async () => {
  const { code, out } = await rollcall('adopt', 'shop', 'blog', '--json');
  expect(code).toBe(0);
  const run: SyncRun = JSON.parse(out);
  const found = await rows(run.id);
  const clashes = [...found.values()].filter(({ pair }) => pair === 'clash');
  expect(Object.fromEntries(clashes.map(({ login, reason }) => [login, reason]))).toEqual({
    admin: 'account.privileged',
    clash: 'link.login_only',
    'one-of-two': 'link.two_candidates',
    'boss-here': 'account.privileged',
    'plain-here': 'link.privileged',
    'accent-both': 'email.malformed',
  });
  expect(found.get('accent-one-side')).toMatchObject({ pair: 'only_here', others: [] });
  expect(run.adopt).toMatchObject({
    same: PEOPLE,
    clash: 6,
    onlyHere: 5,
    onlyThere: 3,
    undecided: 6,
  });
  const only = await rollcall('adopt', 'only-there', run.id);
  expect(only.out).toMatch(/accent-plain[\s\S]*only-blog[\s\S]*victim/u);
});

test('T174: whoever registers with a shared address after the preview is linked to nobody, and what is linked is what was looked at', async () => {
  const before = await both();
  const run = await plan({ how: 'link' });
  const file = join(folder, 'pairs.csv');
  expect((await rollcall('adopt', 'decisions', run.id, '--out', file)).code).toBe(0);
  const lines = (await readFile(file, 'utf8')).split('\r\n');
  expect(lines.find((line) => line.split(',')[1] === 'clash')).toContain("'=clash@shop.test");
  const decide = (login: string, word: string) => (line: string) =>
    line.split(',')[1] === login || line.split(',')[4] === login
      ? line.replace(/,[a-z]*$/u, `,${word}`)
      : line;
  // One wrong line: nothing is taken.
  const wrong = lines.map(decide('clash', 'link')).map(decide('boss-here', 'link'));
  await writeFile(file, wrong.join('\r\n'));
  const refused = await rollcall('adopt', 'decisions', run.id, '--in', file);
  expect(refused).toMatchObject({ code: 1 });
  expect(refused.err).toMatch(
    /Line \d+: they can’t be linked: The account can administer its site/u,
  );
  await writeFile(file, lines.map(decide('clash', '=1+1')).join('\r\n'));
  const formula = await rollcall('adopt', 'decisions', run.id, '--in', file);
  expect(formula).toMatchObject({ code: 2 });
  expect(formula.err).toMatch(/line \d+: “decision” is a formula/u);
  expect((await hub.call<SyncRun>('GET', `/syncs/${run.id}`)).adopt?.undecided).toBe(6);
  // In the file there are two lines for whom two stand against; the one with the same address is meant.
  const right = lines
    .map(decide('clash', 'separate'))
    .map(decide('two-of-two', 'link'))
    .map(decide(here(5), 'skip'));
  await writeFile(file, right.join('\r\n'));
  const taken = await rollcall('adopt', 'decisions', run.id, '--in', file);
  expect(taken).toMatchObject({ code: 0, err: '' });

  // A person gives up the address, and somebody else has it before the run.
  await blog.php(`$u = get_user_by( 'login', '${there(3)}' );
    wp_update_user( array( 'ID' => $u->ID, 'user_email' => 'moved@people.test' ) );
    wp_insert_user( array( 'user_login' => 'mallory', 'user_email' => 'person-003@people.test',
      'user_pass' => 'mine', 'role' => 'subscriber' ) );
    get_user_by( 'login', '${there(7)}' )->set_role( 'administrator' );`);
  const done = await carriedOut(run.id);
  expect(done).toMatchObject({ failed: 0, held: 5 - 1, changed: 2, delivered: PEOPLE - 3 + 2 });
  expect(await elsewhere(here(0))).toEqual([there(0)]);
  expect(await elsewhere('one-of-two')).toEqual(['two-of-two']);
  for (const login of [here(3), here(5), here(7), 'clash', 'plain-here', 'only-shop'])
    expect([login, await elsewhere(login)]).toEqual([login, []]);
  // Nothing has crossed, in either direction, for anybody.
  const after = await both();
  expect(after.shop).toEqual(before.shop);
  const { mallory, ...others } = after.blog;
  expect(mallory?.email).toBe('person-003@people.test');
  // With a person's look at a new plan it would be another matter: for what follows she is gone.
  await blog.php(`require_once ABSPATH . 'wp-admin/includes/user.php';
    wp_delete_user( get_user_by( 'login', 'mallory' )->ID );`);
  await hub.rest();
  const moved = { ...held(before.blog, there(3)), email: 'moved@people.test' };
  const { [there(7)]: _, ...expected } = before.blog;
  expect(others).toEqual({ ...expected, [there(3)]: moved });
});

test('T173: what is empty is filled and nothing else, and nothing comes back', async () => {
  const before = await both();
  const run = await plan({ how: 'fill' });
  const done = await carriedOut(run.id);
  expect(done).toMatchObject({ failed: 0, changed: 0 });
  const after = await both();
  expect(after.shop).toEqual(before.shop);
  for (const index of numbers.filter((one) => ![3, 7].includes(one))) {
    const was = held(before.blog, there(index));
    const last = isEven(index) ? [`سلام 日本 😀 ${index}`] : was.meta['last_name'];
    expect(held(after.blog, there(index))).toEqual({
      ...was,
      meta: { ...was.meta, last_name: last },
    });
  }
  expect(held(after.blog, there(3))).toEqual(held(before.blog, there(3)));
  // From now on they are one: an edit on either side arrives once on the other.
  await blog.php(
    `update_user_meta( get_user_by( 'login', '${there(0)}' )->ID, 'first_name', 'Edited' );`,
  );
  await shop.php(
    `update_user_meta( get_user_by( 'login', '${here(2)}' )->ID, 'last_name', 'Later' );`,
  );
  await hub.rest();
  const edited = await both();
  expect(held(edited.shop, here(0)).meta['first_name']).toEqual(['Edited']);
  expect(held(edited.blog, there(2)).meta['last_name']).toEqual(['Later']);

  await hub.call('POST', `/syncs/${run.id}/undo`, {});
  await until(run.id, ({ state }) => state === 'undone');
  await hub.rest();
  const undone = await both();
  expect(undone.shop).toEqual(edited.shop);
  expect(held(undone.blog, there(2)).meta['last_name']).toEqual(['Later']);
  for (const index of [0, 4, 10]) {
    expect(held(undone.blog, there(index)).meta['last_name']?.[0] ?? '').toBe('');
  }
});

test('T175: a source that lies about whose its accounts are gets at nobody whom a person did not name', async () => {
  const before = await both();
  // Two accounts claim one person, one claims an administrator.
  const lie = (lies: Record<string, string>) =>
    shop.php(`update_option( 'lies', json_decode( '${JSON.stringify(lies)}', true ) );`);
  await lie({
    'liar-one': 'victim@blog.test',
    'liar-two': 'VICTIM@blog.test',
    'liar-boss': 'chief@people.test',
  });
  const liars = ['liar-one', 'liar-two', 'liar-boss'];
  const two = await plan({ how: 'source_wins', createMissing: true }, liars);
  const found = await rows(two.id);
  expect(liars.map((login) => found.get(login)?.reason)).toEqual([
    'link.two_candidates',
    'link.two_candidates',
    'link.privileged',
  ]);
  await carriedOut(two.id);
  // One claims a person in the preview, and is somebody else when the run comes.
  await lie({ 'liar-one': 'victim@blog.test' });
  const { id } = await plan({ how: 'source_wins' }, liars);
  expect((await rows(id)).get('liar-one')).toMatchObject({
    pair: 'same',
    email: 'victim@blog.test',
  });
  await lie({ 'liar-one': 'only-blog@people.test' });
  expect(await carriedOut(id)).toMatchObject({ changed: 1 });
  await lie({});
  expect(await elsewhere('liar-one')).toEqual([]);
  const after = await both();
  expect(after.blog).toEqual(before.blog);
});

test('the source wins where that was asked for, and who is missing is created', async () => {
  const before = await both();
  const done = await carriedOut((await plan({ how: 'source_wins', createMissing: true })).id);
  expect(done).toMatchObject({ failed: 0, changed: 0 });
  const after = await both();
  expect(after.shop).toEqual(before.shop);
  for (const index of numbers.filter((one) => ![3, 7].includes(one))) {
    const source = held(after.shop, here(index));
    const target = held(after.blog, there(index));
    expect([target.hash, target.displayName, target.email]).toEqual([
      source.hash,
      source.displayName,
      source.email,
    ]);
    expect(target.meta['last_name']).toEqual(source.meta['last_name']);
  }
  expect(held(after.blog, 'only-shop')).toMatchObject({
    email: '+only@people.test',
    hash: held(after.shop, 'only-shop').hash,
  });
  for (const login of ['clash', 'plain-there', 'accent-there', 'victim'])
    expect(held(after.blog, login)).toEqual(held(before.blog, login));
});
