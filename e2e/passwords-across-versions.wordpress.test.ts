/**
 * One password on WordPress 6.1, 6.8 and 7.1, at different bcrypt costs, whichever of them it is set on and
 * by whatever way; and what becomes of one that the others can't verify.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RouteView } from '#hub/api/schemas/route.ts';
import {
  editProfile,
  passwordLink,
  resetPassword,
  restAs,
  signIn,
  usePasswordLink,
} from '#lab/sign-in.ts';
import { nativeMissing, type Site } from '#lab/start-site.ts';
import { person, type Stage, startStage } from './stage.ts';

/** Older WordPress runs natively alone. */
const missing = nativeMissing();
if (missing !== null) console.warn(`Older WordPress is skipped; to run it: ${missing}`);

/** Sites that hash at different costs re-hash each other's at every sign-in. */
const costs = (cost: number): string => `<?php
add_filter( 'wp_hash_password_options', function ( $options ) { return array( 'cost' => ${cost} ) + $options; } );
add_filter( 'wp_hash_password_algorithm', function ( $algorithm ) {
  return get_option( 'test_argon' ) ? PASSWORD_ARGON2ID : $algorithm; } );
add_filter( 'wp_hash_password_options', function ( $options ) {
  return get_option( 'test_argon' ) ? array( 'memory_cost' => 1024, 'time_cost' => 1, 'threads' => 1 ) : $options; }, 20 );`;

/** Who sets a password by which way. */
const WAYS = ['profile', 'reset', 'function', 'rest'] as const;
type Way = (typeof WAYS)[number];

