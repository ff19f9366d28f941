/** Fills, copies of roles and their undo inside a network, by the connector alone: no hub is ever connected here. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type NetworkSite, php, type Run, startNetwork } from './network-site.ts';

/** What a listener of another plugin heard, and one that ends a request. */
const STRANGERS = {
  'strangers.php': `<?php
foreach ( array( 'add_user_role', 'remove_user_role', 'set_user_role', 'add_user_to_blog', 'remove_user_from_blog' ) as $hook ) {
	add_action( $hook, function ( $id, $what, $more = null ) use ( $hook ) {
		if ( ! get_site_option( 'test_hears' ) ) { return; }
		global $wpdb;
		$wpdb->insert( $wpdb->base_prefix . 'heard', array( 'line' => implode( ' ', array( get_current_blog_id(), $hook, get_userdata( $id )->user_login, $what, is_array( $more ) ? implode( '+', $more ) : $more ) ) ) );
		if ( get_site_option( 'test_dies' ) === get_userdata( $id )->user_login ) { delete_site_option( 'test_dies' ); posix_kill( getmypid(), 9 ); }
	}, 10, 3 );
}
add_filter( 'can_add_user_to_blog', function ( $can, $id, $role, $blog ) {
	return 'unwanted' === get_userdata( $id )->user_login && 3 === $blog ? new WP_Error( 'no' ) : $can;
}, 10, 4 );
`,
};

let net: NetworkSite;
beforeAll(async () => {
  net = await startNetwork('network-fill', ['shop', 'news', 'attic', 'apart', 'bare'], STRANGERS);
  await net.site.php(`global $wpdb;
    $wpdb->query( "CREATE TABLE {$wpdb->base_prefix}heard ( id int NOT NULL AUTO_INCREMENT PRIMARY KEY, line varchar(200) NOT NULL )" );
    foreach ( array( 'anna', 'ben', 'cleo', 'spammer', 'unwanted', 'boss' ) as $login ) { wpmu_create_user( $login, 'x', "$login@people.test" ); }
    $id = static function ( $login ) { return get_user_by( 'login', $login )->ID; };
    add_user_to_blog( 2, $id( 'anna' ), 'editor' );
    add_user_to_blog( 3, $id( 'ben' ), 'author' );
    ( new WP_User( $id( 'ben' ), '', 3 ) )->remove_role( 'author' );
    update_user_status( $id( 'spammer' ), 'spam', 1 );
    grant_super_admin( $id( 'boss' ) );
    update_blog_option( 3, 'default_role', 'administrator' );
    update_blog_option( 6, 'default_role', 'ghost' );
    switch_to_blog( 6 ); remove_role( 'subscriber' ); restore_current_blog();
    update_blog_status( 4, 'archived', 1 );`);
  await net.settings({ excluded: [5] });
});
afterAll(() => net?.stop());

const heard = async (): Promise<string[]> =>
  net.json(
    'global $wpdb; $lines = $wpdb->get_col( "SELECT line FROM {$wpdb->base_prefix}heard ORDER BY id" ); $wpdb->query( "DELETE FROM {$wpdb->base_prefix}heard" ); echo wp_json_encode( $lines );',
  );
const counted = (run: Run) => ({ state: run.state, ...run.counts });

