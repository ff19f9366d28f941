/** A plugin that counts points keeps them in step between two shops, and others hook in, well and badly. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LogRow } from '#hub/api/schemas/log.ts';
import type { Site } from '#lab/start-site.ts';
import { createAccount, person, type Stage, startStage } from './stage.ts';

/** Keeps points in an option: no hook of WordPress shows a change of them. What it does wrong is an option, too. */
const POINTS = `<?php
function test_points( $id ) { $all = get_option( 'test_points', array() ); return isset( $all[ $id ] ) ? $all[ $id ] : 0; }
function test_set_points( $id, $points ) { $all = get_option( 'test_points', array() ); $all[ $id ] = $points; update_option( 'test_points', $all, false ); }
function test_points_do( $what ) {
	switch ( get_option( $what ) ) {
		case 'throw': throw new RuntimeException( 'secret text' );
		case 'die': exit;
	}
	return get_option( $what );
}
add_action( 'plugins_loaded', function () {
	if ( ! function_exists( 'rollcall_register_field' ) || get_option( 'test_points_off' ) ) { return; }
	rollcall_register_field( 'points', array(
		'read'  => function ( $id ) { $do = test_points_do( 'test_read' ); return 'object' === $do ? new stdClass() : test_points( $id ); },
		'apply' => function ( $id, $points ) {
			$do = test_points_do( 'test_apply' );
			if ( 'refuse' === $do ) { return false; }
			test_set_points( $id, 'most' === $do ? min( 1000, $points ) : $points );
		},
	) );
} );
add_filter( 'rollcall_account_state', function ( $values, $id ) {
	$do = test_points_do( 'test_filter' );
	if ( 'hide' === $do ) { unset( $values['description'] ); $values['last_name'] = 'Hidden'; }
	if ( 'spoil' === $do ) { $values['first_name'] = array( new stdClass() ); $values['email'] = 'no address'; $values['role:administrator'] = true; }
	return 'nothing' === $do ? null : $values;
}, 10, 2 );
add_filter( 'rollcall_should_capture', function ( $capture, $id ) { test_points_do( 'test_capture' ); return $capture && 'no' !== get_option( 'test_capture' ); }, 10, 2 );
foreach ( array( 'rollcall_before_apply', 'rollcall_after_apply' ) as $hook ) {
	add_action( $hook, function ( $first, $second ) use ( $hook ) {
		update_option( 'test_heard', array_merge( get_option( 'test_heard', array() ), array( wp_json_encode( array( $hook, $first, $second ) ) ) ), false );
		test_points_do( 'test_' . $hook );
	}, 10, 2 );
}
`;

let stage: Stage;
let shop: Site;
let club: Site;

beforeAll(async () => {
  stage = await startStage({
    sites: ['shop', 'club'],
    routes: ['shop=club'],
    rules: {
      fields: ['email', 'first_name', 'last_name', 'description', 'password', 'ext:points'],
      meta: ['size'],
    },
  });
  [shop, club] = [stage.site('shop'), stage.site('club')];
  for (const site of stage.sites) {
    await writeFile(join(site.dir, 'wp-content/mu-plugins/points.php'), POINTS);
  }
});
afterAll(() => stage?.end());

const idOf = (login: string): string => `get_user_by( 'login', '${login}' )->ID`;
const gives = (site: Site, login: string, points: string): Promise<string> =>
  site.php(
    `test_set_points( ${idOf(login)}, ${points} ); rollcall_mark_changed( ${idOf(login)}, 'points' );`,
  );
const pointsOf = async (site: Site, login: string): Promise<unknown> =>
  JSON.parse(await site.php(`echo wp_json_encode( test_points( ${idOf(login)} ) );`));
const does = (site: Site, options: Readonly<Record<string, string>>): Promise<string> =>
  site.php(
    Object.entries(options)
      .map(([name, value]) => `update_option( 'test_${name}', '${value}' );`)
      .join(' '),
  );
const here = async (
  login: string,
  what: (at: Site) => Promise<unknown> = (at) => pointsOf(at, login),
) => [await what(shop), await what(club)];
const logOf = (login: string): Promise<LogRow[]> => stage.hub.log(`&login=${login}`);
const reasons = async (login: string): Promise<(string | null)[]> => [
  ...new Set((await logOf(login)).map(({ reason }) => reason)),
];
/** The whole of what WordPress says, but for the ids. */
const whole = async (site: Site, login: string) => ({ ...(await person(site, login)), id: 0 });

