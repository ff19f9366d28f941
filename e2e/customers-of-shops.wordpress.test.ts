/**
 * Customers of three shops, by the preset: two with WC_Customer, one with the reports alone. WooCommerce
 * itself is a stand-in of ours (shop-stand-in.ts).
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RouteView } from '#hub/api/schemas/route.ts';
import type { Site } from '#lab/start-site.ts';
import { OLD_SHOP, SHOP } from './shop-stand-in.ts';
import { ENGINE, type Stage, startStage } from './stage.ts';

let stage: Stage;
let shop: Site;
let store: Site;
let outlet: Site;
let routes: readonly RouteView[];

/** A login that the store lets nobody have; somebody has it all the same. */
const FORBIDDEN = `<?php add_filter( 'illegal_user_logins', function ( $names ) {
  return get_option( 'stand_in_forbids' ) ? array_merge( $names, array( 'boss' ) ) : $names; } );`;

beforeAll(async () => {
  stage = await startStage({
    sites: [
      {
        name: 'shop',
        ...(ENGINE === 'native' ? { version: '6.1' as const } : {}),
        muPlugins: SHOP,
      },
      { name: 'store', muPlugins: { ...SHOP, 'forbidden.php': FORBIDDEN } },
      { name: 'outlet', muPlugins: OLD_SHOP },
    ],
    routes: [],
  });
  [shop, store, outlet] = [stage.site('shop'), stage.site('store'), stage.site('outlet')];
  const preset = 'woocommerce';
  for (const [source, target] of [
    ['shop', 'store'],
    ['store', 'outlet'],
  ]) {
    await stage.hub.call('POST', '/routes', { source, target, both: true, preset });
  }
  ({ routes } = await stage.hub.call<{ routes: RouteView[] }>('GET', '/routes'));
  await stage.hub.rest();
});
afterAll(() => stage?.end());

const register = (login: string, email: string, more = ''): string =>
  `$id = wp_insert_user( array( 'user_login' => '${login}', 'user_email' => '${email}', 'user_pass' => 'pw of ${email}', 'role' => 'customer' ) );
   if ( is_wp_error( $id ) ) { throw new Exception( $id->get_error_code() ); } ${more}`;

async function on(site: Site, ...deeds: string[]): Promise<void> {
  await site.php(deeds.join('\n'));
  await stage.hub.rest();
}

async function setRoutes(status: 'active' | 'paused'): Promise<void> {
  for (const { id } of routes) await stage.hub.call('PATCH', `/routes/${id}`, { status });
}

interface Customer {
  readonly email: string;
  readonly login: string;
  readonly hash: string;
  readonly roles: readonly string[];
  readonly meta: Readonly<Record<string, readonly string[]>>;
  readonly report: Readonly<Record<string, string>> | null;
}

/** By address: everybody who is a customer, all that a shop keeps of them, and what its report says. */
const customers = async (site: Site): Promise<Readonly<Record<string, Customer>>> =>
  JSON.parse(
    await site.php(`global $wpdb; $all = array();
      foreach ( $wpdb->get_results( "SELECT * FROM $wpdb->users ORDER BY ID" ) as $row ) {
        $user = new WP_User( (int) $row->ID );
        if ( $user->has_cap( 'manage_options' ) || $user->has_cap( 'rollcall_hub' ) ) { continue; }
        $meta = array();
        foreach ( $wpdb->get_results( "SELECT meta_key, meta_value FROM $wpdb->usermeta WHERE user_id = $row->ID ORDER BY umeta_id" ) as $one ) {
          if ( preg_match( '/billing|shipping|woocommerce|^wc_|order|money|paying|last_update/', $one->meta_key ) ) { $meta[ $one->meta_key ][] = $one->meta_value; }
        }
        ksort( $meta );
        $report = $wpdb->get_row( "SELECT username, first_name, email, city, country FROM {$wpdb->prefix}wc_customer_lookup WHERE user_id = $row->ID", ARRAY_A );
        $all[ $row->user_email ] = array( 'email' => $row->user_email, 'login' => $row->user_login, 'hash' => $row->user_pass,
          'roles' => array_values( $user->roles ), 'meta' => (object) $meta, 'report' => $report );
      }
      echo wp_json_encode( (object) $all );`),
  );
const logins = async (site: Site) =>
  Object.fromEntries(
    Object.values(await customers(site)).map(({ email, login }) => [email, login]),
  );
const saves = async (site: Site) => Number(await site.php(`echo get_option( 'stand_in_saves' );`));