describe('a fill', () => {
  test('T962: gives no role that can administer, be it a site’s default, and writes to no closed site and no super admin', async () => {
    const before = await net.members();
    const preview = await net.json<{ sites: { add: number }[] }>(
      `echo wp_json_encode( Rollcall_Network_Preview::page( array( 'action' => 'fill' ), 0 ) );`,
    );
    expect(await net.members()).toEqual(before);
    const run = await net.run({ action: 'fill' });
    expect(counted(run)).toMatchObject({
      state: 'done',
      total: 42,
      done: 42,
      added: 7,
      skipped: {
        'network.account_spam': 4,
        'network.role_privileged': 3,
        'network.role_undefined': 4,
        'network.site_closed': 14,
        'network.super_admin': 4,
      },
    });
    expect(preview.sites.reduce((sum, { add }) => sum + add, 0)).toBe(7);
    expect(await net.members()).toEqual({
      ...before,
      anna: 'subscriber editor - - - -',
      ben: 'subscriber subscriber  - - -',
      cleo: 'subscriber subscriber - - - -',
      unwanted: 'subscriber subscriber - - - -',
    });
    await net.control(run.id, 'undo');
    expect(await net.members()).toEqual(before);
  });

  test('is told to other plugins as WordPress tells of it, and stored as WordPress stores it', async () => {
    await net.site.php("update_site_option( 'test_hears', 1 );");
    const rows = (login: string, blog: number) =>
      net.json<string[]>(
        `global $wpdb; $p = $wpdb->get_blog_prefix( ${blog} ); $id = get_user_by( 'login', '${login}' )->ID;
         wp_cache_flush(); echo wp_json_encode( array( get_user_meta( $id, $p . 'capabilities' ), get_user_meta( $id, $p . 'user_level' ), get_user_meta( $id, 'primary_blog' ), get_user_meta( $id, 'source_domain' ), (int) $wpdb->get_var( "SELECT COUNT(*) FROM $wpdb->usermeta WHERE user_id = $id AND meta_key LIKE '{$p}%'" ) ) );`,
      );
    await net.site.php("update_blog_option( 3, 'default_role', 'author' );");
    const cleo = await net.json<number>(
      "echo wp_json_encode( get_user_by( 'login', 'cleo' )->ID );",
    );
    const run = await net.run({ action: 'fill', people: [cleo], sites: [3] });
    const [ours, told] = [await rows('cleo', 3), await heard()];
    await net.control(run.id, 'undo');
    expect((await heard()).filter((line) => !line.includes('remove_user_from_blog'))).toEqual([]);
    expect(await rows('cleo', 3)).toEqual([[], [], [''], [''], 0]);
    await net.site.php(`add_user_to_blog( 3, ${cleo}, 'author' );`);
    expect(ours).toEqual(await rows('cleo', 3));
    expect(told).toEqual(await heard());
    await net.site.php(
      `remove_user_from_blog( ${cleo}, 3 ); update_site_option( 'test_hears', 0 );`,
    );
  });

  test('T963: a removal by a person stands, “add back” overrides it, and adding by hand clears it', async () => {
    const fill = async (more: object = {}) => {
      const { counts } = await net.run({ action: 'fill', sites: [3], ...more });
      return [counts.added, counts.skipped['network.removed_before'] ?? 0];
    };
    // Cleo was taken off just now; a plugin forbids one of the others.
    expect(await fill()).toEqual([1, 1]);
    expect(await fill({ add_back: true })).toEqual([1, 0]);
    const cleo = "get_user_by( 'login', 'cleo' )->ID";
    await net.site.php(`remove_user_from_blog( ${cleo}, 3 );`);
    expect(await fill()).toEqual([0, 1]);
    await net.site.php(`add_user_to_blog( 3, ${cleo}, 'editor' );`);
    expect((await net.members(['cleo']))['cleo']).toBe('- - editor - - -');
    // A site that ends is nobody's decision about anybody.
    const blog = Number(await net.site.wp('site', 'create', '--slug=brief', '--porcelain'));
    await net.site.php(`add_user_to_blog( ${blog}, ${cleo}, 'author' );
      require_once ABSPATH . 'wp-admin/includes/admin.php'; wp_delete_site( ${blog} );`);
    expect(
      await net.json(
        `global $wpdb; echo wp_json_encode( array_map( 'intval', $wpdb->get_col( 'SELECT blog FROM ' . Rollcall_Network_Tables::removed() ) ) );`,
      ),
    ).toEqual([]);
  });
});