test('points travel both ways with their stamps, also lists, and with a new account', async () => {
  await createAccount(shop, 'pia', { firstName: 'Pia' });
  await gives(shop, 'pia', '5');
  await stage.hub.rest();
  expect(await here('pia')).toEqual([5, 5]);
  await gives(club, 'pia', '7.0');
  await stage.hub.rest();
  expect(await here('pia')).toEqual([7, 7]);
  await gives(shop, 'pia', "array( 'gold', 3, array( true, null ) )");
  await stage.hub.rest();
  expect(await here('pia')).toEqual([
    ['gold', 3, [true, null]],
    ['gold', 3, [true, null]],
  ]);
  expect(await whole(shop, 'pia')).toEqual(await whole(club, 'pia'));
});

test('T153: a plugin that is not there empties nothing, and what comes for it says so', async () => {
  await does(club, { points_off: '1' });
  await club.php(`wp_update_user( array( 'ID' => ${idOf('pia')}, 'last_name' => 'Berg' ) );`);
  await stage.hub.rest();
  expect(await here('pia', (site) => whole(site, 'pia').then(({ lastName }) => lastName))).toEqual([
    'Berg',
    'Berg',
  ]);
  expect(await pointsOf(shop, 'pia')).toEqual(['gold', 3, [true, null]]);
  await shop.php(
    `wp_update_user( array( 'ID' => ${idOf('pia')}, 'first_name' => 'Pía' ) ); test_set_points( ${idOf('pia')}, 9 ); rollcall_mark_changed( ${idOf('pia')} );`,
  );
  await stage.hub.rest();
  expect((await person(club, 'pia'))?.firstName).toBe('Pía');
  expect(await here('pia')).toEqual([9, ['gold', 3, [true, null]]]);
  expect(await reasons('pia')).toContain('field.unknown');
  await does(club, { points_off: '' });
  await stage.hub.call('POST', '/log/retry', { all: true });
  await stage.hub.rest();
  expect(await here('pia')).toEqual([9, 9]);
});

test('T150: what throws is left out alone, and nobody else waits for it', async () => {
  await createAccount(shop, 'max');
  await stage.hub.rest();
  await does(club, {
    apply: 'throw',
    rollcall_before_apply: 'throw',
    rollcall_after_apply: 'throw',
  });
  await shop.php(
    `wp_update_user( array( 'ID' => ${idOf('max')}, 'first_name' => 'Max' ) ); test_set_points( ${idOf('max')}, 3 ); rollcall_mark_changed( ${idOf('max')} );`,
  );
  await createAccount(shop, 'mia', { firstName: 'Mia' });
  await stage.hub.rest();
  expect((await person(club, 'max'))?.firstName).toBe('Max');
  expect((await person(club, 'mia'))?.firstName).toBe('Mia');
  expect(await reasons('max')).toContain('field.failed');
  await does(club, { apply: '', rollcall_before_apply: '', rollcall_after_apply: '' });
  const body = { decision: 'release', reason: 'field.failed' };
  await stage.hub.call('POST', '/held/decide', body);
  await stage.hub.rest();
  expect(await here('max')).toEqual([3, 3]);
});

test('a value that the target alters stays altered there, and comes back nowhere', async () => {
  await does(club, { apply: 'most' });
  await gives(shop, 'max', '5000');
  await stage.hub.rest();
  expect(await here('max')).toEqual([5000, 1000]);
  await does(club, { apply: '' });
});

