/** People ask one site to erase them: the others hear of it, nobody else does, and nobody is erased by force. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Diagnosis } from '#hub/api/schemas/doctor.ts';
import type { LogRow } from '#hub/api/schemas/log.ts';
import type { ErasureView, PersonRecords } from '#hub/api/schemas/privacy.ts';
import type { Site } from '#lab/start-site.ts';
import { waitUntil } from '#lab/wait-until.ts';
import { person, REST_MS, type Stage, startStage } from './stage.ts';

/** Another plugin of each site erases its own part, on two pages. */
const ERASER = `<?php
add_filter( 'wp_privacy_personal_data_erasers', function ( $erasers ) {
	$erasers['test'] = array( 'eraser_friendly_name' => 'Test', 'callback' => function ( $email, $page ) {
		$user = get_user_by( 'email', $email );
		if ( $user && 2 === $page ) { wp_update_user( array( 'ID' => $user->ID, 'description' => 'erased' ) ); }
		return array( 'items_removed' => true, 'items_retained' => false, 'messages' => array(), 'done' => 2 === $page );
	} );
	return $erasers;
} );
`;
/** As many as go without a person's consent on a site so small. */
const ALLOWED = 5;
const MANY = Array.from({ length: ALLOWED + 1 }, (_, i) => `many${i}`);

let stage: Stage;
let shop: Site;
let club: Site;

beforeAll(async () => {
  stage = await startStage({ sites: ['shop', 'club'], routes: [] });
  [shop, club] = [stage.site('shop'), stage.site('club')];
  for (const site of stage.sites) {
    await writeFile(join(site.dir, 'wp-content/mu-plugins/eraser.php'), ERASER);
    await insert(site, ['vera']);
  }
  await stage.hub.rest();
  await stage.hub.route('shop', 'club', { both: true });
  await insert(shop, ['anna', 'boss', 'chief', 'ulla', ...MANY]);
  await stage.hub.rest();
  await club.php(`( new WP_User( ${idOf('boss')} ) )->set_role( 'administrator' );`);
  await shop.php(`( new WP_User( ${idOf('chief')} ) )->set_role( 'administrator' );`);
  await stage.hub.rest();
});
afterAll(() => stage?.end());

const idOf = (login: string): string => `get_user_by( 'login', '${login}' )->ID`;
const insert = (site: Site, logins: readonly string[]): Promise<string> =>
  site.php(
    logins
      .map(
        (login) =>
          `wp_insert_user( array( 'user_login' => '${login}', 'user_email' => '${login}@people.test', 'user_pass' => 'pass of ${login}', 'description' => 'I am ${login}', 'role' => 'subscriber' ) );`,
      )
      .join(' '),
  );
/** As the button in wp-admin does: every eraser, page by page. A request that is there is carried out. */
const erase = (site: Site, logins: readonly string[]): Promise<string> =>
  site.php(`require_once ABSPATH . 'wp-admin/includes/privacy-tools.php';
    foreach ( array( '${logins.join("', '")}' ) as $login ) {
      $email = $login . '@people.test';
      $ids = get_posts( array( 'post_type' => 'user_request', 'post_status' => 'request-confirmed', 'title' => $email, 'fields' => 'ids' ) );
      $id = $ids ? $ids[0] : wp_create_user_request( $email, 'remove_personal_data', array(), 'confirmed' );
      foreach ( array_values( apply_filters( 'wp_privacy_personal_data_erasers', array() ) ) as $i => $eraser ) {
        for ( $page = 1; ; $page++ ) {
          $said = call_user_func( $eraser['callback'], $email, $page );
          wp_privacy_process_personal_data_erasure_page( $said, $i + 1, $email, $page, $id );
          if ( $said['done'] ) { break; }
        }
      }
    }`);
/** Address → status of the newest request there. */
const requests = async (site: Site): Promise<Record<string, string>> =>
  JSON.parse(
    await site.php(
      `echo wp_json_encode( (object) wp_list_pluck( get_posts( array( 'post_type' => 'user_request', 'post_status' => 'any', 'numberposts' => -1, 'order' => 'ASC' ) ), 'post_status', 'post_title' ) );`,
    ),
  );
