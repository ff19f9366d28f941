/**
 * A manual sync of hundreds of people: paused, resumed, its hub killed in the middle, taken back;
 * another one cancelled; and what an undo removes.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SyncRun, SyncSteps } from '#hub/api/schemas/sync.ts';
import type { Site } from '#lab/start-site.ts';
import { waitUntil } from '#lab/wait-until.ts';
import { HubProcess } from './hub-process.ts';
import { ENGINE, type Hub, prepare, REST_MS, startStorySite } from './stage.ts';

/** Half of them are on both sites, half on the shop alone. More than one slice of a run in any case. */
const PEOPLE = ENGINE === 'native' ? 300 : 120;
const BOTH = PEOPLE / 2;

let folder: string;
let process: HubProcess;
let hub: Hub;
let shop: Site;
let blog: Site;

/** From before Rollcall; as fast as a database takes them. */
const settle = (site: Site, logins: readonly string[]): Promise<string> =>
  site.php(`global $wpdb;
    $hash = wp_hash_password( 'password of ${site.name}' );
    $logins = json_decode( '${JSON.stringify(logins)}' );
    foreach ( $logins as $login ) {
      $wpdb->insert( $wpdb->users, array( 'user_login' => $login, 'user_pass' => $hash,
        'user_nicename' => $login, 'user_email' => $login . '@people.test', 'display_name' => $login,
        'user_registered' => '2024-01-02 03:04:05' ) );
      $id = $wpdb->insert_id;
      $meta = array( $wpdb->prefix . 'capabilities' => serialize( array( 'subscriber' => true ) ),
        $wpdb->prefix . 'user_level' => '0', 'first_name' => $login . ' of ${site.name}',
        'nickname' => $login );
      foreach ( $meta as $key => $value ) {
        $wpdb->insert( $wpdb->usermeta, array( 'user_id' => $id, 'meta_key' => $key, 'meta_value' => $value ) );
      }
    }`);

interface Account {
  readonly first: string;
  readonly mail: string;
  readonly hash: string;
  readonly roles: readonly string[];
}

/** Everybody of this kind, as WordPress itself sees them. */
async function everybody(site: Site, prefix = 'person-'): Promise<Record<string, Account>> {
  const found: Record<string, Account> = JSON.parse(
    await site.php(`$all = array();
      foreach ( get_users() as $user ) {
        if ( 0 !== strpos( $user->user_login, '${prefix}' ) ) { continue; }
        $all[ $user->user_login ] = array( 'first' => $user->first_name, 'mail' => $user->user_email,
          'hash' => $user->user_pass, 'roles' => array_values( $user->roles ) );
      }
      echo wp_json_encode( (object) $all );`),
  );
  return found;
}

const person = (index: number): string => `person-${String(index).padStart(3, '0')}`;
const people = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => person(from + index));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rollcall-stopped-'));
  process = new HubProcess(folder);
  [shop, blog] = await Promise.all([
    startStorySite({ name: 'shop' }),
    startStorySite({ name: 'blog' }),
  ]);
  await Promise.all([prepare(shop), prepare(blog)]);
  await settle(shop, [...people(0, PEOPLE), 'extra-plain', 'extra-writes', 'extra-edited']);
  await settle(blog, people(0, BOTH));
  hub = await process.start();
  await Promise.all([hub.connect(shop), hub.connect(blog)]);
  await hub.route('shop', 'blog', { both: true });
}, 180_000);
afterAll(async () => {
  await process?.stop();
  await Promise.all([shop?.stop(), blog?.stop()]);
  if (folder) await rm(folder, { recursive: true, force: true });
});

const look = (id: string): Promise<SyncRun> => hub.call('GET', `/syncs/${id}`);
const act = (id: string, way: string, body?: object): Promise<SyncRun> =>
  hub.call('POST', `/syncs/${id}/${way}`, body);

async function until(id: string, meant: (run: SyncRun) => boolean): Promise<SyncRun> {
  let run = await look(id);
  try {
    await waitUntil(async () => {
      run = await look(id);
      return meant(run);
    }, REST_MS);
  } catch (error) {
    throw new Error(`it does not come to that: ${JSON.stringify(run)}`, { cause: error });
  }
  return run;
}

async function plan(accounts: object): Promise<SyncRun> {
  const { id } = await hub.call<SyncRun>('POST', '/syncs/plan', {
    from: 'shop',
    to: ['blog'],
    accounts,
  });
  return until(id, ({ state }) => state === 'planned');
}

let first: SyncRun;
let before: Record<string, Account>;

test('I7: a run that is paused, resumed and whose hub is killed does everything once', async () => {
  before = await everybody(blog);
  const source = await everybody(shop);
  first = await plan({ by: 'search', search: 'person-' });
  expect(first).toMatchObject({
    accounts: PEOPLE,
    targets: [{ create: PEOPLE - BOTH, link: BOTH, update: 0, unchanged: 0, skip: 0, hold: 0 }],
  });
  await act(first.id, 'start', { links: 'all' });
  await until(first.id, ({ pending, delivered }) => pending + delivered > 0);
  await act(first.id, 'pause');
  // What was asked for until then is seen to its end, and nothing more is asked for.
  const paused = await until(first.id, ({ pending }) => pending === 0);
  expect(paused).toMatchObject({ state: 'paused', total: PEOPLE, failed: 0, held: 0 });
  expect(paused.done).toBeLessThan(PEOPLE);
  expect(Object.keys(await everybody(blog)).length).toBeLessThan(PEOPLE);

  await act(first.id, 'resume');
  await until(first.id, ({ pending, done }) => pending + done > paused.done);
  await process.kill();
  hub = await process.start();
  const done = await until(first.id, ({ state }) => state === 'done');
  const failed = await hub.call<SyncSteps>('GET', `/syncs/${first.id}/accounts?state=failed`);
  expect(failed.accounts).toEqual([]);
  expect(done).toMatchObject({ delivered: PEOPLE, failed: 0, held: 0, changed: 0, pending: 0 });
  await hub.rest();
  expect(await everybody(blog)).toEqual(source);
  expect(await everybody(shop)).toEqual(source);
  const created = (await hub.log('&action=create&status=delivered')).map(({ login }) => login);
  expect(created.toSorted()).toEqual(people(BOTH, PEOPLE));
}, 240_000);

