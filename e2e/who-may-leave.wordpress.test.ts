/**
 * Who may leave a site and come into another: approval, floods, confirmed addresses, privileged roles. An
 * older WordPress and a present one where sites are native, with awkward names.
 */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Explanation } from '#hub/api/schemas/explain.ts';
import type { RouteView } from '#hub/api/schemas/route.ts';
import type { ChangedSite, SiteView } from '#hub/api/schemas/site.ts';
import type { SyncRun } from '#hub/api/schemas/sync.ts';
import { confirmEmail, editProfile, signIn } from '#lab/sign-in.ts';
import type { Site } from '#lab/start-site.ts';
import { waitUntil } from '#lab/wait-until.ts';
import { ENGINE, person, REST_MS, type Stage, startStage } from './stage.ts';

/** The blog's own people, there before the hub came. */
const ELDERS = `<?php add_action( 'init', function () {
  foreach ( array( 'kim', 'lea', 'max', 'ned', 'quin' ) as $name ) {
    username_exists( "old-$name" ) || wp_insert_user( array( 'user_login' => "old-$name", 'user_email' => "$name@people.test", 'user_pass' => 'old', 'user_registered' => '2020-01-02 03:04:05', 'role' => 'subscriber' ) );
  }
} );`;

let stage: Stage;
let shop: Site;
let blog: Site;
let route: number;

beforeAll(async () => {
  stage = await startStage({
    sites: [
      { name: 'shop', ...(ENGINE === 'native' ? { version: '6.1' as const } : {}) },
      { name: 'blog', muPlugins: { 'elders.php': ELDERS } },
    ],
    routes: ['shop>blog'],
  });
  [shop, blog] = [stage.site('shop'), stage.site('blog')];
  const { routes } = await stage.hub.call<{ routes: RouteView[] }>('GET', '/routes');
  route = routes[0]?.id ?? 0;
});
afterAll(() => stage?.end());
afterEach(() => rules({ leaveWhen: [], confirmsAddresses: false, unconfirmedEmails: 'send' }));

const rules = (change: object) => stage.hub.call('PATCH', `/routes/${route}`, { rules: change });
const asked = async (change: object): Promise<[number, string]> => {
  const answer = await stage.hub.raw('PATCH', `/routes/${route}`, { rules: change });
  const { error }: { error?: { code: string } } = JSON.parse(await answer.text());
  return [answer.status, error?.code ?? ''];
};

/** Names that databases and terminals stumble over. */
const FIRST = 'Zoë 😀 محمد 山田';
const register = (login: string, more = ''): string =>
  `$id = wp_insert_user( array( 'user_login' => '${login}', 'user_email' => '${login}@people.test', 'user_pass' => 'pw of ${login}', 'first_name' => '${FIRST}', 'role' => 'subscriber' ) ); ${more}`;
const of = (login: string): string => `get_user_by( 'login', '${login}' )->ID`;
const meta = (login: string, key: string, value: string): string =>
  `update_user_meta( ${of(login)}, '${key}', '${value}' );`;
const rename = (login: string, name: string): string =>
  `wp_update_user( array( 'ID' => ${of(login)}, 'first_name' => '${name}' ) );`;
/** As a plugin or the support does it: nobody confirms anything. */
const moves = (login: string, email: string): string =>
  `wp_update_user( array( 'ID' => ${of(login)}, 'user_email' => '${email}' ) );`;
const remove = (login: string): string =>
  `require_once ABSPATH . 'wp-admin/includes/user.php'; wp_delete_user( ${of(login)} );`;

