/**
 * One account among many of which the target's PHP dies: it stands alone and waits alone, the others go through.
 * And the other end: a source whose answers are broken while people edit.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Diagnosis } from '#hub/api/schemas/doctor.ts';
import type { SiteTest } from '#hub/api/schemas/site.ts';
import type { Deed, FaultyDoor, Heard } from '#lab/faulty-door.ts';
import type { Site } from '#lab/start-site.ts';
import { waitUntil } from '#lab/wait-until.ts';
import { accountsOf } from './accounts-of.ts';
import { ENGINE, type Hub, REST_MS, type Stage, startStage } from './stage.ts';

/** How long the hub waits for an answer where one does not come. A healthy one may take longer on a busy machine. */
const PATIENCE_S = 5;
const MANY = ENGINE === 'native' ? 200 : 40;
const alsoNative = test.runIf(ENGINE === 'native');

/** A plugin that can't stand one account, or is slow with all. */
const POISON = `<?php
function lab_poison( $login, $moment ) {
	$poison = get_option( 'poison' );
	if ( ! is_array( $poison ) || $moment !== $poison['at'] || ! in_array( $poison['login'], array( $login, '*' ), true ) ) {
		return;
	}
	if ( 'exit' === $poison['how'] ) {
		exit;
	}
	if ( 'memory' === $poison['how'] ) {
		for ( $eaten = array(); ; ) {
			$eaten[] = str_repeat( 'x', 1000000 );
		}
	}
	if ( 'throw' === $poison['how'] ) {
		throw new RuntimeException( 'no' );
	}
	if ( 0 === strpos( $poison['how'], 'hang ' ) ) {
		usleep( (int) substr( $poison['how'], 5 ) );
		exit;
	}
	usleep( (int) $poison['how'] );
}
add_filter( 'wp_pre_insert_user_data', function ( $data, $update, $id ) {
	lab_poison( $update ? get_userdata( $id )->user_login : $data['user_login'], 'before' );
	return $data;
}, 10, 3 );
foreach ( array( 'user_register', 'profile_update' ) as $action ) {
	add_action( $action, function ( $id ) { lab_poison( get_userdata( $id )->user_login, 'after' ); } );
}
add_filter( 'rollcall_apply_budget_seconds', function ( $seconds ) { return get_option( 'budget', $seconds ); } );`;

let stage: Stage;
let hub: Hub;
let shop: Site;
let blog: Site;
let door: FaultyDoor;

beforeAll(async () => {
  stage = await startStage({
    sites: ['shop', { name: 'blog', muPlugins: { 'poison.php': POISON } }],
    routes: ['shop>blog'],
    doors: ['shop', 'blog'],
    hub: { newAccounts: 1_000 },
  });
  hub = stage.hub;
  [shop, blog] = [stage.site('shop'), stage.site('blog')];
  door = stage.door('blog');
});
afterAll(() => stage?.end());

const poison = (how: string, at: 'before' | 'after', login: string) =>
  blog.php(
    `update_option( 'poison', array( 'how' => '${how}', 'at' => '${at}', 'login' => '${login}' ) );`,
  );
const repair = () => blog.php("delete_option( 'poison' ); delete_option( 'budget' );");

/** By a plugin on the source, in one request. */
const people = (prefix: string, count: number) =>
  shop.php(`add_filter( 'wp_hash_password_options', function ( $o ) { return array( 'cost' => 4 ) + $o; } );
    for ( $i = 0; $i < ${count}; $i++ ) {
      wp_insert_user( array( 'user_login' => "${prefix}$i", 'user_email' => "${prefix}$i@people.test",
        'user_pass' => 'their password', 'first_name' => "First $i", 'role' => 'author' ) );
    }`);
const edit = (prefix: string, count: number, lastName: string) =>
  shop.php(`for ( $i = 0; $i < ${count}; $i++ ) {
      wp_update_user( array( 'ID' => get_user_by( 'login', "${prefix}$i" )->ID, 'last_name' => '${lastName}', 'display_name' => "${lastName} $i" ) );
    }`);

const pending = async (): Promise<number> => {
  const { sites, pending: count } = await hub.status();
  return sites.every(({ outbox }) => outbox === 0 || outbox === null) ? count : -1;
};

/** All but the guilty one have arrived; the site as a whole is served. */
async function othersArrive(guilty: string): Promise<void> {
  await waitUntil(async () => (await pending()) === 1, REST_MS);
  const { [guilty]: wanted, ...others } = await accountsOf(shop);
  const { [guilty]: got, ...there } = await accountsOf(blog);
  expect(there).toEqual(others);
  expect(got).not.toEqual(wanted);
}

const failuresOf = async (login: string) =>
  (await hub.log('&status=failed')).filter((row) => row.login === login);

/** The plugin was repaired, and the operator asks. */
async function repaired(): Promise<void> {
  await repair();
  await waitUntil(async () => (await hub.call<SiteTest>('POST', '/sites/blog/test')).ok, REST_MS);
  await hub.rest();
  expect(await accountsOf(blog)).toEqual(await accountsOf(shop));
}

const sizes = (): number[] =>
  door.heard.flatMap(({ route, body }) => (route === 'apply' ? [operationsIn(body).length] : []));

function operationsIn(body: Heard['body']): readonly unknown[] {
  const known = typeof body === 'object' && body !== null && 'operations' in body;
  return known && Array.isArray(body.operations) ? body.operations : [];
}

