/** What is held is shown with both sides and resolved, over a real store. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Stand } from './test/stand.ts';

let stand: Stand;
const shop = () => stand.site('shop');
const blog = () => stand.site('blog');
const heldOf = async (login: string, look: 'true' | 'false' = 'false') =>
  (await stand.operations.held({ look })).held.filter((row) => row.login === login);
const idOf = async (login: string) => (await heldOf(login))[0]?.delivery ?? '';
const resolve = async (login: string, as: Parameters<Stand['operations']['resolveHeld']>[1]) =>
  stand.operations.resolveHeld(await idOf(login), as, 'olga');
const firstName = (site: 'shop' | 'blog', login: string) =>
  stand.site(site).value(login, 'first_name');

async function settled(): Promise<void> {
  for (let turns = 0; turns < 20; turns += 1) {
    await stand.work();
    await new Promise((done) => setImmediate(done));
  }
  await stand.rest();
}

beforeAll(async () => {
  stand = await Stand.open(['shop', 'blog']);
  for (const login of ['one', 'two', 'three', 'four']) {
    blog().settle({ login, email: `${login}@blog.test`, role: 'author' });
    const id = blog().byLogin(login)?.id ?? 0;
    blog().edit(id, { first_name: `${login} of the blog`, display_name: `The ${login}` });
  }
  blog().settle({ login: 'boss', email: 'boss@blog.test', role: 'administrator' });
  await stand.connect('shop');
  await stand.connect('blog');
  await stand.operations.addRoute({ source: 'shop', target: 'blog', both: true });
  await stand.rest();
  for (const login of ['one', 'two', 'three', 'four', 'boss']) {
    const id = shop().register({ login, email: `${login}@shop.test`, role: 'subscriber' });
    shop().edit(id, { first_name: `${login} of the shop` });
  }
  await stand.rest();
});
afterAll(() => stand?.close());

test('both sides are shown, names only when the sites are asked', async () => {
  const [row] = await heldOf('one');
  expect(row).toMatchObject({
    source: 'shop',
    target: 'blog',
    reason: 'identity.login_taken',
    here: { site: 'shop', login: 'one', email: 'one@shop.test', name: null, roles: ['subscriber'] },
    there: null,
    inTheWay: { site: 'blog', login: 'one', email: 'one@blog.test', roles: ['author'] },
    choices: ['release', 'reject', 'separate', 'link', 'overwrite'],
  });
  expect((await stand.operations.showHeld(row?.delivery ?? '')).inTheWay?.name).toBe('The one');
  expect((await heldOf('one', 'true'))[0]?.inTheWay?.name).toBe('The one');
  blog().down = true;
  const away = await stand.operations.showHeld(row?.delivery ?? '');
  blog().down = false;
  expect(away.inTheWay).toMatchObject({ name: null, email: 'one@blog.test' });
});

test('as one person: the later edit wins on both, and nothing is held any more', async () => {
  await resolve('one', 'link');
  await settled();
  expect(await heldOf('one')).toEqual([]);
  expect([firstName('shop', 'one'), firstName('blog', 'one')]).toEqual([
    'one of the shop',
    'one of the shop',
  ]);
  expect(blog().byLogin('one')?.uid).toBe(shop().byLogin('one')?.uid);
});

test('overwritten: the source’s values win, also over later ones', async () => {
  blog().edit(blog().byLogin('two')?.id ?? 0, { first_name: 'edited last' });
  await stand.rest();
  await resolve('two', 'overwrite');
  await settled();
  expect([firstName('shop', 'two'), firstName('blog', 'two')]).toEqual([
    'two of the shop',
    'two of the shop',
  ]);
});

test('kept apart: two persons, whatever either edits; nobody is held for it again', async () => {
  await resolve('three', 'separate');
  shop().edit(shop().byLogin('three')?.id ?? 0, { first_name: 'changed' });
  blog().edit(blog().byLogin('three')?.id ?? 0, { first_name: 'changed, too' });
  await settled();
  expect(await heldOf('three')).toEqual([]);
  expect([firstName('shop', 'three'), firstName('blog', 'three')]).toEqual([
    'changed',
    'changed, too',
  ]);
  const why = async () => (await stand.operations.explain('shop', 'three')).targets[0]?.why;
  expect(await why()).toMatchObject([{ verdict: 'skipped', reason: 'identity.kept_apart' }]);
  const { rows } = await stand.operations.log({
    account: 'three',
    status: ['cancelled'],
    limit: 9,
  });
  expect(rows).toMatchObject([{ actor: 'operator olga', reason: 'identity.kept_apart' }]);
  // Once nobody is in the way any more the account comes about.
  blog().remove(blog().byLogin('three')?.id ?? 0);
  await stand.rest();
  shop().edit(shop().byLogin('three')?.id ?? 0, { first_name: 'alone' });
  await stand.rest();
  await stand.operations.changeSite('blog', { createMissing: true });
  shop().edit(shop().byLogin('three')?.id ?? 0, { first_name: 'alone now' });
  await stand.rest();
  expect(firstName('blog', 'three')).toBe('alone now');
});

test('who may administer a site is linked with nobody', async () => {
  const [row] = await heldOf('boss');
  expect(row?.choices).toEqual(['release', 'reject', 'separate']);
  await expect(resolve('boss', 'link')).rejects.toMatchObject({ code: 'held.not_resolvable' });
  await expect(resolve('boss', 'overwrite')).rejects.toMatchObject({ code: 'held.not_resolvable' });
  expect((await heldOf('boss')).length).toBe(1);
});

test('rejected: it does not happen; what is resolved is held no longer', async () => {
  const id = await idOf('four');
  await resolve('four', 'reject');
  await settled();
  await expect(stand.operations.showHeld(id)).rejects.toMatchObject({ code: 'held.unknown' });
  await expect(stand.operations.resolveHeld(id, 'link', 'olga')).rejects.toMatchObject({
    code: 'held.unknown',
  });
  expect(firstName('blog', 'four')).toBe('four of the blog');
  const { rows } = await stand.operations.log({ account: 'four', status: ['cancelled'], limit: 9 });
  expect(rows).toMatchObject([
    { source: 'shop', target: 'blog', path: ['shop', 'blog'], actor: 'operator olga' },
  ]);
});

test('a delete wins over the edit that holds it, when a person says so', async () => {
  shop().register({ login: 'gone', email: 'gone@shop.test' });
  await stand.rest();
  shop().remove(shop().byLogin('gone')?.id ?? 0);
  // The edit is later than the delete.
  for (const at = Date.now(); Date.now() === at; ) await new Promise((done) => setImmediate(done));
  blog().edit(blog().byLogin('gone')?.id ?? 0, { first_name: 'still here' });
  await stand.rest();
  const [row] = await heldOf('gone');
  expect(row).toMatchObject({
    reason: 'delete.newer_edit',
    choices: ['release', 'reject', 'overwrite'],
  });
  expect(row?.there?.login).toBe('gone');
  await resolve('gone', 'overwrite');
  await settled();
  expect(blog().byLogin('gone')).toBeUndefined();
});