test('an undo gives the target what it had; many created accounts wait for a person, and the source keeps all', async () => {
  const source = await everybody(shop);
  // One is edited since: hers stays.
  await blog.wp('user', 'meta', 'update', person(0), 'first_name', 'By hand');
  await hub.rest();
  await act(first.id, 'undo', { removeCreated: true });
  await until(first.id, ({ state }) => state === 'undone');
  await hub.rest();
  const held = await hub.call<{ held: { login: string; reason: string }[] }>('GET', '/held');
  expect(new Set(held.held.map(({ reason }) => reason))).toEqual(new Set(['delete.over_limit']));
  expect(held.held.map(({ login }) => login).toSorted()).toEqual(people(BOTH, PEOPLE));
  await hub.call('POST', '/held/decide', { reason: 'delete.over_limit', decision: 'reject' });
  await hub.rest();
  const byHand = { ...source[person(0)], first: 'By hand', hash: before[person(0)]?.hash };
  const after = await everybody(blog);
  for (const login of people(1, BOTH)) expect(after[login]).toEqual(before[login]);
  expect(after[person(0)]).toEqual(byHand);
  expect(Object.keys(after)).toHaveLength(PEOPLE);
  // Both ways are open: what a person typed went over, what the undo put back did not.
  expect(await everybody(shop)).toEqual({
    ...source,
    [person(0)]: { ...source[person(0)], first: 'By hand' },
  });
}, 240_000);

test('a created account goes with the undo only when it holds nothing of its own', async () => {
  const { id } = await plan({ by: 'search', search: 'extra-' });
  await act(id, 'start', {});
  await until(id, ({ state }) => state === 'done');
  await hub.rest();
  await blog.php(`wp_insert_post( array( 'post_title' => 'Mine', 'post_status' => 'publish',
    'post_author' => get_user_by( 'login', 'extra-writes' )->ID ) );`);
  await blog.wp('user', 'meta', 'update', 'extra-edited', 'first_name', 'Hers');
  await hub.rest();
  await act(id, 'undo', { removeCreated: true });
  await until(id, ({ state }) => state === 'undone');
  await hub.rest();
  const { accounts } = await hub.call<SyncSteps>('GET', `/syncs/${id}/accounts`);
  expect(accounts.map(({ login, state, note }) => [login, state, note?.code ?? null])).toEqual([
    ['extra-plain', 'undone', null],
    ['extra-writes', 'stays', 'run.undo_in_use'],
    ['extra-edited', 'stays', 'run.undo_in_use'],
  ]);
  expect(Object.keys(await everybody(blog, 'extra-'))).toEqual(['extra-edited', 'extra-writes']);
  expect(Object.keys(await everybody(shop, 'extra-'))).toHaveLength(3);
}, 240_000);

test('a run that is cancelled begins nothing more, also when a site answers late', async () => {
  const asked = await plan({ by: 'search', search: 'person-' });
  // Begun or not: the source does not answer before the run was cancelled.
  await shop.pause();
  try {
    await act(asked.id, 'start', {});
    await act(asked.id, 'cancel');
  } finally {
    await shop.resume();
  }
  const ended = await until(asked.id, ({ state }) => state === 'cancelled' || state === 'done');
  expect(ended).toMatchObject({ state: 'cancelled', pending: 0, failed: 0 });
  expect(ended.cancelled).toBe(ended.total);
  expect(ended.total).toBeGreaterThan(BOTH / 2);
  const late = await hub.raw('POST', `/syncs/${asked.id}/resume`);
  expect([late.status, JSON.parse(await late.text()).error.code]).toEqual([
    409,
    'sync.wrong_state',
  ]);
  const list = await hub.call<{ syncs: SyncRun[] }>('GET', '/syncs');
  expect(list.syncs.map(({ id }) => id)[0]).toBe(asked.id);
  expect(list.syncs).toHaveLength(3);
}, 240_000);

test('a plan for a site that takes nothing says so of everybody, and its run does nothing', async () => {
  await hub.call('PATCH', '/sites/blog/guard', { readOnly: true });
  const before = await everybody(blog);
  const asked = await plan({ by: 'search', search: 'person-' });
  expect(asked).toMatchObject({ total: 0, targets: [{ skip: PEOPLE, update: 0, create: 0 }] });
  const page = await hub.call<SyncSteps>('GET', `/syncs/${asked.id}/accounts?limit=1`);
  expect(page.accounts[0]).toMatchObject({ what: 'skip', reason: 'target.read_only' });
  await act(asked.id, 'start', {});
  await until(asked.id, ({ state }) => state === 'done');
  expect(await everybody(blog)).toEqual(before);
}, 120_000);