async function on(site: Site, ...deeds: string[]): Promise<void> {
  await site.php(deeds.join('\n'));
  await stage.hub.rest();
}
async function whole(site: Site, login: string) {
  const found = await person(site, login);
  return found && { ...found, id: 0, roles: found.roles.toSorted() };
}
async function bothAlike(login: string): Promise<void> {
  const here = await whole(shop, login);
  expect(here).not.toBeNull();
  expect(await whole(blog, login)).toEqual(here);
}
async function reasons(login: string): Promise<Set<string | null>> {
  const rows = (await stage.hub.log()).filter((row) => row.login === login);
  return new Set(rows.flatMap((row) => row.reason ?? []));
}
async function explained(login: string): Promise<string | null | undefined> {
  const answer = await stage.hub.call<Explanation>('GET', `/explain?site=shop&login=${login}`);
  return answer.targets[0]?.why[0]?.reason;
}

test('T161: nobody leaves who is not approved; approval brings all of the account, its end ends updates and takes nobody along', async () => {
  await rules({ leaveWhen: [{ kind: 'meta', key: 'account_status', values: ['approved'] }] });
  await on(
    shop,
    register('ann', meta('ann', 'account_status', 'awaiting_admin_review')),
    register('bob', meta('bob', 'account_status', 'approved')),
    register('cat'),
  );
  await bothAlike('bob');
  expect([await person(blog, 'ann'), await person(blog, 'cat')]).toEqual([null, null]);
  for (const login of ['ann', 'cat']) {
    expect([...(await reasons(login))]).toEqual(['route.value_wanted']);
  }
  expect(await explained('ann')).toBe('route.value_wanted');

  await on(
    shop,
    meta('ann', 'account_status', 'approved'),
    meta('bob', 'account_status', 'inactive'),
  );
  await bothAlike('ann');
  const status = `echo wp_json_encode( get_user_meta( ${of('ann')}, 'account_status' ) );`;
  expect(JSON.parse(await blog.php(status))).toEqual([]);
  await on(shop, rename('bob', 'Bobby'), remove('cat'));
  await on(shop, rename('ann', 'Anne'));
  expect((await person(blog, 'bob'))?.firstName).toBe(FIRST);
  await on(shop, remove('bob'));
  expect(await person(blog, 'bob')).not.toBeNull();
  await bothAlike('ann');
});

test('a manual sync is not bound by approval, and its plan names it', async () => {
  await rules({ leaveWhen: [{ kind: 'role', role: 'author' }] });
  await on(shop, register('dee'));
  expect(await person(blog, 'dee')).toBeNull();
  const request = { from: 'shop', to: ['blog'], accounts: { by: 'accounts', logins: ['dee'] } };
  const { id } = await stage.hub.call<SyncRun>('POST', '/syncs/plan', request);
  const stateIs = (state: string) => async () =>
    (await stage.hub.call<SyncRun>('GET', `/syncs/${id}`)).state === state;
  await waitUntil(stateIs('planned'), REST_MS);
  const { accounts } = await stage.hub.call<{ accounts: { what: string; reason: string }[] }>(
    'GET',
    `/syncs/${id}/accounts`,
  );
  expect(accounts.map(({ what, reason }) => [what, reason])).toEqual([
    ['create', 'route.role_wanted'],
  ]);
  await stage.hub.call('POST', `/syncs/${id}/start`, {});
  await waitUntil(stateIs('done'), REST_MS);
  await stage.hub.rest();
  await bothAlike('dee');
});

test('T162: nobody leaves whom nobody has signed in as; the first sign-in brings the account, and only that one writes', async () => {
  await rules({ leaveWhen: [{ kind: 'signed_in' }] });
  await on(shop, register('eve'));
  expect(await person(blog, 'eve')).toBeNull();
  expect([...(await reasons('eve'))]).toEqual(['route.sign_in_wanted']);
  await signIn(shop, 'eve', 'pw of eve');
  await stage.hub.rest();
  await bothAlike('eve');
  const ledger = `global $wpdb; echo $wpdb->get_var( 'SELECT rev FROM ' . Rollcall_Tables::accounts() . ' WHERE user_id = ' . ${of('eve')} );`;
  const revision = await shop.php(ledger);
  await signIn(shop, 'eve', 'pw of eve');
  expect(await shop.php(ledger)).toBe(revision);
});

