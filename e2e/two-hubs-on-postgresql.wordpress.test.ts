/** Two hub processes share one PostgreSQL database and the load; either may go away. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningHub } from '#hub/cli/hub-process.ts';
import { startHub } from '#hub/main.ts';
import { startPostgresCluster } from '#hub/storage/test/postgres-cluster.ts';
import type { Site } from '#lab/start-site.ts';
import { HubProcess } from './hub-process.ts';
import { createAccount, Hub, person, REST_MS, type Stage, startStage } from './stage.ts';

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
    sites: ['shop', { name: 'blog', muPlugins: { 'count-applies.php': COUNT_APPLIES } }],
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

test.skipIf(cluster === null)(
  'T206: one is killed while it holds leases, and the other goes on with everything, once',
  async () => {
    const [shop, blog] = [stage.site('shop'), stage.site('blog')];
    const folder = await mkdtemp(join(tmpdir(), 'rollcall-third-'));
    const third = new HubProcess(folder);
    try {
      for (let round = 0; round < 4; round += 1) {
        await third.start();
        await shop.php(`for ( $i = 0; $i < 20; $i++ ) {
          wp_insert_user( array( 'user_login' => "round${round}-$i", 'user_email' => "round${round}-$i@people.test", 'user_pass' => 'x' ) ); }`);
        // Somewhere in its work: it has pulled, claimed, or waits for the answer to an apply.
        await delay(150 * round);
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
    } finally {
      await third.kill();
      await rm(folder, { recursive: true, force: true });
    }
  },
  400_000,
);