test('T151: what a filter spoils stays at home with its reason, what it hides is no edit', async () => {
  await does(shop, { filter: 'spoil' });
  await shop.php(
    `wp_update_user( array( 'ID' => ${idOf('mia')}, 'first_name' => 'Mia2', 'last_name' => 'Lund' ) );`,
  );
  await stage.hub.rest();
  expect(await person(club, 'mia')).toMatchObject({
    firstName: 'Mia',
    lastName: 'Lund',
    email: 'mia@people.test',
    roles: ['subscriber'],
  });
  expect(await reasons('mia')).toContain('filter.malformed');
  await does(shop, { filter: 'hide' });
  await shop.php(
    `wp_update_user( array( 'ID' => ${idOf('mia')}, 'first_name' => 'Mia3', 'last_name' => 'Lind', 'description' => 'Mine' ) );`,
  );
  await stage.hub.rest();
  const there = await person(club, 'mia');
  expect(there).toMatchObject({ firstName: 'Mia3', lastName: 'Hidden', description: '' });
  // Nothing moves by itself, however often the site is read.
  const rows = (await logOf('mia')).length;
  await shop.php(`rollcall_mark_changed( ${idOf('mia')} );`);
  await stage.hub.rest();
  expect((await logOf('mia')).length).toBe(rows);
  expect(await person(shop, 'mia')).toMatchObject({ lastName: 'Lind', description: 'Mine' });
  await does(shop, { filter: 'throw' });
  await shop.php(`wp_update_user( array( 'ID' => ${idOf('mia')}, 'first_name' => 'Mia4' ) );`);
  await stage.hub.rest();
  expect((await person(club, 'mia'))?.firstName).toBe('Mia3');
  expect(await reasons('mia')).toContain('filter.failed');
  await does(shop, { filter: '' });
});

test('a change that a plugin keeps out stays, and the next one of the same field leaves', async () => {
  await does(shop, { capture: 'no' });
  await shop.php(
    `wp_update_user( array( 'ID' => ${idOf('pia')}, 'last_name' => 'Kept', 'user_pass' => 'kept here' ) );`,
  );
  await does(shop, { capture: '' });
  await shop.php(`wp_update_user( array( 'ID' => ${idOf('pia')}, 'first_name' => 'Pia' ) );`);
  await stage.hub.rest();
  const [at, there] = [await whole(shop, 'pia'), await whole(club, 'pia')];
  expect([at.lastName, there.lastName]).toEqual(['Kept', 'Berg']);
  expect([at.firstName, there.firstName]).toEqual(['Pia', 'Pia']);
  expect(at.hash).not.toBe(there.hash);
  await shop.php(
    `wp_update_user( array( 'ID' => ${idOf('pia')}, 'last_name' => 'Told', 'user_pass' => 'told all' ) );`,
  );
  await does(shop, { capture: 'throw' });
  await shop.php(
    `wp_update_user( array( 'ID' => ${idOf('pia')}, 'description' => 'Also told' ) );`,
  );
  await does(shop, { capture: '' });
  await stage.hub.rest();
  const now = await whole(shop, 'pia');
  expect(now).toMatchObject({ lastName: 'Told', description: 'Also told' });
  expect(await whole(club, 'pia')).toEqual(now);
});

test('meta that other plugins write through WordPress arrives, by whatever function', async () => {
  const id = idOf('mia');
  const sizes = (site: Site): Promise<unknown> =>
    site
      .php(`echo wp_json_encode( get_user_meta( ${id}, 'size' ) );`)
      .then((json) => JSON.parse(json));
  const steps: readonly (readonly [string, readonly unknown[]])[] = [
    [
      `add_user_meta( ${id}, 'size', 'S' ); add_metadata( 'user', ${id}, 'size', array( 'M', 2 ) );`,
      ['S', ['M', 2]],
    ],
    [
      `update_metadata_by_mid( 'user', $GLOBALS['wpdb']->get_var( "SELECT umeta_id FROM {$GLOBALS['wpdb']->usermeta} WHERE user_id = " . ${id} . " AND meta_key = 'size' ORDER BY umeta_id LIMIT 1" ), 'L' );`,
      ['L', ['M', 2]],
    ],
    [`delete_metadata( 'user', 0, 'size', '', true );`, []],
  ];
  for (const [code, wanted] of steps) {
    // oxlint-disable-next-line no-await-in-loop
    await shop.php(code);
    // oxlint-disable-next-line no-await-in-loop
    await stage.hub.rest();
    // oxlint-disable-next-line no-await-in-loop
    expect(await here('mia', sizes)).toEqual([wanted, wanted]);
  }
});

test('T152: actions tell what was applied, and never a password’s hash', async () => {
  const heard = await club.php("echo implode( '\\n', get_option( 'test_heard', array() ) );");
  expect(heard).toContain('["rollcall_before_apply"');
  expect(heard).toContain('["rollcall_after_apply",{"op"');
  expect(heard).toContain('"ext:points"');
  expect(heard).toContain('"password":{"v":null');
  expect(heard).not.toMatch(/\$wp|\$2y|\$P\$/u);
});
