/** Odd ways in which somebody leaves a site, and odd hosts: what holds inside a network all the same. No hub. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { signIn } from '#lab/sign-in.ts';
import { type NetworkSite, type Run, startNetwork } from './network-site.ts';

/** The main site of a network need not be the first one. */
const STRANGERS = {
  'strangers.php': `<?php
if ( file_exists( __DIR__ . '/second-is-main' ) ) { add_filter( 'pre_get_main_site_id', static function () { return 2; } ); }
`,
};

let net: NetworkSite;
beforeAll(async () => {
  net = await startNetwork('network-corners', ['shop', 'news'], STRANGERS);
});
afterAll(() => net?.stop());

const id = (login: string): string => `get_user_by( 'login', '${login}' )->ID`;
const make = (...logins: string[]): Promise<string> =>
  net.site.php(
    logins
      .map((login) => `wpmu_create_user( '${login}', 'x', '${login}@people.test' );`)
      .join('\n'),
  );
const fill = (people: string, sites: readonly number[]): string =>
  `$run = Rollcall_Network_Runs::begin( wp_generate_uuid4(), 1, array( 'action' => 'fill', 'sites' => array( ${sites.join()} ), 'people' => array( ${people} ) ), 'cli', 'test' );`;
/** One turn of work. */
const TURN = `$run = Rollcall_Network_Runs::page( $run['id'], $run['next'], 20 );`;

test('T246: who is taken off a site by Network Admin’s own link, or by another function than usual, is not put back', async () => {
  const logins = ['linked', 'revoked', 'rowless', 'twin'];
  await make(...logins);
  await net.site.php(
    `foreach ( array( ${logins.map(id).join()} ) as $id ) { add_user_to_blog( 2, $id, 'subscriber' ); }`,
  );
  await net.site.php(`require_once ABSPATH . 'wp-admin/includes/user.php'; switch_to_blog( 2 );
    $key = $GLOBALS['wpdb']->get_blog_prefix( 2 ) . 'capabilities';
    wp_revoke_user( ${id('revoked')} );
    delete_user_meta( ${id('rowless')}, $key );
    // One of two rows: that is no end.
    add_user_meta( ${id('twin')}, $key, array( 'author' => true ) );
    delete_user_meta( ${id('twin')}, $key, array( 'author' => true ) );`);
  const { visitor } = await signIn(net.site, net.site.adminLogin, net.site.adminPassword);
  const list = await (await visitor.request('/wp-admin/network/site-users.php?id=2')).text();
  const user = await net.json<number>(`echo ${id('linked')};`);
  const link = new RegExp(`site-users\\.php\\?[^"']*action=remove[^"']*user=${user}&[^"']*`).exec(
    list,
  )?.[0];
  await visitor.request(`/wp-admin/network/${link?.replaceAll(/&(?:amp|#038);/gu, '&')}`);
  expect(await net.members(logins)).toEqual({
    linked: '- - -',
    revoked: '- - -',
    rowless: '- - -',
    twin: '- subscriber -',
  });
  const { counts } = await net.run({ action: 'fill', sites: [2] });
  expect(counts.skipped['network.removed_before']).toBe(3);
  expect(
    await net.json(
      `echo wp_json_encode( array_map( 'intval', $GLOBALS['wpdb']->get_col( 'SELECT blog FROM ' . Rollcall_Network_Tables::removed() ) ) );`,
    ),
  ).toEqual([2, 2, 2]);
});

test('T247: a site that its own administrator deletes, and the network takes back, has not removed anybody', async () => {
  await make('customer');
  await net.site.php(`require_once ABSPATH . 'wp-admin/includes/ms.php';
    add_user_to_blog( 3, ${id('customer')}, 'author' );
    wpmu_delete_blog( 3, false ); update_blog_status( 3, 'deleted', '0' );`);
  expect(await net.members(['customer'])).toEqual({ customer: '- - -' });
  await net.json(`${fill(id('customer'), [3])} ${TURN} echo wp_json_encode( $run );`);
  expect(await net.members(['customer'])).toEqual({ customer: '- - subscriber' });
});

test('T248: where another site than the first is the main one, the first one’s administrators count as such', async () => {
  await make('first');
  expect(
    await net.json(`add_user_to_blog( 1, ${id('first')}, 'administrator' );
      $marker = WPMU_PLUGIN_DIR . '/second-is-main'; touch( $marker ); echo 1;`),
  ).toBe(1);
  expect(
    await net.json(`global $wpdb; $marker = WPMU_PLUGIN_DIR . '/second-is-main'; unlink( $marker );
      echo wp_json_encode( array( get_main_site_id(), Rollcall_Privilege::account_is_privileged( ${id('first')} ), Rollcall_Roles::blog_of_caps_key( $wpdb->base_prefix . 'capabilities' ), Rollcall_Roles::blog_of_caps_key( $wpdb->base_prefix . '2_capabilities' ) ) );`),
  ).toEqual([2, true, 1, 2]);
});

