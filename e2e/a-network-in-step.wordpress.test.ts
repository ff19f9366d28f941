/**
 * One network and a hub: counted, filled, broken off at the worst moment, taken back; and what the network does by
 * itself while the hub is down.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type {
  NetworkRows,
  NetworkRunList,
  NetworkRunView,
  NetworkView,
} from '#hub/api/schemas/network.ts';
import { activatePlugin } from '#lab/activate-plugin.ts';
import type { Site } from '#lab/start-site.ts';
import { waitUntil } from '#lab/wait-until.ts';
import { HubProcess } from './hub-process.ts';
import { ENGINE, type Hub, REST_MS, startStorySite } from './stage.ts';

const CLI = new URL('../bin/rollcall.mjs', import.meta.url).pathname;
const run = promisify(execFile);
/** On the slow site each of them takes a moment, so that a run can be broken off there. */
const PEOPLE = ENGINE === 'native' ? 100 : 20;
const MOMENT_US = ENGINE === 'native' ? 30_000 : 100_000;
const SITES = [1, 2, 3] as const;

/** A plugin that is active on the shop alone, and hears who joins. */
const HEARS = `<?php
/* Plugin Name: Hears */
add_action( 'add_user_to_blog', function ( $id, $role, $blog ) {
	global $wpdb;
	$wpdb->query( $wpdb->prepare( "INSERT INTO {$wpdb->base_prefix}heard VALUES ( %d, %d )", $id, $blog ) );
	usleep( ${MOMENT_US} );
}, 10, 3 );
`;

const PREPARE = `global $wpdb;
  $wpdb->query( "CREATE TABLE {$wpdb->base_prefix}heard ( id bigint, blog bigint )" );
  foreach ( array( 'shop', 'press' ) as $slug ) {
    wp_insert_site( array( 'domain' => get_network()->domain, 'path' => get_network()->path . $slug . '/', 'title' => ucfirst( $slug ), 'user_id' => 1 ) );
  }
  require_once ABSPATH . 'wp-admin/includes/plugin.php';
  switch_to_blog( 2 ); activate_plugin( 'hears.php' ); restore_current_blog();
  update_blog_option( 3, 'default_role', 'author' );
  for ( $i = 1; $i <= ${PEOPLE}; $i++ ) {
    $wpdb->insert( $wpdb->users, array( 'user_login' => "p$i", 'user_nicename' => "p$i", 'user_email' => "p$i@people.test", 'user_registered' => '2020-01-02 03:04:05', 'display_name' => "P $i", 'user_pass' => 'x' ) );
  }
  add_user_to_blog( 1, get_user_by( 'login', 'p1' )->ID, 'editor' );
  // Active there from this process on.
  $wpdb->query( "DELETE FROM {$wpdb->base_prefix}heard" );`;

let site: Site;
let folder: string;
let hubProcess: HubProcess;
let hub: Hub;

