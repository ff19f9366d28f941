/**
 * Any site of a network as source and target of routes to separate installations: a network “brand” with the sites
 * “brand Shop” and “brand Club”, and two sites of their own.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NetworkRunView } from '#hub/api/schemas/network.ts';
import type { RouteView } from '#hub/api/schemas/route.ts';
import type { SiteView } from '#hub/api/schemas/site.ts';
import type { SyncRun } from '#hub/api/schemas/sync.ts';
import type { Site } from '#lab/start-site.ts';
import { waitUntil } from '#lab/wait-until.ts';
import { ENGINE, person, REST_MS, type Stage, startStage } from './stage.ts';

const MAIN = 1;
const SHOP = 2;
const CLUB = 3;
/** By a person in wp-admin, as far as WordPress’s functions know. */
const ADMIN = `require_once ABSPATH . 'wp-admin/includes/user.php'; require_once ABSPATH . 'wp-admin/includes/ms.php';`;

let stage: Stage;
let brand: Site;
let east: Site;
let west: Site;

beforeAll(async () => {
  stage = await startStage({
    sites: [{ name: 'brand', multisite: true }, 'east', 'west'],
    routes: [],
  });
  [brand, east, west] = [stage.site('brand'), stage.site('east'), stage.site('west')];
  // They are made while the network is connected, and appear by themselves.
  for (const [slug, title] of [
    ['shop', 'Shop'],
    ['club', 'Club'],
  ])
    await brand.wp('site', 'create', `--slug=${slug}`, `--title=${title}`);
  await waitUntil(async () => (await sites()).length === 5, REST_MS);
  const rules = { roles: ['subscriber', 'author'] };
  await stage.hub.route('brand Shop', 'east', { both: true, rules });
  await stage.hub.route('brand Club', 'west', {
    both: true,
    rules: { ...rules, onDelete: 'strip' },
  });
  await stage.hub.rest();
});
afterAll(() => stage?.end());

const sites = async (): Promise<readonly SiteView[]> =>
  (await stage.hub.call<{ sites: SiteView[] }>('GET', '/sites')).sites;
const idOf = (login: string): string => `get_user_by( 'login', '${login}' )->ID`;
const register = (login: string, blog: number | null, role = 'subscriber'): string =>
  `$id = wpmu_create_user( '${login}', 'pw of ${login}', '${login}@people.test' );
   ${blog === null ? '' : `add_user_to_blog( ${blog}, $id, '${role}' );`}`;
const born = (login: string, role = 'subscriber'): string =>
  `wp_insert_user( array( 'user_login' => '${login}', 'user_email' => '${login}@people.test', 'user_pass' => 'pw', 'role' => '${role}' ) );`;
async function on(site: Site, code: string): Promise<void> {
  await site.php(`${ADMIN} ${code}`);
  await stage.hub.rest();
}
/** Site of the network → roles there, by WordPress’s own word; null: there is no account. */
async function onBrand(login: string): Promise<Record<string, string[]> | null> {
  const told: [number, string[]][] | null = JSON.parse(
    await brand.php(`$u = get_user_by( 'login', '${login}' );
      echo wp_json_encode( $u ? array_map( static function ( $site ) use ( $u ) {
        return array( (int) $site->userblog_id, array_values( ( new WP_User( $u->ID, '', $site->userblog_id ) )->roles ) );
      }, array_values( get_blogs_of_user( $u->ID ) ) ) : null );`),
  );
  return told && Object.fromEntries(told.map(([blog, roles]) => [String(blog), roles]));
}
/** Waits, and shows how it differs where it does not come about. */
async function become(
  look: () => Promise<unknown>,
  expected: unknown,
  { rests = true } = {},
): Promise<void> {
  const is = async () => {
    // In WebAssembly nothing goes on after the answer: WP-Cron would do the rest.
    if (ENGINE === 'wasm') await brand.php("do_action( 'rollcall_network_turn' );");
    return JSON.stringify(await look()) === JSON.stringify(expected);
  };
  await waitUntil(is, REST_MS).catch(() => undefined);
  if (rests) await stage.hub.rest();
  expect(await look()).toEqual(expected);
}
const membersOfShop = async (): Promise<number> =>
  Number(await brand.php(`echo count( get_users( array( 'blog_id' => ${SHOP} ) ) );`));
