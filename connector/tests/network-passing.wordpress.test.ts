/** A run passes by sites on which there is nothing to write: what it counts there, where it stops, and what stops it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type NetworkSite, php, type Run, startNetwork } from './network-site.ts';

/** Hears who is asked about, and forbids one. */
const STRANGER = {
  'stranger.php': `<?php
add_filter( 'can_add_user_to_blog', function ( $can, $id, $role, $blog ) {
	update_site_option( 'test_asked', (int) get_site_option( 'test_asked' ) + 1 );
	return 'unwanted' === get_userdata( $id )->user_login && 3 === $blog ? new WP_Error( 'no' ) : $can;
}, 10, 4 );
`,
};

const FILL = { action: 'fill' };
let net: NetworkSite;
/** People: the administrator, who is a super admin, and these. */
const PEOPLE = ['anna', 'ben', 'gone', 'spammer', 'unwanted'] as const;

beforeAll(async () => {
  net = await startNetwork('network-passing', ['shop', 'news', 'attic', 'last'], STRANGER);
  await net.site.php(`
    foreach ( ${php(PEOPLE)} as $login ) { wpmu_create_user( $login, 'x', "$login@people.test" ); }
    $id = static function ( $login ) { return get_user_by( 'login', $login )->ID; };
    update_user_status( $id( 'spammer' ), 'spam', 1 );
    update_blog_status( 4, 'archived', 1 );
    add_user_to_blog( 2, $id( 'gone' ), 'author' );
    remove_user_from_blog( $id( 'gone' ), 2 );`);
  await net.run(FILL);
});
afterAll(() => net?.stop());

const DONE = { state: 'done', next: null };
/** Of six people on five sites: who was forbidden on site 3 is a member there only where a test says so. */
const WHOLE = {
  total: 30,
  done: 30,
  added: 0,
  unchanged: 19,
  skipped: { 'network.account_spam': 4, 'network.removed_before': 1, 'network.site_closed': 6 },
};

const BEGIN = (spec: object): string =>
  `$run = Rollcall_Network_Runs::begin( wp_generate_uuid4(), 1, ${php(spec)}, 'cli', 'test' );`;
const PASS = "$run = Rollcall_Network_Runs::pass_by( $run['id'], 20 );";
const SAY = 'echo wp_json_encode( $run );';
const passed = (spec: object, before = ''): Promise<Run> =>
  net.json(`${before} ${BEGIN(spec)} ${PASS} ${SAY}`);
const page = ({ id }: Run, blog: number): Promise<Run> =>
  net.json(`$run = Rollcall_Network_Runs::page( '${id}', ${blog}, 20 ); ${SAY}`);
const is = (login: string, blog: number, role: string) =>
  net.site.php(
    `( new WP_User( get_user_by( 'login', '${login}' )->ID, '', ${blog} ) )->set_role( '${role}' );`,
  );
/** As SQL takes it, of which no hook tells. */
const isNot = (login: string, blog: number) =>
  net.site.php(
    `global $wpdb; $wpdb->delete( $wpdb->usermeta, array( 'meta_key' => 'wp_${blog}_capabilities', 'user_id' => get_user_by( 'login', '${login}' )->ID ) ); wp_cache_flush();`,
  );
const asked = () =>
  net.json<number>(
    "$asked = (int) get_site_option( 'test_asked' ); update_site_option( 'test_asked', 0 ); echo $asked;",
  );
/** Something happens just before site 3 is looked at. */
const AT_NEWS = (deed: string): string =>
  `add_filter( 'query', $listen = static function ( $sql ) use ( &$listen, &$run ) {
    if ( false === strpos( $sql, "'wp_3_capabilities'" ) ) { return $sql; }
    remove_filter( 'query', $listen ); ${deed}
    return $sql;
  } );`;