test('who loses their primary site by an undo gets the one that WordPress would choose', async () => {
  const ids = await net.json<number[]>(
    `$ids = array(); for ( $i = 1; $i <= 6; $i++ ) { $ids[] = wpmu_create_user( "home$i", 'x', "home$i@people.test" ); } echo wp_json_encode( $ids );`,
  );
  const [ours, cores] = [ids.slice(0, 3), ids.slice(3)];
  const run = await net.run({ action: 'fill', sites: [2], people: ours });
  await net.site.php(`list( $a, $b, $c ) = ${php(cores)}; list( $d, $e, $f ) = ${php(ours)};
    foreach ( array( $a, $b, $c ) as $id ) { add_user_to_blog( 2, $id, 'subscriber' ); }
    // Site 4 is archived.
    foreach ( array( $a, $d ) as $id ) { foreach ( array( 4, 5, 3 ) as $blog ) { add_user_to_blog( $blog, $id, 'author' ); } }
    foreach ( array( $b, $e ) as $id ) { add_user_to_blog( 4, $id, 'author' ); }
    foreach ( array( $a, $b, $c ) as $id ) { remove_user_from_blog( $id, 2 ); }`);
  const undone = await net.control(run.id, 'undo');
  expect(undone.counts.removed).toBe(3);
  const homes = (of: readonly number[]) =>
    net.json<string[][]>(
      `$all = array(); foreach ( ${php(of)} as $id ) { $all[] = array( get_user_meta( $id, 'primary_blog' ), get_user_meta( $id, 'source_domain' ) ); } echo wp_json_encode( $all );`,
    );
  const found = await homes(ours);
  expect(found.map(([blog]) => blog)).toEqual([['3'], [''], ['']]);
  expect(found).toEqual(await homes(cores));
  await net.site.php(
    `require_once ABSPATH . 'wp-admin/includes/ms.php'; require_once ABSPATH . 'wp-admin/includes/user.php'; foreach ( ${php(ids)} as $id ) { wpmu_delete_user( $id ); }`,
  );
});

describe('a copy of roles', () => {
  test('T964: makes the whole set of roles that of the source, except what neither may be copied nor taken', async () => {
    await net.site.php(`$id = static function ( $login ) { return get_user_by( 'login', $login )->ID; };
      switch_to_blog( 2 ); add_role( 'bbp_moderator', 'Moderator', array( 'read' => true ) ); restore_current_blog();
      add_user_to_blog( 2, $id( 'cleo' ), 'author' ); ( new WP_User( $id( 'cleo' ), '', 2 ) )->add_role( 'bbp_moderator' );
      ( new WP_User( $id( 'cleo' ), '', 2 ) )->add_cap( 'sells' );
      add_user_to_blog( 1, $id( 'cleo' ), 'contributor' );
      add_user_to_blog( 1, $id( 'anna' ), 'administrator' );
      add_user_to_blog( 1, $id( 'ben' ), 'author' ); ( new WP_User( $id( 'ben' ), '', 1 ) )->add_role( 'subscriber' );`);
    const copy = { action: 'copy', from: 1, sites: [2, 3, 6] };
    const run = await net.run(copy);
    expect(await net.members(['anna', 'ben', 'cleo'])).toEqual({
      anna: 'administrator editor author - - -',
      ben: 'author+subscriber - author+subscriber - - -',
      cleo: 'contributor contributor+bbp_moderator contributor - - -',
    });
    expect(run.counts.skipped).toMatchObject({
      'network.role_privileged': 2,
      'network.super_admin': 6,
      'network.account_spam': 3,
    });
    expect(
      await net.json(
        "$user = new WP_User( get_user_by( 'login', 'cleo' )->ID, '', 2 ); echo wp_json_encode( array( $user->has_cap( 'sells' ), (int) $user->user_level ) );",
      ),
    ).toEqual([true, 1]);
    await net.control(run.id, 'undo');
    expect(await net.members(['anna', 'ben', 'cleo'])).toEqual({
      anna: 'administrator editor author - - -',
      ben: 'author+subscriber -  - - -',
      cleo: 'contributor author+bbp_moderator editor - - -',
    });
    const all = await net.run({ ...copy, memberships: 'all' });
    expect(await net.members(['ben'])).toEqual({
      ben: 'author+subscriber author+subscriber author+subscriber - - -',
    });
    // Site 6 defines no subscriber.
    expect(all.counts.skipped['network.role_undefined']).toBe(1);
    await net.control(all.id, 'undo');
  });
});

