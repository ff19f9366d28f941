/**
 * A network of 150 sites and 5,000 accounts with a hub and a persistent object cache: looked at as a whole, filled in
 * part, and what every screen of WordPress says of it right afterwards.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NetworkRunView, NetworkView } from '#hub/api/schemas/network.ts';
import type { RunningHub } from '#hub/cli/hub-process.ts';
import { startHub } from '#hub/main.ts';
import { signIn } from '#lab/sign-in.ts';
import { nativeMissing, type Site } from '#lab/start-site.ts';
import type { Visitor } from '#lab/visitor.ts';
import { waitUntil } from '#lab/wait-until.ts';
import { Hub, prepare, REST_MS, startStorySite } from './stage.ts';

const missing = nativeMissing();
if (missing !== null) console.warn(`Large networks need a native site; to run them: ${missing}`);

const CLI = new URL('../bin/rollcall.mjs', import.meta.url).pathname;
const run = promisify(execFile);
const SITES = 150;
const PEOPLE = 5_000;

/** Keeps every group in files, for all requests and for good, each site's own apart. */
const OBJECT_CACHE = `<?php
class WP_Object_Cache {
	public $now = array(); public $global = array(); public $blog = 1;
	public function file( $key, $group ) {
		return WP_CONTENT_DIR . '/object-cache/' . md5( ( in_array( $group, $this->global, true ) ? '' : $this->blog ) . ":$group:$key" );
	}
	public function get( $key, $group, &$found = null ) {
		$file = $this->file( $key, $group );
		if ( ! array_key_exists( $file, $this->now ) ) { $text = is_file( $file ) ? @file_get_contents( $file ) : false; $this->now[ $file ] = $text; }
		$found = false !== $this->now[ $file ];
		return $found ? unserialize( $this->now[ $file ] ) : false;
	}
	public function set( $key, $value, $group ) {
		$file = $this->file( $key, $group ); $this->now[ $file ] = serialize( $value );
		file_put_contents( $temporary = $file . uniqid( '', true ), $this->now[ $file ] ); rename( $temporary, $file );
		return true;
	}
	public function delete( $key, $group ) { $file = $this->file( $key, $group ); $this->now[ $file ] = false; return is_file( $file ) && @unlink( $file ); }
}
function wp_cache_init() { wp_mkdir_p( WP_CONTENT_DIR . '/object-cache' ); $GLOBALS['wp_object_cache'] = new WP_Object_Cache(); }
function wp_cache_get( $key, $group = '', $force = false, &$found = null ) { return $GLOBALS['wp_object_cache']->get( $key, $group ?: 'default', $found ); }
function wp_cache_set( $key, $value, $group = '', $expire = 0 ) { return $GLOBALS['wp_object_cache']->set( $key, $value, $group ?: 'default' ); }
function wp_cache_add( $key, $value, $group = '', $expire = 0 ) { wp_cache_get( $key, $group, false, $found ); return ! $found && wp_cache_set( $key, $value, $group ); }
function wp_cache_replace( $key, $value, $group = '', $expire = 0 ) { wp_cache_get( $key, $group, false, $found ); return $found && wp_cache_set( $key, $value, $group ); }
function wp_cache_delete( $key, $group = '' ) { return $GLOBALS['wp_object_cache']->delete( $key, $group ?: 'default' ); }
function wp_cache_incr( $key, $by = 1, $group = '' ) { $value = (int) wp_cache_get( $key, $group ) + $by; wp_cache_set( $key, $value, $group ); return $value; }
function wp_cache_decr( $key, $by = 1, $group = '' ) { return wp_cache_incr( $key, - $by, $group ); }
function wp_cache_flush() { array_map( 'unlink', glob( WP_CONTENT_DIR . '/object-cache/*' ) ); $GLOBALS['wp_object_cache']->now = array(); return true; }
function wp_cache_close() { return true; }
function wp_cache_add_global_groups( $groups ) { $GLOBALS['wp_object_cache']->global = array_merge( $GLOBALS['wp_object_cache']->global, (array) $groups ); }
function wp_cache_add_non_persistent_groups( $groups ) {}
function wp_cache_switch_to_blog( $blog ) { $GLOBALS['wp_object_cache']->blog = (int) $blog; }
`;

