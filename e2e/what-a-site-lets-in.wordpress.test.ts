/**
 * A site's own guard, against a hub that means well and one that doesn't: read-only, whitelist, switches of
 * accounts. The hub tightens; the site's people loosen, in wp-admin and with WP-CLI.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AccountView } from '#hub/api/schemas/account.ts';
import type { GuardView } from '#hub/api/schemas/guard.ts';
import type { LogRow } from '#hub/api/schemas/log.ts';
import type { SiteTest } from '#hub/api/schemas/site.ts';
import { ErrorSchema } from '#hub/api/schemas/words.ts';
import { restAs, signIn } from '#lab/sign-in.ts';
import type { Site } from '#lab/start-site.ts';
import type { Visitor } from '#lab/visitor.ts';
import { waitUntil } from '#lab/wait-until.ts';
import { ENGINE, person, REST_MS, type Stage, startStage } from './stage.ts';

let stage: Stage;
let shop: Site;
let blog: Site;
beforeAll(async () => {
  // The oldest WordPress where the machine has it: its Users list and its profiles are others.
  const old = ENGINE === 'native' ? ({ version: '6.1' } as const) : {};
  stage = await startStage({ sites: ['shop', { name: 'blog', ...old }], routes: ['shop>blog'] });
  shop = stage.site('shop');
  blog = stage.site('blog');
  await shop.php(`foreach ( array( 'anna', 'cora', 'dora' ) as $login ) {
    wp_insert_user( array( 'user_login' => $login, 'user_email' => "$login@people.test", 'user_pass' => 'x', 'role' => 'subscriber' ) );
  }`);
  await stage.hub.rest();
});
afterAll(async () => {
  await stage?.end();
});

const edit = (login: string, field: string, value: string): Promise<string> =>
  shop.php(
    `wp_update_user( array( 'ID' => get_user_by( 'login', '${login}' )->ID, '${field}' => '${value}' ) );`,
  );
const guard = (): Promise<GuardView> => stage.hub.call('GET', '/sites/blog/guard');
const tighten = (change: object): Promise<GuardView> =>
  stage.hub.call('PATCH', '/sites/blog/guard', change);
const testBlog = (): Promise<SiteTest> => stage.hub.call('POST', '/sites/blog/test');
/** Status and code of a request that is refused. */
async function refusal(method: string, path: string, body?: object): Promise<[number, string]> {
  const response = await stage.hub.raw(method, path, body);
  const { error } = ErrorSchema.parse(await response.json());
  return [response.status, error.code];
}
const rowsOf = async (login: string): Promise<LogRow[]> =>
  stage.hub.log(`&account=${login}&site=blog`);
const outcomes = async (login: string): Promise<string[]> =>
  (await rowsOf(login)).map((row) => `${row.action} ${row.status} ${row.reason ?? ''}`);
const wp = (...args: string[]): Promise<string> => blog.wp('rollcall', ...args);

let admin: Visitor | undefined;
/** The site's administrator with a browser. */
async function inAdmin(site: Site): Promise<Visitor> {
  const signedIn = await signIn(site, site.adminLogin, site.adminPassword);
  expect(signedIn.ok).toBe(true);
  return signedIn.visitor;
}
const WHITELIST = '/wp-admin/admin.php?page=rollcall&tab=whitelist';