describe('roles that can administer, and rows of others', () => {
  const anna = "get_user_by( 'login', 'anna' )->ID";
  const is = (role: string, blog: number, who = anna) =>
    `( new WP_User( ${who}, '', ${blog} ) )->set_role( '${role}' );`;
  const copy = (more = '') =>
    net.json<Run>(`${more} $run = Rollcall_Network_Runs::begin( wp_generate_uuid4(), 1, array( 'action' => 'copy', 'from' => 1, 'sites' => array( 3 ), 'people' => array( ${anna} ) ), 'cli', 'test' );
      while ( $run['next'] ) { $run = Rollcall_Network_Runs::page( $run['id'], $run['next'], 20 ); } echo wp_json_encode( $run );`);
  const onNews = async () => (await net.members(['anna']))['anna']?.split(' ')[2];

  test('T220: an undo gives and takes no role that can administer unless it is named now, nor a site’s last administrator', async () => {
    await net.settings({ privileged_roles: ['administrator'] });
    const run = await copy();
    expect([run.counts.changed, await onNews()]).toEqual([1, 'administrator']);
    await net.settings({ privileged_roles: [] });
    expect((await net.control(run.id, 'undo')).counts).toMatchObject({
      removed: 0,
      kept: 1,
      left: { 'network.role_privileged': 1 },
    });
    expect(await onNews()).toBe('administrator');
    await net.settings({ privileged_roles: ['administrator'] });
    const again = await copy(is('author', 3));
    await net.site.php(is('editor', 3, '1'));
    const last = { 'target.last_administrator': 1 };
    const kept = { removed: 0, kept: 1, left: last };
    expect((await net.control(again.id, 'undo')).counts).toMatchObject(kept);
    expect(await onNews()).toBe('administrator');
    await net.site.php(is('administrator', 3, '1'));
    expect(counted(await net.control(again.id, 'undo'))).toMatchObject({
      removed: 1,
      kept: 0,
      left: {},
    });
    expect(await onNews()).toBe('author');
    // Somebody has made her an author in between: nothing of the first one is left.
    expect((await net.control(run.id, 'undo')).state).toBe('network.nothing_to_undo');
    await net.site.php(is('administrator', 3));
  });

  test('T230: an undo that is asked for again takes back what it could not before, and nothing that somebody has touched', async () => {
    const people = await net.json<number[]>(
      "$ids = array(); foreach ( array( 'fred', 'gina', 'hugo' ) as $login ) { $ids[] = wpmu_create_user( $login, 'x', \"$login@people.test\" ); } echo wp_json_encode( $ids );",
    );
    const roles = async () => Object.values(await net.members(['fred', 'gina', 'hugo']));
    const run = await net.run({ action: 'fill', sites: [1, 2, 3], people });
    expect(run.counts.added).toBe(9);
    // Another run makes Gina something else on site 1; a person makes Hugo something else on site 3.
    const later = await net.run({ action: 'copy', from: 3, sites: [1], people: [people[1]] });
    expect(later.counts.changed).toBe(1);
    await net.site.php(`( new WP_User( ${people[2]}, '', 3 ) )->set_role( 'editor' );`);
    await net.settings({ excluded: [2, 5] });
    expect(counted(await net.control(run.id, 'undo'))).toMatchObject({
      state: 'undone',
      removed: 4,
      kept: 5,
      left: { 'network.site_closed': 3, 'network.changed_since': 1 },
    });
    expect(await roles()).toEqual([
      '- subscriber - - - -',
      'author subscriber - - - -',
      '- subscriber editor - - -',
    ]);
    await net.settings({ excluded: [5] });
    await net.control(later.id, 'undo');
    expect(counted(await net.control(run.id, 'undo'))).toMatchObject({
      state: 'undone',
      added: 9,
      removed: 8,
      kept: 1,
      left: {},
    });
    expect(await roles()).toEqual(['- - - - - -', '- - - - - -', '- - editor - - -']);
    expect((await net.control(run.id, 'undo')).state).toBe('network.nothing_to_undo');
  });

  test('T231: a removal that “add back” overrode stands again when that action is undone', async () => {
    const gina = await net.json<number>(
      "echo wp_json_encode( get_user_by( 'login', 'gina' )->ID );",
    );
    await net.site.php(
      `add_user_to_blog( 2, ${gina}, 'editor' ); remove_user_from_blog( ${gina}, 2 );`,
    );
    const fill = { action: 'fill', sites: [2], people: [gina] };
    const back = await net.run({ ...fill, add_back: true });
    expect(back.counts.added).toBe(1);
    expect((await net.control(back.id, 'undo')).counts.removed).toBe(1);
    const plain = await net.run(fill);
    expect(plain.counts).toMatchObject({ added: 0, skipped: { 'network.removed_before': 1 } });
  });

  test('T222: an administrator who is taken away in the very moment of a copy leaves the last one in place', async () => {
    const run =
      await copy(`${is('contributor', 1)} add_filter( 'query', $listen = static function ( $sql ) use ( &$listen ) {
        if ( 'START TRANSACTION' === $sql ) { remove_filter( 'query', $listen ); ${is('editor', 3, '1')} }
        return $sql;
      } );`);
    expect(run.counts).toMatchObject({ changed: 0, skipped: { 'target.last_administrator': 1 } });
    expect(await onNews()).toBe('administrator');
    await net.site.php(`${is('administrator', 3, '1')} ${is('author', 3)}`);
    await net.settings({ privileged_roles: [] });
  });

  test('T221: a second row of a membership that another plugin keeps is left; beside one that a trigger has just begun the person’s counts', async () => {
    await net.settings({ new_account: true });
    const rows = await net.json<
      string[][]
    >(`global $wpdb; $key = $wpdb->get_blog_prefix( 2 ) . 'capabilities'; $all = array();
      wpmu_create_user( 'twin', 'x', 'twin@people.test' ); Rollcall_Network_Cron::work( 20 );
      foreach ( array( 'anna', 'twin' ) as $login ) {
        $id = get_user_by( 'login', $login )->ID; wp_cache_flush();
        $before = get_user_meta( $id, $key ); add_user_meta( $id, $key, array( 'author' => true ) ); wp_cache_flush();
        $all[] = array_map( static function ( $caps ) { return implode( '+', array_keys( $caps ) ); }, array_merge( $before, array( array( 'now' => true ) ), get_user_meta( $id, $key ) ) );
        delete_user_meta( $id, $key, array( 'author' => true ) );
      }
      echo wp_json_encode( $all );`);
    expect(rows).toEqual([
      ['editor', 'now', 'editor', 'author'],
      ['subscriber', 'now', 'author'],
    ]);
    await net.settings({ new_account: false });
  });
});