const there = async (site: Site, login: string) => (await person(site, login))?.roles ?? null;

test('who comes is a member of the route’s target site alone, and of both where both are targets', async () => {
  await on(east, born('anna', 'author'));
  expect(await onBrand('anna')).toEqual({ [SHOP]: ['author'] });
  expect(await there(west, 'anna')).toBeNull();
  await stage.hub.route('east', 'brand Club', { rules: { roles: [] } });
  await on(east, born('berta', 'author'));
  // The route to the club names no role: there it is the site’s default role.
  expect(await onBrand('berta')).toEqual({ [SHOP]: ['author'], [CLUB]: ['subscriber'] });
  // And goes on from there, as one who came to the club.
  expect(await there(west, 'berta')).toEqual(['subscriber']);
  const { routes } = await stage.hub.call<{ routes: RouteView[] }>('GET', '/routes');
  const route = routes.find(({ source, target }) => source === 'east' && target === 'brand Club');
  await stage.hub.call('DELETE', `/routes/${route?.id}`);
});

test('T984: who is no member of a site of a network does not leave it', async () => {
  await on(brand, register('cleo', CLUB));
  expect([await there(east, 'cleo'), await there(west, 'cleo')]).toEqual([null, ['subscriber']]);
  await on(brand, register('nobody', null));
  await on(brand, `wp_update_user( array( 'ID' => ${idOf('nobody')}, 'first_name' => 'No' ) );`);
  expect([await there(east, 'nobody'), await there(west, 'nobody')]).toEqual([null, null]);
  const rows = await stage.hub.log('&account=nobody');
  expect(rows.map(({ reason }) => reason)).toContain('source.not_a_member');
  // Nor with an operator who syncs all of the site, unless they name the person.
  const planned = async (accounts: object): Promise<number> => {
    const body = { from: 'brand Shop', to: ['east'], accounts, mode: 'like_source' };
    let run = await stage.hub.call<SyncRun>('POST', '/syncs/plan', body);
    const isPlanned = async () => {
      run = await stage.hub.call<SyncRun>('GET', `/syncs/${run.id}`);
      return run.state === 'planned';
    };
    await waitUntil(isPlanned, REST_MS);
    return run.accounts;
  };
  expect(await planned({ by: 'all' })).toBe(await membersOfShop());
  expect(await planned({ by: 'accounts', logins: ['nobody'] })).toBe(1);
  // Coming to the shop is a registration there.
  await on(brand, `add_user_to_blog( ${SHOP}, ${idOf('cleo')}, 'author' );`);
  expect([await there(east, 'cleo'), await there(west, 'cleo')]).toEqual([
    ['author'],
    ['subscriber'],
  ]);
});

test('a role that changes on one site goes along its routes alone; what the account holds goes along both', async () => {
  await on(
    brand,
    `( new WP_User( ${idOf('cleo')}, '', ${CLUB} ) )->for_site( ${CLUB} );
    switch_to_blog( ${CLUB} ); ( new WP_User( ${idOf('cleo')} ) )->set_role( 'author' ); restore_current_blog();
    switch_to_blog( ${SHOP} ); ( new WP_User( ${idOf('cleo')} ) )->set_role( 'subscriber' ); restore_current_blog();
    wp_update_user( array( 'ID' => ${idOf('cleo')}, 'first_name' => 'Cleo' ) );`,
  );
  const [atEast, atWest] = [await person(east, 'cleo'), await person(west, 'cleo')];
  expect([atEast?.roles, atWest?.roles]).toEqual([['subscriber'], ['author']]);
  expect([atEast?.firstName, atWest?.firstName]).toEqual(['Cleo', 'Cleo']);
  expect(atEast?.hash).toBe(atWest?.hash);
});

