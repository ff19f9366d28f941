/** Two hub processes share one PostgreSQL database and the load; either may go away. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NetworkRunView } from '#hub/api/schemas/network.ts';
import type { RunningHub } from '#hub/cli/hub-process.ts';
import { startHub } from '#hub/main.ts';
import { startPostgresCluster } from '#hub/storage/test/postgres-cluster.ts';
import type { Site } from '#lab/start-site.ts';
import { waitUntil } from '#lab/wait-until.ts';
import { HubProcess } from './hub-process.ts';
import { createAccount, ENGINE, Hub, person, REST_MS, type Stage, startStage } from './stage.ts';

// Prints the line that installs PostgreSQL where it is missing.
const cluster = await startPostgresCluster();

let stage: Stage;
let second: RunningHub;
let folder: string;
const key = process.env['ROLLCALL_SECRET_KEY'];

beforeAll(async () => {
  if (cluster === null) return;
  process.env['ROLLCALL_SECRET_KEY'] = 'one key for both of these processes';
  const databaseUrl = await cluster.createDatabase();
  process.env['DATABASE_URL'] = databaseUrl;
  stage = await startStage({
    sites: [
      'shop',
      { name: 'blog', muPlugins: { 'count-applies.php': COUNT_APPLIES } },
      { name: 'brands', multisite: true, muPlugins: { 'slow.php': SLOW_LISTENER } },
    ],
    routes: ['shop=blog'],
    hub: { databaseUrl },
  });
  folder = await mkdtemp(join(tmpdir(), 'rollcall-second-'));
  second = await startHub({
    dataFolder: folder,
    databaseUrl,
    port: 0,
    pollSeconds: 1,
    settleDeletesSeconds: 1,
  });
});
afterAll(async () => {
  delete process.env['DATABASE_URL'];
  await second?.stop();
  await stage?.end();
  await cluster?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  if (key === undefined) delete process.env['ROLLCALL_SECRET_KEY'];
  else process.env['ROLLCALL_SECRET_KEY'] = key;
});

// Without PostgreSQL there is nothing that two processes could share.
test.skipIf(cluster === null)('both know the same, and each change arrives once', async () => {
  const [shop, blog] = [stage.site('shop'), stage.site('blog')];
  const other = new Hub(second);
  await createAccount(shop, 'shared', { firstName: 'One' });
  await other.rest();
  expect(await person(blog, 'shared')).toMatchObject({ firstName: 'One' });
  await Promise.all([
    shop.wp('user', 'meta', 'update', 'shared', 'last_name', 'From shop'),
    blog.wp('user', 'meta', 'update', 'shared', 'description', 'From blog'),
  ]);
  await stage.hub.rest();
  await other.rest();
  for (const site of [shop, blog]) {
    expect(await person(site, 'shared')).toMatchObject({
      lastName: 'From shop',
      description: 'From blog',
    });
  }
  const rows = (await other.log('&account=shared')).filter((row) => row.status === 'delivered');
  expect(rows).toHaveLength(3);
  expect(await stage.hub.log('&account=shared')).toEqual(await other.log('&account=shared'));
});

/** Counts, on the site itself, every operation that wrote something, by account. */
const COUNT_APPLIES = `<?php
add_action( 'rollcall_after_apply', function ( $receipt ) {
	if ( in_array( $receipt['result'], array( 'created', 'updated', 'altered' ), true ) ) {
		global $wpdb;
		$wpdb->insert( $wpdb->options, array( 'option_name' => 'applied_' . wp_generate_uuid4(), 'option_value' => $receipt['op'] ) );
	}
} );`;

/** Notes whom it hears of, and takes its time. */
const SLOW_LISTENER = `<?php
add_action( 'add_user_to_blog', function ( $id, $role, $blog ) {
	global $wpdb;
	if ( get_site_option( 'lab_hears' ) ) { $wpdb->insert( $wpdb->base_prefix . 'heard', array( 'user' => $id, 'blog' => $blog ) ); usleep( 20000 ); }
}, 10, 3 );`;
/** More than two processes begin at once: each has some of them. */
const RUNS = 6;
const PEOPLE_OF_RUN = ENGINE === 'native' ? 25 : 5;