/** Of other sites, or of the hub's own records: there source and target are one. */
const erasures = async (what: 'asked' | 'own' = 'asked'): Promise<ErasureView[]> =>
  (await stage.hub.call<{ erasures: ErasureView[] }>('GET', '/privacy/erasures')).erasures.filter(
    ({ source, target }) => (source === target) === (what === 'own'),
  );
const uidOf = async (login: string): Promise<string> =>
  (await stage.hub.call<{ uid: string }>('GET', `/account?site=shop&login=${login}`)).uid;
const stateOf = async (login: string): Promise<readonly (readonly [string, string | null])[]> => {
  const uid = await uidOf(login);
  return (await erasures()).flatMap((one) =>
    one.uid === uid ? [[one.state, one.reason] as const] : [],
  );
};
const settled = (login: string): Promise<void> =>
  waitUntil(async () => (await stateOf(login)).some(([state]) => state !== 'waiting'), REST_MS);
const about = async (login: string): Promise<LogRow[]> =>
  stage.hub.log(`&account=${await uidOf(login)}`);

test('T158: a completed erasure opens one confirmed request there, and none comes back', async () => {
  await erase(shop, ['anna']);
  await stage.hub.rest();
  await settled('anna');
  expect(await stateOf('anna')).toEqual([['opened', null]]);
  expect(await requests(club)).toEqual({ 'anna@people.test': 'request-confirmed' });
  // Nobody is erased before somebody there has looked; what the eraser at home changed is an edit like any other.
  const told = (await club.mails()).filter(({ message }) => message.includes('anna@people.test'));
  expect(told.length).toBe(1);
  await erase(club, ['anna']);
  await stage.hub.rest();
  await waitUntil(
    async () => (await requests(club))['anna@people.test'] === 'request-completed',
    REST_MS,
  );
  await stage.hub.rest();
  expect(await requests(shop)).toEqual({ 'anna@people.test': 'request-completed' });
  expect((await erasures()).length).toBe(1);
});

test('T159: the log says that somebody was erased, and no longer who', async () => {
  const rows = await about('anna');
  expect(rows.filter(({ action }) => action === 'erase').length).toBeGreaterThan(1);
  expect(rows.filter(({ action }) => action === 'create').length).toBe(1);
  expect(JSON.stringify(rows)).not.toContain('anna');
});

test('T156, T157: nothing is asked of administrators, nor of who is not proven to be the same', async () => {
  await erase(shop, ['boss', 'chief', 'vera']);
  await stage.hub.rest();
  await settled('boss');
  expect(await stateOf('boss')).toEqual([['refused', 'target.privileged_account']]);
  expect(await stateOf('chief')).toEqual([]);
  // The hub's own records of them wait for an operator.
  const own = (await erasures('own')).filter(({ reason }) => reason === 'erasure.privileged');
  expect(own.map(({ uid }) => uid).toSorted()).toEqual(
    [await uidOf('boss'), await uidOf('chief')].toSorted(),
  );
  expect((await about('chief')).map(({ reason }) => reason)).toContain('account.privileged');
  expect(await stateOf('vera')).toEqual([]);
  expect(Object.keys(await requests(club))).toEqual(['anna@people.test']);
  for (const login of ['boss', 'vera']) {
    // oxlint-disable-next-line no-await-in-loop
    expect(await person(club, login)).toMatchObject({ email: `${login}@people.test` });
  }
});

