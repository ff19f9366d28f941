/**
 * Two sites that came to differ: rows written straight into a database, rows put back, accounts that vanished,
 * rules that kept something back. Compared and repaired with the command line, an older WordPress against a
 * present one where sites are native.
 */
import { spawn } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DriftView, ReconcileView } from '#hub/api/schemas/reconcile.ts';
import type { RouteView } from '#hub/api/schemas/route.ts';
import { writeHubFile } from '#hub/cli/hub-file.ts';
import type { Site } from '#lab/start-site.ts';
import { waitUntil } from '#lab/wait-until.ts';
import { accountsOf } from './source-faults.ts';
import { ENGINE, person, REST_MS, type Stage, startStage } from './stage.ts';

const CLI = new URL('../bin/rollcall.mjs', import.meta.url).pathname;
/** Names that databases and terminals stumble over. */
const FIRST = 'Zoë 😀 محمد 山田';
/** Where an account's rows are. */
const TABLES = `array( 'users' => 'ID', 'usermeta' => 'user_id', 'rollcall_accounts' => 'user_id' )`;
const NAMES = ['ann', 'ben', 'cat', 'dan', 'eve', 'fay', 'gus'];
let stage: Stage;
let shop: Site;
let blog: Site;

beforeAll(async () => {
  stage = await startStage({
    sites: [{ name: 'shop', ...(ENGINE === 'native' ? { version: '6.1' as const } : {}) }, 'blog'],
    routes: ['shop>blog'],
    rules: { meta: ['tags', 'phone_*'], roles: ['author', 'contributor', 'subscriber'] },
  });
  [shop, blog] = [stage.site('shop'), stage.site('blog')];
  writeHubFile(stage.dataFolder, { url: stage.hub.url, token: stage.hub.token, pid: process.pid });
  await shop.php(NAMES.map((login) => register(login)).join('\n'));
  await stage.hub.rest();
});
afterAll(() => stage?.end());

const register = (login: string): string =>
  `$id = wp_insert_user( array( 'user_login' => '${login}', 'user_email' => '${login}@people.test', 'user_pass' => 'pw of ${login}', 'first_name' => '${FIRST}', 'role' => 'author' ) );
   add_user_meta( $id, 'tags', 'one' ); add_user_meta( $id, 'tags', 'two' ); add_user_meta( $id, 'phone_home', '0${login.length}' );`;
const of = (login: string): string => `get_user_by( 'login', '${login}' )->ID`;
const rename = (login: string, name: string): string =>
  `wp_update_user( array( 'ID' => ${of(login)}, 'first_name' => '${name}' ) );`;

/** Statements on a site's own tables, past WordPress; `{id:LOGIN}` is an account. */
const sql = (site: Site, ...statements: string[]) =>
  site.php(`global $wpdb; foreach ( ${JSON.stringify(statements).replaceAll('$', '\\$')} as $s ) {
    $s = preg_replace_callback( '/\\{id:([^}]+)\\}/', static function ( $m ) { global $wpdb; return (string) $wpdb->get_var( $wpdb->prepare( "SELECT ID FROM $wpdb->users WHERE user_login = %s", $m[1] ) ); }, $s );
    if ( false === $wpdb->query( $s ) ) { throw new RuntimeException( $wpdb->last_error ); }
  }
  wp_cache_flush();`);

/** As a person runs it; the hub is in this process, so the command must not block it. */
function rollcall(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [CLI, ...args, '--data', stage.dataFolder]);
    const said = { out: '', err: '' };
    child.stdout.on('data', (data: Buffer) => {
      said.out += data.toString('utf8');
    });
    child.stderr.on('data', (data: Buffer) => {
      said.err += data.toString('utf8');
    });
    child.on('close', (code) => resolve({ code, ...said }));
  });
}

async function compare(request: object = {}): Promise<ReconcileView & { rows: DriftView[] }> {
  const body = { source: 'shop', target: 'blog', ...request };
  const { id } = await stage.hub.call<ReconcileView>('POST', '/reconciles', body);
  const path = `/reconciles/${id}`;
  const seen = () => stage.hub.call<ReconcileView>('GET', path);
  await waitUntil(async () => !['comparing', 'looking'].includes((await seen()).state), REST_MS);
  const view = await seen();
  expect(view).toMatchObject({ state: 'done', fault: null });
  const { accounts } = await stage.hub.call<{ accounts: DriftView[] }>('GET', `${path}/accounts`);
  return { ...view, rows: accounts };
}
const told = ({ rows }: { readonly rows: readonly DriftView[] }): string[] =>
  rows.map(({ login, what, reason, fields }) => [login, what, reason, ...fields].join(' ')).sort();