test('T163: what a site brings beyond its cap waits, is edited meanwhile, and is released or rejected as one', async () => {
  const set = (rules: object) => stage.hub.call('PATCH', '/sites/shop', rules);
  const decide = async (decision: string, source = 'shop'): Promise<number> => {
    const all = { reason: 'source.creation_limit', source, decision };
    const done = await stage.hub.call<{ decided: number }>('POST', '/held/decide', all);
    await stage.hub.rest();
    return done.decided;
  };
  const held = async (source: string): Promise<string[]> => {
    const rows = await stage.hub.call<{ held: { login: string }[] }>(
      'GET',
      `/held?source=${source}`,
    );
    return rows.held.map(({ login }) => login).toSorted();
  };
  await on(shop, register('jan'));
  await set({ newAccountsADay: 0 });
  await on(shop, register('flo'), register('gil'));
  expect(await held('shop')).toEqual(['flo', 'gil']);
  expect(await held('blog')).toEqual([]);
  await on(shop, rename('flo', 'Flora'), rename('jan', 'Janne'));
  expect([await person(blog, 'flo'), (await person(blog, 'jan'))?.firstName]).toEqual([
    null,
    'Janne',
  ]);
  expect(await decide('release', 'blog')).toBe(0);
  expect(await decide('release')).toBe(2);
  await bothAlike('flo');
  await bothAlike('gil');

  await on(shop, register('hob'), register('ivy'));
  expect(await decide('reject')).toBe(2);
  await set({ newAccountsADay: null });
  await stage.hub.call('PATCH', '/sites/blog', { createMissing: true });
  await on(shop, rename('hob', 'Hobbes'));
  await stage.hub.call('PATCH', '/sites/blog', { createMissing: false });
  expect([await person(blog, 'hob'), await person(blog, 'ivy')]).toEqual([null, null]);
  expect(await reasons('hob')).toContain('source.turned_away');
});

const uidOn = async (site: string, login: string): Promise<string> =>
  (await stage.hub.call<Explanation>('GET', `/explain?site=${site}&login=${login}`)).uid;

/** Links are proven a moment after all has come to rest. */
const becomesOne = (name: string): Promise<void> =>
  waitUntil(
    async () => (await uidOn('shop', name)) === (await uidOn('blog', `old-${name}`)),
    REST_MS,
  );

test('T164, T942: a source that confirms addresses proves a link after a sign-in, and none where the address was set otherwise, or came back', async () => {
  expect(await asked({ confirmsAddresses: true })).toEqual([422, 'route.nothing_confirms']);
  await on(shop, register('kim'));
  expect(await reasons('kim')).toContain('link.unproven');
  await signIn(shop, 'kim', 'pw of kim');
  await stage.hub.rest();
  expect(await uidOn('shop', 'kim')).not.toBe(await uidOn('blog', 'old-kim'));

  await rules({ confirmsAddresses: true, leaveWhen: [{ kind: 'signed_in' }] });
  await on(shop, rename('kim', 'Kim'), register('lea'));
  await on(
    shop,
    register('mallory'),
    moves('mallory', 'max@people.test'),
    register('trudy').replace('trudy@people.test', 'ned@people.test'),
    moves('trudy', 'trudy@people.test'),
    moves('trudy', 'ned@people.test'),
  );
  expect(await uidOn('shop', 'lea')).not.toBe(await uidOn('blog', 'old-lea'));
  for (const login of ['lea', 'mallory', 'trudy']) await signIn(shop, login, `pw of ${login}`);
  await stage.hub.rest();
  for (const name of ['kim', 'lea']) await becomesOne(name);
  await stage.hub.rest();
  expect(await uidOn('shop', 'mallory')).not.toBe(await uidOn('blog', 'old-max'));
  expect(await uidOn('shop', 'trudy')).not.toBe(await uidOn('blog', 'old-ned'));
  for (const login of ['mallory', 'trudy']) expect(await explained(login)).toBe('link.unproven');
  const hash = (login: string) => `echo get_user_by( 'login', '${login}' )->user_pass;`;
  expect(await blog.php(hash('old-lea'))).toBe(await shop.php(hash('lea')));
  expect(await blog.php(hash('old-max'))).not.toBe(await shop.php(hash('mallory')));
});

