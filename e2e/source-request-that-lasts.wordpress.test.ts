/**
 * A visitor's request takes long, and the hub reads and writes in the middle of it: no half state
 * is final, no edit is lost, and the new password stands.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RestCall, restAs, signIn } from '#lab/sign-in.ts';
import { nativeMissing, type Site } from '#lab/start-site.ts';
import { waitUntil } from '#lab/wait-until.ts';
import { accountsOf, FAULTS, hold, letTimePass } from './source-faults.ts';
import { createAccount, person, REST_MS, type Stage, startStage } from './stage.ts';

/** A request that goes on editing renews its row after so long (Rollcall_Capture::RENEW_MS). */
const RENEWED_MS = 10_000;
const CHEAP = `<?php add_filter( 'wp_hash_password_options', static function () { return array( 'cost' => 5 ); } );`;

const missing = nativeMissing();
if (missing !== null) console.warn(`Held requests need native sites: ${missing}`);

describe.skipIf(missing !== null)('a request that lasts', () => {
  let stage: Stage;
  let shop: Site;
  let blog: Site;
  let admin: RestCall;

  beforeAll(async () => {
    stage = await startStage({
      // Both make hashes of the newer kind, so that only the cost differs.
      sites: [
        { name: 'shop', muPlugins: { ...FAULTS, 'cheap.php': CHEAP } },
        { name: 'blog', version: '7.1' },
      ],
      routes: ['shop=blog'],
      rules: { meta: ['phone'] },
    });
    [shop, blog] = [stage.site('shop'), stage.site('blog')];
    admin = await restAs((await signIn(shop, shop.adminLogin, shop.adminPassword)).visitor);
  });
  afterAll(() => stage?.end());

  const post = (path: string, fault: string, body: object) =>
    admin(path, { method: 'POST', headers: { 'x-fault': fault }, body: JSON.stringify(body) });

  const expectEqual = async (login: string) =>
    expect((await accountsOf(blog))[login]).toEqual((await accountsOf(shop))[login]);

  test.each([['insert_user_meta 1'], ['added_user_meta 3'], ['user_register 1']])(
    'T106: nobody sees a registration before it is whole (read at %s)',
    async (place) => {
      const login = `whole-${place.replaceAll(/\W|_/gu, '-')}`;
      const held = await hold(shop);
      const registering = post('/wp/v2/users', `hold ${place}`, {
        username: login,
        email: `${login}@people.test`,
        password: 'their password',
        first_name: 'Anna',
        roles: ['author'],
      });
      await held.reached();
      // Somebody else's comes and goes meanwhile.
      await createAccount(shop, `beside-${login}`);
      await waitUntil(async () => (await person(blog, `beside-${login}`)) !== null, REST_MS);
      expect(await person(blog, login)).toBeNull();
      await held.go();
      expect((await registering).status).toBe(201);
      await stage.hub.rest();
      expect(await person(blog, login)).toMatchObject({ firstName: 'Anna', roles: ['author'] });
      await expectEqual(login);
    },
  );

  test('T107: what is edited after the half state was read arrives, too', async () => {
    const id = await createAccount(shop, 'slow', { firstName: 'Old' });
    await stage.hub.rest();
    const held = await hold(shop);
    const saving = post(`/wp/v2/users/${id}`, 'hold profile_update 1', {
      first_name: 'Half',
      roles: ['author'],
    });
    await held.reached();
    await letTimePass(shop);
    await waitUntil(async () => (await person(blog, 'slow'))?.firstName === 'Half', REST_MS);
    // WordPress has taken the old role by then, and not given the new one.
    expect(await person(blog, 'slow')).toMatchObject({ roles: [] });
    await held.go();
    expect((await saving).status).toBe(200);
    await stage.hub.rest();
    expect(await person(blog, 'slow')).toMatchObject({ firstName: 'Half', roles: ['author'] });
    await expectEqual('slow');
  });

  test('T108: it arrives even if the request is killed after that', async () => {
    const id = await createAccount(shop, 'slower', { firstName: 'Old' });
    await stage.hub.rest();
    const held = await hold(shop);
    const started = Date.now();
    const saving = post(
      `/wp/v2/users/${id}`,
      'hold profile_update 1, kill rest_after_insert_user 1',
      { first_name: 'Half', roles: ['author'] },
    );
    await held.reached();
    await letTimePass(shop);
    await waitUntil(async () => (await person(blog, 'slower'))?.firstName === 'Half', REST_MS);
    await stage.hub.settled(['shop']);
    await waitUntil(async () => Date.now() - started > RENEWED_MS + 1_000, REST_MS);
    await held.go();
    expect((await saving).status).toBe(502);
    expect(await letTimePass(shop)).toBe(1);
    await stage.hub.rest();
    expect(await person(blog, 'slower')).toMatchObject({ firstName: 'Half', roles: ['author'] });
    await expectEqual('slower');
  });

  test('T109: a registration settled half way does not win over an edit that came since', async () => {
    const held = await hold(shop);
    const registering = post('/wp/v2/users', 'hold user_register 1', {
      username: 'early',
      email: 'early@people.test',
      password: 'their password',
      first_name: 'Anna',
      roles: ['subscriber'],
    });
    await held.reached();
    await letTimePass(shop);
    await waitUntil(async () => (await person(blog, 'early')) !== null, REST_MS);
    await blog.php(`update_user_meta( get_user_by( 'login', 'early' )->ID, 'first_name', 'Bea' );`);
    await waitUntil(async () => (await person(shop, 'early'))?.firstName === 'Bea', REST_MS);
    await held.go();
    expect((await registering).status).toBe(201);
    await stage.hub.rest();
    expect(await person(shop, 'early')).toMatchObject({ firstName: 'Bea' });
    await expectEqual('early');
  });

  test('T110: what arrives while somebody saves the account waits, and both survive', async () => {
    const id = await createAccount(shop, 'both', { firstName: 'Old' });
    await stage.hub.rest();
    const held = await hold(shop);
    const saving = post(`/wp/v2/users/${id}`, 'hold profile_update 1', { first_name: 'Here' });
    await held.reached();
    await blog.php(
      `wp_update_user( array( 'ID' => get_user_by( 'login', 'both' )->ID, 'display_name' => 'There', 'last_name' => 'There' ) );`,
    );
    await waitUntil(async () => {
      const { sites } = await stage.hub.status();
      return sites.some(({ name, outbox }) => name === 'blog' && outbox === 0);
    }, REST_MS);
    expect(await person(shop, 'both')).toMatchObject({ lastName: '' });
    await held.go();
    expect((await saving).status).toBe(200);
    await stage.hub.rest();
    expect(await person(shop, 'both')).toMatchObject({
      firstName: 'Here',
      lastName: 'There',
      displayName: 'There',
    });
    await expectEqual('both');
  });

  describe('a sign-in that hashes the password again', () => {
    /** With a hash that the shop renews at the next sign-in. */
    async function somebody(login: string): Promise<void> {
      await createAccount(blog, login, { password: 'old password' });
      await stage.hub.rest();
      expect((await person(shop, login))?.hash).toMatch(/^\$wp\$2y\$10\$/u);
    }
    const setThere = (login: string) =>
      blog.php(`wp_set_password( 'new password', get_user_by( 'login', '${login}' )->ID );`);
    const signInHere = (login: string, fault: string) =>
      shop.request('/wp-login.php', {
        method: 'POST',
        headers: { 'x-fault': fault, cookie: 'wordpress_test_cookie=WP%20Cookie%20check' },
        body: new URLSearchParams({ log: login, pwd: 'old password', testcookie: '1' }),
      });
    async function expectNew(login: string): Promise<void> {
      await stage.hub.rest();
      const there = await person(blog, login);
      expect((await person(shop, login))?.hash).toBe(there?.hash);
      expect(await signIn(blog, login, 'new password')).toMatchObject({ ok: true });
      expect(await signIn(blog, login, 'old password')).toMatchObject({ ok: false });
      expect(await signIn(shop, login, 'old password')).toMatchObject({ ok: false });
      expect(await signIn(shop, login, 'new password')).toMatchObject({ ok: true });
    }
    /** What the log says of passwords. */
    const passwordRows = async (login: string) =>
      (await stage.hub.log(`&account=${login}`)).filter(({ fields }) =>
        fields.includes('password'),
      );

    test('T111: is no change on any site, however often', async () => {
      await somebody('twice');
      const before = await passwordRows('twice');
      const there = (await person(blog, 'twice'))?.hash;
      for (const site of [shop, blog, shop]) {
        expect(await signIn(site, 'twice', 'old password')).toMatchObject({ ok: true });
      }
      await stage.hub.rest();
      expect((await person(shop, 'twice'))?.hash).toMatch(/^\$wp\$2y\$05\$/u);
      expect((await person(blog, 'twice'))?.hash).toBe(there);
      expect(await passwordRows('twice')).toEqual(before);
    });

    test('T112: leaves alone a new password that arrived since it was checked', async () => {
      await somebody('overtaken');
      const held = await hold(shop);
      const signingIn = signInHere('overtaken', 'hold password_needs_rehash 1');
      await held.reached();
      const before = (await person(shop, 'overtaken'))?.hash;
      await setThere('overtaken');
      await waitUntil(async () => (await person(shop, 'overtaken'))?.hash !== before, REST_MS);
      await held.go();
      expect((await signingIn).status).toBe(302);
      await expectNew('overtaken');
    });

    test('T113: a new password waits until it is over', async () => {
      await somebody('awaited');
      const rows = (await passwordRows('awaited')).length;
      const held = await hold(shop);
      const signingIn = signInHere('awaited', 'hold wp_set_password 1');
      await held.reached();
      await setThere('awaited');
      await stage.hub.settled(['blog']);
      await held.go();
      expect((await signingIn).status).toBe(302);
      await expectNew('awaited');
      const more = (await passwordRows('awaited')).slice(0, -rows);
      expect(more.map(({ status }) => status)).toEqual(['delivered']);
    });
  });
});
