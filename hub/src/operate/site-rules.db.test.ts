/** What a site lets leave by itself, set and obeyed, over a real store. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SyncRequest } from '../api/schemas/sync.ts';
import { Stand } from './test/stand.ts';

let stand: Stand;
const edit = (login: string, name: string): void =>
  stand.site('shop').edit(stand.site('shop').byLogin(login)?.id ?? 0, { first_name: name });
const firstNames = (login: string) =>
  ['blog', 'academy'].map((site) => stand.site(site).value(login, 'first_name'));

beforeAll(async () => {
  stand = await Stand.open(['shop', 'blog', 'academy']);
  for (const name of ['shop', 'blog', 'academy']) await stand.connect(name);
  for (const target of ['blog', 'academy']) {
    await stand.operations.addRoute({ source: 'shop', target, both: false });
  }
  stand.site('shop').register({ login: 'anna', email: 'anna@x.test' });
  await stand.rest();
});
afterAll(() => stand?.close());

test('what is set is shown, and what is not named stays', async () => {
  await stand.operations.changeSite('shop', { syncRoles: ['author', 'author'] });
  const site = await stand.operations.changeSite('shop', { onRoleLost: 'delete' });
  const set = { automatic: true, syncRoles: ['author'], onRoleLost: 'delete' };
  expect(site).toMatchObject(set);
  await stand.connect('shop');
  expect((await stand.operations.sites()).find(({ name }) => name === 'shop')).toMatchObject(set);
  await stand.operations.changeSite('shop', { syncRoles: [], onRoleLost: 'stop' });
});

test.each([['role.unknown', ['wizard']]])(
  '%s: such a role is not ticked',
  async (code, syncRoles) => {
    await expect(stand.operations.changeSite('shop', { syncRoles })).rejects.toMatchObject({
      code,
    });
    expect((await stand.operations.sites())[0]?.syncRoles).toEqual([]);
  },
);

test.each([
  ['role.unknown', { subscriber: ['wizard'] }],
  ['role.given_twice', { author: ['author'], subscriber: ['author'] }],
])('%s: such a role map is refused', async (code, roleMap) => {
  await expect(stand.operations.changeSite('blog', { roleMap })).rejects.toMatchObject({ code });
  expect((await stand.operations.sites())[1]?.roleMap).toEqual({});
});

test('a route that would carry two roles for one is refused, too', async () => {
  const route = async () => (await stand.operations.routes()).find((one) => one.target === 'blog');
  const { id = 0, rules } = (await route()) ?? {};
  await stand.operations.changeRoute(id, { rules: { roles: ['author'] } });
  const roleMap = { author: ['author'], subscriber: ['author'] };
  await stand.operations.changeSite('blog', { roleMap });
  const both = { rules: { roles: ['author', 'subscriber'] } };
  await expect(stand.operations.changeRoute(id, both)).rejects.toMatchObject({
    code: 'role.given_twice',
  });
  expect((await route())?.rules.roles).toEqual(['author']);
  await stand.operations.changeSite('blog', { roleMap: {} });
  await stand.operations.changeRoute(id, { rules: { roles: [...(rules?.roles ?? [])] } });
});

test.each([
  ['is off', { automatic: false }],
  ['is for others', { syncRoles: ['author'] }],
])('a manual sync reaches its targets and no others where automatic sync %s', async (_, rules) => {
  await stand.operations.changeSite('shop', rules);
  const name = Object.keys(rules).join();
  edit('anna', name);
  stand.site('shop').register({ login: name.toLowerCase(), email: `${name}@x.test` });
  await stand.rest();
  expect(firstNames('anna')).not.toContain(name);
  const accounts = { by: 'accounts' as const, logins: ['anna', name.toLowerCase()] };
  const request: SyncRequest = { from: 'shop', to: ['blog'], accounts };
  const { id } = await stand.operations.startSync(request, 'olga');
  for (let looks = 0; looks < 200; looks += 1) {
    if (['done', 'failed'].includes((await stand.operations.sync(id)).state)) break;
    await stand.work();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await stand.rest();
  expect(firstNames('anna')).toEqual([name, expect.not.stringContaining(name)]);
  const there = ['blog', 'academy'].map((site) => stand.site(site).byLogin(name.toLowerCase()));
  expect(there).toEqual([expect.objectContaining({}), undefined]);
  await stand.operations.changeSite('shop', { automatic: true, syncRoles: [] });
});
