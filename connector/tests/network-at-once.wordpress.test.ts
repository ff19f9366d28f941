/** Large networks, and several hands at once: nothing twice, nothing lost, nothing of somebody else's taken away. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nativeMissing } from '#lab/start-site.ts';
import { waitUntil } from '#lab/wait-until.ts';
import { type NetworkSite, php, type Run, startNetwork } from './network-site.ts';

const SITES = 150;
const PEOPLE = 5_000;

/** A listener that notes whom it heard of, and ends the request once; and a way to run code in a request of its own. */
const LISTENER = {
  'listener.php': `<?php
add_action( 'add_user_to_blog', function ( $id, $role, $blog ) {
	global $wpdb;
	$dies = (int) get_site_option( 'test_dies' );
	if ( ! $dies ) { return; }
	$wpdb->insert( $wpdb->base_prefix . 'heard', array( 'user' => $id, 'blog' => $blog ) );
	if ( $dies === (int) $id ) { update_site_option( 'test_dies', -1 ); posix_kill( getmypid(), 9 ); }
}, 10, 3 );
add_action( 'init', function () {
	if ( isset( $_GET['test_runs'] ) ) { eval( get_site_option( 'test_code_' . $_GET['test_runs'] ) ); exit; }
} );
`,
};

const missing = nativeMissing();
if (missing !== null) console.warn(`Large networks need a native site; to run them: ${missing}`);