test('a site that prohibits incoming changes refuses create, update and delete, and only the site itself opens it', async () => {
  const before = [await person(blog, 'anna'), await person(blog, 'cora')];
  expect(before.map((one) => one?.email)).toEqual(['anna@people.test', 'cora@people.test']);
  expect(await tighten({ readOnly: true })).toMatchObject({ site: 'blog', readOnly: true });
  await edit('anna', 'first_name', 'Refused');
  await shop.php(`require_once ABSPATH . 'wp-admin/includes/user.php';
    wp_insert_user( array( 'user_login' => 'ben', 'user_email' => 'ben@people.test', 'user_pass' => 'x', 'role' => 'subscriber' ) );
    wp_delete_user( get_user_by( 'login', 'cora' )->ID );`);
  await waitUntil(async () => {
    const all = await Promise.all(['anna', 'ben', 'cora'].map(outcomes));
    return all.every((rows) => rows.some((row) => row.endsWith('refused target.read_only')));
  }, REST_MS);
  await stage.hub.rest();
  expect([await person(blog, 'anna'), await person(blog, 'cora')]).toEqual(before);
  expect(await person(blog, 'ben')).toBeNull();
  expect((await outcomes('anna')).some((row) => row.includes('failed'))).toBe(false);
  const tested = await testBlog();
  expect([tested.ok, tested.warnings.map(({ code }) => code)]).toEqual([
    true,
    ['target.read_only'],
  ]);

  const path = '/sites/blog/guard';
  expect(await refusal('PATCH', path, { readOnly: false })).toEqual([409, 'site.guard_refused']);
  expect(await refusal('PATCH', path, { revokeRoles: ['nobody'] })).toEqual([422, 'role.unknown']);
  expect(await refusal('PATCH', path, {})).toEqual([400, 'request.invalid']);
  expect((await guard()).readOnly).toBe(true);
  const { events } = await stage.hub.call<{ events: { code: string; actor: string }[] }>(
    'GET',
    '/site-events?site=blog',
  );
  expect(events.filter(({ code }) => code === 'target.guard_tightened')).toHaveLength(1);
  expect(JSON.parse(await wp('guard', '--read-only=off', '--format=json'))).toMatchObject({
    read_only: 'off',
  });
  await edit('anna', 'first_name', 'Anna');
  await stage.hub.rest();
  expect(await person(blog, 'anna')).toEqual({ ...before[0], firstName: 'Anna' });
});

test('a whitelist takes requests from its addresses and changes from its sites, and never locks wp-admin', async () => {
  const path = '/sites/blog/guard';
  expect(await refusal('PATCH', path, { whitelist: true })).toEqual([409, 'site.guard_refused']);
  admin = await inAdmin(blog);
  const form = await admin.form(WHITELIST, 'rollcall-whitelist');
  const address = (await guard()).caller.address ?? '';
  expect(form['entries[0][ip]']).toBe(address);
  const filled = { ...form, 'entries[1][url]': `${shop.url}/`, 'entries[1][name]': 'Shop' };
  const wrong = await admin.submit('/wp-admin/admin-post.php', {
    ...filled,
    'entries[2][ip]': 'x',
  });
  expect(wrong.headers.get('location')).toContain('wrong_row=3');
  const stray = await admin.submit('/wp-admin/admin-post.php', {
    ...filled,
    on: '1',
    'entries[0][ip]': '203.0.113.9',
  });
  expect(stray.headers.get('location')).toContain('would_refuse=1');
  const forged = { ...filled, _wpnonce: 'wrong' };
  expect((await admin.submit('/wp-admin/admin-post.php', forged)).status).toBe(403);
  expect((await guard()).whitelist.entries).toHaveLength(1);
  const saved = await admin.submit('/wp-admin/admin-post.php', filled);
  expect(saved.headers.get('location')).toContain('saved=1');
  const { whitelist, sources } = await tighten({ whitelist: true });
  expect([whitelist.on, sources.map(({ site, entry }) => [site, entry])]).toEqual([
    true,
    [['shop', 'Shop']],
  ]);
  expect(await refusal('PATCH', path, { whitelist: false })).toEqual([409, 'site.guard_refused']);
  const checked: GuardView = await stage.hub.call(
    'GET',
    `${path}?address=203.0.113.9&url=${shop.url}`,
  );
  expect(checked.check).toEqual({ address: null, url: 'Shop' });
  await edit('anna', 'last_name', 'Listed');
  await stage.hub.rest();
  expect((await person(blog, 'anna'))?.lastName).toBe('Listed');

  await wp('guard', '--remove-entry=Shop');
  await edit('anna', 'last_name', 'Unlisted');
  await waitUntil(
    async () => (await outcomes('anna')).includes('update refused whitelist.source'),
    REST_MS,
  );
  expect((await person(blog, 'anna'))?.lastName).toBe('Listed');

  const hub = form['entries[0][name]'] ?? '';
  await wp('guard', `--add-entry=${hub}`, '--ip=203.0.113.0/24');
  expect(await testBlog()).toMatchObject({ ok: false, fault: { code: 'site.whitelisted_out' } });
  await expect(stage.hub.connect(blog)).rejects.toThrow(/site\.whitelisted_out/u);
  expect((await admin.request(WHITELIST)).status).toBe(200);
  await expect(wp('guard', '--proxies=nonsense')).rejects.toThrow(
    /neither an address nor a range/u,
  );
});