test('T985: somebody removed from one site of a network keeps the account everywhere, and what follows stays home', async () => {
  await on(brand, `remove_user_from_blog( ${idOf('cleo')}, ${SHOP} );`);
  expect(await onBrand('cleo')).toEqual({ [CLUB]: ['author'] });
  expect([await there(east, 'cleo'), await there(west, 'cleo')]).toEqual([[], ['author']]);
  await on(brand, `wp_update_user( array( 'ID' => ${idOf('cleo')}, 'first_name' => 'Later' ) );`);
  expect((await person(east, 'cleo'))?.firstName).toBe('Cleo');
  expect((await person(west, 'cleo'))?.firstName).toBe('Later');
});

test('where the site says so, leaving it is a delete along its own routes', async () => {
  await stage.hub.call('PATCH', '/sites/brand%20Shop', { onRoleLost: 'delete' });
  await on(brand, register('dora', SHOP));
  await on(brand, `add_user_to_blog( ${CLUB}, ${idOf('dora')}, 'subscriber' );`);
  expect([await there(east, 'dora'), await there(west, 'dora')]).toEqual([
    ['subscriber'],
    ['subscriber'],
  ]);
  await on(brand, `remove_user_from_blog( ${idOf('dora')}, ${SHOP} );`);
  await waitUntil(async () => (await there(east, 'dora')) === null, REST_MS);
  expect(await there(west, 'dora')).toEqual(['subscriber']);
  expect(await onBrand('dora')).toEqual({ [CLUB]: ['subscriber'] });
  await stage.hub.call('PATCH', '/sites/brand%20Shop', { onRoleLost: 'stop' });
});

test('T986: a delete that comes to one site of a network takes nobody off its others', async () => {
  await on(brand, `add_user_to_blog( ${CLUB}, ${idOf('anna')}, 'subscriber' );`);
  expect(await there(west, 'anna')).toEqual(['subscriber']);
  await on(east, `wp_delete_user( ${idOf('anna')} );`);
  await waitUntil(async () => (await onBrand('anna'))?.[SHOP] === undefined, REST_MS);
  await stage.hub.rest();
  expect(await onBrand('anna')).toEqual({ [CLUB]: ['subscriber'] });
  expect(await there(west, 'anna')).toEqual(['subscriber']);
  const rows = await stage.hub.log('&account=anna&action=delete');
  expect(rows[0]).toMatchObject({ target: 'brand Shop', reason: 'target.member_elsewhere' });
  // Who was a member there alone, ends.
  await on(east, born('emil'));
  await on(east, `wp_delete_user( ${idOf('emil')} );`);
  await waitUntil(async () => (await onBrand('emil')) === null, REST_MS);
});

test('an account that ends on the network ends along the routes of the sites it was a member of, as each route says', async () => {
  await on(brand, register('fred', SHOP, 'author'));
  await on(brand, `add_user_to_blog( ${CLUB}, ${idOf('fred')}, 'author' );`);
  expect(await there(west, 'fred')).toEqual(['author']);
  await on(brand, `wpmu_delete_user( ${idOf('fred')} );`);
  await waitUntil(async () => (await there(east, 'fred')) === null, REST_MS);
  await waitUntil(async () => (await there(west, 'fred'))?.length === 0, REST_MS);
});

test('the network’s own triggers go on from the site that a route brought somebody to, and each site’s routes from there', async () => {
  await brand.php(
    `update_option( 'default_role', 'contributor' ); update_blog_option( ${CLUB}, 'default_role', 'author' );`,
  );
  const switched = (change: object) => stage.hub.call('PATCH', '/networks/brand', change);
  await switched({ newAccount: true });
  await on(east, born('gina', 'author'));
  const joined = { [MAIN]: ['contributor'], [SHOP]: ['author'], [CLUB]: ['author'] };
  await become(
    async () => [await onBrand('gina'), await there(west, 'gina')],
    [joined, ['author']],
  );
  await switched({ newAccount: false, roleChange: true });
  await on(east, `( new WP_User( ${idOf('gina')} ) )->set_role( 'subscriber' );`);
  const all = { [MAIN]: ['subscriber'], [SHOP]: ['subscriber'], [CLUB]: ['subscriber'] };
  await become(
    async () => [await onBrand('gina'), await there(west, 'gina')],
    [all, ['subscriber']],
  );
  // What the trigger wrote came from nobody: it goes nowhere twice, and nothing answers it.
  expect(await there(east, 'gina')).toEqual(['subscriber']);
  await switched({ roleChange: false });
});

