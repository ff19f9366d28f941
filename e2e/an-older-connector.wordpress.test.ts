/**
 * A site whose connector speaks the contract's version before, then one that this hub does not know, then this hub's
 * own. A filter of the lab reduces what the real connector hears and says; that the connector of that time did the
 * same was looked at when the version was raised (docs/decisions/0026).
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RouteView } from '#hub/api/schemas/route.ts';
import type { SiteTest, SiteView } from '#hub/api/schemas/site.ts';
import { waitUntil } from '#lab/wait-until.ts';
import { createAccount, person, REST_MS, type Stage, startStage } from './stage.ts';

/** Routes, and words in requests and answers, that came with version 2. */
const REDUCED = `<?php
/* Plugin Name: A connector of another version */
$lab_contract = (int) get_option( 'lab_contract', 1 );
if ( 2 !== $lab_contract ) {
	function lab_without_later( $value ) {
		if ( ! is_array( $value ) ) {
			return $value;
		}
		foreach ( array( 'ext', 'whitelist', 'consents', 'privileged_by', 'sign_ins', 'signed_in', 'email_by', 'stop_made', 'outgoing_stopped', 'password_mail', 'login_taken' ) as $later ) {
			unset( $value[ $later ] );
		}
		return array_map( 'lab_without_later', $value );
	}
	add_filter( 'rest_endpoints', function ( $endpoints ) {
		foreach ( array( 'guard', 'switches', 'credential', 'digests', 'erase' ) as $later ) {
			unset( $endpoints[ '/rollcall/v1/' . $later ] );
		}
		return $endpoints;
	} );
	add_filter( 'rest_pre_dispatch', function ( $answer, $server, $request ) {
		if ( 0 === strpos( $request->get_route(), '/rollcall/v1/' ) ) {
			$request->set_body( wp_json_encode( lab_without_later( json_decode( $request->get_body(), true ) ) ) );
		}
		return $answer;
	}, 10, 3 );
	add_filter( 'rest_post_dispatch', function ( $answer, $server, $request ) use ( $lab_contract ) {
		if ( 0 === strpos( $request->get_route(), '/rollcall/v1/' ) ) {
			$data = lab_without_later( $answer->get_data() );
			if ( isset( $data['contract'] ) ) {
				$data['contract'] = $lab_contract;
			}
			$answer->set_data( $data );
			$answer->header( 'X-Rollcall-Contract', (string) $lab_contract );
		}
		return $answer;
	}, 200, 3 );
}
`;

let stage: Stage;
const there = async (login: string) => {
  const [old, shop] = [stage.site('old'), stage.site('shop')];
  return [await person(old, login), await person(shop, login)] as const;
};
const speak = (contract: number) =>
  stage.site('old').php(`update_option( 'lab_contract', ${contract} );`);
const tested = () => stage.hub.call<SiteTest>('POST', '/sites/old/test');

beforeAll(async () => {
  stage = await startStage({
    sites: [{ name: 'old', muPlugins: { 'reduced.php': REDUCED } }, 'shop'],
    routes: ['old=shop'],
  });
});
afterAll(() => stage?.end());

test('T935: between a connector of the version before and a new one accounts, passwords, roles and deletes go on, and what came later is refused', async () => {
  const { hub } = stage;
  const [old, shop] = [stage.site('old'), stage.site('shop')];
  await createAccount(old, 'anna', { role: 'author', firstName: 'Anna' });
  await createAccount(shop, 'bo');
  await hub.rest();
  await old.php(
    `wp_update_user( array( 'ID' => get_user_by( 'login', 'bo' )->ID, 'user_pass' => 'set on the old one', 'last_name' => 'Berg' ) );`,
  );
  await shop.php(
    `wp_update_user( array( 'ID' => get_user_by( 'login', 'anna' )->ID, 'user_pass' => 'set on the new one', 'description' => 'moved' ) );`,
  );
  await hub.rest();
  for (const login of ['anna', 'bo']) {
    const [here, away] = await there(login);
    expect({ ...here, id: 0 }).toEqual({ ...away, id: 0 });
  }
  const [anna, bo] = [await person(old, 'anna'), await person(shop, 'bo')];
  expect(anna).toMatchObject({ firstName: 'Anna', description: 'moved', roles: ['author'] });
  expect(bo).toMatchObject({ lastName: 'Berg', roles: ['subscriber'] });
  const signsIn = (site: typeof old, login: string, password: string) =>
    site.php(`echo is_wp_error( wp_authenticate( '${login}', '${password}' ) ) ? 'no' : 'yes';`);
  expect(await signsIn(old, 'anna', 'set on the new one')).toBe('yes');
  expect(await signsIn(shop, 'bo', 'set on the old one')).toBe('yes');
  await shop.wp('user', 'delete', 'anna', '--yes');
  await hub.rest();
  expect(await there('anna')).toEqual([null, null]);

  expect((await tested()).warnings).toContainEqual({
    code: 'connector.update_due',
    message: expect.stringContaining('update the connector for: its guard'),
  });
  const { routes } = await hub.call<{ routes: RouteView[] }>('GET', '/routes');
  const before = routes.find(({ target }) => target === 'old');
  for (const [method, path, body] of [
    ['GET', '/sites/old/guard', undefined],
    ['POST', '/sites/old/rotate', undefined],
    ['PATCH', '/account', { site: 'old', login: 'bo', stopOutgoing: true }],
    ['PATCH', `/routes/${before?.id}`, { rules: { meta: ['billing_*'] } }],
    ['PATCH', `/routes/${before?.id}`, { rules: { passwordMail: true } }],
  ] as const) {
    const answer = await hub.raw(method, path, body);
    expect([path, answer.status, await answer.text()]).toEqual([
      path,
      422,
      expect.stringContaining('site.connector_too_old'),
    ]);
  }
  const after = (await hub.call<{ routes: RouteView[] }>('GET', '/routes')).routes;
  expect(after).toEqual(routes);
});

test('T936: a connector of a version that the hub does not know gets nothing and is not believed, until both know one', async () => {
  const { hub } = stage;
  const [old, shop] = [stage.site('old'), stage.site('shop')];
  const [before] = await there('bo');
  await speak(3);
  await createAccount(old, 'cleo');
  await shop.php(
    `wp_update_user( array( 'ID' => get_user_by( 'login', 'bo' )->ID, 'first_name' => 'Bo' ) );`,
  );
  const about = async () =>
    (await hub.call<{ sites: SiteView[] }>('GET', '/sites')).sites.find((s) => s.name === 'old');
  await waitUntil(async () => (await about())?.trouble?.code === 'site.connector_too_new', REST_MS);
  await hub.settled(['shop']);
  expect(await person(shop, 'cleo')).toBeNull();
  expect(await person(old, 'bo')).toEqual(before);
  expect((await tested()).fault).toMatchObject({
    code: 'site.connector_too_new',
    next: 'Update the hub.',
  });
  await speak(2);
  expect(await tested()).toMatchObject({ ok: true, warnings: [] });
  await hub.rest();
  expect((await person(old, 'bo'))?.firstName).toBe('Bo');
  expect((await person(shop, 'cleo'))?.email).toBe('cleo@people.test');
  expect(await about()).toMatchObject({ trouble: null, updateDue: false, lacks: [] });
  expect((await hub.raw('GET', '/sites/old/guard')).status).toBe(200);
});