async function routeId(): Promise<number> {
  const { routes } = await stage.hub.call<{ routes: RouteView[] }>('GET', '/routes');
  return routes[0]?.id ?? 0;
}

async function allAlike(): Promise<void> {
  expect(await accountsOf(blog)).toEqual(await accountsOf(shop));
}

test('two sites in step: nothing drifts, what a rule keeps apart is counted, and the exit code is 0', async () => {
  const id = await routeId();
  // The first one is made at once; the last test looks for it.
  const scheduled = await stage.hub.call<RouteView>('PATCH', `/routes/${id}`, {
    reconcile: { every: 'daily' },
  });
  expect(scheduled.reconcile).toEqual({ every: 'daily', repair: false });
  const { code, out } = await rollcall('reconcile', 'shop', 'blog', '--json');
  expect([code, JSON.parse(out)]).toMatchObject([
    0,
    { state: 'done', drift: 0, inStep: NAMES.length, rows: [] },
  ]);
  await allAlike();
});

test('rows written by SQL on the source are found by the comparison, and travel by themselves', async () => {
  await sql(
    shop,
    `UPDATE wp_users SET display_name = 'By SQL 山田' WHERE ID = {id:ann}`,
    `DELETE FROM wp_usermeta WHERE user_id = {id:ann} AND meta_key = 'tags' AND meta_value = 'one'`,
    `UPDATE wp_usermeta SET meta_value = 'a:1:{s:11:"contributor";b:1;}' WHERE user_id = {id:ann} AND meta_key = 'wp_capabilities'`,
  );
  const view = await compare({ extra: false });
  expect([view.drift, view.found.map(({ what }) => what)]).toEqual([
    0,
    expect.not.arrayContaining(['missing', 'different']),
  ]);
  await stage.hub.rest();
  expect(await person(blog, 'ann')).toMatchObject({
    displayName: 'By SQL 山田',
    roles: ['contributor'],
  });
  await allAlike();
});

test('rows written by SQL on the target are newer there: told with their fields, and never overwritten', async () => {
  await sql(
    blog,
    `UPDATE wp_usermeta SET meta_value = 'There' WHERE user_id = {id:ben} AND meta_key = 'first_name'`,
    `INSERT INTO wp_usermeta (user_id, meta_key, meta_value) VALUES ({id:ben}, 'tags', 'three')`,
    `UPDATE wp_usermeta SET meta_value = 'a:1:{s:10:"subscriber";b:1;}' WHERE user_id = {id:ben} AND meta_key = 'wp_capabilities'`,
  );
  const before = await person(shop, 'ben');
  const { code, out } = await rollcall('reconcile', 'shop', 'blog', '--repair', '--no-extra');
  expect([code, out]).toEqual([1, expect.stringContaining('drift.newer_there')]);
  await stage.hub.rest();
  const view = await compare({ extra: false });
  expect(told(view)).toEqual([
    'ben different drift.newer_there first_name meta:tags role:author role:subscriber',
  ]);
  expect(await person(shop, 'ben')).toEqual(before);
  expect(await person(blog, 'ben')).toMatchObject({ firstName: 'There', roles: ['subscriber'] });
  await blog.php(`get_user_by( 'login', 'ben' )->set_role( 'author' );`);
  await shop.php(`${rename('ben', 'Home')} add_user_meta( ${of('ben')}, 'tags', 'four' );`);
  await stage.hub.rest();
  expect((await compare({ extra: false })).drift).toBe(0);
  await allAlike();
});