const ADDRESS = {
  billing_first_name: 'Zoë 🙂',
  billing_last_name: 'حسینی',
  billing_company: 'Müller & Söhne “KG”',
  billing_address_1: 'Back\\slash 5',
  billing_address_2: '',
  billing_city: 'Köln',
  billing_state: '東京都',
  billing_postcode: '50667',
  billing_country: 'DE',
  billing_email: 'invoices@zoe.test',
  billing_phone: '+49 221 1',
  shipping_first_name: 'Zoë',
  shipping_phone: '030',
};
const TOTALS = [
  '_woocommerce_persistent_cart_1',
  'wc_last_active',
  'wc_order_count_wp',
  'wc_money_spent_wp',
  'wc_last_order_wp',
  '_order_count',
  '_money_spent',
  '_last_order',
  'paying_customer',
  'last_update',
  '_woocommerce_tracks_anon_id',
];
const write = (meta: Readonly<Record<string, string>>): string =>
  Object.entries(meta)
    .map(
      ([key, text]) =>
        `update_user_meta( $id, '${key}', wp_slash( base64_decode( '${Buffer.from(text).toString('base64')}' ) ) );`,
    )
    .join('\n');
const listed = (meta: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(meta).map(([key, text]) => [key, [text]]));

test('the preset is written out into the routes, and rules beside it or after it stand', async () => {
  const { rules } = routes[0] ?? {};
  expect(rules).toMatchObject({ roles: ['customer'], loginTaken: 'suffix', creates: true });
  expect(rules?.meta).toHaveLength(21);
  expect(rules?.meta).toEqual(expect.arrayContaining(Object.keys(ADDRESS)));
  const change = (body: object) =>
    stage.hub.call<RouteView>('PATCH', `/routes/${routes[0]?.id}`, body);
  const fewer = await change({ rules: { meta: ['billing_city'], loginTaken: 'hold' } });
  expect(fewer.rules).toMatchObject({ meta: ['billing_city'], loginTaken: 'hold' });
  const again = await change({ preset: 'woocommerce', rules: { loginTaken: 'hold' } });
  expect(again.rules.loginTaken).toBe('hold');
  expect(again.rules.meta.toSorted()).toEqual(rules?.meta.toSorted());
  await change({ preset: 'woocommerce' });
  const wrong = await stage.hub.raw('PATCH', `/routes/${routes[0]?.id}`, { preset: 'magento' });
  expect(wrong.status).toBe(400);
});

test('T195: a customer arrives whole at every shop and in its reports; carts, totals and sessions never', async () => {
  const totals = TOTALS.map((key) => `update_user_meta( $id, '${key}', 'private' );`).join('\n');
  await on(shop, register('zoe', 'zoe@people.test', `${write(ADDRESS)} ${totals}`));
  const here = (await customers(shop))['zoe@people.test'];
  expect(Object.keys(here?.meta ?? {})).toEqual(expect.arrayContaining(TOTALS));
  const report = { username: 'zoe', first_name: 'Zoë 🙂', email: 'zoe@people.test', city: 'Köln' };
  for (const site of [store, outlet]) {
    const there = (await customers(site))['zoe@people.test'];
    expect(there).toMatchObject({ hash: here?.hash, roles: ['customer'], meta: listed(ADDRESS) });
    expect(Object.keys(there?.meta ?? {})).toHaveLength(Object.keys(ADDRESS).length);
    expect(there?.report).toEqual({ ...report, country: 'DE' });
  }
  expect(await saves(store)).toBeGreaterThan(0);

  await on(
    outlet,
    `$id = get_user_by( 'login', 'zoe' )->ID; update_user_meta( $id, 'billing_city', 'Bonn' ); delete_user_meta( $id, 'shipping_phone' );`,
  );
  for (const site of [shop, store]) {
    const there = (await customers(site))['zoe@people.test'];
    expect(there?.meta['billing_city']).toEqual(['Bonn']);
    expect(there?.meta['shipping_phone']).toBeUndefined();
    expect(there?.report?.['city']).toBe('Bonn');
  }
});

test('what WooCommerce refuses of an address is refused, and the rest arrives', async () => {
  await on(
    outlet,
    `$id = get_user_by( 'login', 'zoe' )->ID; update_user_meta( $id, 'billing_email', 'no address' ); update_user_meta( $id, 'billing_country', 'AT' );`,
  );
  const there = (await customers(store))['zoe@people.test'];
  expect(there?.meta).toMatchObject({
    billing_email: ['invoices@zoe.test'],
    billing_country: ['AT'],
  });
  const refused = (await stage.hub.log()).filter(({ status }) => status === 'refused');
  expect(refused.map(({ target, fields, reason }) => [target, fields, reason])).toEqual([
    ['store', ['meta:billing_email'], 'value.malformed'],
  ]);
});