test('T228: sites on which nobody could be added are passed by, with what they come to; any other one is asked itself', async () => {
  await asked();
  // A plugin of site 3 forbids one: only there it can be known.
  const stopped = await passed(FILL);
  expect(stopped).toMatchObject({ state: 'running', next: 3 });
  expect(stopped.counts).toMatchObject({
    done: 12,
    unchanged: 9,
    skipped: { 'network.account_spam': 2, 'network.removed_before': 1 },
  });
  expect(await asked()).toBe(0);
  const over = await page(stopped, 3);
  const skipped = { ...WHOLE.skipped, 'network.plugin_forbids': 1 };
  expect(over).toMatchObject({ ...DONE, counts: { ...WHOLE, unchanged: 18, skipped } });
  expect(await asked()).toBe(1);

  await is('unwanted', 3, 'author');
  expect(await passed(FILL)).toMatchObject({ ...DONE, counts: WHOLE });
  // With “add back” somebody is missing on the second site.
  expect(await passed({ ...FILL, add_back: true })).toMatchObject({ state: 'running', next: 2 });

  await isNot('ben', 5);
  expect(await passed(FILL)).toMatchObject({ next: 5, counts: { done: 24, unchanged: 14 } });
  // Which role a site gives is its own to say: a plugin may define it there alone.
  await net.site.php("update_blog_option( 5, 'default_role', 'administrator' );");
  const last = await passed(FILL);
  expect(last).toMatchObject({ state: 'running', next: 5 });
  const refused = { ...WHOLE.skipped, 'network.role_privileged': 1 };
  expect(await page(last, 5)).toMatchObject({
    ...DONE,
    counts: { ...WHOLE, unchanged: 18, skipped: refused },
  });
  await net.site.php("update_blog_option( 5, 'default_role', 'subscriber' );");
  expect(await page(await passed(FILL), 5)).toMatchObject({ ...DONE, counts: { added: 1 } });
  expect((await net.members(['ben']))['ben']).toBe('subscriber subscriber subscriber - subscriber');
});

test('a copy of roles passes by sites that have them already, and stops at the first that has not', async () => {
  const people = await net.json<number[]>(
    "echo wp_json_encode( array( get_user_by( 'login', 'anna' )->ID, get_user_by( 'login', 'ben' )->ID ) );",
  );
  const copy = { action: 'copy', from: 1, people };
  expect(await passed(copy)).toMatchObject({
    ...DONE,
    counts: { total: 8, done: 8, unchanged: 6, skipped: { 'network.site_closed': 2 } },
  });
  await is('ben', 3, 'author');
  const stopped = await passed(copy);
  expect(stopped).toMatchObject({ state: 'running', next: 3, counts: { done: 2, unchanged: 2 } });
  expect(await page(stopped, 3)).toMatchObject({ ...DONE, counts: { changed: 1, unchanged: 5 } });
});

test('T229: a run that is killed, paused or taken over while it passes by stands where it was, and counts nothing twice', async () => {
  const begun = (id: string) => `$run = Rollcall_Network_Runs::find( ${id} ); ${PASS} ${SAY}`;
  const killed = await net.json<Run>(
    `${BEGIN(FILL)} ${AT_NEWS(`${SAY} exit;`)} ${PASS} echo 'it went on';`,
  );
  const stood = { state: 'running', next: 1, counts: { total: 30, done: 0, skipped: [] } };
  const pass = () => net.json<Run>(begun(`'${killed.id}'`));
  // Whoever was killed holds it for half a minute.
  expect(await pass()).toMatchObject(stood);
  await net.site.php(
    "global $wpdb; $wpdb->query( 'UPDATE ' . Rollcall_Network_Tables::runs() . ' SET lease_ms = 1' );",
  );
  expect(await pass()).toMatchObject({ ...DONE, counts: WHOLE });

  const paused = await passed(
    FILL,
    AT_NEWS("Rollcall_Network_Runs::control( $run['id'], 'pause' );"),
  );
  expect(paused).toMatchObject({ ...stood, state: 'paused' });
  const again = `Rollcall_Network_Runs::control( '${paused.id}', 'resume' ); ${begun(`'${paused.id}'`)}`;
  expect(await net.json(begun(`'${paused.id}'`))).toMatchObject({ ...stood, state: 'paused' });
  expect(await net.json(again)).toMatchObject({ ...DONE, counts: WHOLE });

  const mark =
    "global $wpdb; $wpdb->query( 'UPDATE ' . Rollcall_Network_Tables::runs() . \" SET token = 'another'\" );";
  const taken = await passed(FILL, AT_NEWS(mark));
  expect(taken).toMatchObject(stood);
});