test('a run can be undone for 14 days, and is forgotten after 90; what goes on or may go on never is', async () => {
  const spec = { action: 'fill', sites: [1] };
  const [over, open] = [await net.run(spec), await net.run(spec)];
  const age = (days: number) =>
    net.site.php(
      `global $wpdb; $wpdb->query( 'UPDATE ' . Rollcall_Network_Tables::runs() . " SET began_ms = began_ms - ${days} * 86400000, state = CASE WHEN id = '${open.id}' THEN 'paused' ELSE state END WHERE id IN ( '${over.id}', '${open.id}' )" );`,
    );
  const known = () =>
    net.json<boolean[]>(
      `Rollcall_Network_Cron::turn(); echo wp_json_encode( array_map( static function ( $id ) { return null !== Rollcall_Network_Runs::row( $id ); }, array( '${over.id}', '${open.id}' ) ) );`,
    );
  await age(15);
  expect((await net.control(over.id, 'undo')).state).toBe('run.undo_expired');
  expect(await known()).toEqual([true, true]);
  await age(80);
  expect(await known()).toEqual([false, true]);
  await net.control(open.id, 'cancel');
});

test('settings that are unknown, or not of their kind, are refused whole; what loosens is told', async () => {
  for (const [part, sentence] of [
    [{ new_site: true, surprise: true }, 'There is no setting “surprise”.'],
    [{ new_site: true, role_sites: 'some' }, '“role_sites” is “existing” or “all”.'],
    [
      { new_site: true, excluded: [99] },
      'Excluded sites are a list of ids of sites of this network.',
    ],
    [{ new_site: true, new_account: 1 }, '“new_account” is on or off.'],
  ] as const) {
    expect(await net.settings(part)).toEqual({ refused: sentence });
  }
  expect(await net.settings({})).toMatchObject({ new_site: false, excluded: [5] });
  const loosens = (part: object) =>
    net.json(`echo wp_json_encode( Rollcall_Network_Settings::loosens( 1, ${php(part)} ) );`);
  expect(await loosens({ excluded: [5, 6], site_admins: false, new_account: true })).toEqual([]);
  expect(
    await loosens({ excluded: [], site_admins: true, privileged_roles: ['administrator'] }),
  ).toEqual(['privileged_roles', 'excluded', 'site_admins']);
});