describe.skipIf(missing !== null)('WordPress 6.1, 6.8 and 7.1', () => {
  let stage: Stage;
  let sites: readonly Site[];
  const passwords = new Map<Way, string>(WAYS.map((way) => [way, `First of ${way} 1!`]));

  beforeAll(async () => {
    stage = await startStage({
      sites: [
        { name: 'old', version: '6.1' },
        { name: 'middle', version: '6.8', muPlugins: { 'costs.php': costs(6) } },
        { name: 'new', version: '7.1', muPlugins: { 'costs.php': costs(9) } },
      ],
      routes: ['old=middle', 'middle=new', 'new=old'],
    });
    sites = stage.sites;
    const users = WAYS.map(
      (way) =>
        `wp_insert_user( array( 'user_login' => '${way}', 'user_email' => '${way}@people.test', 'user_pass' => '${passwords.get(way)}', 'role' => 'subscriber' ) );`,
    );
    await stage.site('middle').php(users.join('\n'));
    await stage.hub.rest();
  });
  afterAll(() => stage?.end());

  const doors = async (way: Way, password: string): Promise<boolean[]> =>
    Promise.all(sites.map(async (site) => (await signIn(site, way, password)).ok));
  const hashes = async (): Promise<unknown> =>
    Promise.all(
      sites.map(async (site) =>
        Promise.all(WAYS.map(async (way) => (await person(site, way))?.hash)),
      ),
    );
  const mailsOn = async (name: string): Promise<number> =>
    (await stage.site(name).mails()).filter(({ to }) => to.includes('argon@people.test')).length;
  const lastRow = async (): Promise<number> =>
    Math.max(0, ...(await stage.hub.log()).map(({ id }) => id));

  async function set(site: Site, way: Way, password: string): Promise<void> {
    if (way === 'function') {
      await site.php(`wp_set_password( '${password}', get_user_by( 'login', '${way}' )->ID );`);
    } else if (way === 'reset') {
      expect(await resetPassword(site, way, password)).toMatchObject({ ok: true });
    } else {
      const { visitor } = await signIn(site, way, passwords.get(way) ?? '');
      if (way === 'profile') {
        const fields = { pass1: password, pass2: password };
        expect(await editProfile(visitor, fields)).toMatchObject({ ok: true });
      } else {
        const call = await restAs(visitor);
        const body = JSON.stringify({ password });
        const { status } = await call('/wp/v2/users/me', { method: 'POST', body });
        expect(status).toBe(200);
      }
    }
    passwords.set(way, password);
  }

  test.each(['old', 'middle', 'new'])(
    'a password that is set on the %s one by any way signs in on all, and nobody sends it on again',
    async (name) => {
      const before = new Map(passwords);
      await Promise.all(WAYS.map((way) => set(stage.site(name), way, `Set ${way} on ${name} 2!`)));
      await stage.hub.rest();
      const settled = await lastRow();
      for (const way of WAYS) {
        expect(await doors(way, passwords.get(way) ?? '')).toEqual([true, true, true]);
        expect((await signIn(stage.site('new'), way, before.get(way) ?? '')).ok).toBe(false);
      }
      // Each site has hashed again what it got at another cost; that is nobody's change.
      await stage.hub.rest();
      const held = await hashes();
      for (const way of WAYS) await doors(way, passwords.get(way) ?? '');
      await stage.hub.rest();
      expect(await hashes()).toEqual(held);
      expect((await stage.hub.log()).filter(({ id }) => id > settled)).toEqual([]);
    },
  );

  test('one that the others can’t verify is not written there, the log says so, and the rest arrives', async () => {
    const source = stage.site('new');
    const held = await Promise.all(
      ['old', 'middle'].map((name) => person(stage.site(name), 'rest')),
    );
    await source.php(`update_option( 'test_argon', '1' );`);
    await source.php(`$id = get_user_by( 'login', 'rest' )->ID;
      wp_update_user( array( 'ID' => $id, 'user_pass' => 'Only here 3!', 'first_name' => 'Rest' ) );
      wp_insert_user( array( 'user_login' => 'argon', 'user_email' => 'argon@people.test', 'user_pass' => 'Only here 4!', 'role' => 'subscriber' ) );
      delete_option( 'test_argon' );`);
    expect((await person(source, 'rest'))?.hash).toMatch(/^\$argon2id\$/u);
    await stage.hub.rest();
    for (const [i, name] of ['old', 'middle'].entries()) {
      const there = await person(stage.site(name), 'rest');
      expect(there).toMatchObject({ firstName: 'Rest', hash: held[i]?.hash });
      expect((await signIn(stage.site(name), 'rest', passwords.get('rest') ?? '')).ok).toBe(true);
      expect(await person(stage.site(name), 'argon')).toMatchObject({ roles: ['subscriber'] });
      expect((await signIn(stage.site(name), 'argon', 'Only here 4!')).ok).toBe(false);
    }
    const refused = (await stage.hub.log()).filter(({ status }) => status === 'refused');
    expect(
      refused
        .map(({ login, target, fields, reason }) => `${login} ${target} ${fields.join()} ${reason}`)
        .toSorted(),
    ).toEqual([
      'argon middle password password.unverifiable',
      'argon old password password.unverifiable',
      'rest middle password password.unverifiable',
      'rest old password password.unverifiable',
    ]);
  });

  test('T198: who has such a password is mailed a link to set one where the route says so, and no second one', async () => {
    const [source, target] = [stage.site('new'), stage.site('old')];
    const { routes } = await stage.hub.call<{ routes: RouteView[] }>('GET', '/routes');
    const route = routes.find((one) => one.source === 'new' && one.target === 'old');
    await stage.hub.call('PATCH', `/routes/${route?.id}`, { rules: { passwordMail: true } });
    const mailed = async () =>
      (await target.mails()).filter(({ to }) => to.includes('argon@people.test'));
    const [before, last] = [await mailed(), await lastRow()];
    const lure = async (number: number): Promise<void> => {
      await source.php(`update_option( 'test_argon', '1' );`);
      await source.php(`wp_set_password( 'Only here ${number}!', get_user_by( 'login', 'argon' )->ID );
        delete_option( 'test_argon' );`);
      await stage.hub.rest();
    };
    for (const number of [5, 6, 7]) await lure(number);
    const after = await mailed();
    expect(after).toHaveLength(before.length + 1);
    const told = (await stage.hub.log()).filter(({ id, target: to }) => id > last && to === 'old');
    expect(told.map(({ status, reason }) => `${status} ${reason}`).toReversed()).toEqual([
      'refused password.mailed',
      'refused password.mail_limit',
      'refused password.mail_limit',
    ]);
    expect(await mailsOn('middle')).toBe(0);

    const [mail] = after.slice(-1);
    if (mail === undefined) throw new Error('no mail');
    expect(await usePasswordLink(target, passwordLink(mail), 'Set by link 8!')).toMatchObject({
      ok: true,
    });
    await stage.hub.rest();
    const doorsOfArgon = sites.map(
      async (site) => (await signIn(site, 'argon', 'Set by link 8!')).ok,
    );
    expect(await Promise.all(doorsOfArgon)).toEqual([true, true, true]);
  });
});