async function beginNetworkRuns(site: Site): Promise<readonly string[]> {
  await site.php(`global $wpdb;
    $wpdb->query( "CREATE TABLE {$wpdb->base_prefix}heard ( user int, blog int )" );
    wp_insert_site( array( 'domain' => get_network()->domain, 'path' => '/club/', 'title' => 'Club', 'user_id' => 1 ) );
    $rows = array();
    for ( $run = 0; $run < ${RUNS}; $run++ ) { for ( $i = 0; $i < ${PEOPLE_OF_RUN}; $i++ ) { $rows[] = "('m$run-$i','x','m$run-$i','m$run-$i@people.test','2020-01-01 00:00:00','m')"; } }
    $wpdb->query( "INSERT INTO $wpdb->users (user_login,user_pass,user_nicename,user_email,user_registered,display_name) VALUES " . implode( ',', $rows ) );
    update_site_option( 'lab_hears', 1 );`);
  const ids: string[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    const people = { by: 'search', search: `m${run}-` };
    const asked = { action: 'fill', sites: 'all', people };
    const { id } = await stage.hub.call<NetworkRunView>('POST', '/networks/brands/runs', asked);
    ids.push(id);
  }
  return ids;
}
const heardOn = async (site: Site): Promise<number> =>
  Number(
    await site.php(
      'global $wpdb; echo $wpdb->get_var( "SELECT COUNT(*) FROM {$wpdb->base_prefix}heard" );',
    ),
  );

test.skipIf(cluster === null)(
  'T206: one is killed while it holds leases, and the other goes on with everything, once',
  async () => {
    const [shop, blog, brands] = [stage.site('shop'), stage.site('blog'), stage.site('brands')];
    let begun: readonly string[] = [];
    const folder = await mkdtemp(join(tmpdir(), 'rollcall-third-'));
    const third = new HubProcess(folder);
    try {
      for (let round = 0; round < 4; round += 1) {
        await third.start();
        await shop.php(`for ( $i = 0; $i < 20; $i++ ) {
          wp_insert_user( array( 'user_login' => "round${round}-$i", 'user_email' => "round${round}-$i@people.test", 'user_pass' => 'x' ) ); }`);
        if (round === 3) begun = await beginNetworkRuns(brands);
        // Somewhere in its work: it has pulled, claimed, or waits for the answer to an apply, or to a page of a run.
        if (round === 3) await waitUntil(async () => (await heardOn(brands)) > RUNS, REST_MS);
        else await delay(150 * round);
        await third.kill();
        await blog.php(`foreach ( get_users( array( 'search' => 'round*', 'number' => 20 ) ) as $u ) {
          update_user_meta( $u->ID, 'last_name', 'Round ${round}' ); }`);
      }
      await stage.hub.rest(REST_MS + 180_000);
      const people = (site: Site) =>
        site.php(`echo wp_json_encode( array_map( function ( $u ) {
          return array( $u->user_login, $u->user_email, $u->last_name, $u->user_pass ); },
          get_users( array( 'search' => 'round*', 'orderby' => 'login' ) ) ) );`);
      const here: unknown[] = JSON.parse(await people(shop));
      expect(here).toHaveLength(80);
      expect(JSON.parse(await people(blog))).toEqual(here);
      // The same operation is sent twice at most where an answer was lost, and writes once.
      expect(
        await blog.php(`global $wpdb; echo $wpdb->get_var( "SELECT COUNT(*) - COUNT(DISTINCT option_value)
          FROM $wpdb->options WHERE option_name LIKE 'applied\\_%'" );`),
      ).toBe('0');
      // Those that it had are gone on with by the others: nobody is left out, added or counted twice.
      for (const id of begun) {
        const view = () => stage.hub.call<NetworkRunView>('GET', `/network-runs/${id}`);
        await waitUntil(async () => (await view()).state === 'done', REST_MS);
        expect(await view()).toMatchObject({ added: 2 * PEOPLE_OF_RUN, done: 2 * PEOPLE_OF_RUN });
      }
      expect(
        await brands.php(`global $wpdb; $m = "FROM $wpdb->usermeta WHERE meta_key LIKE 'wp%capabilities' AND user_id IN ( SELECT ID FROM $wpdb->users WHERE user_login LIKE 'm%-%' )";
          echo wp_json_encode( array_map( 'intval', array( $wpdb->get_var( "SELECT COUNT(*) $m" ), $wpdb->get_var( "SELECT COUNT( DISTINCT CONCAT( user_id, ' ', meta_key ) ) $m" ), $wpdb->get_var( "SELECT COUNT( DISTINCT CONCAT( user, ' ', blog ) ) FROM {$wpdb->base_prefix}heard" ) ) ) );`),
      ).toBe(JSON.stringify(Array(3).fill(RUNS * 2 * PEOPLE_OF_RUN)));
    } finally {
      await third.kill();
      await rm(folder, { recursive: true, force: true });
    }
  },
  400_000,
);
