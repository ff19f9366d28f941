/** Plugins that are active on one site of a network alone hear what is written there, without a hub, too. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nativeMissing } from '#lab/start-site.ts';
import { waitUntil } from '#lab/wait-until.ts';
import { applicationPassword, basic } from './connected-site.ts';
import { type NetworkSite, php, type Run, startNetwork } from './network-site.ts';

/** Notes what it hears, and lets nobody else in by REST who is not signed in. */
const LISTENER = `<?php
/* Plugin Name: Listener */
foreach ( array( 'add_user_to_blog', 'set_user_role', 'remove_user_from_blog' ) as $hook ) {
	add_action( $hook, function ( $id, $what ) use ( $hook ) {
		global $wpdb;
		$wpdb->insert( $wpdb->base_prefix . 'heard', array( 'line' => implode( ' ', array( get_current_blog_id(), $hook, get_userdata( $id )->user_login, $what ) ) ) );
	}, 10, 2 );
}
add_filter( 'rest_authentication_errors', function ( $result ) {
	return is_user_logged_in() ? $result : new WP_Error( 'rest_not_logged_in', 'Members only.', array( 'status' => 401 ) );
} );
`;

/** Counts errands, has them fail or work slowly while a test says so; and somebody signs up on the front end. */
const HOST = {
  'host.php': `<?php
add_filter( 'pre_http_request', function ( $response, $args, $url ) {
	if ( ! strpos( $url, 'network/errand' ) ) { return $response; }
	global $wpdb;
	$wpdb->insert( $wpdb->base_prefix . 'heard', array( 'line' => 'asked ' . ( wp_parse_url( $url, PHP_URL_PATH ) ) ) );
	return get_site_option( 'test_refuses' ) ? new WP_Error( 'http_request_failed', 'Connection refused' ) : $response;
}, 10, 3 );
if ( get_site_option( 'test_slow' ) ) {
	if ( wp_doing_cron() ) { ini_set( 'max_execution_time', 2 ); }
	add_action( 'add_user_to_blog', function () { usleep( 1300000 ); } );
}
add_action( 'init', function () {
	if ( isset( $_GET['join_as'] ) ) { wpmu_create_user( $_GET['join_as'], 'x', $_GET['join_as'] . '@people.test' ); exit( 'joined' ); }
} );
`,
};

const missing = nativeMissing();
if (missing !== null) console.warn(`Errands need a native site; to run them: ${missing}`);