test('a site that becomes read-only while a long request works is heard of, and when it no longer is', async () => {
  const heard = await net.json<(string | null)[]>(`
    $ask = static function () { return Rollcall_Network_Sites::refusal( 1, 2, Rollcall_Network_Settings::fresh( 1 ) ); };
    $all = array( $ask() ); Rollcall_Settings::read_only( 2 );
    foreach ( array( array( 2 => true ), array() ) as $now ) {
      // As another request leaves it.
      Rollcall_Option_Row::change( Rollcall_Settings::OPTION, static function ( $stored ) use ( $now ) { return array( 'read_only' => $now ) + $stored; } );
      $all[] = $ask();
    }
    echo wp_json_encode( $all );`);
  expect(heard).toEqual([null, 'target.read_only', null]);
});

let other: { network: number; as: (code: string) => string; begin: (driver: string) => string };
test('T968: networks of one installation are kept apart: neither sites nor people of the other are touched', async () => {
  const [network, blog, mine] = await net.json<[number, number, boolean]>(`global $wpdb;
    $wpdb->insert( $wpdb->site, array( 'domain' => get_network()->domain, 'path' => '/other/' ) );
    $network = (int) $wpdb->insert_id;
    add_network_option( $network, 'site_admins', array( 'boss' ) ); define( 'UPLOADBLOGSDIR', 'wp-content/blogs.dir' );
    $blog = wp_insert_site( array( 'domain' => get_network()->domain, 'path' => '/other/', 'network_id' => $network ) );
    foreach ( array( 'dora', 'emil' ) as $login ) { $id = wpmu_create_user( $login, 'x', "$login@people.test" ); if ( 'dora' === $login ) { add_user_to_blog( $blog, $id, 'author' ); } }
    Rollcall_Network_Settings::change( $network, array( 'new_account' => true ) );
    echo wp_json_encode( array( $network, $blog, Rollcall_Network_Settings::of( 1 )['new_account'] ) );`);
  expect(mine).toBe(false);
  const rolesOf = (login: string) =>
    net.json<Record<string, unknown>>(
      `$all = array(); foreach ( get_blogs_of_user( get_user_by( 'login', '${login}' )->ID, true ) as $b ) { $all[ $b->userblog_id ] = ( new WP_User( get_user_by( 'login', '${login}' )->ID, '', $b->userblog_id ) )->roles; } echo wp_json_encode( (object) $all );`,
    );
  const run = await net.run({ action: 'fill', sites: [2] });
  // Emil is a member nowhere: on an installation with several networks, nobody's.
  expect([await rolesOf('dora'), await rolesOf('emil')]).toEqual([{ [blog]: ['author'] }, {}]);
  await net.control(run.id, 'undo');
  expect(
    await net.json(
      `$run = Rollcall_Network_Runs::begin( wp_generate_uuid4(), 1, array( 'action' => 'fill', 'sites' => array( ${blog} ) ), 'cli', 'test' ); echo wp_json_encode( $run->get_error_data()['reason'] );`,
    ),
  ).toBe('target.site_missing');
  const as = (code: string) => `$GLOBALS['current_site'] = get_network( ${network} ); ${code}`;
  const begin = (driver: string) =>
    `$run = Rollcall_Network_Runs::begin( wp_generate_uuid4(), ${network}, array( 'action' => 'fill' ), '${driver}', 'test' );`;
  const theirs = await net.json<Run>(
    as(
      `${begin('cli')} while ( $run['next'] ) { $run = Rollcall_Network_Runs::page( $run['id'], $run['next'], 20 ); } echo wp_json_encode( $run );`,
    ),
  );
  expect(theirs.counts).toMatchObject({ total: 1, added: 0, unchanged: 1 });
  other = { network, as, begin };
});

test('T218: a hub that is bound to one network sees, sets and steers nothing of another one', async () => {
  const { network, as, begin } = other;
  const { id } = await net.json<Run>(as(`${begin('hub')} echo wp_json_encode( $run );`));
  const asked: [string, object][] = [
    ['show', { network }],
    ['settings', { network, new_site: true }],
    ['preview', { network, spec: { action: 'fill' }, after: 0 }],
    ['begin', { network, id: crypto.randomUUID(), spec: { action: 'fill' }, by: 'test' }],
    ['runs', { network, limit: 9 }],
    ['page', { run: id, blog: network }],
    ['control', { run: id, do: 'cancel' }],
    ['rows', { run: id, limit: 9 }],
  ];
  const answers = await net.json<unknown[]>(`$answers = array();
    foreach ( ${php(asked)} as $ask ) { $a = Rollcall_Network_Answers::{$ask[0]}( $ask[1] ); $answers[] = is_wp_error( $a ) ? $a->get_error_data()['reason'] : $a; }
    $answers[] = wp_list_pluck( Rollcall_Network_Answers::show( array() )['networks'], 'id' );
    echo wp_json_encode( $answers );`);
  const [missing, unknown] = ['network.missing', 'network.run_missing'];
  expect(answers).toEqual([...Array(5).fill(missing), ...Array(3).fill(unknown), [1]]);
  expect(
    await net.json(
      as(
        `echo wp_json_encode( array( Rollcall_Network_Runs::find( '${id}' )['state'], Rollcall_Network_Settings::of( ${network} )['new_site'] ) );`,
      ),
    ),
  ).toEqual(['running', false]);
});

