/** A hub that goes from PostgreSQL to its own store and back by its backup, one that is lost, and sites whose ids moved. */
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Rebuilt, Recovery } from '#hub/api/schemas/recovery.ts';
import type { HubOptions, RunningHub } from '#hub/cli/hub-process.ts';
import { runCommandLine } from '#hub/cli/run-command-line.ts';
import { fakeTerminal } from '#hub/cli/test/fake-terminal.ts';
import { startHub } from '#hub/main.ts';
import { startPostgresCluster } from '#hub/storage/test/postgres-cluster.ts';
import { signIn } from '#lab/sign-in.ts';
import type { Site } from '#lab/start-site.ts';
import { waitUntil } from '#lab/wait-until.ts';
import { Hub, POLL_SECONDS, person, prepare, REST_MS, startStorySite } from './stage.ts';

/** Prints the line that installs PostgreSQL where it is missing; then the hub goes from one own store to another. */
const cluster = await startPostgresCluster();

const PASSPHRASE = 'a passphrase of some length';
const endings: (() => Promise<unknown>)[] = [];
let shop: Site;
let blog: Site;
let running: RunningHub;
let hub: Hub;

async function newFolder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'rollcall-hub-'));
  endings.push(() => rm(made, { recursive: true, force: true }));
  return made;
}
async function start(dataFolder: string, options: Partial<HubOptions> = {}): Promise<void> {
  const settings = { port: 0, pollSeconds: POLL_SECONDS, settleDeletesSeconds: 1 };
  running = await startHub({ dataFolder, ...settings, ...options });
  hub = new Hub(running);
}
/** The command line, as a person types it. */
async function rollcall(env: Record<string, string>, ...args: string[]): Promise<string> {
  const terminal = fakeTerminal({ env, folder: '/' });
  const exit = await runCommandLine(args, { terminal, loadStartHub: async () => startHub });
  if (exit !== 0) throw new Error(`rollcall ${args.join(' ')}: ${exit} ${terminal.written.err}`);
  return terminal.written.out;
}
const onDatabase = (databaseUrl: string | null): Record<string, string> =>
  databaseUrl === null ? {} : { DATABASE_URL: databaseUrl };
const databaseOf = (databaseUrl: string | null): Partial<HubOptions> =>
  databaseUrl === null ? {} : { databaseUrl };
const troubles = async (): Promise<(string | undefined)[]> =>
  (await hub.status(false)).sites.map(({ trouble }) => trouble?.code);
const alarms = async (): Promise<string[]> =>
  (await hub.call<{ alarms: { site: string; login: string }[] }>('GET', '/alarms')).alarms
    .map(({ site, login }) => `${site} ${login}`)
    .sort();
const insert = (where: Site, ...logins: string[]): Promise<string> =>
  where.php(
    logins
      .map(
        (login) => `wp_insert_user( array( 'user_login' => '${login}',
    'user_email' => '${login}@people.test', 'user_pass' => 'first password of ${login}', 'first_name' => 'First' ) );`,
      )
      .join('\n'),
  );
const edit = (where: Site, login: string, fields: Record<string, string>): Promise<string> =>
  where.php(
    `wp_update_user( array( 'ID' => get_user_by( 'login', '${login}' )->ID ) + json_decode( '${JSON.stringify(fields)}', true ) );`,
  );

/** Everybody but the administrator and the hub's own account, with all that is to be the same everywhere. */
async function everybody(where: Site): Promise<Record<string, unknown>> {
  return JSON.parse(
    await where.php(`global $wpdb;
      $all = array();
      foreach ( $wpdb->get_results( "SELECT ID, user_login, user_email, user_pass, display_name FROM $wpdb->users ORDER BY user_login", ARRAY_A ) as $row ) {
        if ( 'admin' === $row['user_login'] || 0 === strpos( $row['user_login'], 'rollcall' ) ) { continue; }
        $id = (int) $row['ID'];
        unset( $row['ID'] );
        $all[ $row['user_login'] ] = $row + array( 'first_name' => get_user_meta( $id, 'first_name', true ),
          'roles' => array_values( get_userdata( $id )->roles ) );
      }
      echo wp_json_encode( (object) $all );`),
  );
}
const uidOf = (where: Site, login: string): Promise<string> =>
  where.php(
    `$id = get_user_by( 'login', '${login}' )->ID; echo Rollcall_Ledger::load( array( $id ) )[ $id ]['uid'] ?? 'none';`,
  );