/** A query for something fails, as with a table that is being repaired. */
const failing = (what: string): string =>
  `$GLOBALS['wpdb']->suppress_errors(); add_filter( 'query', $fails = static function ( $sql ) { return false === strpos( $sql, "${what}" ) ? $sql : 'SELECT nothing FROM nowhere'; } );`;

test('T249: a query that fails for a moment is no permission, and nothing that is due is lost by it', async () => {
  await make('late');
  const exclude = (sites: string) =>
    `Rollcall_Network_Settings::change( 1, array( 'excluded' => array( ${sites} ) ) );`;
  for (const what of ["meta_key = 'rollcall_network' ", "meta_key = 'site_admins' "]) {
    const run = await net.json<Run>(
      `${fill(id('late'), [3])} ${exclude('3')} ${failing(what)} ${TURN} remove_filter( 'query', $fails ); ${exclude('')} echo wp_json_encode( $run );`,
    );
    expect([run.state, run.next, run.counts.done]).toEqual(['running', 3, 0]);
  }
  expect(await net.members(['late'])).toEqual({ late: '- - -' });
  await net.settings({ excluded: [3] });
  await net.settings({ new_account: true });
  for (const [login, what] of [
    ['early', "meta_key = 'rollcall_network' "],
    ['earlier', 'SELECT blog_id FROM'],
  ] as const) {
    expect(
      await net.json(`wpmu_create_user( '${login}', 'x', '${login}@people.test' );
        ${failing(what)} Rollcall_Network_Cron::work( 5 ); remove_filter( 'query', $fails );
        $due = Rollcall_Network_Due::count();
        $GLOBALS['wpdb']->query( 'UPDATE ' . Rollcall_Network_Tables::due() . ' SET not_before_ms = 0' );
        echo $due;`),
    ).toBe(1);
    await net.become({ [login]: 'subscriber subscriber -' });
  }
  await net.settings({ new_account: false, excluded: [] });
});

test('T250: who is a super admin by a plugin’s word is left alone, and who has become one since is not taken off', async () => {
  await make('named', 'raised');
  const counts = await net.json<Run['counts'][]>(`
    add_filter( 'pre_site_option_site_admins', static function () { return array( 'named' ); } );
    ${fill(`${id('named')}, ${id('raised')}`, [3])} ${TURN} $all = array( $run['counts'] );
    remove_all_filters( 'pre_site_option_site_admins' );
    grant_super_admin( ${id('raised')} ); Rollcall_Network_Runs::control( $run['id'], 'undo' ); $run['next'] = 3;
    ${TURN} $all[] = $run['counts']; revoke_super_admin( ${id('raised')} ); echo wp_json_encode( $all );`);
  expect(counts[0]).toMatchObject({ added: 1, skipped: { 'network.super_admin': 1 } });
  expect(counts[1]).toMatchObject({ removed: 0, kept: 1 });
  expect(await net.members(['named', 'raised'])).toEqual({
    named: '- - -',
    raised: '- - subscriber',
  });
});

test('of an account that is gone a run’s list has the number, and no name', async () => {
  await make('gone');
  const { rows } = await net.json<{ rows: { login: string | null; now: string[] }[] }>(
    `require_once ABSPATH . 'wp-admin/includes/admin.php'; $gone = ${id('gone')}; ${fill('$gone', [2])} ${TURN} wpmu_delete_user( $gone ); echo wp_json_encode( Rollcall_Network_Runs::rows( $run['id'], null, 10 ) );`,
  );
  expect(rows).toMatchObject([{ login: null, now: ['subscriber'] }]);
});