test('T196: two people of one login get an account each everywhere, and neither gets what is the other’s', async () => {
  // Both are there before either is heard of.
  await setRoutes('paused');
  await store.php(register('anna.smith', 'anna@store.test'));
  await shop.php(register('anna.smith', 'anna@shop.test', write({ billing_city: 'Aachen' })));
  await setRoutes('active');
  await stage.hub.rest();
  const [here, there, third] = await Promise.all([shop, store, outlet].map(logins));
  expect([here?.['anna@shop.test'], there?.['anna@store.test']]).toEqual([
    'anna.smith',
    'anna.smith',
  ]);
  expect([here?.['anna@store.test'], there?.['anna@shop.test']]).toEqual([
    'anna.smith-2',
    'anna.smith-2',
  ]);
  const annas = new Set([third?.['anna@shop.test'], third?.['anna@store.test']]);
  expect(annas).toEqual(new Set(['anna.smith', 'anna.smith-2']));
  const suffixed = (await stage.hub.log()).filter(
    ({ reason }) => reason === 'identity.login_suffixed',
  );
  const told = suffixed.map(({ target, action, status }) => `${target} ${action} ${status}`);
  expect(told.toSorted()).toEqual([
    'outlet create delivered',
    'shop create delivered',
    'store create delivered',
  ]);

  const last = Math.max(...(await stage.hub.log()).map(({ id }) => id));
  await on(
    store,
    `$id = get_user_by( 'email', 'anna@shop.test' )->ID; update_user_meta( $id, 'billing_city', 'Bremen' ); wp_set_password( 'Annas new one', $id );`,
  );
  for (const site of [shop, outlet]) {
    const all = await customers(site);
    expect(all['anna@shop.test']?.meta['billing_city']).toEqual(['Bremen']);
    expect(all['anna@store.test']?.meta['billing_city']).toBeUndefined();
    expect(all['anna@store.test']?.hash).toBe((await customers(store))['anna@store.test']?.hash);
    expect(all['anna@shop.test']?.hash).toBe((await customers(store))['anna@shop.test']?.hash);
  }
  const since = (await stage.hub.log()).filter(({ id }) => id > last);
  expect(since.map(({ target, status }) => `${target} ${status}`).toSorted()).toEqual([
    'outlet delivered',
    'shop delivered',
  ]);
});

test('T197: a login that a shop forbids is not made into one that it takes', async () => {
  await store.php(
    `${register('boss', 'boss@store.test')} update_option( 'stand_in_forbids', '1' );`,
  );
  await on(shop, register('boss', 'boss@shop.test'));
  expect(Object.keys(await logins(store))).not.toContain('boss@shop.test');
  const rows = (await stage.hub.log()).filter(
    ({ login, target }) => login === 'boss' && target === 'store',
  );
  expect(rows.map(({ status, reason }) => [status, reason])).toEqual([['held', 'login.malformed']]);
});

test('many at once are written together, and end in the same accounts and reports', async () => {
  const before = await saves(store);
  const many = Array.from({ length: 40 }, (_, i) => `many${i}@people.test`);
  await on(
    shop,
    ...many.map((email, i) =>
      register(`many${i}`, email, write({ billing_city: `Ort ${i} 🙂`, billing_country: 'DE' })),
    ),
  );
  const here = await customers(shop);
  for (const site of [store, outlet]) {
    const all = await customers(site);
    for (const [i, email] of many.entries()) {
      expect(all[email]).toMatchObject({ hash: here[email]?.hash, meta: here[email]?.meta });
      expect(all[email]?.report).toMatchObject({ city: `Ort ${i} 🙂`, country: 'DE' });
    }
  }
  expect((await saves(store)) - before).toBeLessThan(many.length);
});

test('who can be given no role is created without one, and the log says so, one by one and together', async () => {
  // No hub may give that one.
  await outlet.php(`update_option( 'default_role', 'editor' );`);
  const join = (login: string): string =>
    register(login, `${login}@people.test`).replace("'customer'", "'subscriber'");
  const crowd = Array.from({ length: 30 }, (_, i) => `crowd${i}`);
  await on(shop, join('lone'));
  await on(shop, ...crowd.map(join));
  const everybody = ['lone', ...crowd].map((login) => `${login}@people.test`);
  const [there, elsewhere] = [await customers(outlet), await customers(store)];
  expect(everybody.filter((email) => there[email]?.roles.length !== 0)).toEqual([]);
  expect(everybody.filter((email) => elsewhere[email]?.roles.join() !== 'subscriber')).toEqual([]);
  const told = (await stage.hub.log()).filter(
    ({ reason, action }) => reason === 'target.default_role_missing' && action === 'create',
  );
  const logins = new Set(told.map(({ login, target, status }) => `${login} ${target} ${status}`));
  expect(logins).toEqual(new Set(['lone', ...crowd].map((login) => `${login} outlet delivered`)));
});