test('a site that says so carries it out unattended, page by page', async () => {
  expect(await club.wp('rollcall', 'privacy')).toContain('off');
  expect(await club.wp('rollcall', 'privacy', '--unattended=on')).toContain('on');
  await club.php(
    `$id = wp_create_user_request( 'vera@people.test', 'remove_personal_data', array(), 'confirmed' ); do_action( 'rollcall_run_erasure', $id, 1, 1 );`,
  );
  await erase(shop, ['ulla']);
  await stage.hub.rest();
  await settled('ulla');
  await club.php(
    'foreach ( wp_get_ready_cron_jobs() as $hooks ) { foreach ( $hooks["rollcall_run_erasure"] ?? array() as $event ) { do_action_ref_array( "rollcall_run_erasure", $event["args"] ); } }',
  );
  const there = await requests(club);
  expect(there['ulla@people.test']).toBe('request-completed');
  // What was asked for there itself waits for somebody who looks.
  expect(there['vera@people.test']).toBe('request-confirmed');
  expect(await person(club, 'ulla')).toMatchObject({ description: 'erased' });
  await club.wp('rollcall', 'privacy', '--unattended=off');
  await stage.hub.rest();
});

test('T155: a site that erases everybody is held there, and an operator decides', async () => {
  await erase(shop, MANY);
  await stage.hub.rest();
  await settled('many5');
  const held = (await erasures()).filter(({ state }) => state === 'held');
  expect(new Set(held.map(({ reason }) => reason))).toEqual(new Set(['erasure.over_limit']));
  const opened = Object.keys(await requests(club)).filter((email) => email.startsWith('many'));
  expect(held.length + opened.length).toBe(MANY.length);
  expect(opened.length).toBeLessThan(ALLOWED);
  const { checks } = await stage.hub.call<Diagnosis>('GET', '/doctor');
  expect(JSON.stringify(checks)).toContain('erasure.over_limit');
  const [one, ...others] = held;
  const decide = (body: object) => stage.hub.call('POST', '/privacy/erasures/decide', body);
  expect(await decide({ erasures: [one?.id], decision: 'release' })).toEqual({ decided: 1 });
  await waitUntil(
    async () => (await erasures()).find(({ id }) => id === one?.id)?.state === 'opened',
    REST_MS,
  );
  const own = (await erasures('own')).filter(({ state }) => state === 'held');
  expect(own.length).toBeGreaterThan(2);
  expect(await decide({ all: true, decision: 'reject' })).toEqual({
    decided: others.length + own.length,
  });
  const bad = await stage.hub.raw('POST', '/privacy/erasures/decide', { decision: 'release' });
  expect(bad.status).toBe(400);
});

test('what is kept of a person is shown and erased, by the hub and by WordPress’s own tools', async () => {
  const query = '/privacy/records?site=club&login=boss';
  const records = await stage.hub.call<PersonRecords>('GET', query);
  expect(records.accounts.map(({ sites, login }) => `${sites.join()} ${login}`).toSorted()).toEqual(
    ['club boss', 'shop boss'],
  );
  expect(records.log.length).toBeGreaterThan(0);
  expect(JSON.stringify(records)).not.toMatch(/\$wp|\$2y|\$P\$/u);
  await club.php(`wp_update_user( array( 'ID' => ${idOf('many0')}, 'first_name' => 'Mo' ) );`);
  await stage.hub.rest();
  const erased = await stage.hub.call<{ logRows: number }>('POST', '/privacy/erase', {
    site: 'club',
    login: 'many0',
  });
  expect(erased.logRows).toBeGreaterThan(0);
  expect(JSON.stringify(await about('many0'))).not.toContain('"many0"');
  const unknown = await stage.hub.raw('POST', '/privacy/erase', { site: 'club', login: 'nobody' });
  expect(unknown.status).toBe(404);
  const told = await club.php(
    `$tools = apply_filters( 'wp_privacy_personal_data_exporters', array() ); echo wp_json_encode( call_user_func( $tools['rollcall-connector']['callback'], 'boss@people.test', 1 ) );
     $tools = apply_filters( 'wp_privacy_personal_data_erasers', array() ); echo wp_json_encode( call_user_func( $tools['rollcall-connector']['callback'], 'boss@people.test', 1 ) );
     echo wp_json_encode( call_user_func( $tools['rollcall-connector']['callback'], 'nobody@people.test', 1 ) );`,
  );
  expect(told).toContain(records.uid);
  expect(told).toContain('"items_retained":true');
  expect(told).toContain('"items_removed":false,"items_retained":false');
});