test('rows of the target are put back, stamps and all: the hub lets go of what it believed and sends it again', async () => {
  await blog.php(`global $wpdb; $kept = array(); foreach ( ${TABLES} as $table => $id ) {
    $kept[ $table ] = $wpdb->get_results( "SELECT * FROM {$wpdb->prefix}$table WHERE $id = " . ${of('cat')}, ARRAY_A );
  }
  update_option( 'kept', base64_encode( serialize( $kept ) ), false );`);
  await shop.php(
    `${rename('cat', 'After')} wp_set_password( 'the new one', ${of('cat')} ); update_user_meta( ${of('cat')}, 'phone_home', '99' );`,
  );
  await stage.hub.rest();
  await allAlike();
  await blog.php(`global $wpdb; $cat = ${of('cat')}; $kept = unserialize( base64_decode( get_option( 'kept' ) ) );
  foreach ( ${TABLES} as $table => $id ) {
    $wpdb->delete( $wpdb->prefix . $table, array( $id => $cat ) );
    foreach ( $kept[ $table ] as $row ) { if ( ! $wpdb->insert( $wpdb->prefix . $table, $row ) ) { throw new RuntimeException( $wpdb->last_error ); } }
  }
  wp_cache_flush();`);
  const found = await compare({ extra: false });
  expect(told(found)).toEqual(['cat different drift.believed first_name meta:phone_home password']);
  expect((await person(blog, 'cat'))?.firstName).toBe(FIRST);
  const repaired = await compare({ extra: false, repair: true });
  expect([repaired.drift, repaired.raised]).toEqual([1, 1]);
  await stage.hub.rest();
  expect((await person(blog, 'cat'))?.firstName).toBe('After');
  await allAlike();
});

test('what a rule kept back is counted by its reason; when the rule allows it, the repair brings it', async () => {
  const id = await routeId();
  const rules = (change: object) => stage.hub.call('PATCH', `/routes/${id}`, { rules: change });
  await rules({ creates: false, updates: false });
  await shop.php(`${register('hal')} ${rename('dan', 'Kept back')}`);
  await stage.hub.rest();
  const byRule = await compare({ extra: false, repair: true });
  expect(byRule.drift).toBe(0);
  expect(
    byRule.found.flatMap(({ what, reason }) => (what === 'by_rule' ? reason : [])).sort(),
  ).toEqual(expect.arrayContaining(['route.creates_off', 'route.updates_off']));
  await rules({ creates: true, updates: true });
  expect(told(await compare({ extra: false, repair: true }))).toEqual([
    'dan different drift.behind first_name',
    'hal missing drift.missing',
  ]);
  await stage.hub.rest();
  expect((await compare({ extra: false })).drift).toBe(0);
  await allAlike();
});

test('an account that vanished from the target is an alarm and no delete; who is there alone is only listed', async () => {
  await sql(
    blog,
    `DELETE FROM wp_usermeta WHERE user_id = {id:eve}`,
    `DELETE FROM wp_users WHERE user_login = 'eve'`,
  );
  await blog.php(
    `wp_insert_user( array( 'user_login' => 'guest', 'user_email' => 'guest@people.test', 'user_pass' => 'x' ) );`,
  );
  await stage.hub.rest();
  const repaired = await compare({ repair: true });
  expect(told(repaired)).toEqual(['eve missing account.vanished', 'guest extra drift.extra']);
  await stage.hub.rest();
  expect([await person(blog, 'eve'), (await person(shop, 'eve'))?.firstName]).toEqual([
    null,
    FIRST,
  ]);
  expect((await person(blog, 'guest'))?.email).toBe('guest@people.test');
  expect(told(await compare({ extra: false }))).toEqual(['eve held account.vanished']);
});

test('rows rewritten in mass are held, and the repair leaves them so until a person has said what they are', async () => {
  const before = (await person(blog, 'fay'))?.displayName;
  await sql(shop, `UPDATE wp_users SET display_name = 'Rewritten' WHERE user_login <> 'admin'`);
  const view = await compare({ extra: false, repair: true });
  expect(view.found).toContainEqual(
    expect.objectContaining({ what: 'held', reason: 'source.rewritten_outside' }),
  );
  expect(view.rows.filter(({ what }) => what === 'different')).toEqual([]);
  await stage.hub.rest();
  expect((await person(blog, 'fay'))?.displayName).toBe(before);
});

test('the comparison that is made by itself is in the list and in the status', async () => {
  type List = { reconciles: ReconcileView[] };
  const byItself = async () =>
    (await stage.hub.call<List>('GET', '/reconciles?source=shop')).reconciles.find(
      ({ by, state }) => by === 'schedule' && state === 'done',
    );
  await waitUntil(async () => (await byItself()) !== undefined, REST_MS);
  expect(await byItself()).toMatchObject({ source: 'shop', target: 'blog', repair: false });
  const { reconciles } = await stage.hub.status(false);
  expect(reconciles).toMatchObject([{ source: 'shop', target: 'blog', state: 'done' }]);
});