/** What WordPress answers on a site of the network; and a page of a run, in a request of its own. */
const WINDOW = `<?php add_action( 'init', function () {
	if ( isset( $_GET['lab_seen'] ) ) {
		$query = new WP_User_Query( array( 'blog_id' => get_current_blog_id(), 'number' => 1, 'count_total' => true ) );
		$user  = get_user_by( 'login', $_GET['lab_seen'] );
		wp_send_json( array( 'counted' => count_users()['avail_roles'], 'found' => $query->get_total(), 'roles' => array_values( $user->roles ), 'sites' => count( get_blogs_of_user( $user->ID ) ), 'accounts' => get_user_count() ) );
	}
	if ( isset( $_GET['lab_page'] ) ) { wp_send_json( Rollcall_Network_Runs::page( $_GET['lab_page'], (int) $_GET['lab_blog'], 20 ) ); }
} );`;

/** Sites and people as they lie in a database: making each through WordPress would take minutes. */
const LARGE = `global $wpdb; $p = $wpdb->base_prefix; $_SERVER['REMOTE_ADDR'] = '127.0.0.1';
  wpmu_create_blog( get_network()->domain, '/shop/', 'Shop', 1 );
  $url = get_home_url( 2 );
  for ( $i = 3; $i <= ${SITES}; $i++ ) {
    $wpdb->insert( $wpdb->blogs, array( 'blog_id' => $i, 'site_id' => 1, 'domain' => get_network()->domain, 'path' => "/s$i/" ) );
    $wpdb->query( "CREATE TABLE {$p}{$i}_options LIKE {$p}2_options" );
    $wpdb->query( "INSERT INTO {$p}{$i}_options SELECT option_id, REPLACE( option_name, '{$p}2_', '{$p}{$i}_' ), CASE option_name WHEN 'blogname' THEN 'S$i' ELSE REPLACE( option_value, '$url', '" . str_replace( '/shop', "/s$i", $url ) . "' ) END, autoload FROM {$p}2_options" );
  }
  $rows = array();
  for ( $i = 1; $i <= ${PEOPLE}; $i++ ) { $rows[] = "('p$i','x','p$i','p$i@people.test','2020-01-01 00:00:00','p$i')"; }
  $wpdb->query( "INSERT INTO $wpdb->users (user_login,user_pass,user_nicename,user_email,user_registered,display_name) VALUES " . implode( ',', $rows ) );
  add_user_to_blog( 1, get_user_by( 'login', 'p1' )->ID, 'editor' );
  add_user_to_blog( 1, get_user_by( 'login', 'p2' )->ID, 'contributor' );
  update_blog_option( 3, 'default_role', 'author' );
  wp_update_network_user_counts(); wp_cache_flush();`;

