/**
 * A visitor's request is killed in the middle of a change: what WordPress had written by then
 * arrives whole, and what it had not written is not made up.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RestCall, restAs, signIn } from '#lab/sign-in.ts';
import type { Site } from '#lab/start-site.ts';
import { accountsOf, FAULTS, letTimePass } from './source-faults.ts';
import { createAccount, person, type Stage, startStage } from './stage.ts';

let stage: Stage;
let shop: Site;
let blog: Site;
let admin: RestCall;

beforeAll(async () => {
  stage = await startStage({
    sites: [{ name: 'shop', muPlugins: FAULTS }, 'blog'],
    routes: ['shop=blog'],
    rules: { meta: ['phone', 'tags'] },
  });
  [shop, blog] = [stage.site('shop'), stage.site('blog')];
  admin = await restAs((await signIn(shop, shop.adminLogin, shop.adminPassword)).visitor);
});
afterAll(() => stage?.end());

/** A request of the administrator's that ends at this place. */
async function killedAt(place: string, path: string, body: object): Promise<void> {
  const headers = { 'x-fault': `kill ${place}` };
  const init = { method: 'POST', body: JSON.stringify(body), headers };
  const answer = await admin(path, init).catch(() => null);
  const text = answer === null ? '' : await answer.text();
  // nginx answers 502 for a PHP that died; where PHP itself serves, the answer breaks off.
  if (text.startsWith('{')) throw new Error(`the request got past ${place}: ${text}`);
}

const deletionOf = (id: number) => `/wp/v2/users/${id}?_method=DELETE&force=true&reassign=1`;

/** What was left open has become old, and everything has arrived. */
async function later(): Promise<void> {
  await letTimePass(shop);
  await stage.hub.rest();
}

test.each([
  ['after its row was written', 'insert_user_meta 1', 'after-row'],
  ['after a meta', 'added_user_meta 4', 'after-meta'],
  ['when it has its role', 'set_user_role 1', 'after-role'],
  ['in user_register', 'user_register 1', 'at-register'],
])('T101: a registration killed %s arrives as the site has it', async (_when, place, login) => {
  await killedAt(place, '/wp/v2/users', {
    username: login,
    email: `${login}@people.test`,
    password: 'their password',
    first_name: 'Anna',
    roles: ['author'],
  });
  expect(await person(shop, login)).toMatchObject({ email: `${login}@people.test` });
  await later();
  const [here, there] = [(await accountsOf(shop))[login], (await accountsOf(blog))[login]];
  // What WordPress had not come to is what the target gives any new account.
  expect(there).toEqual({
    ...here,
    nickname: here?.['nickname'] || login,
    roles: here?.roles.length ? here.roles : ['subscriber'],
  });
});

test.each([
  ['after its row was written', 'insert_user_meta 1'],
  ['after a meta', 'updated_user_meta 1'],
  ['in profile_update', 'profile_update 1'],
])('T102: a save killed %s arrives as the site has it', async (_when, place) => {
  const login = `save-${place.replace(/\W/gu, '-').replaceAll('_', '-')}`;
  const id = await createAccount(shop, login, { firstName: 'Old' });
  await stage.hub.rest();
  await killedAt(place, `/wp/v2/users/${id}`, {
    first_name: 'New',
    name: 'New Name',
    email: `new-${login}@people.test`,
    url: 'https://new.test',
    password: 'a new password',
  });
  const here = await accountsOf(shop);
  expect(here[login]).toMatchObject({ display_name: 'New Name', user_url: 'https://new.test' });
  await later();
  expect((await accountsOf(blog))[login]).toEqual(here[login]);
  expect(await accountsOf(shop)).toEqual(here);
});

test('T103: a delete killed before anything was deleted leaves the account everywhere', async () => {
  const id = await createAccount(shop, 'stays', { firstName: 'Stays', role: 'author' });
  await stage.hub.rest();
  const before = await Promise.all([shop, blog].map(accountsOf));
  await killedAt('delete_user 1 late', deletionOf(id), {});
  await later();
  expect(await Promise.all([shop, blog].map(accountsOf))).toEqual(before);
});

test('T104: a delete killed half way takes nothing from the account elsewhere, and says so', async () => {
  const id = await createAccount(shop, 'half', { firstName: 'Half', role: 'author' });
  await stage.hub.rest();
  const before = await person(blog, 'half');
  await killedAt('deleted_user_meta 15', deletionOf(id), {});
  expect(await person(shop, 'half')).toMatchObject({ firstName: '', roles: [] });
  await later();
  expect(await person(blog, 'half')).toEqual(before);
  expect(await stage.hub.log('&account=half')).toEqual(
    expect.arrayContaining([expect.objectContaining({ reason: 'source.delete_unfinished' })]),
  );
  // Who comes back to it and deletes it deletes it everywhere.
  await admin(deletionOf(id), { method: 'POST' });
  await stage.hub.rest();
  expect([await person(shop, 'half'), await person(blog, 'half')]).toEqual([null, null]);
});

test('T105: a delete killed after the account was gone is a delete', async () => {
  const id = await createAccount(shop, 'gone', { role: 'author' });
  await stage.hub.rest();
  await killedAt('deleted_user 1', deletionOf(id), {});
  expect(await person(shop, 'gone')).toBeNull();
  const { gone, ...others } = await accountsOf(blog);
  expect(gone).toBeDefined();
  await later();
  expect(await accountsOf(blog)).toEqual(others);
});