test('behind a declared proxy the caller is read from the right, with or without a port', async () => {
  const own = (await blog.php('echo Rollcall_Whitelist::hub_address();')).trim();
  const password = await blog.php(`echo WP_Application_Passwords::create_new_application_password(
    get_user_by( 'login', '${blog.adminLogin}' )->ID, array( 'name' => 'proxied' ) )[0];`);
  const authorization = `Basic ${Buffer.from(`${blog.adminLogin}:${password}`).toString('base64')}`;
  const from = async (forwarded: string): Promise<number> => {
    const headers = {
      authorization,
      'content-type': 'application/json',
      'x-forwarded-for': forwarded,
    };
    const body = JSON.stringify({});
    const path = '/wp-json/rollcall/v1/status';
    return (await blog.request(path, { method: 'POST', headers, body })).status;
  };
  // Nobody has declared the proxy: what it says of the caller counts for nothing.
  expect(await from('203.0.113.9')).toBe(403);
  await wp('guard', `--proxies=${own},10.0.0.0/8`);
  const statuses: [string, number][] = [
    ['203.0.113.9', 200],
    ['203.0.113.9:50123', 200],
    ['6.6.6.6, 203.0.113.9:50123, 10.1.2.3', 200],
    ['203.0.113.9, 6.6.6.6', 403],
    ['203.0.113.9, nonsense', 403],
    ['2001:db8::1', 403],
  ];
  for (const [forwarded, status] of statuses) {
    expect([forwarded, await from(forwarded)]).toEqual([forwarded, status]);
  }
  await wp('guard', '--add-entry=Six', '--ip=2001:db8::/32');
  expect([await from('[2001:db8::1]:443'), await from('[2001:db9::1]:443')]).toEqual([200, 403]);
  await wp('guard', '--whitelist=off', '--proxies=', '--remove-entry=Six');
  expect(await testBlog()).toMatchObject({ ok: true, fault: null });
});