describe.skipIf(missing !== null)('a plugin that is active on one site alone', () => {
  let net: NetworkSite;
  beforeAll(async () => {
    net = await startNetwork('network-errands', ['shop', 'news'], HOST);
    await writeFile(join(net.site.dir, 'wp-content', 'plugins', 'listener.php'), LISTENER);
    await net.site.php(`global $wpdb;
      $wpdb->query( "CREATE TABLE {$wpdb->base_prefix}heard ( id int NOT NULL AUTO_INCREMENT PRIMARY KEY, line varchar(200) NOT NULL )" );
      update_blog_option( 2, 'active_plugins', array( 'listener.php' ) );`);
  });
  afterAll(() => net?.stop());

  const ASKED = 'asked /shop/wp-json/rollcall/v1/network/errand';
  const heard = (): Promise<string[]> =>
    net.json(
      'global $wpdb; $lines = $wpdb->get_col( "SELECT line FROM {$wpdb->base_prefix}heard ORDER BY id" ); $wpdb->query( "DELETE FROM {$wpdb->base_prefix}heard" ); echo wp_json_encode( $lines );',
    );
  const turn = () => net.site.php("do_action( 'rollcall_network_turn' );");
  const make = (login: string) =>
    net.site.php(`wpmu_create_user( '${login}', 'x', '${login}@people.test' );`);
  const begin = (spec: object, driver = 'cron'): Promise<Run> =>
    net.json(
      `echo wp_json_encode( Rollcall_Network_Runs::begin( wp_generate_uuid4(), 1, ${php(spec)}, '${driver}', 'test' ) );`,
    );
  const idsOf = (login: string) =>
    net.json<number[]>(`echo wp_json_encode( array( get_user_by( 'login', '${login}' )->ID ) );`);
  const runOf = (id: string): Promise<Run> =>
    net.json(`echo wp_json_encode( Rollcall_Network_Runs::find( '${id}' ) );`);

  /** Roles on the main site, the shop and the news; a test may have made more sites. */
  const roles = async (login: string): Promise<string> =>
    ((await net.members([login]))[login] ?? '').split(' ').slice(0, 3).join(' ');
  const become = (login: string, expected: string) =>
    waitUntil(async () => (await roles(login)) === expected, 30_000).catch(async () =>
      expect(await roles(login)).toBe(expected),
    );

  test('hears what triggers write there; no visitor’s request waits for that', async () => {
    await net.settings({ new_account: true });
    expect(await (await net.site.request('/news/?join_as=anna')).text()).toBe('joined');
    await become('anna', 'subscriber - -');
    expect(await heard()).toEqual([]);
    // The host's own cron knows the main site alone.
    await net.site.wp('cron', 'event', 'run', 'rollcall_network_turn', '--due-now');
    await become('anna', 'subscriber subscriber subscriber');
    expect(await heard()).toEqual([
      ASKED,
      '2 set_user_role anna subscriber',
      '2 add_user_to_blog anna subscriber',
    ]);
    await net.settings({ new_account: false, role_change: true });
    await net.site.php("get_user_by( 'login', 'anna' )->set_role( 'editor' );");
    await turn();
    await become('anna', 'editor editor editor');
    expect(await heard()).toEqual([ASKED, '2 set_user_role anna editor']);
    await net.settings({ role_change: false });
  });

  test('hears what a run that cron drives writes there, and what its undo takes off; a new site’s plugin, too', async () => {
    await make('ben');
    const people = await idsOf('ben');
    const { id } = await begin({ action: 'fill', people });
    await turn();
    expect(await runOf(id)).toMatchObject({ state: 'done', counts: { added: 3 } });
    expect(await heard()).toEqual([
      ASKED,
      '2 set_user_role ben subscriber',
      '2 add_user_to_blog ben subscriber',
    ]);
    // Where nothing is to be written no errand is sent.
    const again = await begin({ action: 'fill', people, sites: [2] });
    await turn();
    expect(await runOf(again.id)).toMatchObject({ state: 'done', counts: { unchanged: 1 } });
    expect(await heard()).toEqual([]);
    await net.site.php(`Rollcall_Network_Runs::control( '${id}', 'undo', 'cron' );`);
    await turn();
    expect(await roles('ben')).toBe('- - -');
    expect(await heard()).toEqual([ASKED, '2 remove_user_from_blog ben 2']);
    await net.settings({ new_site: true });
    await net.site.php(
      "wpmu_create_blog( get_network()->domain, '/late/', 'late', 1, array( 'active_plugins' => array( 'listener.php' ) ) );",
    );
    await heard();
    await turn();
    await waitUntil(async () => (await net.members(['ben']))['ben'] === '- - - subscriber', 30_000);
    expect(await heard()).toContain('4 add_user_to_blog ben subscriber');
    await net.settings({ new_site: false, excluded: [4] });
  });

  test('T234: an errand that is forged, too old, meant for another site, or somebody’s own, changes nothing; nor does one that comes twice', async () => {
    for (const login of ['ada', 'gus']) await make(login);
    // With the first errand the network has a key.
    await begin({ action: 'fill', people: await idsOf('ada'), sites: [2] });
    await turn();
    const people = await idsOf('gus');
    const mine = await begin({ action: 'fill', people, sites: [2, 3] });
    const others = await begin({ action: 'fill', people, sites: [2] }, 'cli');
    const errand = { network: 1, blog: 2, seconds: 5 };
    const signed = (parts: object, life = 60_000, key = '') =>
      net.json<{ errand: string; mac: string }>(
        `$kept = maybe_unserialize( Rollcall_Option_Row::read( Rollcall_Network_Errand::OPTION, 1 ) ); $errand = wp_json_encode( array( 'until' => Rollcall_Network_Runs::now() + ${life} ) + ${php({ ...errand, ...parts })} );
         echo wp_json_encode( array( 'errand' => $errand, 'mac' => hash_hmac( 'sha256', $errand, ${key === '' ? "$kept['key']" : key} ) ) );`,
      );
    const send = async (body: unknown, site = 'shop', headers = {}) =>
      (
        await net.site.request(`/${site}/wp-json/rollcall/v1/network/errand`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: JSON.stringify(body),
        })
      ).status;
    const good = await signed({ run: mine.id });
    const boss = basic(
      net.site.adminLogin,
      await applicationPassword(net.site, net.site.adminLogin),
    );
    const before = await net.members();
    // News lets visitors in to its REST API; the shop sends them away before that.
    expect(await send({ ...good, mac: good.mac.replace(/^./u, 'x') }, 'news')).toBe(403);
    for (const [body, status] of [
      [{ ...good, errand: good.errand.replace('"blog":2', '"blog":3') }, 403],
      [{ ...(await signed({ run: mine.id }, -1)) }, 403],
      [{ ...(await signed({ run: mine.id }, 600_000)) }, 403],
      [{ ...(await signed({ run: mine.id, network: 2 })) }, 403],
      [{ ...(await signed({ run: mine.id }, 60_000, "''")) }, 403],
      [{ errand: good.errand }, 403],
      [{ hub: { id: others.id, term: 1 }, run: mine.id, blog: 2 }, 403],
      [['errand', 'mac'], 403],
      [await signed({ run: others.id }), 200],
      [await signed({ due: [[1, 1], ['x'], 7] }), 200],
      [await signed({ run: [], due: 'all' }), 200],
    ] as const) {
      expect([body, await send(body, 'shop', boss)]).toEqual([body, status]);
    }
    expect(await send(good, 'news')).toBe(403);
    expect(await net.members()).toEqual(before);
    expect(await send(good)).toBe(200);
    expect(await roles('gus')).toBe('- subscriber -');
    await net.site.php("remove_user_from_blog( get_user_by( 'login', 'gus' )->ID, 2 );");
    expect(await send(good)).toBe(200);
    expect(await roles('gus')).toBe('- - -');
    await net.site.php(`Rollcall_Network_Runs::control( '${mine.id}', 'cancel' );`);
    await heard();
  });

  test('T235: where the server can’t ask itself the work is done all the same, it is not tried again and again, and people are told', async () => {
    await net.site.php("update_site_option( 'test_refuses', 1 );");
    await make('cleo');
    await begin({ action: 'fill', people: await idsOf('cleo'), sites: [2, 3] });
    await turn();
    expect(await roles('cleo')).toBe('- subscriber subscriber');
    await net.settings({ new_account: true });
    await make('dora');
    await turn();
    await become('dora', 'subscriber subscriber subscriber');
    await net.settings({ new_account: false });
    // Asked once, and heard by nobody there.
    expect(await heard()).toEqual([ASKED]);
    const told = await net.site.wpTry('rollcall', 'network', 'show', '--format=json');
    expect(told.stderr).toContain(
      'On 1 site (shop) memberships were written without its own plugins and theme hearing of it: this server could not ask the site at its own address (Connection refused).',
    );
    expect(
      await net.json(
        'echo wp_json_encode( wp_list_pluck( Rollcall_Network_Unheard::warnings(), "code" ) );',
      ),
    ).toEqual(['network.unheard']);
    // Ten minutes later it is asked again.
    await net.site.php(
      `delete_site_option( 'test_refuses' ); Rollcall_Option_Row::change( Rollcall_Network_Unheard::OPTION, static function ( $kept ) { foreach ( $kept as $kind => $entries ) { foreach ( (array) $entries as $of => $entry ) { if ( is_array( $entry ) ) { $kept[ $kind ][ $of ][0] -= 600001; } } } return $kept; }, 1 );`,
    );
    await make('emil');
    await begin({ action: 'fill', people: await idsOf('emil'), sites: [2] });
    await turn();
    expect(await heard()).toEqual([
      ASKED,
      '2 set_user_role emil subscriber',
      '2 add_user_to_blog emil subscriber',
    ]);
    const still = await net.site.wpTry('rollcall', 'network', 'show', '--format=json');
    expect(still.stderr).toBe('');
  });

  test('hears of it by WordPress’s cron, which goes on by itself until all is done', async () => {
    await net.settings({ new_account: true });
    await net.site.wp('config', 'set', 'DISABLE_WP_CRON', 'false', '--raw');
    // One site a turn is all that there is time for.
    await net.site.php("update_site_option( 'test_slow', 1 );");
    expect(await (await net.site.request('/news/?join_as=fred')).text()).toBe('joined');
    // Nobody visits meanwhile.
    await become('fred', 'subscriber subscriber subscriber');
    expect(await heard()).toContain('2 add_user_to_blog fred subscriber');
  });
});
