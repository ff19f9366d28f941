/** Every way in which an account changes on one site arrives on the other, through WordPress's own doors. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  confirmEmail,
  editProfile,
  passwordLink,
  register,
  resetPassword,
  restAs,
  signIn,
  usePasswordLink,
} from '#lab/sign-in.ts';
import type { Site } from '#lab/start-site.ts';
import { createAccount, person, type Stage, startStage } from './stage.ts';

let stage: Stage;
let shop: Site;
let blog: Site;

beforeAll(async () => {
  stage = await startStage({
    sites: ['shop', 'blog'],
    routes: ['shop=blog'],
    rules: { meta: ['phone', 'tags', 'pref_colours', 'pref_list'] },
  });
  [shop, blog] = [stage.site('shop'), stage.site('blog')];
});
afterAll(() => stage?.end());

const metaOf = async (site: Site, login: string, key: string): Promise<unknown> =>
  JSON.parse(
    await site.php(
      `echo wp_json_encode( get_user_meta( get_user_by( 'login', '${login}' )->ID, '${key}' ) );`,
    ),
  );

describe('an account comes about', () => {
  test('by the registration form, with the password chosen by the mailed link', async () => {
    expect(await register(shop, 'rosa', 'rosa@people.test')).toMatchObject({ ok: true });
    const mail = (await shop.mails()).find((entry) => entry.to.includes('rosa@'));
    if (mail === undefined) throw new Error('no mail');
    expect(await usePasswordLink(shop, passwordLink(mail), 'Rosa chose this 1')).toMatchObject({
      ok: true,
    });
    await stage.hub.rest();
    expect(await person(blog, 'rosa')).toMatchObject({
      email: 'rosa@people.test',
      roles: ['subscriber'],
    });
    expect(await signIn(blog, 'rosa', 'Rosa chose this 1')).toMatchObject({ ok: true });
  });

  test('by wp_insert_user of another plugin, with values in many scripts', async () => {
    await shop.php(`wp_insert_user( array( 'user_login' => 'emoji', 'user_pass' => 'pw of emoji', 'user_email' => 'emoji@people.test',
      'first_name' => 'Zoë 🙂', 'last_name' => 'نام', 'description' => "Line one\\nO'Neil \\\\ 山田 <b>bold</b>", 'user_url' => 'https://example.org/a?b=c' ) );`);
    await stage.hub.rest();
    const here = await person(shop, 'emoji');
    const there = await person(blog, 'emoji');
    expect(there).toEqual({ ...here, id: there?.id });
    expect(here?.firstName).toBe('Zoë 🙂');
  });
});

describe('a profile changes', () => {
  beforeAll(async () => {
    await createAccount(shop, 'paul', { password: 'paul first' });
    await stage.hub.rest();
  });

  test('on its own page, and goes back from where it was copied to', async () => {
    const { visitor } = await signIn(blog, 'paul', 'paul first');
    const fields = { first_name: 'Paul', last_name: 'Auster', description: 'Writes.' };
    expect(await editProfile(visitor, fields)).toMatchObject({ ok: true });
    await stage.hub.rest();
    expect(await person(shop, 'paul')).toMatchObject({
      firstName: 'Paul',
      lastName: 'Auster',
      description: 'Writes.',
    });
  });

  test('the e-mail address, once the person has confirmed it', async () => {
    const { visitor } = await signIn(shop, 'paul', 'paul first');
    await editProfile(visitor, { email: 'paul.new@people.test' });
    const mail = (await shop.mails()).findLast((entry) => entry.to.includes('paul.new@'));
    if (mail === undefined) throw new Error('no mail');
    await confirmEmail(visitor, mail);
    await stage.hub.rest();
    expect(await person(blog, 'paul')).toMatchObject({ email: 'paul.new@people.test' });
  });

  test('by REST', async () => {
    const rest = await restAs((await signIn(blog, 'paul', 'paul first')).visitor);
    const body = JSON.stringify({ nickname: 'pauly', url: 'https://paul.test' });
    expect((await rest('/wp/v2/users/me', { method: 'POST', body })).status).toBe(200);
    await stage.hub.rest();
    expect(await person(shop, 'paul')).toMatchObject({ url: 'https://paul.test' });
    expect(await metaOf(shop, 'paul', 'nickname')).toEqual(['pauly']);
  });

  test('meta on the list, written by another plugin: scalars, arrays, several rows, a removal', async () => {
    await shop.php(`$id = get_user_by( 'login', 'paul' )->ID;
      update_user_meta( $id, 'phone', "+49 170 'x'" );
      update_user_meta( $id, 'pref_colours', array( 'z' => array( 'ключ 🙂' => array() ), 'a' => 1 ) );
      update_user_meta( $id, 'pref_list', array( 'red', array( 'deep', 3 ), true ) );
      add_user_meta( $id, 'tags', 'one' ); add_user_meta( $id, 'tags', 'two' );
      update_user_meta( $id, 'unlisted', 'stays here' );`);
    await stage.hub.rest();
    expect(await metaOf(blog, 'paul', 'phone')).toEqual(["+49 170 'x'"]);
    expect(await metaOf(blog, 'paul', 'tags')).toEqual(['one', 'two']);
    expect(await metaOf(blog, 'paul', 'pref_list')).toEqual([['red', ['deep', 3], true]]);
    expect(JSON.stringify(await metaOf(blog, 'paul', 'pref_colours'))).toBe(
      '[{"z":{"ключ 🙂":[]},"a":1}]',
    );
    expect(await metaOf(blog, 'paul', 'unlisted')).toEqual([]);
    await blog.php(`$id = get_user_by( 'login', 'paul' )->ID;
      delete_user_meta( $id, 'phone' ); delete_user_meta( $id, 'tags', 'one' );
      update_user_meta( $id, 'pref_colours', array( 'b' => 'now', 'a' => array( 'z' => 1 ) ) );`);
    await stage.hub.rest();
    expect(JSON.stringify(await metaOf(shop, 'paul', 'pref_colours'))).toBe(
      '[{"b":"now","a":{"z":1}}]',
    );
    expect(await metaOf(shop, 'paul', 'phone')).toEqual([]);
    expect(await metaOf(shop, 'paul', 'tags')).toEqual(['two']);
  });
});

describe('roles change', () => {
  test('set, added and removed; privileged ones do not travel', async () => {
    const id = await createAccount(shop, 'rolf');
    await stage.hub.rest();
    await shop.wp('user', 'set-role', String(id), 'contributor');
    await stage.hub.rest();
    expect((await person(blog, 'rolf'))?.roles).toEqual(['contributor']);
    await shop.wp('user', 'add-role', String(id), 'author');
    await stage.hub.rest();
    expect((await person(blog, 'rolf'))?.roles.toSorted()).toEqual(['author', 'contributor']);
    await blog.wp('user', 'remove-role', 'rolf', 'contributor');
    await stage.hub.rest();
    expect((await person(shop, 'rolf'))?.roles).toEqual(['author']);
    await shop.wp('user', 'add-role', String(id), 'editor');
    await stage.hub.rest();
    expect((await person(blog, 'rolf'))?.roles).toEqual(['author']);
  });
});

describe('a password changes and signs in on the other site', () => {
  const login = 'petra';
  beforeAll(async () => {
    await createAccount(shop, login, { password: 'petra first' });
    await stage.hub.rest();
    expect(await signIn(blog, login, 'petra first')).toMatchObject({ ok: true });
    await stage.hub.rest();
  });

  const expectPassword = async (password: string, old: string): Promise<void> => {
    await stage.hub.rest();
    expect(await signIn(blog, login, password)).toMatchObject({ ok: true });
    expect(await signIn(shop, login, password)).toMatchObject({ ok: true });
    expect(await signIn(blog, login, old)).toMatchObject({ ok: false });
  };

  test('on the profile page', async () => {
    const { visitor } = await signIn(shop, login, 'petra first');
    expect(
      await editProfile(visitor, { pass1: 'by profile 2', pass2: 'by profile 2' }),
    ).toMatchObject({ ok: true });
    await expectPassword('by profile 2', 'petra first');
  });

  test('by the reset link', async () => {
    expect(await resetPassword(shop, login, 'by reset 3')).toMatchObject({ ok: true });
    await expectPassword('by reset 3', 'by profile 2');
  });

  test('by REST', async () => {
    const rest = await restAs((await signIn(shop, login, 'by reset 3')).visitor);
    const body = JSON.stringify({ password: 'by rest 4' });
    expect((await rest('/wp/v2/users/me', { method: 'POST', body })).status).toBe(200);
    await expectPassword('by rest 4', 'by reset 3');
  });

  test('by WP-CLI', async () => {
    await shop.wp('user', 'update', login, '--user_pass=by cli 5', '--skip-email');
    await expectPassword('by cli 5', 'by rest 4');
  });

  test('by wp_set_password of another plugin', async () => {
    await shop.php(`wp_set_password( 'by function 6', get_user_by( 'login', '${login}' )->ID );`);
    await expectPassword('by function 6', 'by cli 5');
  });
});

describe('an account ends', () => {
  test('on one site, and then on the other; the administrators stay', async () => {
    await createAccount(shop, 'gone-soon');
    await stage.hub.rest();
    expect(await person(blog, 'gone-soon')).not.toBeNull();
    await shop.wp('user', 'delete', 'gone-soon', '--yes');
    await stage.hub.rest();
    expect(await person(blog, 'gone-soon')).toBeNull();
    expect(await person(blog, 'admin')).not.toBeNull();
  });

  test('and who registers again is somebody new', async () => {
    await createAccount(shop, 'gone-soon', { firstName: 'Again' });
    await stage.hub.rest();
    expect(await person(blog, 'gone-soon')).toMatchObject({ firstName: 'Again' });
  });
});