test('an account keeps its changes at home, and what it does to others, and rejects what comes in', async () => {
  const path = '/account?site=shop&login=anna';
  const before: AccountView = await stage.hub.call('GET', path);
  expect(before).toMatchObject({
    stopOutgoing: false,
    elsewhere: [{ site: 'blog', login: 'anna' }],
  });
  const set = (body: object): Promise<AccountView> => stage.hub.call('PATCH', '/account', body);
  const anna = { site: 'shop', login: 'anna' };
  expect(await set({ ...anna, stopOutgoing: true })).toEqual({ ...before, stopOutgoing: true });
  await edit('anna', 'description', 'Stays');
  await waitUntil(
    async () => (await outcomes('anna')).includes('update skipped account.outgoing_stopped'),
    REST_MS,
  );
  await set({ ...anna, stopOutgoing: false });
  await stage.hub.rest();
  expect((await person(blog, 'anna'))?.description).toBe('Stays');

  // Whoever administers the shop keeps what they do at home.
  await shop.wp('rollcall', 'flags', shop.adminLogin, '--stop-outgoing=on', '--stop-made=on');
  const boss = await inAdmin(shop);
  const rest = await restAs(boss);
  const dora = (await person(shop, 'dora'))?.id ?? 0;
  const body = JSON.stringify({ first_name: 'By the boss' });
  expect((await rest(`/wp/v2/users/${dora}`, { method: 'POST', body })).status).toBe(200);
  await waitUntil(
    async () => (await outcomes('dora')).includes('update skipped account.maker_stopped'),
    REST_MS,
  );
  await edit('dora', 'last_name', 'By the shop');
  await stage.hub.rest();
  expect(await person(blog, 'dora')).toMatchObject({ firstName: '', lastName: 'By the shop' });

  // The blog's people say who takes nothing: in the list of users, and in the profile.
  admin ??= await inAdmin(blog);
  const ids = {
    anna: (await person(blog, 'anna'))?.id ?? 0,
    dora: (await person(blog, 'dora'))?.id ?? 0,
  };
  const list = await (await admin.request('/wp-admin/users.php')).text();
  expect(list).toContain('rollcall_reject_incoming');
  const nonce = /name="_wpnonce" value="([0-9a-f]+)"/u.exec(list)?.[1] ?? '';
  const bulk = (ids2: readonly number[], given: string) =>
    `/wp-admin/users.php?action=rollcall_reject_incoming&${ids2.map((id) => `users[]=${id}`).join('&')}&_wpnonce=${given}`;
  expect((await admin.request(bulk([ids.anna], 'wrong'))).status).toBe(403);
  const done = await admin.request(bulk([ids.anna, ids.dora], nonce));
  expect(done.headers.get('location')).toContain('rollcall_switched=2');
  const profile = `/wp-admin/user-edit.php?user_id=${ids.dora}`;
  const page = await admin.form(profile, 'your-profile');
  expect(page['rollcall_reject_incoming']).toBe('1');
  const { rollcall_reject_incoming: _on, pass1: _1, pass2: _2, pw_weak: _weak, ...kept } = page;
  await admin.submit(profile, kept);
  expect(await (await admin.request(profile)).text()).toContain(
    (await stage.hub.call<AccountView>('GET', '/account?site=shop&login=dora')).uid,
  );
  await edit('anna', 'first_name', 'Rejected');
  await edit('dora', 'first_name', 'Taken');
  await waitUntil(
    async () => (await outcomes('anna')).includes('update refused account.incoming_rejected'),
    REST_MS,
  );
  await stage.hub.rest();
  expect((await person(blog, 'anna'))?.firstName).toBe('Anna');
  expect((await person(blog, 'dora'))?.firstName).toBe('Taken');
  const loosen = { site: 'blog', login: 'anna', rejectIncoming: false };
  expect(await refusal('PATCH', '/account', loosen)).toEqual([409, 'site.guard_refused']);
  const nobody = { site: 'blog', login: 'nobody', stopOutgoing: true };
  expect(await refusal('PATCH', '/account', nobody)).toEqual([404, 'account.unknown']);
  const flags: { login: string }[] = JSON.parse(await wp('flags', '--format=json'));
  expect(flags).toEqual([expect.objectContaining({ login: 'anna', reject_incoming: 'on' })]);
  await wp('flags', 'anna', '--reject-incoming=off');
  await edit('anna', 'first_name', 'Welcome');
  await stage.hub.rest();
  expect((await person(blog, 'anna'))?.firstName).toBe('Welcome');
});

test('a reader neither sees nor changes any of it', async () => {
  const signedIn = await signIn(shop, 'anna', 'x');
  expect(signedIn.ok).toBe(true);
  const { visitor } = signedIn;
  expect((await visitor.request(WHITELIST)).status).toBe(403);
  const submitted = await visitor.submit('/wp-admin/admin-post.php', {
    action: 'rollcall_whitelist',
    on: '1',
  });
  expect(submitted.status).toBe(403);
  expect(await (await visitor.request('/wp-admin/profile.php')).text()).not.toContain('rollcall_');
  const status: Record<string, unknown> = JSON.parse(
    await shop.wp('rollcall', 'status', '--format=json'),
  );
  expect(status).toMatchObject({ whitelist: 'off', read_only: 'off', home_matches: 'on' });
  expect(JSON.parse(await shop.wp('rollcall', 'outbox', '--format=json'))).toMatchObject({
    open: 0,
    left_open: 0,
  });
});