test('T165: nobody is linked to an account that somebody took on the target with their address', async () => {
  await rules({ confirmsAddresses: true, leaveWhen: [{ kind: 'signed_in' }] });
  await on(
    blog,
    register('trap', `wp_update_user( array( 'ID' => $id, 'user_email' => 'nia@people.test' ) );`),
  );
  await on(blog, register('lair').replace('lair@people.test', 'oli@people.test'));
  // Quin comes last, and is linked: so the others were looked at.
  await on(shop, register('nia'), register('oli'));
  for (const login of ['nia', 'oli']) await signIn(shop, login, `pw of ${login}`);
  await stage.hub.rest();
  await on(shop, register('quin'));
  await signIn(shop, 'quin', 'pw of quin');
  await becomesOne('quin');
  for (const login of ['nia', 'oli']) expect(await explained(login)).toBe('link.unproven');
});

test('T166: an address that a plugin set waits, other fields go on; one that its person has confirmed goes', async () => {
  await on(shop, register('pia'));
  await bothAlike('pia');
  await rules({ unconfirmedEmails: 'hold' });
  await on(
    shop,
    `wp_update_user( array( 'ID' => ${of('pia')}, 'user_email' => 'evil@people.test', 'first_name' => 'Pia' ) );`,
  );
  expect(await person(blog, 'pia')).toMatchObject({ email: 'pia@people.test', firstName: 'Pia' });
  expect(await reasons('pia')).toContain('email.unconfirmed');
  const { held } = await stage.hub.call<{ held: { login: string; fields: string[] }[] }>(
    'GET',
    '/held?reason=email.unconfirmed',
  );
  expect(held.map(({ login, fields }) => [login, fields])).toEqual([['pia', ['email']]]);

  const { visitor } = await signIn(shop, 'pia', 'pw of pia');
  await editProfile(visitor, { email: 'pia.new@people.test' });
  const mail = (await shop.mails()).findLast(({ to }) => to.includes('pia.new@people.test'));
  if (mail === undefined) throw new Error('no mail to confirm the address with');
  expect((await confirmEmail(visitor, mail)).ok).toBe(true);
  await stage.hub.rest();
  await bothAlike('pia');
  expect((await person(blog, 'pia'))?.email).toBe('pia.new@people.test');
  const changes = (await stage.hub.log('&account=pia&action=update')).filter(({ fields }) =>
    fields.includes('email'),
  );
  expect(changes.map(({ status, unconfirmedEmail }) => [status, unconfirmedEmail])).toEqual([
    ['delivered', false],
    ['held', true],
  ]);
});

test('what a route can’t ask for is refused, and nothing changes', async () => {
  const meant = [
    { kind: 'meta', key: 'session_tokens', values: ['x'] },
    { kind: 'meta', key: 'billing_*', values: ['x'] },
    { kind: 'meta', key: 'status', values: [] },
    { kind: 'signed_in', since: 1 },
    { kind: 'anything' },
  ];
  for (const condition of meant) {
    expect(await asked({ leaveWhen: [condition] })).toEqual([400, 'request.invalid']);
  }
  expect((await asked({ leaveWhen: [{ kind: 'role', role: 'nobody' }] }))[1]).toBe('role.unknown');
  const { routes } = await stage.hub.call<{ routes: RouteView[] }>('GET', '/routes');
  expect(routes[0]?.rules.leaveWhen).toEqual([]);
});

const ADMINISTRATOR = ['administrator'];
const crown = (login: string): string =>
  `( new WP_User( ${of(login)} ) )->set_role( 'administrator' );`;
