/**
 * 200 changes while the target is down and the hub is killed again and again: nothing is lost,
 * nothing doubled, and nobody who used the source noticed.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { restAs, signIn } from '#lab/sign-in.ts';
import type { Site } from '#lab/start-site.ts';
import { HubProcess, type ProcessStage, startProcessStage } from './hub-process.ts';
import { ENGINE, type Hub, REST_MS } from './stage.ts';

const PEOPLE = 20;
/** Through the pages, as visitors; the rest by plugins. WebAssembly sites take half a second each. */
const VISITS = ENGINE === 'native' ? 100 : 30;
const CHANGES = 200;

let stage: ProcessStage;
let shop: Site;
let blog: Site;
let process: HubProcess;
let hub: Hub;

beforeAll(async () => {
  stage = await startProcessStage();
  ({ shop, blog, process, hub } = stage);
});
afterAll(() => stage?.end());

/** Everything about every account that isn't an administrator, by login. */
const accounts = async (site: Site): Promise<unknown> =>
  JSON.parse(
    await site.php(`$all = array();
      foreach ( get_users( array( 'role__not_in' => array( 'administrator' ), 'orderby' => 'login' ) ) as $u ) {
        if ( user_can( $u, 'rollcall_hub' ) ) { continue; }
        $all[ $u->user_login ] = array( $u->user_email, $u->first_name, $u->last_name, $u->description,
          $u->display_name, $u->user_url, $u->user_pass, array_values( $u->roles ) );
      }
      echo wp_json_encode( $all );`),
  );

const countOf = async (site: Site): Promise<number> =>
  Number(
    await site.php('global $wpdb; echo $wpdb->get_var( "SELECT COUNT(*) FROM $wpdb->users" );'),
  );

test('T201, T301: all 200 changes arrive once the target and the hub are back', async () => {
  await shop.php(`for ( $i = 0; $i < ${PEOPLE}; $i++ ) {
    wp_insert_user( array( 'user_login' => "person$i", 'user_email' => "person$i@people.test", 'user_pass' => 'their password' ) );
  }`);
  await hub.rest();
  expect(await countOf(blog)).toBe(await countOf(shop));

  const visitor = (await signIn(shop, 'person0', 'their password')).visitor;
  const rest = await restAs(visitor);
  const visit = async (index: number): Promise<number> => {
    const started = performance.now();
    const body = JSON.stringify({ description: `visit ${index}`, first_name: `Visit ${index}` });
    const response = await rest('/wp/v2/users/me', { method: 'POST', body });
    expect(response.status).toBe(200);
    return performance.now() - started;
  };
  const calm: number[] = [];
  for (let index = 0; index < 10; index += 1) calm.push(await visit(index));

  await hub.rest();
  await blog.pause();
  const storm: number[] = [];
  const kills = new Set([VISITS * 0.2, VISITS * 0.5, VISITS * 0.8].map(Math.round));
  for (let index = 0; index < VISITS; index += 1) {
    storm.push(await visit(1000 + index));
    if (kills.has(index)) {
      await process.kill();
      if (index !== Math.round(VISITS * 0.5)) hub = await process.start();
    }
  }
  // By plugins: edits, new people, passwords, roles, and two who leave.
  await shop.php(`for ( $i = 0; $i < ${CHANGES - VISITS - 12}; $i++ ) {
      $id = get_user_by( 'login', 'person' . ( 2 + $i % ${PEOPLE - 2} ) )->ID;
      if ( 0 === $i % 3 ) { wp_update_user( array( 'ID' => $id, 'display_name' => "Edit $i", 'user_url' => "https://p.test/$i" ) ); }
      elseif ( 1 === $i % 3 ) { update_user_meta( $id, 'last_name', "Meta $i" ); }
      else { ( new WP_User( $id ) )->set_role( 0 === $i % 2 ? 'author' : 'contributor' ); }
    }
    for ( $i = 0; $i < 10; $i++ ) { wp_insert_user( array( 'user_login' => "late$i", 'user_email' => "late$i@people.test", 'user_pass' => "late $i" ) ); }
    require_once ABSPATH . 'wp-admin/includes/user.php';
    wp_delete_user( get_user_by( 'login', 'person1' )->ID ); wp_delete_user( get_user_by( 'login', 'late9' )->ID );`);
  await process.kill();
  hub = await process.start();
  await blog.resume();
  await hub.rest(REST_MS * 4);

  expect(await accounts(blog)).toEqual(await accounts(shop));
  expect(await countOf(blog)).toBe(await countOf(shop));
  // Nobody waited for a site that was down or a hub that was dead.
  expect(median(storm)).toBeLessThan(median(calm) * 3 + 1_000);
  expect(Math.max(...storm)).toBeLessThan(20_000);
}, 400_000);

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

test('T207: a second process on the data folder is refused in one sentence', async () => {
  const second = new HubProcess(process.dataFolder);
  const refused = await second.start().then(
    () => '',
    (error: unknown) => String(error),
  );
  expect(refused).toMatch(/The data folder is in use by process \d+/u);
  expect(refused).not.toMatch(/\n\s+at /u);
  expect((await hub.status()).idle).toBe(true);
});