describe.skipIf(missing !== null)('a large network', () => {
  let net: NetworkSite;
  beforeAll(async () => {
    net = await startNetwork('network-large', ['shop', 'news'], LISTENER);
    // Sites and people as they lie in a database; making each through WordPress would take a minute.
    await net.site.php(`global $wpdb; $p = $wpdb->base_prefix;
      $wpdb->query( "CREATE TABLE {$p}heard ( id int NOT NULL AUTO_INCREMENT PRIMARY KEY, user int NOT NULL, blog int NOT NULL )" );
      for ( $i = 4; $i <= ${SITES}; $i++ ) {
        $wpdb->insert( $wpdb->blogs, array( 'blog_id' => $i, 'site_id' => 1, 'domain' => get_network()->domain, 'path' => "/s$i/" ) );
        $wpdb->query( "CREATE TABLE {$p}{$i}_options LIKE {$p}2_options" );
        $wpdb->query( "INSERT INTO {$p}{$i}_options SELECT option_id, REPLACE( option_name, '{$p}2_', '{$p}{$i}_' ), option_value, autoload FROM {$p}2_options" );
      }
      $rows = array();
      for ( $i = 1; $i <= ${PEOPLE}; $i++ ) { $rows[] = "('bulk$i','x','bulk$i','bulk$i@people.test','2020-01-01 00:00:00','bulk$i')"; }
      $wpdb->query( "INSERT INTO $wpdb->users (user_login,user_pass,user_nicename,user_email,user_registered,display_name) VALUES " . implode( ',', $rows ) );`);
  }, 120_000);
  afterAll(() => net?.stop());

  const first = (count: number): Promise<number[]> =>
    net.json(
      `global $wpdb; echo wp_json_encode( array_map( 'intval', $wpdb->get_col( "SELECT ID FROM $wpdb->users WHERE user_login LIKE 'bulk%' ORDER BY ID LIMIT ${count}" ) ) );`,
    );
  /** Stored memberships and levels of a site: how many rows, of how many accounts; and value → accounts. */
  const stored = (blog: number) =>
    net.json<{ rows: number; users: number; levels: number; values: Record<string, number> }>(
      `global $wpdb; $k = $wpdb->get_blog_prefix( ${blog} );
       $row = $wpdb->get_row( "SELECT COUNT(*) AS n, COUNT(DISTINCT user_id) AS u FROM $wpdb->usermeta WHERE meta_key = '{$k}capabilities'" );
       $values = array(); foreach ( $wpdb->get_results( "SELECT meta_value, COUNT(*) AS n FROM $wpdb->usermeta WHERE meta_key = '{$k}capabilities' GROUP BY meta_value" ) as $v ) { $values[ implode( '+', array_keys( unserialize( $v->meta_value ) ) ) ] = (int) $v->n; }
       echo wp_json_encode( array( 'rows' => (int) $row->n, 'users' => (int) $row->u, 'levels' => (int) $wpdb->get_var( "SELECT COUNT(*) FROM $wpdb->usermeta WHERE meta_key = '{$k}user_level'" ), 'values' => $values ) );`,
    );
  const begin = (spec: object, driver = 'cli'): Promise<Run> =>
    net.json(
      `echo wp_json_encode( Rollcall_Network_Runs::begin( wp_generate_uuid4(), 1, ${php(spec)}, '${driver}', 'test' ) );`,
    );
  const drive = (id: string): Promise<Run> =>
    net.json(
      `$run = Rollcall_Network_Runs::find( '${id}' ); while ( $run['next'] ) { $run = Rollcall_Network_Runs::page( $run['id'], $run['next'], 20 ); } echo wp_json_encode( $run );`,
    );

  /** PHP in a request of its own, beside others. */
  async function beside(name: string, code: string): Promise<() => Promise<string>> {
    const text = JSON.stringify(code.replaceAll(/\s+/gu, ' '));
    await net.site.php(
      `update_site_option( 'test_code_${name}', json_decode( <<<'CODE'\n${text}\nCODE\n) );`,
    );
    return async () => (await net.site.request(`/?test_runs=${name}`)).text();
  }

  test('a new account reaches every site of 150, in turns of cron, and no site is left out of a list', async () => {
    await net.settings({ new_account: true });
    await net.site.php("wpmu_create_user( 'everywhere', 'x', 'everywhere@people.test' );");
    await net.site.php("do_action( 'rollcall_network_turn' );");
    await net.become({ everywhere: Array.from({ length: SITES }, () => 'subscriber').join(' ') });
    await net.settings({ new_account: false });
    expect(
      await net.json(
        'echo wp_json_encode( array( count( Rollcall_Network_Sites::all( 1 ) ), count( Rollcall_Network_Sites::members( 1 ) ) ) );',
      ),
    ).toEqual([SITES, SITES]);
    const people = await first(10);
    const run = await begin({ action: 'fill', people }, 'cron');
    await net.site.php("do_action( 'rollcall_network_turn' );");
    expect(
      await net.json(`echo wp_json_encode( Rollcall_Network_Runs::find( '${run.id}' ) );`),
    ).toMatchObject({ state: 'done', counts: { added: 10 * SITES, done: 10 * SITES } });
  });

  test('T965: a run that is killed goes on where it was; nothing is written twice, and everybody is told of', async () => {
    const people = await first(2_000);
    const killer = people[1_500] ?? 0;
    await net.site.php(`update_site_option( 'test_dies', ${killer} );`);
    const run = await begin({ action: 'fill', sites: [2, 3] });
    await drive(run.id).then(
      () => expect.unreachable('the listener did not end the request'),
      () => undefined,
    );
    // The half minute for which a turn holds its run is over.
    await net.site.php(
      "global $wpdb; $wpdb->query( 'UPDATE ' . Rollcall_Network_Tables::runs() . ' SET lease_ms = 1' );",
    );
    const { state, counts } = await drive(run.id);
    expect([state, counts.added, counts.done]).toEqual([
      'done',
      2 * (PEOPLE - 10),
      2 * (PEOPLE + 2),
    ]);
    const everybody = PEOPLE + 1;
    for (const blog of [2, 3]) {
      expect(await stored(blog)).toMatchObject({ rows: everybody + 1, users: everybody + 1 });
    }
    expect(
      await net.json(
        'global $wpdb; echo wp_json_encode( array( (int) $wpdb->get_var( "SELECT COUNT(DISTINCT user, blog) FROM {$wpdb->base_prefix}heard" ) ) );',
      ),
    ).toEqual([2 * (PEOPLE - 10)]);
    await net.site.php("update_site_option( 'test_dies', 0 );");
    expect((await net.control(run.id, 'undo')).counts.removed).toBe(2 * (PEOPLE - 10));
  });

  /** What is stored of accounts on a site, membership and level. */
  const rowsOf = (blog: number, ids: readonly number[]): Promise<string[][]> =>
    net.json(
      `global $wpdb; $all = array(); foreach ( array( ${ids.join(', ')} ) as $id ) { $all[] = $wpdb->get_col( "SELECT CONCAT( meta_key, ' ', meta_value ) FROM $wpdb->usermeta WHERE user_id = $id AND meta_key LIKE 'wp\\_${blog}\\_%' ORDER BY meta_key" ); } echo wp_json_encode( $all );`,
    );
  const stands = (blog: number, role: string, level: number): string[] => [
    `wp_${blog}_capabilities a:1:{s:${role.length}:"${role}";b:1;}`,
    `wp_${blog}_user_level ${level}`,
  ];

  /**
   * A request that stops before a certain statement until something is so; it looks by a connection of its own. InnoDB tells of
   * who waits at most ten times a second, and of nothing new while it is asked more often.
   */
  const stopping = (name: string, before: string, until: string, then: string) =>
    beside(
      name,
      `$look = new wpdb( DB_USER, DB_PASSWORD, DB_NAME, DB_HOST );
      add_filter( 'query', $stop = static function ( $sql ) use ( &$stop, $look ) {
        if ( ! preg_match( '/${before}/', $sql ) ) { return $sql; }
        remove_filter( 'query', $stop ); $look->query( "INSERT INTO wp_sitemeta (site_id, meta_key, meta_value) VALUES (1, 'test_door_${name}', '1')" );
        $end = microtime( true ) + 30; while ( microtime( true ) < $end && ! $look->get_var( "${until}" ) ) { usleep( 120000 ); }
        return $sql;
      } ); ${then}`,
    );
  const atTheDoor = (name: string) =>
    waitUntil(
      () =>
        net.json<boolean>(`echo wp_json_encode( (bool) get_site_option( 'test_door_${name}' ) );`),
      30_000,
    );

  test('T966: two runs and a hand at once: one row each, what the person did holds, and an undo leaves it', async () => {
    const hands = (await first(2_000)).filter((id) => id % 10 === 0);
    const [one, two] = [
      await begin({ action: 'fill', sites: [7] }),
      await begin({ action: 'fill', sites: [7] }),
    ];
    const driving = (run: Run) =>
      `$id = '${run.id}'; Rollcall_Network_Runs::page( $id, 7, 20 ); echo Rollcall_Network_Runs::find( $id )['counts']['added'];`;
    const requests = [
      await beside('one', driving(one)),
      await beside('two', driving(two)),
      await beside(
        'hands',
        `foreach ( array( ${hands.join(', ')} ) as $id ) { add_user_to_blog( 7, $id, 'editor' ); } echo 0;`,
      ),
    ];
    const counts = await Promise.all(requests.map((request) => request()));
    const added = counts.reduce((sum, count) => sum + Number(count), 0);
    const now = await stored(7);
    expect(now.users).toBeGreaterThanOrEqual(PEOPLE);
    expect(now).toEqual({
      rows: now.users,
      users: now.users,
      levels: now.users,
      values: { editor: hands.length, subscriber: now.users - hands.length },
    });
    expect(added).toBeGreaterThanOrEqual(PEOPLE - 10 - hands.length);
    // The second comes when the first has looked, and has not written yet.
    const spec = { action: 'fill', sites: [12], people: (await first(2_000)).slice(-3) };
    const [early, late] = [await begin(spec), await begin(spec)];
    const page = (run: Run) =>
      `echo Rollcall_Network_Runs::page( '${run.id}', 12, 20 )['counts']['added'];`;
    const writing = await stopping(
      'early',
      'SELECT MAX.umeta_id',
      `SELECT 1 FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT' UNION SELECT 1 FROM wp_rollcall_network_runs WHERE id = '${late.id}' AND state = 'done'`,
      page(early),
    );
    const second = await beside('second', page(late));
    const written = writing();
    await atTheDoor('early');
    expect([await second(), await written]).toEqual(['0', '3']);
    expect(await rowsOf(12, spec.people)).toEqual(
      spec.people.map(() => stands(12, 'subscriber', 0)),
    );
    await net.control(one.id, 'undo');
    await net.control(two.id, 'undo');
    const left = await stored(7);
    expect(left.values['editor']).toBe(hands.length);
    expect(left.rows).toBe(left.users);
  });

  test('T967: a person adds somebody in the very moment in which a run does: one row is left, the person’s', async () => {
    const [id = 0] = (await first(2_000)).slice(-1);
    // WordPress has looked for a membership and found none; before it writes one, a run has written.
    const hand = await beside(
      'hand',
      `add_filter( 'add_user_metadata', static function ( $check, $user, $key ) {
        if ( 'wp_8_capabilities' !== $key ) { return $check; }
        global $wpdb;
        update_site_option( 'test_at_the_door', 1 );
        $until = microtime( true ) + 30;
        while ( microtime( true ) < $until && ! $wpdb->get_var( "SELECT umeta_id FROM $wpdb->usermeta WHERE user_id = $user AND meta_key = '$key'" ) ) { usleep( 5000 ); }
        return $check;
      }, 10, 3 );
      add_user_to_blog( 8, ${id}, 'editor' );`,
    );
    const run = await begin({ action: 'fill', sites: [8], people: [id] });
    const done = hand();
    await waitUntil(
      () =>
        net.json<boolean>("echo wp_json_encode( (bool) get_site_option( 'test_at_the_door' ) );"),
      30_000,
    );
    expect((await drive(run.id)).counts.added).toBe(1);
    await done;
    const theirs = [stands(8, 'editor', 7)];
    expect(await rowsOf(8, [id])).toEqual(theirs);
    // Kept is 1 where the row was marked as touched, 0 where the run has parted with it first.
    expect((await net.control(run.id, 'undo')).counts.removed).toBe(0);
    expect(await rowsOf(8, [id])).toEqual(theirs);
  });

  test('T225: a person changes, ends or begins a membership while a run copies: the person’s word holds', async () => {
    const [meanwhile = 0, later = 0, off = 0, gone = 0, copied = 0] = (await first(2_000)).slice(
      -5,
    );
    await net.site.php(
      `foreach ( array( ${meanwhile}, ${later}, ${off}, ${gone}, ${copied} ) as $id ) { add_user_to_blog( 2, $id, 'editor' ); }
       foreach ( array( ${meanwhile}, ${later}, ${off}, ${copied} ) as $id ) { add_user_to_blog( 9, $id, 'contributor' ); }`,
    );
    const hand = await stopping(
      'later',
      `^UPDATE .?wp_usermeta.*wp_9_capabilities`,
      `SELECT 1 FROM wp_usermeta WHERE user_id = ${later} AND meta_key = 'wp_9_capabilities' AND meta_value LIKE '%editor%'`,
      `add_user_to_blog( 9, ${later}, 'author' );`,
    );
    await beside(
      'meanwhile',
      `add_user_to_blog( 9, ${meanwhile}, 'author' ); remove_user_from_blog( ${off}, 9 ); add_user_to_blog( 9, ${gone}, 'author' ); remove_user_from_blog( ${gone}, 9 );`,
    );
    const done = hand();
    await atTheDoor('later');
    const run = await begin({
      action: 'copy',
      from: 2,
      memberships: 'all',
      sites: [9],
      people: [meanwhile, later, off, gone, copied],
    });
    const { counts } = await net.json<Run>(
      `add_filter( 'query', $listen = static function ( $sql ) use ( &$listen ) {
        if ( 'START TRANSACTION' === $sql ) { remove_filter( 'query', $listen ); file_get_contents( get_site_url( 1, '/?test_runs=meanwhile' ) ); }
        return $sql;
      } );
      echo wp_json_encode( Rollcall_Network_Runs::page( '${run.id}', 9, 20 ) );`,
    );
    await done;
    expect([counts.changed, counts.added, counts.unchanged]).toEqual([2, 0, 3]);
    const now = () => rowsOf(9, [meanwhile, later, off, gone, copied]);
    const author = stands(9, 'author', 2);
    expect(await now()).toEqual([author, author, [], [], stands(9, 'editor', 7)]);
    expect((await net.control(run.id, 'undo')).counts).toMatchObject({ removed: 1, kept: 1 });
    expect(await now()).toEqual([author, author, [], [], stands(9, 'contributor', 1)]);
  });

  test('T226: a person gives a role in the moment in which an undo takes the membership away: they have it', async () => {
    const [early = 0, late = 0, ended = 0] = (await first(2_000)).slice(-3);
    const run = await begin({ action: 'fill', sites: [10], people: [early, late, ended] });
    await drive(run.id);
    const caps = (id: number) =>
      `FROM wp_usermeta WHERE user_id = ${id} AND meta_key = 'wp_10_capabilities'`;
    const requests = await Promise.all([
      // WordPress has found the row; nobody knows of it yet.
      stopping(
        'unknown',
        'SET touched = 1',
        `SELECT COUNT(*) = 0 ${caps(early)}`,
        `add_user_to_blog( 10, ${early}, 'editor' );`,
      ),
      // Just before WordPress writes.
      stopping(
        'late',
        '^UPDATE .?wp_usermeta.*wp_10_capabilities',
        `SELECT COUNT(*) = 0 ${caps(ended)}`,
        `add_user_to_blog( 10, ${late}, 'editor' );`,
      ),
    ]);
    const done = requests.map((request) => request());
    await Promise.all([atTheDoor('unknown'), atTheDoor('late')]);
    expect((await net.control(run.id, 'undo')).counts).toMatchObject({ removed: 2, kept: 1 });
    await Promise.all(done);
    const editor = stands(10, 'editor', 7);
    expect(await rowsOf(10, [early, late, ended])).toEqual([editor, editor, []]);
  });

  test('T227: where a run or an undo and others wait for each other, it is never the others’ statement that is lost', async () => {
    const [x = 0, y = 0, z = 0] = (await first(2_000)).slice(-3);
    // As on any site: everybody has one, so a row of somebody's is found by their account.
    await net.site.php(
      `$GLOBALS['wpdb']->query( "INSERT INTO wp_usermeta (user_id, meta_key, meta_value) SELECT ID, 'nickname', 'before' FROM wp_users WHERE user_login LIKE 'bulk%'" );`,
    );
    // Another connection, beside the run's own, that asks for a row of somebody in the middle while the run holds rows.
    const others = `$other = new wpdb( DB_USER, DB_PASSWORD, DB_NAME, DB_HOST ); $other->query( 'SELECT 1' ); $lost = array();
      foreach ( array( ${x}, ${y}, ${z} ) as $id ) { update_user_meta( $id, 'nickname', 'before' ); }
      $asks = static function () use ( $other ) {
        mysqli_query( $other->dbh, "UPDATE wp_usermeta SET meta_value = 'theirs' WHERE user_id = ${y} AND meta_key = 'nickname'", MYSQLI_ASYNC );
        $look = new wpdb( DB_USER, DB_PASSWORD, DB_NAME, DB_HOST ); $end = microtime( true ) + 10;
        do { usleep( 120000 ); $links = array( $other->dbh ); $none = array(); $asked = mysqli_poll( $links, $none, $none, 0 ); }
        while ( ! $asked && microtime( true ) < $end && ! $look->get_var( "SELECT 1 FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT'" ) );
      };
      $answer = static function () use ( $other ) { return mysqli_reap_async_query( $other->dbh ) ? 'kept' : mysqli_error( $other->dbh ); };`;
    const during = (when: string, work: string) =>
      net.json<{ answer: string; nickname: string; counts: Run['counts'] }>(
        `${others} $seen = false; $asked = false;
        add_filter( 'query', $listen = static function ( $sql ) use ( &$listen, &$seen, $asks, &$asked ) {
          // As on a server that always waits.
          if ( false !== strpos( $sql, 'innodb_lock_wait_timeout = 0' ) ) { return 'SELECT 1'; }
          if ( $seen && ! $asked ) { $asked = true; remove_filter( 'query', $listen ); $asks(); return $sql; }
          $seen = $seen || preg_match( '/${when}/', $sql );
          return $sql;
        } );
        ${work} $is = $answer(); wp_cache_flush();
        echo wp_json_encode( array( 'answer' => $is, 'nickname' => get_user_meta( ${y}, 'nickname', true ), 'counts' => $run['counts'] ) );`,
      );
    const run = await begin({ action: 'fill', sites: [11], people: [x, y, z] });
    const page = `$run = Rollcall_Network_Runs::page( '${run.id}', 11, 20 );`;
    const kept = { answer: 'kept', nickname: 'theirs' };
    expect(await during('^INSERT INTO wp_usermeta', page)).toMatchObject({
      ...kept,
      counts: { added: 3 },
    });
    const undo = `$run = Rollcall_Network_Runs::control( '${run.id}', 'undo' ); ${page}`;
    expect(await during('FOR UPDATE', undo)).toMatchObject({ ...kept, counts: { removed: 3 } });
    // Somebody's transaction has one row and wants another one, which the run has: the run gives way at once.
    const people = (await first(2_000)).slice(-60);
    await net.site.php(
      `foreach ( array( ${people.join(', ')} ) as $id ) { add_user_to_blog( 2, $id, 'author' ); }
      foreach ( array( ${x}, ${y}, ${z} ) as $id ) { add_user_to_blog( 11, $id, 'contributor' ); }`,
    );
    const copy = await begin({ action: 'copy', from: 2, memberships: 'all', sites: [11], people });
    const mine = (id: number) =>
      `$wpdb->query( "UPDATE wp_usermeta SET meta_value = 'mine' WHERE user_id = ${id} AND meta_key = 'nickname'" )`;
    const plugin = await stopping(
      'plugin',
      `user_id = ${x} AND`,
      `SELECT 1 FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT' UNION SELECT 1 FROM wp_sitemeta WHERE meta_key = 'test_gave_way'`,
      `global $wpdb; $wpdb->query( 'START TRANSACTION' ); ${mine(z)}; echo wp_json_encode( ${mine(x)} ); $wpdb->query( 'COMMIT' );`,
    );
    const done = plugin();
    await atTheDoor('plugin');
    expect(
      await net.json(
        `$other = new wpdb( DB_USER, DB_PASSWORD, DB_NAME, DB_HOST ); $tries = 0;
        add_filter( 'query', static function ( $sql ) use ( &$tries, $other ) {
          if ( 'START TRANSACTION' === $sql && 2 === ++$tries ) { mysqli_query( $other->dbh, "INSERT INTO wp_sitemeta (site_id, meta_key, meta_value) VALUES (1, 'test_gave_way', '1')" ); }
          return $sql;
        } );
        $run = Rollcall_Network_Runs::page( '${copy.id}', 11, 20 );
        echo wp_json_encode( array( $run['counts']['changed'], $run['counts']['added'] ) );`,
      ),
    ).toEqual([3, 57]);
    expect(await done).toBe('1');
  });
});