const consented = async (): Promise<readonly string[]> => {
  const { sites } = await stage.hub.call<{ sites: SiteView[] }>('GET', '/sites');
  return sites.find(({ name }) => name === 'blog')?.consents ?? [];
};
const hears = (roles: readonly string[]): Promise<void> =>
  waitUntil(async () => (await consented()).join() === roles.join(), REST_MS);

test('administrators come where route and target name them, are demoted and stay out again, and the blog keeps its own', async () => {
  const { routes } = await stage.hub.call<{ routes: RouteView[] }>('GET', '/routes');
  await rules({ roles: [...(routes[0]?.rules.roles ?? []), 'administrator'] });
  await on(shop, register('rex'), register('sue'), register('tom', crown('tom')));
  expect(await person(blog, 'tom')).toBeNull();
  expect([...(await reasons('tom'))]).toEqual(['account.privileged']);

  const tick = { syncRoles: ['subscriber', 'author', 'administrator'] };
  const ticked = await stage.hub.call<ChangedSite>('PATCH', '/sites/shop', tick);
  const [need] = ticked.privileged;
  expect(need).toMatchObject({ role: 'administrator', named: false, consented: false });
  expect(need?.steps.join()).toContain('wp rollcall privileged allow administrator');
  await stage.hub.call('PATCH', '/sites/shop', { syncRoles: [] });
  await rules({ privilegedRoles: ADMINISTRATOR });
  await on(shop, rename('tom', 'Tommy'), crown('rex'));
  expect([...(await reasons('tom'))]).toContain('account.not_consented');
  expect((await person(blog, 'rex'))?.roles).toEqual(['subscriber']);

  await blog.wp('rollcall', 'privileged', 'allow', 'administrator');
  await hears(ADMINISTRATOR);
  await on(shop, rename('rex', 'Rexy'), register('uma', crown('uma')));
  await bothAlike('uma');
  expect((await person(blog, 'rex'))?.roles).not.toContain('administrator');
  const request = {
    from: 'shop',
    to: ['blog'],
    accounts: { by: 'accounts', logins: ['tom', 'rex'] },
  };
  const { id } = await stage.hub.call<SyncRun>('POST', '/syncs', request);
  await waitUntil(
    async () => (await stage.hub.call<SyncRun>('GET', `/syncs/${id}`)).state === 'done',
    REST_MS,
  );
  await stage.hub.rest();
  for (const login of ['tom', 'rex']) await bothAlike(login);
  expect((await person(blog, 'tom'))?.roles).toEqual(ADMINISTRATOR);

  // Power of one's own is never covered.
  await on(blog, `( new WP_User( ${of('rex')} ) )->add_cap( 'export' );`);
  await on(shop, rename('rex', 'No'), `wp_set_password( 'another', ${of('rex')} );`);
  expect((await person(blog, 'rex'))?.firstName).toBe('Rexy');
  expect([...(await reasons('rex'))]).toContain('target.privileged_account');

  await on(shop, `( new WP_User( ${of('uma')} ) )->set_role( 'subscriber' );`);
  await bothAlike('uma');
  expect((await person(blog, 'uma'))?.roles).toEqual(['subscriber']);

  await blog.php(`get_role( 'administrator' )->add_cap( 'manage_network_users' );`);
  await hears([]);
  await on(shop, rename('tom', 'No'), register('vic', crown('vic')), crown('sue'));
  expect([await person(blog, 'vic'), (await person(blog, 'tom'))?.firstName]).toEqual([
    null,
    'Tommy',
  ]);
  expect((await person(blog, 'sue'))?.roles).toEqual(['subscriber']);
  const bosses = `echo implode( ',', wp_list_pluck( get_users( array( 'role' => 'administrator', 'orderby' => 'login' ) ), 'user_login' ) );`;
  expect((await blog.php(bosses)).split(',').toSorted()).toEqual(
    [blog.adminLogin, 'rex', 'tom'].toSorted(),
  );
  await blog.php(`get_role( 'administrator' )->remove_cap( 'manage_network_users' );`);
  await rules({ privilegedRoles: [] });
});