test('T251: many sites with large options are listed, and worked on, without keeping the options of each', async () => {
  const kept = await net.json<number[]>(`global $wpdb;
    foreach ( array( 2, 3 ) as $blog ) { $options = $wpdb->get_blog_prefix( $blog ) . 'options'; $wpdb->query( "INSERT INTO $options (option_name, option_value, autoload) VALUES ('large', REPEAT('x', 3000000), 'yes')" ); }
    wp_cache_flush();
    $all = array();
    foreach ( array(
      static function () { Rollcall_Network_Answers::show( array() ); },
      static function () { Rollcall_Status::answer(); },
      static function () { ${fill('1', [2, 3])} while ( $run['next'] ) { ${TURN} } },
    ) as $work ) { $before = memory_get_usage(); $work(); $all[] = ( memory_get_usage() - $before ) / 1e6; }
    foreach ( array( 2, 3 ) as $blog ) { $wpdb->query( 'DELETE FROM ' . $wpdb->get_blog_prefix( $blog ) . "options WHERE option_name = 'large'" ); }
    echo wp_json_encode( $all );`);
  for (const megabytes of kept) expect(megabytes).toBeLessThan(2);
});

test('T252: a role that has come to administer while a long request worked is not given', async () => {
  await make('lucky');
  const counts = await net.json<Run['counts']>(`
    Rollcall_Network_Preview::page( array( 'action' => 'fill' ), 0 );
    // As another request leaves it: nothing of this one's caches knows.
    $now = static function ( $grant ) { global $wpdb; $key = $wpdb->get_blog_prefix( 3 ) . 'user_roles'; $table = $wpdb->get_blog_prefix( 3 ) . 'options';
      $roles = unserialize( $wpdb->get_var( "SELECT option_value FROM $table WHERE option_name = '$key'" ) );
      unset( $roles['subscriber']['capabilities']['promote_users'] );
      if ( $grant ) { $roles['subscriber']['capabilities']['promote_users'] = true; }
      $wpdb->update( $table, array( 'option_value' => serialize( $roles ) ), array( 'option_name' => $key ) ); };
    $now( true ); Rollcall_Roles::read_anew();
    ${fill(id('lucky'), [3])} ${TURN} $now( false ); echo wp_json_encode( $run['counts'] );`);
  expect(counts).toMatchObject({ added: 0, skipped: { 'network.role_privileged': 1 } });
});

test('T255: a plugin’s word on the default role of its own site is no word on any other', async () => {
  await make('plain');
  await net.json(`add_filter( 'pre_option_default_role', static function () { return 'editor'; } );
    ${fill(id('plain'), [1, 3])} while ( $run['next'] ) { ${TURN} } echo 1;`);
  expect(await net.members(['plain'])).toEqual({ plain: 'editor - subscriber' });
});

test('T254: a request that dies while slow listeners are told leaves nobody untold, and tells few of them twice', async () => {
  await net.site.php(`global $wpdb; foreach ( range( 100, 209 ) as $n ) { $wpdb->insert( $wpdb->users, array( 'user_login' => "slow$n", 'user_email' => "slow$n@people.test", 'user_nicename' => "slow$n" ) ); }
    $wpdb->query( "CREATE TABLE {$wpdb->base_prefix}heard ( login varchar(60) NOT NULL )" );`);
  const listen = (dies: boolean): string => `$GLOBALS['told'] = 0;
    add_action( 'add_user_to_blog', static function ( $user ) { global $wpdb;
      $wpdb->insert( $wpdb->base_prefix . 'heard', array( 'login' => get_userdata( $user )->user_login ) ); usleep( 20000 );
      if ( ${dies} && 60 === ++$GLOBALS['told'] ) { posix_kill( getmypid(), 9 ); }
    } );
    $slow = array_map( 'intval', $GLOBALS['wpdb']->get_col( "SELECT ID FROM {$GLOBALS['wpdb']->users} WHERE user_login LIKE 'slow%'" ) );
    $run = Rollcall_Network_Runs::begin( '5f0e8f2c-6a1d-4c65-9d53-2f5d1f0f7a10', 1, array( 'action' => 'fill', 'sites' => array( 2 ), 'people' => $slow ), 'cli', 'test' );`;
  await net.site.php(`${listen(true)} ${TURN}`).catch(() => undefined);
  const [run, heard, people, twice] = await net.json<[Run, number, number, number]>(
    `global $wpdb; $wpdb->query( 'UPDATE ' . Rollcall_Network_Tables::runs() . " SET token = ''" );
    ${listen(false)} while ( $run['next'] ) { ${TURN} }
    echo wp_json_encode( array( $run, ...array_map( 'intval', $wpdb->get_row( "SELECT COUNT(*), COUNT(DISTINCT login), COUNT(*) - COUNT(DISTINCT login) FROM {$wpdb->base_prefix}heard", ARRAY_N ) ) ) );`,
  );
  expect(run.counts).toMatchObject({ added: 110, done: 110 });
  expect([people, heard - twice]).toEqual([110, 110]);
  // What was told in the last second before it died, however slow the machine.
  expect(twice).toBeLessThan(60);
});