beforeAll(async () => {
  endings.push(async () => cluster?.stop());
  const site = async (name: string): Promise<Site> => {
    const started = await startStorySite({ name });
    endings.push(() => started.stop());
    await prepare(started);
    return started;
  };
  [shop, blog] = await Promise.all([site('shop'), site('blog')]);
});
afterAll(async () => {
  await running?.stop();
  for (let ending = endings.pop(); ending !== undefined; ending = endings.pop()) await ending();
});

test('a hub on PostgreSQL comes back from a backup in a store of its own, learns what it missed, and goes back', async () => {
  const [first, second, third] = [await newFolder(), await newFolder(), await newFolder()];
  const databaseUrl = (await cluster?.createDatabase()) ?? null;
  await start(first, databaseOf(databaseUrl));
  for (const site of [shop, blog]) await hub.connect(site);
  await hub.route('shop', 'blog', { both: true });
  await insert(shop, 'anna', 'bert', 'cleo');
  await hub.rest();
  const file = join(first, 'hub.backup');
  const passphrase = join(first, 'passphrase');
  await writeFile(passphrase, `${PASSPHRASE}\n`, { mode: 0o600 });
  const keyed = ['--with-key', '--passphrase-file', passphrase];
  const at = ['--url', hub.url, '--token', hub.token];
  await rollcall({ ROLLCALL_DATA: first }, 'backup', '--out', file, ...keyed, ...at);

  // The hub goes on, and is lost.
  await edit(shop, 'anna', { first_name: 'Since', user_pass: 'a newer password' });
  await insert(blog, 'dora');
  await hub.rest();
  await running.stop();
  const before = await Promise.all([shop, blog].map(everybody));
  expect(before[0]).toEqual(before[1]);

  const opened = ['--data', second, '--passphrase-file', passphrase];
  expect(await rollcall({}, 'restore', file, ...opened)).toContain('2 sites (blog, shop)');
  await start(second);
  await waitUntil(async () => (await troubles()).every((code) => code === 'hub.rewound'), REST_MS);
  await edit(blog, 'bert', { first_name: 'Meanwhile' });
  expect(await everybody(shop)).toEqual(before[0]);
  const done = await hub.call<Recovery>('POST', '/recovery', {});
  expect(
    done.sites.map(({ fault, found }) => [fault, found?.takenOver, found?.mismatched]),
  ).toEqual([
    [null, 1, 0],
    [null, 1, 0],
  ]);
  await hub.rest();
  expect((await person(shop, 'bert'))?.firstName).toBe('Meanwhile');
  expect(await everybody(shop)).toEqual(await everybody(blog));
  expect(await everybody(shop)).toMatchObject({
    anna: before[0]?.['anna'],
    dora: before[0]?.['dora'],
  });
  expect(await alarms()).toEqual([]);

  // And back: nothing happened in between, so nobody needs to say anything.
  const other = join(second, 'hub.backup');
  const here = ['--url', hub.url, '--token', hub.token];
  await rollcall({}, 'backup', '--out', other, ...here);
  await running.stop();
  const target = (await cluster?.createDatabase()) ?? null;
  await copyFile(join(second, 'secret.key'), join(third, 'secret.key'));
  await rollcall(onDatabase(target), 'restore', other, '--data', third);
  await start(third, databaseOf(target));
  // Each site is told at the first contact where the hub is now.
  await hub.rest();
  await edit(shop, 'cleo', { first_name: 'Back again' });
  await hub.rest();
  expect((await person(blog, 'cleo'))?.firstName).toBe('Back again');
  expect(await troubles()).toEqual([undefined, undefined]);
});