test('T219: what is due on one network, and its runs, wait for its own turns, whose guard and read-only are its own', async () => {
  const { network, as, begin } = other;
  const left = (more = '') =>
    net.json<[number, string]>(
      as(
        `${more} echo wp_json_encode( array( Rollcall_Network_Due::count(), Rollcall_Network_Runs::recent( ${network}, null, 1 )[0]['state'] ) );`,
      ),
    );
  await net.json(
    as(
      // A request of network 1 notes it, as a role that is changed across networks is.
      `${begin('cron')} $GLOBALS['current_site'] = get_network( 1 ); Rollcall_Network_Due::note( ${network}, 'account', get_user_by( 'login', 'emil' )->ID ); echo 1;`,
    ),
  );
  await net.site.php("do_action( 'rollcall_network_turn' );");
  expect(await left()).toEqual([1, 'running']);
  expect(await left("do_action( 'rollcall_network_turn' );")).toEqual([0, 'done']);
});

test('of two that change a list of settings at once both are kept', async () => {
  const after = await net.json<{ excluded: number[]; privileged_roles: string[] }>(`
    Rollcall_Network_Settings::change( 1, array( 'privileged_roles' => array( 'administrator', 'editor' ) ) );
    $other = static function () { Rollcall_Network_Settings::amend( 1, 'excluded', array( 3 ), array() ); Rollcall_Network_Settings::amend( 1, 'privileged_roles', array(), array( 'editor' ) ); };
    add_filter( 'query', $listen = static function ( $sql ) use ( $other, &$listen ) {
      if ( false !== stripos( $sql, 'UPDATE' ) && false !== strpos( $sql, 'rollcall_network' ) ) { remove_filter( 'query', $listen ); $other(); }
      return $sql;
    } );
    Rollcall_Network_Answers::settings( array( 'network' => 1, 'exclude' => array( 4 ), 'revoke' => array( 'administrator' ) ) );
    $now = Rollcall_Network_Settings::fresh( 1 ); Rollcall_Network_Settings::change( 1, array( 'excluded' => array( 5 ), 'privileged_roles' => array() ) );
    echo wp_json_encode( $now );`);
  expect([after.excluded.toSorted((a, b) => a - b), after.privileged_roles]).toEqual([
    [3, 4, 5],
    [],
  ]);
});

test('uninstalling takes tables and settings of every network away, and no membership', async () => {
  const memberships = () =>
    net.json<string[]>(
      `global $wpdb; echo wp_json_encode( $wpdb->get_col( "SELECT CONCAT_WS( ' ', umeta_id, user_id, meta_key, meta_value ) FROM $wpdb->usermeta WHERE meta_key LIKE '%capabilities' OR meta_key LIKE '%user_level' OR meta_key IN ( 'primary_blog', 'source_domain' ) ORDER BY umeta_id" ) );`,
    );
  const before = await memberships();
  await net.site.wp('plugin', 'deactivate', 'rollcall-connector', '--network');
  await net.site.wp('plugin', 'uninstall', 'rollcall-connector', '--skip-delete');
  expect(await memberships()).toEqual(before);
  expect(
    await net.json(
      `global $wpdb; echo wp_json_encode( array( $wpdb->get_col( "SHOW TABLES LIKE '%rollcall%'" ), $wpdb->get_col( "SELECT meta_key FROM $wpdb->sitemeta WHERE meta_key LIKE 'rollcall%'" ), strpos( wp_json_encode( get_option( 'cron' ) ), 'rollcall' ) ) );`,
    ),
  ).toEqual([[], [], false]);
});