test('who comes about while the hub is down joins the network’s sites at once, and leaves along their routes when it is back', async () => {
  await stage.hub.call('PATCH', '/networks/brand', { newAccount: true });
  const joined = { [MAIN]: ['contributor'], [SHOP]: ['subscriber'], [CLUB]: ['author'] };
  await stage.restart({}, async () => {
    await brand.php(register('ida', null));
    await become(() => onBrand('ida'), joined, { rests: false });
  });
  await become(
    async () => [await onBrand('ida'), await there(east, 'ida'), await there(west, 'ida')],
    [joined, ['subscriber'], ['author']],
  );
  await stage.hub.call('PATCH', '/networks/brand', { newAccount: false });
});

test('whom a fill brings to one site of a network goes along that site’s routes', async () => {
  await on(brand, register('hugo', null));
  expect(await there(west, 'hugo')).toBeNull();
  const people = { by: 'accounts', logins: ['hugo'] };
  const asked = { action: 'fill', sites: ['brand Club'], people };
  const run = await stage.hub.call<NetworkRunView>('POST', '/networks/brand/runs', asked);
  const ended = async () =>
    (await stage.hub.call<NetworkRunView>('GET', `/network-runs/${run.id}`)).state === 'done';
  await waitUntil(ended, REST_MS);
  await become(
    async () => [await onBrand('hugo'), await there(west, 'hugo')],
    [{ [CLUB]: ['author'] }, ['author']],
  );
  expect(await there(east, 'hugo')).toBeNull();
  const actors = (await stage.hub.log('&account=hugo')).map(({ actor }) => actor);
  expect(actors).toContain(`hub run ${run.id}`);
});

test('T253: a site that its own administrator deletes takes nobody’s roles or account away elsewhere', async () => {
  await stage.hub.call('PATCH', '/sites/brand%20Shop', { onRoleLost: 'delete' });
  await on(brand, register('petra', SHOP, 'author'));
  // “Delete Site” takes everybody off, and then deactivates it.
  await on(brand, `wpmu_delete_blog( ${SHOP}, false );`);
  expect([await onBrand('petra'), await there(east, 'petra')]).toEqual([{}, ['author']]);
  expect((await stage.hub.log('&account=petra')).map(({ reason }) => reason)).toContain(
    'source.closed',
  );
  // Nor when the network takes it back.
  await on(brand, `update_blog_status( ${SHOP}, 'deleted', 0 );`);
  await on(brand, `wp_update_user( array( 'ID' => ${idOf('petra')}, 'first_name' => 'P' ) );`);
  expect(await there(east, 'petra')).toEqual(['author']);
  await on(brand, `add_user_to_blog( ${SHOP}, ${idOf('petra')}, 'subscriber' );`);
  expect(await there(east, 'petra')).toEqual(['subscriber']);
  await stage.hub.call('PATCH', '/sites/brand%20Shop', { onRoleLost: 'stop' });
});

test('two sites of one network take no route between them, and in a group each has its routes to the others', async () => {
  const refused = await stage.hub.raw('POST', '/routes', {
    source: 'brand Shop',
    target: 'brand Club',
    both: false,
  });
  expect([refused.status, await refused.json()]).toMatchObject([
    422,
    { error: { code: 'route.same_installation' } },
  ]);
  const members = ['brand Shop', 'brand Club', 'east'].map((site) => ({ site, way: 'both' }));
  await stage.hub.call('POST', '/groups', { name: 'All', members });
  const { routes } = await stage.hub.call<{ routes: RouteView[] }>('GET', '/routes');
  const pairs = routes.filter(({ group }) => group === 'All');
  expect(pairs.map(({ source, target }) => `${source} > ${target}`).toSorted()).toEqual([
    'brand Club > east',
    'brand Shop > east',
    'east > brand Club',
    'east > brand Shop',
  ]);
});