test('another plugin for the same thing is named on the site and in the hub, until it is switched off', async () => {
  const plugin = 'wp-remote-users-sync/wp-remote-users-sync.php';
  const said = async () =>
    (await hub.status()).sites.flatMap(({ name, warnings }) =>
      warnings.map(({ code }) => `${name} ${code}`),
    );
  expect(await said()).toEqual([]);
  await shop.php(`mkdir( dirname( WP_PLUGIN_DIR . '/${plugin}' ) );
    file_put_contents( WP_PLUGIN_DIR . '/${plugin}', "<?php\\n/* Plugin Name: Other sync */" );
    require_once ABSPATH . 'wp-admin/includes/plugin.php';
    activate_plugin( '${plugin}' );`);
  expect(await said()).toEqual(['shop installation.other_sync']);
  const { warnings } = await hub.call<{ warnings: { message: string }[] }>(
    'POST',
    '/sites/shop/test',
  );
  expect(warnings[0]?.message).toContain('WP Remote Users Sync is active here, too');
  const { visitor } = await signIn(shop, shop.adminLogin, shop.adminPassword);
  const page = await visitor.request('/wp-admin/admin.php?page=rollcall');
  expect(await page.text()).toContain('WP Remote Users Sync is active here, too');
  expect(
    await shop.php(`echo Rollcall_Other_Sync::test()['status'],
    isset( apply_filters( 'site_status_tests', array() )['direct']['rollcall_other_sync'] );`),
  ).toBe('critical1');
  await shop.php(
    `require_once ABSPATH . 'wp-admin/includes/plugin.php'; deactivate_plugins( '${plugin}' );`,
  );
  expect(await said()).toEqual([]);
  expect(await shop.php(`echo Rollcall_Other_Sync::test()['status'];`)).toBe('good');
});

/** These two get each other's id, as after a migration that counted anew; without labels, their rows are lost. */
const swap = (where: Site, one: string, two: string, labels: boolean): Promise<string> =>
  where.php(`global $wpdb;
    $ids = array( get_user_by( 'login', '${one}' )->ID, get_user_by( 'login', '${two}' )->ID );
    foreach ( array( array( $wpdb->users, 'ID' ), array( $wpdb->usermeta, 'user_id' ) ) as list( $table, $column ) ) {
      $wpdb->query( "UPDATE $table SET $column = 900000 WHERE $column = $ids[0]" );
      $wpdb->query( "UPDATE $table SET $column = $ids[0] WHERE $column = $ids[1]" );
      $wpdb->query( "UPDATE $table SET $column = $ids[1] WHERE $column = 900000" );
    }
    wp_cache_flush();
    ${labels ? '' : "$wpdb->query( 'DELETE FROM ' . Rollcall_Tables::accounts() . ' WHERE user_id IN (' . implode( ',', $ids ) . ')' );"}`);

const EVERYONE = ['anna', 'bert', 'cleo', 'dora'];