describe.skipIf(missing !== null)('150 sites and 5,000 accounts', () => {
  let site: Site;
  let folder: string;
  let running: RunningHub;
  let hub: Hub;
  let admin: Visitor;
  beforeAll(async () => {
    site = await startStorySite({
      name: 'large',
      multisite: true,
      muPlugins: { 'window.php': WINDOW },
    });
    await site.php(LARGE);
    await prepare(site);
    await writeFile(join(site.dir, 'wp-content', 'object-cache.php'), OBJECT_CACHE);
    folder = await mkdtemp(join(tmpdir(), 'rollcall-large-'));
    running = await startHub({ dataFolder: folder, port: 0, pollSeconds: 1 });
    hub = new Hub(running);
    await hub.connect(site);
    ({ visitor: admin } = await signIn(site, site.adminLogin, site.adminPassword));
  }, 120_000);
  afterAll(async () => {
    await running?.stop();
    await site?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  async function rollcall<T>(...args: string[]): Promise<T> {
    const env = { ...process.env, ROLLCALL_URL: hub.url, ROLLCALL_TOKEN: hub.token };
    const { stdout } = await run(process.execPath, [CLI, ...args, '--json'], { env });
    const value: T = JSON.parse(stdout);
    return value;
  }
  const runCalled = (id: string) => hub.call<NetworkRunView>('GET', `/network-runs/${id}`);
  async function until(id: string, state: string): Promise<NetworkRunView> {
    let view = await runCalled(id);
    await waitUntil(async () => {
      view = await runCalled(id);
      return view.state === state && view.wanted === null;
    }, REST_MS);
    return view;
  }
  async function carriedOut(asked: object): Promise<NetworkRunView> {
    const { id } = await hub.call<NetworkRunView>('POST', '/networks/large/runs', asked);
    return until(id, 'done');
  }
  /** By SQL: memberships, the people who have them, and levels. */
  const stored = async (where: string): Promise<readonly number[]> =>
    JSON.parse(
      await site.php(`global $wpdb; $row = $wpdb->get_row( "SELECT COUNT(*), COUNT( DISTINCT user_id, meta_key ), COUNT( DISTINCT meta_key ) FROM $wpdb->usermeta WHERE meta_key ${where}", ARRAY_N );
        echo wp_json_encode( array_map( 'intval', $row ) );`),
    );
  const capsOf = (blog: number): string => `= 'wp_${blog === 1 ? '' : `${blog}_`}capabilities'`;
  const ALL_CAPS = "LIKE 'wp%capabilities'";
  const seen = async (path: string, login: string): Promise<Record<string, unknown>> =>
    JSON.parse(await (await site.request(`${path}/?lab_seen=${login}`)).text());
  /** What the Users screen of the shop counts in all, and the list of sites in Network Admin. */
  async function screens(): Promise<[string | undefined, string | undefined]> {
    const users = await (await admin.request('/shop/wp-admin/users.php')).text();
    const sites = await (await admin.request('/wp-admin/network/sites.php?s=shop')).text();
    const all = /class='all'>.*?class="count">\(([\d,]+)\)/su.exec(users)?.[1];
    const column = /class='users column-users'[^>]*>\s*<a[^>]*>([\d,]+)</su.exec(sites)?.[1];
    return [all, column];
  }

  test('all of them are listed and counted, and counting writes nothing', async () => {
    const view = await hub.call<NetworkView>('GET', '/networks/large');
    expect([view.sites.length, view.accounts]).toEqual([SITES, PEOPLE + 1]);
    const before = await stored(ALL_CAPS);
    const asked = { action: 'fill', sites: 'all', people: { by: 'all' } };
    const { id } = await hub.call<NetworkRunView>('POST', '/networks/large/runs/plan', asked);
    const { preview } = await until(id, 'planned');
    expect(preview).toMatchObject({ add: SITES * PEOPLE - 2, unchanged: 4, change: 0 });
    await hub.call('POST', `/network-runs/${id}/cancel`);
    expect(await stored(ALL_CAPS)).toEqual(before);
  });

  test('T989: after a fill, a copy of roles and their undo every screen and function counts right, though an object cache remembered how it was', async () => {
    const before = [await seen('/shop', 'p2'), await screens()];
    expect(before).toEqual([
      {
        counted: { administrator: 1, none: 0 },
        found: 1,
        roles: [],
        sites: 1,
        accounts: PEOPLE + 2,
      },
      ['1', '1'],
    ]);
    const sites = ['large Shop', 'large S3'];
    const filled = await carriedOut({ action: 'fill', sites, people: { by: 'all' } });
    expect(filled.added).toBe(sites.length * PEOPLE);
    expect(await seen('/shop', 'p2')).toEqual({
      counted: { administrator: 1, subscriber: PEOPLE, none: 0 },
      found: PEOPLE + 1,
      roles: ['subscriber'],
      sites: sites.length + 1,
      accounts: PEOPLE + 2,
    });
    expect(await screens()).toEqual(['5,001', '5,001']);
    expect(await stored(capsOf(3))).toEqual([PEOPLE, PEOPLE, 1]);
    // What they are on the main site they become where they are members.
    await seen('/s3', 'p1');
    const people = ['--from', 'large', '--accounts', 'p1,p2'];
    const to = ['--sites', 'large Shop,large S3,large S5', '--yes'];
    const command = ['network', 'copy-roles', 'large', ...people, ...to];
    const copied = await rollcall<NetworkRunView>(...command);
    const { changed, unchanged, skipped } = await until(copied.id, 'done');
    expect([changed, unchanged, skipped]).toMatchObject([
      4,
      0,
      [{ reason: 'network.not_a_member', count: 2 }],
    ]);
    expect(await seen('/s3', 'p1')).toMatchObject({ roles: ['editor'] });
    expect(await seen('/shop', 'p2')).toMatchObject({
      roles: ['contributor'],
      counted: { administrator: 1, editor: 1, contributor: 1, subscriber: PEOPLE - 2 },
    });
    await rollcall('network', 'undo', 'large', '--run', copied.id);
    await until(copied.id, 'undone');
    expect(await seen('/s3', 'p1')).toMatchObject({ roles: ['author'] });
    // Memberships that began are taken off again, for others to see at once as well.
    const found = { by: 'search', search: 'p49' };
    const some = await carriedOut({ action: 'fill', sites: ['large S5'], people: found });
    expect(await seen('/s5', 'p499')).toMatchObject({ found: some.added, sites: sites.length + 1 });
    await rollcall('network', 'undo', 'large', '--run', some.id);
    expect(await until(some.id, 'undone')).toMatchObject({ removed: some.added, kept: 0 });
    expect(await seen('/s5', 'p499')).toMatchObject({
      found: 0,
      counted: { none: 0 },
      roles: [],
      sites: sites.length,
    });
  });

  test('T988: several processes at one page of one run write each membership once, and count it once', async () => {
    const begun = JSON.parse(
      await site.php(
        "echo wp_json_encode( Rollcall_Network_Runs::begin( wp_generate_uuid4(), 1, array( 'action' => 'fill', 'sites' => array( 7 ) ), 'cli', 'test' ) );",
      ),
    );
    const page = () => site.request(`/s7/?lab_page=${begun.id}&lab_blog=7`);
    await Promise.all([page(), page(), page(), page()]);
    const { runs } = await hub.call<{ runs: NetworkRunView[] }>('GET', '/networks/large/runs');
    const ended = runs.find(({ id }) => id === begun.id);
    expect(ended).toMatchObject({ state: 'done', added: PEOPLE, done: ended?.total });
    expect(await stored(capsOf(7))).toEqual([PEOPLE, PEOPLE, 1]);
  });

  test('chosen people come to many sites in one run, and uninstalling takes nobody off any', async () => {
    const logins = Array.from({ length: 20 }, (_, i) => `p${i + 1}`);
    const people = { by: 'accounts', logins };
    const sites = Array.from({ length: 20 }, (_, i) => `large S${i + 7}`);
    const filled = await carriedOut({ action: 'fill', sites, people });
    // On S7 all were before.
    expect(filled).toMatchObject({ added: 19 * 20, unchanged: 20, skipped: [] });
    expect(await seen('/s26', 'p20')).toMatchObject({ found: 20, sites: 22 });
    await hub.call('PATCH', '/networks/large', { newAccount: true });
    // A turn that is still due on some site of the network.
    await site.php('switch_to_blog( 9 ); Rollcall_Network_Cron::wake();');
    const withCron = async (): Promise<unknown> =>
      JSON.parse(
        await site.php(`global $wpdb; $all = array();
          foreach ( $wpdb->get_col( "SELECT blog_id FROM $wpdb->blogs" ) as $blog ) { if ( $wpdb->get_var( "SELECT 1 FROM {$wpdb->get_blog_prefix( $blog )}options WHERE option_name = 'cron' AND option_value LIKE '%rollcall%'" ) ) { $all[] = (int) $blog; } }
          echo wp_json_encode( $all );`),
      );
    const theirs = () =>
      site.php(`global $wpdb; echo wp_json_encode( $wpdb->get_row( "SELECT COUNT(*), SUM( CRC32( CONCAT_WS( '|', umeta_id, user_id, meta_key, meta_value ) ) ) FROM $wpdb->usermeta WHERE user_id NOT IN ( SELECT ID FROM $wpdb->users WHERE user_login = 'rollcall-hub' ) AND meta_key <> 'session_tokens'", ARRAY_N ) ),
        wp_json_encode( $wpdb->get_row( "SELECT COUNT(*), SUM( CRC32( CONCAT_WS( '|', ID, user_login, user_pass, user_email, user_status ) ) ) FROM $wpdb->users WHERE user_login <> 'rollcall-hub'", ARRAY_N ) );`);
    expect(await withCron()).toEqual([1, 9]);
    const before = await theirs();
    await site.wp('plugin', 'deactivate', 'rollcall-connector', '--network');
    await site.wp('plugin', 'uninstall', 'rollcall-connector', '--skip-delete');
    expect(await theirs()).toBe(before);
    expect(await withCron()).toEqual([]);
    const left = await site.php(
      `global $wpdb; echo wp_json_encode( array( $wpdb->get_col( "SHOW TABLES LIKE '%rollcall%'" ), $wpdb->get_col( "SELECT meta_key FROM $wpdb->sitemeta WHERE meta_key LIKE '%rollcall%'" ), $wpdb->get_col( "SELECT option_name FROM {$wpdb->base_prefix}9_options WHERE option_name LIKE '%rollcall%'" ) ) );`,
    );
    expect(JSON.parse(left)).toEqual([[], [], []]);
  });
});