beforeAll(async () => {
  site = await startStorySite({ name: 'brands', multisite: true });
  await writeFile(join(site.dir, 'wp-content/plugins/hears.php'), HEARS);
  await activatePlugin(site);
  await site.php(PREPARE);
  folder = await mkdtemp(join(tmpdir(), 'rollcall-network-'));
  hubProcess = new HubProcess(folder);
  hub = await hubProcess.start();
  await hub.connect(site);
});
afterAll(async () => {
  await hubProcess?.stop();
  await site?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

const runCalled = (id: string) => hub.call<NetworkRunView>('GET', `/network-runs/${id}`);
async function until(id: string, isSo: (view: NetworkRunView) => boolean): Promise<NetworkRunView> {
  let view = await runCalled(id);
  await waitUntil(async () => {
    view = await runCalled(id);
    return isSo(view);
  }, REST_MS);
  return view;
}

/** What WordPress itself says: login → roles on each site, '-' where it is no member. */
const members = async (): Promise<Record<string, string>> =>
  JSON.parse(
    await site.php(`$all = array();
      foreach ( get_users( array( 'blog_id' => 0 ) ) as $user ) {
        if ( ! preg_match( '/^[pn]\\d+$/', $user->user_login ) ) { continue; }
        $roles = array();
        foreach ( array( 1, 2, 3 ) as $blog ) { $roles[] = is_user_member_of_blog( $user->ID, $blog ) ? implode( '+', ( new WP_User( $user->ID, '', $blog ) )->roles ) : '-'; }
        $all[ $user->user_login ] = implode( ' ', $roles );
      }
      echo wp_json_encode( $all );`),
  );

/** Blog → [times that the plugin heard of it, of how many people]. */
const heard = async (): Promise<Record<string, [number, number]>> =>
  Object.fromEntries(
    JSON.parse(
      await site.php(
        `global $wpdb; echo wp_json_encode( array_map( function ( $row ) { return array( $row[0], array( (int) $row[1], (int) $row[2] ) ); }, $wpdb->get_results( "SELECT blog, COUNT(*), COUNT( DISTINCT id ) FROM {$wpdb->base_prefix}heard GROUP BY blog", ARRAY_N ) ) );`,
      ),
    ),
  );

async function rollcall(...args: string[]): Promise<string> {
  const env = { ...process.env, ROLLCALL_URL: hub.url, ROLLCALL_TOKEN: hub.token };
  return (await run(process.execPath, [CLI, ...args], { env })).stdout;
}

test('T978: a run does what was counted, also when the hub is killed in the middle of a page, and takes back what nobody touched', async () => {
  const view = await hub.call<NetworkView>('GET', '/networks/brands');
  expect(view.sites.map(({ blog, members: many }) => [blog, many])).toEqual([
    // The administrator, the hub's own account, and one person.
    [1, 3],
    [2, 1],
    [3, 1],
  ]);
  const people = { by: 'accounts', logins: Array.from({ length: PEOPLE }, (_, i) => `p${i + 1}`) };
  const asked = { action: 'fill', sites: 'all', people };
  const { id } = await hub.call<NetworkRunView>('POST', '/networks/brands/runs/plan', asked);
  const { preview } = await until(id, ({ state }) => state === 'planned');
  expect(preview).toMatchObject({ add: SITES.length * PEOPLE - 1, change: 0, unchanged: 1 });
  const before = await members();
  expect(before).toMatchObject({ p1: 'editor - -', p2: '- - -' });

  await hub.call('POST', `/network-runs/${id}/start`);
  // In the middle of the page of the slow site.
  await waitUntil(async () => ((await heard())['2']?.[0] ?? 0) > 1, REST_MS);
  const ordered = await hub.call<NetworkRunView>('POST', `/network-runs/${id}/pause`);
  expect(ordered).toMatchObject({ total: SITES.length * PEOPLE, wanted: 'pause' });
  await hubProcess.kill();
  hub = await hubProcess.start();
  const paused = await until(id, ({ wanted }) => wanted === null);
  expect(paused.state).toBe('paused');
  expect(paused.done).toBeLessThan(paused.total);
  await hub.call('POST', `/network-runs/${id}/resume`);
  const done = await until(id, ({ state, wanted }) => state === 'done' && wanted === null);
  expect(done).toMatchObject({ done: done.total, unchanged: 1, skipped: [], fault: null });
  expect(done.added).toBe(preview?.add);
  const after = await members();
  expect(after['p1']).toBe('editor subscriber author');
  const rest = Object.entries(after).filter(([login]) => login !== 'p1');
  expect(new Set(rest.map(([, roles]) => roles))).toEqual(
    new Set(['subscriber subscriber author']),
  );
  // Only there, and everybody: asked at the address of another site, the plugin would not have been loaded.
  expect(Object.keys(await heard())).toEqual(['2']);
  expect((await heard())['2']?.[1]).toBe(PEOPLE);

  await site.php(`get_user_by( 'login', 'p2' )->set_role( 'contributor' );
    remove_user_from_blog( get_user_by( 'login', 'p3' )->ID, 3 );`);
  const rows = await hub.call<NetworkRows>('GET', `/network-runs/${id}/accounts`);
  expect(rows.rows).toHaveLength(done.added);
  await hub.call('POST', `/network-runs/${id}/undo`);
  const undone = await until(id, ({ state }) => state === 'undone');
  expect(undone).toMatchObject({ removed: done.added - 2, kept: 2 });
  expect(await members()).toEqual({ ...before, p2: 'contributor - -' });
});

test('T979: with triggers on, who comes while the hub is down joins every site, and the hub tells of it later', async () => {
  const settings = await rollcall('network', 'triggers', 'brands', '--new-account', 'on', '--json');
  expect(JSON.parse(settings).settings).toMatchObject({ newAccount: true, newSite: false });
  expect(await rollcall('network', 'list')).toContain('new-account');
  await hubProcess.kill();
  await site.php(`wpmu_create_user( 'n1', 'x', 'n1@people.test' );`);
  await waitUntil(async () => {
    // The shop has a plugin of its own, so it is left to WordPress's cron, which the lab has switched off.
    await site.php("do_action( 'rollcall_network_turn' );");
    return (await members())['n1'] === 'subscriber subscriber author';
  }, REST_MS);
  hub = await hubProcess.start();
  const view = await hub.call<NetworkView>('GET', '/networks/brands');
  expect(view.settings.newAccount).toBe(true);
  const { runs, fault } = await hub.call<NetworkRunList>('GET', '/networks/brands/runs');
  expect(fault).toBeNull();
  // A new account is no run of its own.
  expect(runs.map(({ state, driver }) => [state, driver])).toEqual([['undone', 'hub']]);
});