describe('one account', () => {
  test(`T312: of ${MANY} new ones kills PHP: the others are created, it stands alone with its reason`, async () => {
    const guilty = `new${Math.floor(MANY * 0.6)}`;
    await poison('exit', 'before', guilty);
    door.forget();
    await people('new', MANY);
    await othersArrive(guilty);
    expect((await failuresOf(guilty)).at(-1)).toMatchObject({
      action: 'create',
      reason: 'target.error',
      source: 'shop',
      target: 'blog',
      attempts: 1,
    });
    expect(new Set((await hub.log('&status=failed')).map(({ login }) => login))).toEqual(
      new Set([guilty]),
    );
    // Halving costs two requests for each doubling, not one for each account.
    expect(sizes().length).toBeLessThan(Math.max(MANY / 4, 20));
    // Somebody else's edit does not wait behind it.
    await edit('new', 3, 'Meanwhile');
    await othersArrive(guilty);
    await repaired();
  });

  test('T312: of a few that were edited eats all memory: the others are updated', async () => {
    await poison('memory', 'before', 'new4');
    await edit('new', 10, 'Edited');
    await othersArrive('new4');
    expect((await failuresOf('new4'))[0]).toMatchObject({
      action: 'update',
      reason: 'target.error',
    });
    await repaired();
  });

  alsoNative('T312: of many that were edited kills PHP: the others are updated', async () => {
    await poison('exit', 'before', 'new40');
    await edit('new', 100, 'Again');
    await othersArrive('new40');
    await repaired();
  });

  alsoNative(
    'T313: kills PHP after it was written: it is there whole and once, and so are the others',
    async () => {
      await poison('exit', 'after', 'late7');
      await people('late', 60);
      await hub.rest();
      expect(await accountsOf(blog)).toEqual(await accountsOf(shop));
      await poison('exit', 'after', 'few2');
      await people('few', 5);
      await hub.rest();
      expect(await accountsOf(blog)).toEqual(await accountsOf(shop));
      await repair();
    },
  );

  test('T315: that fails again and again is named by the doctor', async () => {
    await poison('throw', 'before', 'new1');
    await edit('new', 2, 'Thrown');
    await waitUntil(async () => {
      await hub.call('POST', '/sites/blog/test');
      const { checks } = await hub.call<Diagnosis>('GET', '/doctor');
      return checks.some(({ subject, what }) => subject === 'blog' && what === 'deliveries');
    }, REST_MS);
    await repaired();
  });
});

test('T316: a plugin that is slow with everybody: a batch ends at its budget and goes on', async () => {
  await poison('200000', 'after', '*');
  await blog.php("update_option( 'budget', 1 );");
  door.forget();
  await edit('new', 20, 'Patiently');
  await hub.rest();
  expect(sizes().length).toBeGreaterThan(2);
  expect(await accountsOf(blog)).toEqual(await accountsOf(shop));
  await repair();
});

test('T317: an operation that the connector does not understand holds up nothing', async () => {
  await hub.rest();
  const body = JSON.stringify({
    code: 'rollcall_request_invalid',
    message: 'The request is not understood.',
    data: { status: 400, reason: 'request.invalid' },
  });
  const headers = { 'content-type': 'application/json', 'x-rollcall-contract': '2' };
  const odd = door.place({
    route: 'apply',
    when: (heard) => JSON.stringify(heard.body).includes('"odd1@people.test"'),
    deed: { kind: 'answer', status: 400, headers, body },
  });
  await people('odd', 6);
  await othersArrive('odd1');
  odd.lift();
  await repaired();
});

describe('a source that answers', () => {
  const BROKEN: readonly Deed[] = [
    { kind: 'answer', status: 200, body: '<!DOCTYPE html><p>A page.' },
    { kind: 'cut' },
    { kind: 'drop', passOn: true },
    { kind: 'answer', passOn: true, status: 200, body: '{"rows":[]}' },
  ];
  test('T318: with a page, half an answer or a fault while people edit loses nothing', async () => {
    const before = stage.door('shop');
    for (const [at, deed] of BROKEN.entries()) {
      const rule = before.place({ route: 'changes', times: 3, deed });
      await edit('new', 4, `Broken ${at}`);
      await waitUntil(async () => rule.met > 0, REST_MS);
      await edit('new', 2, `Broken again ${at}`);
      rule.lift();
      // An answer that was broken may still be on its way, and the site is left alone once more for it.
      await waitUntil(async () => {
        expect(await hub.call<SiteTest>('POST', '/sites/shop/test')).toMatchObject({ ok: true });
        return (await hub.status()).sites.some(
          ({ name, outbox }) => name === 'shop' && outbox === 0,
        );
      }, REST_MS);
      await hub.rest();
      expect(await accountsOf(blog)).toEqual(await accountsOf(shop));
    }
  });
});

alsoNative(
  'T314: an account that hangs for longer than the hub waits: the others go through, it waits longer',
  async () => {
    await stage.restart({ siteTimeoutSeconds: PATIENCE_S });
    hub = stage.hub;
    await hub.rest();
    await poison(`hang ${(PATIENCE_S + 2) * 1_000_000}`, 'before', 'new2');
    await edit('new', 8, 'Slowly');
    await waitUntil(
      async () => (await pending()) === 1 && (await failuresOf('new2')).length > 0,
      REST_MS * 4,
    );
    const others = async (site: Site) => ({ ...(await accountsOf(site)), new2: null });
    expect(await others(blog)).toEqual(await others(shop));
    expect((await failuresOf('new2'))[0]).toMatchObject({ reason: 'target.timeout' });
    await repaired();
  },
);
