/**
 * What sites and routes say about what leaves and what comes, on two real sites: an older WordPress and a
 * present one where sites are native, each way between them.
 */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { RouteView } from '#hub/api/schemas/route.ts';
import type { SyncRun } from '#hub/api/schemas/sync.ts';
import type { Site } from '#lab/start-site.ts';
import { waitUntil } from '#lab/wait-until.ts';
import { ENGINE, person, REST_MS, type Stage, startStage } from './stage.ts';

/** Roles that only the blog has; a plugin of its own gives the second one. */
const ROLES = `<?php add_action( 'init', function () {
  foreach ( array( 'member', 'forum' ) as $role ) { get_role( $role ) || add_role( $role, $role, array( 'read' => true ) ); }
}, 0 );`;

afterEach(async () => {
  await set('shop', { syncRoles: [], onRoleLost: 'stop', automatic: true, roleMap: {} });
  await set('blog', { roleMap: {} });
});

let stage: Stage;
let shop: Site;
let blog: Site;
let routes: readonly RouteView[];

beforeAll(async () => {
  stage = await startStage({
    sites: [
      { name: 'shop', ...(ENGINE === 'native' ? { version: '6.1' as const } : {}) },
      { name: 'blog', muPlugins: { 'roles.php': ROLES } },
    ],
    routes: [],
  });
  [shop, blog] = [stage.site('shop'), stage.site('blog')];
  await shop.php(register('elder', 'subscriber'));
  await stage.hub.rest();
  await stage.hub.route('shop', 'blog', { both: true });
  ({ routes } = await stage.hub.call<{ routes: RouteView[] }>('GET', '/routes'));
});
afterAll(() => stage?.end());

const register = (login: string, role: string): string =>
  `wp_insert_user( array( 'user_login' => '${login}', 'user_email' => '${login}@people.test', 'user_pass' => 'pw of ${login}', 'first_name' => 'First', 'role' => '${role}' ) );`;
const rename = (login: string, name: string): string =>
  `wp_update_user( array( 'ID' => get_user_by( 'login', '${login}' )->ID, 'first_name' => '${name}' ) );`;
const remove = (login: string): string =>
  `require_once ABSPATH . 'wp-admin/includes/user.php'; wp_delete_user( get_user_by( 'login', '${login}' )->ID );`;
const role = (login: string, what: 'add' | 'remove', name: string): string =>
  `get_user_by( 'login', '${login}' )->${what}_role( '${name}' );`;

/** Everything but the id; WordPress keeps roles in the order in which they came. */
async function whole(site: Site, login: string) {
  const found = await person(site, login);
  return found && { ...found, id: 0, roles: found.roles.toSorted() };
}

async function on(site: Site, ...deeds: string[]): Promise<void> {
  await site.php(deeds.join('\n'));
  await stage.hub.rest();
}
const set = (site: string, rules: object) => stage.hub.call('PATCH', `/sites/${site}`, rules);
const reasons = async (login: string, target: string): Promise<Set<string | null>> => {
  const rows = (await stage.hub.log()).filter((row) => row.login === login);
  return new Set(rows.flatMap((row) => (row.target === target ? row.reason : [])));
};
const rules = (source: string, change: object) => {
  const route = routes.find((entry) => entry.source === source);
  return stage.hub.call('PATCH', `/routes/${route?.id}`, { rules: change });
};

test('with automatic sync off nothing leaves but by a manual sync; on again, it goes on', async () => {
  await on(shop, register('anna', 'subscriber'), register('zoe', 'subscriber'));
  await set('shop', { automatic: false });
  await on(shop, rename('anna', 'Anne'), register('bo', 'subscriber'), remove('zoe'));
  await on(blog, rename('anna', 'Annika').replace('first_name', 'last_name'));
  expect((await person(blog, 'anna'))?.firstName).toBe('First');
  expect(await person(blog, 'bo')).toBeNull();
  expect(await person(blog, 'zoe')).not.toBeNull();
  expect((await person(shop, 'anna'))?.lastName).toBe('Annika');
  for (const login of ['anna', 'bo', 'zoe']) {
    expect(await reasons(login, 'blog')).toContain('source.automatic_off');
  }

  const accounts = { by: 'accounts', logins: ['anna', 'bo'] };
  const request = { from: 'shop', to: ['blog'], accounts };
  const { id } = await stage.hub.call<SyncRun>('POST', '/syncs', request);
  await waitUntil(
    async () => (await stage.hub.call<SyncRun>('GET', `/syncs/${id}`)).state === 'done',
    REST_MS,
  );
  await stage.hub.rest();
  for (const login of ['anna', 'bo']) {
    expect(await whole(blog, login)).toEqual(await whole(shop, login));
  }

  await set('shop', { automatic: true });
  await on(shop, rename('anna', 'Anna'));
  expect((await person(blog, 'anna'))?.firstName).toBe('Anna');
  expect(await person(blog, 'zoe')).not.toBeNull();
});