test('T194: after a migration that gave people each other’s ids nobody gets what is somebody else’s, with labels and without; a person sorts it out', async () => {
  const before = await everybody(blog);
  await swap(blog, 'anna', 'bert', true);
  await swap(blog, 'cleo', 'dora', false);
  expect(await everybody(blog)).toEqual(before);
  for (const login of EVERYONE) {
    await edit(shop, login, { first_name: `${login} at the shop`, user_pass: `of ${login}` });
  }
  // Nobody there has done anything that would tell the hub.
  await hub.rest();
  expect(await everybody(blog)).toEqual(before);
  for (const login of EVERYONE) await edit(blog, login, { first_name: `${login} at the blog` });
  const [atShop, atBlog] = await Promise.all([shop, blog].map(everybody));
  await hub.rest();
  // What each site's own people did stands there, and nothing of it came to anybody else.
  expect(await Promise.all([shop, blog].map(everybody))).toEqual([atShop, atBlog]);
  expect(await alarms()).toEqual(expect.arrayContaining(EVERYONE.map((login) => `blog ${login}`)));

  await hub.call('POST', '/alarms/answer', { site: 'blog', answer: 'new' });
  await hub.rest();
  expect(await alarms()).toEqual([]);
  expect(await Promise.all([shop, blog].map(everybody))).toEqual([atShop, atBlog]);
  for (const login of EVERYONE) {
    await hub.call('POST', '/links', { site: 'shop', login, otherSite: 'blog', otherLogin: login });
  }
  await hub.rest();
  const [shopNow, blogNow] = await Promise.all([shop, blog].map(everybody));
  expect(shopNow).toEqual(blogNow);
  expect(Object.keys(shopNow ?? {})).toEqual(EVERYONE);
  for (const login of EVERYONE) {
    expect(shopNow?.[login]).toMatchObject({
      first_name: `${login} at the blog`,
      user_email: `${login}@people.test`,
    });
    expect(await uidOf(shop, login)).toBe(await uidOf(blog, login));
  }
});

test('a hub that was lost without a backup knows people again by their labels, and goes on', async () => {
  await running.stop();
  const before = await Promise.all([shop, blog].map(everybody));
  const uids = await Promise.all(EVERYONE.map((login) => uidOf(shop, login)));
  // Nobody hears of it but the sites.
  await edit(shop, 'anna', { first_name: 'While no hub ran' });
  await start(await newFolder());
  for (const site of [shop, blog]) {
    await site.php('Rollcall_Disconnect::release();');
    await hub.connect(site);
  }
  // A site that shows somebody's label for an account of its own.
  await insert(blog, 'eve');
  await hub.route('shop', 'blog', { both: true });
  await hub.rest();
  // All that had a label, the administrators too.
  expect(await alarms()).toHaveLength(10);
  await blog.php(`$wpdb = $GLOBALS['wpdb'];
    $of = function ( $login ) { return get_user_by( 'login', $login )->ID; };
    $row = Rollcall_Ledger::load( array( $of( 'dora' ) ) )[ $of( 'dora' ) ];
    $wpdb->delete( Rollcall_Tables::accounts(), array( 'user_id' => $of( 'eve' ) ) );
    $wpdb->update( Rollcall_Tables::accounts(), array( 'user_id' => $of( 'eve' ) ), array( 'user_id' => $of( 'dora' ) ) );`);
  const at = ['--url', hub.url, '--token', hub.token];
  const would = await rollcall({}, 'recover', '--from-labels', ...at);
  expect(would).toContain('3 persons with 6 accounts would be known again');
  expect(await alarms()).toHaveLength(10);
  const done: Rebuilt = JSON.parse(
    await rollcall({}, 'recover', '--from-labels', '--yes', '--json', ...at),
  );
  expect(done).toEqual({ done: true, persons: 3, accounts: 6, unclear: 4 });
  await edit(blog, 'bert', { first_name: 'Known again' });
  await hub.rest();
  expect((await person(blog, 'anna'))?.firstName).toBe('While no hub ran');
  expect((await person(shop, 'bert'))?.firstName).toBe('Known again');
  const [atShop, atBlog] = await Promise.all([shop, blog].map(everybody));
  for (const login of ['anna', 'bert', 'cleo']) {
    expect([login, atShop?.[login]]).toEqual([login, atBlog?.[login]]);
  }
  expect(atShop?.['dora']).toEqual(before[0]?.['dora']);
  expect(atBlog?.['dora']).toEqual(before[1]?.['dora']);
  expect(await Promise.all(EVERYONE.map((login) => uidOf(shop, login)))).toEqual(uids);
  expect(await alarms()).toContain('shop dora');
});