test('only accounts with a role that syncs leave and take others along; who gets it goes whole', async () => {
  await set('shop', { syncRoles: ['author'] });
  await on(shop, register('cy', 'subscriber'), register('dan', 'author'), remove('bo'));
  expect(await person(blog, 'cy')).toBeNull();
  expect(await person(blog, 'bo')).not.toBeNull();
  for (const login of ['cy', 'bo']) {
    expect(await reasons(login, 'blog')).toContain('source.role_not_selected');
  }
  await on(shop, role('cy', 'add', 'author'));
  for (const login of ['cy', 'dan']) {
    expect(await whole(blog, login)).toEqual(await whole(shop, login));
  }
  await on(shop, role('cy', 'remove', 'author'), remove('dan'));
  await on(shop, rename('cy', 'Cyril'));
  expect(await whole(blog, 'cy')).toMatchObject({
    firstName: 'First',
    roles: ['author', 'subscriber'],
  });
  expect(await person(blog, 'dan')).toBeNull();

  await set('shop', { onRoleLost: 'delete' });
  await on(shop, register('eve', 'author'));
  expect(await person(blog, 'eve')).not.toBeNull();
  await on(shop, role('eve', 'remove', 'author'));
  expect(await person(blog, 'eve')).toBeNull();
  expect(await person(shop, 'eve')).not.toBeNull();
});

test('an update creates who is missing where the target says so, and nobody otherwise', async () => {
  await on(shop, rename('elder', 'Elder'));
  expect(await person(blog, 'elder')).toBeNull();
  expect(await reasons('elder', 'blog')).toEqual(new Set(['target.account_missing']));
  await set('blog', { createMissing: true });
  await on(shop, rename('elder', 'Eldest'));
  const here = await whole(shop, 'elder');
  expect(here).toMatchObject({ firstName: 'Eldest', email: 'elder@people.test' });
  expect(await whole(blog, 'elder')).toEqual(here);
});

const META = `$out = array(); foreach ( get_user_meta( get_user_by( 'login', 'anna' )->ID ) as $key => $rows ) {
  if ( 0 === strpos( $key, 'billing' ) ) { $out[ $key ] = $rows; } } ksort( $out ); echo wp_json_encode( (object) $out );`;
const meta = (key: string, value: string): string =>
  `update_user_meta( get_user_by( 'login', 'anna' )->ID, '${key}', '${value}' );`;
const billing = async (site: Site): Promise<unknown> => JSON.parse(await site.php(META));

test('a pattern carries the keys that it covers, new ones too, each way; what is never synced stays', async () => {
  await on(shop, meta('billing_before', 'from before'));
  for (const source of ['shop', 'blog']) await rules(source, { meta: ['billing_*'] });
  await on(
    shop,
    meta('billing_city', 'Köln 😀'),
    meta('billing_2fa_secret', 'secret'),
    meta('billings', 'not covered'),
  );
  expect(await billing(blog)).toEqual({ billing_city: ['Köln 😀'] });
  await on(blog, meta('billing_phone', '030'), meta('billing_before', 'edited'));
  expect(await billing(shop)).toEqual({
    billing_2fa_secret: ['secret'],
    billing_before: ['edited'],
    billing_city: ['Köln 😀'],
    billing_phone: ['030'],
    billings: ['not covered'],
  });
  await on(shop, "delete_user_meta( get_user_by( 'login', 'anna' )->ID, 'billing_phone' );");
  expect(await billing(blog)).toEqual({ billing_before: ['edited'], billing_city: ['Köln 😀'] });
});

test('a role map gives and takes its own roles each way, writes once, and touches no other role', async () => {
  await rules('shop', { roles: ['author'] });
  await rules('blog', { roles: ['member'] });
  await set('blog', { roleMap: { author: ['member'] } });
  await set('shop', { roleMap: { member: ['author'] } });
  await on(blog, role('anna', 'add', 'forum'));
  const last = Math.max(...(await stage.hub.log()).map((row) => row.id));
  await on(shop, role('anna', 'add', 'author'));
  const has = async () => [
    (await person(shop, 'anna'))?.roles.toSorted(),
    (await person(blog, 'anna'))?.roles.toSorted(),
  ];
  expect(await has()).toEqual([
    ['author', 'subscriber'],
    ['forum', 'member', 'subscriber'],
  ]);
  await on(blog, role('anna', 'remove', 'member'));
  expect(await has()).toEqual([['subscriber'], ['forum', 'subscriber']]);
  const delivered = (await stage.hub.log()).filter(
    (row) => row.id > last && row.status === 'delivered',
  );
  expect(delivered.map((row) => `${row.target} ${row.fields.join()}`).toSorted()).toEqual([
    'blog role:member',
    'shop role:author',
  ]);
});

test('a delete does what the route says: ignored, roles taken, or the account with its content left to an heir', async () => {
  const people = ['fay', 'gus', 'hal', 'ida'];
  await on(shop, ...people.map((login) => register(login, 'subscriber')));
  await on(
    blog,
    register('heir', 'subscriber'),
    "wp_insert_post( array( 'post_title' => 'Of Hal', 'post_status' => 'publish', 'post_author' => get_user_by( 'login', 'hal' )->ID ) );",
  );
  await rules('shop', { onDelete: 'ignore', roles: ['subscriber'] });
  await on(shop, remove('fay'));
  await rules('shop', { onDelete: 'strip' });
  await on(shop, remove('gus'));
  await rules('shop', { onDelete: 'delete', reassignTo: 'heir' });
  await on(shop, remove('hal'), remove('ida'));
  const left = await Promise.all(people.map((login) => person(blog, login)));
  expect(left.map((one) => one?.roles ?? null)).toEqual([['subscriber'], [], null, null]);
  expect(await reasons('fay', 'blog')).toContain('route.deletes_off');
  const author = await blog.php(
    "echo get_userdata( get_page_by_title( 'Of Hal', OBJECT, 'post' )->post_author )->user_login;",
  );
  expect(author.trim()).toBe('heir');
});
