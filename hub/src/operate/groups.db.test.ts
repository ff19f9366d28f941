/** Groups: which routes they make, what operators may say of them, over a real store and sites in memory. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { GroupView } from '../api/schemas/group.ts';
import { Stand } from './test/stand.ts';

const NAMES = ['shop', 'blog', 'academy', 'archive'];
let stand: Stand;

beforeAll(async () => {
  stand = await Stand.open(NAMES);
  for (const name of NAMES) await stand.connect(name);
});
afterAll(() => stand?.close());
afterEach(async () => {
  for (const { name } of await stand.operations.groups()) await stand.operations.removeGroup(name);
  for (const { id } of await stand.operations.routes()) await stand.operations.removeRoute(id);
});

const members = (...sites: string[]) => sites.map((site) => ({ site, way: 'both' as const }));
const add = (name: string, ...sites: string[]): Promise<GroupView> =>
  stand.operations.addGroup({ name, members: members(...sites) });
const routes = async () =>
  (await stand.operations.routes())
    .map(({ source, target, status, group }) => `${source}>${target} ${status} ${group}`)
    .toSorted();
const ruleOf = async (source: string, target: string) =>
  (await stand.operations.routes()).find((one) => one.source === source && one.target === target);
const edit = (site: string, first_name: string): void =>
  stand.site(site).edit(stand.site(site).byLogin('anna')?.id ?? 0, { first_name });
const firstName = (site: string, login: string) => stand.site(site).value(login, 'first_name');

test('every member gives to every other under one rule set, and a change of it is one of all', async () => {
  const group = await add('Brands', 'shop', 'Blog', 'academy');
  expect(group).toEqual({
    name: 'Brands',
    status: 'active',
    rules: {},
    members: members('shop', 'blog', 'academy'),
    exceptions: [],
    routes: 6,
    sharing: [],
  });
  expect(await stand.operations.group('brands')).toEqual(group);
  const single = await ruleOf('shop', 'blog');
  expect(single?.rules).toMatchObject({ creates: true, roles: ['author', 'subscriber'] });
  await stand.operations.changeGroup('Brands', { rules: { creates: false, meta: ['phone'] } });
  await stand.operations.changeGroup('Brands', { name: 'Marken', status: 'paused' });
  const all = await stand.operations.routes();
  expect(all).toHaveLength(6);
  for (const route of all) {
    expect(route).toMatchObject({
      status: 'paused',
      group: 'Marken',
      rules: { creates: false, meta: ['phone'], updates: true },
    });
  }
  const { checks } = await stand.operations.doctor();
  expect(
    checks.filter(({ code }) => code === 'route.paused').map(({ message }) => message),
  ).toEqual(['Routes of the group “Marken” are paused: 6.']);
  await stand.operations.changeGroup('Marken', { status: 'active' });
  expect((await stand.operations.routes()).every(({ status }) => status === 'active')).toBe(true);
});

test('some members only give, some only take', async () => {
  await stand.operations.addGroup({
    name: 'Brands',
    members: [
      { site: 'shop', way: 'gives' },
      { site: 'blog', way: 'both' },
      { site: 'archive', way: 'takes' },
    ],
  });
  expect(await routes()).toEqual([
    'blog>archive active Brands',
    'shop>archive active Brands',
    'shop>blog active Brands',
  ]);
  await stand.operations.addMembers('Brands', { members: members('shop') });
  expect(await routes()).toContain('blog>shop active Brands');
});

test('an exception stays through changes of the group, until it is taken back', async () => {
  await add('Brands', 'shop', 'blog', 'academy');
  const except = (source: string, target: string, how: object) =>
    stand.operations.exceptRoute('Brands', { source, target, both: false, ...how });
  await except('shop', 'blog', { status: 'none' });
  await except('blog', 'shop', { status: 'paused' });
  await except('academy', 'shop', { rules: { fields: ['first_name'] } });
  await stand.operations.changeGroup('Brands', {
    rules: { fields: ['last_name'], updates: false },
  });
  await stand.operations.addMembers('Brands', { members: members('archive') });
  expect(await routes()).not.toContain('shop>blog active Brands');
  expect(await routes()).toContain('blog>shop paused Brands');
  expect((await routes()).length).toBe(11);
  expect((await ruleOf('academy', 'shop'))?.rules).toMatchObject({
    fields: ['first_name'],
    updates: false,
  });
  expect((await ruleOf('archive', 'shop'))?.rules.fields).toEqual(['last_name']);
  const { exceptions } = await except('academy', 'shop', { status: 'group' });
  expect(exceptions).toHaveLength(2);
  expect((await ruleOf('academy', 'shop'))?.rules.fields).toEqual(['last_name']);
  await stand.operations.exceptRoute('Brands', {
    source: 'shop',
    target: 'blog',
    both: true,
    status: 'group',
  });
  expect((await stand.operations.group('Brands')).exceptions).toEqual([]);
  expect(await routes()).toContain('shop>blog active Brands');
});

test('a route that was there by itself becomes an exception with its own rules and state', async () => {
  await stand.operations.addRoute({
    source: 'shop',
    target: 'blog',
    both: false,
    rules: { fields: ['email'], meta: ['phone'] },
  });
  const before = await ruleOf('shop', 'blog');
  await stand.operations.changeRoute(before?.id ?? 0, { status: 'paused' });
  const group = await add('Brands', 'shop', 'blog');
  expect(group.exceptions).toEqual([
    { source: 'shop', target: 'blog', status: 'paused', rules: before?.rules },
  ]);
  expect(await ruleOf('shop', 'blog')).toEqual({ ...before, status: 'paused', group: 'Brands' });
  await stand.operations.removeGroup('Brands');
  expect(await routes()).toEqual([]);
});

test('T185: a pair of sites is never of two groups, and a group’s route is changed by nobody else', async () => {
  await add('One', 'shop', 'blog');
  await expect(add('one', 'academy')).rejects.toMatchObject({ code: 'group.name_taken' });
  await expect(add('Two', 'shop', 'blog', 'academy')).rejects.toMatchObject({
    code: 'group.pair_taken',
    message: '“shop” → “blog” belongs to the group “One” already.',
  });
  await add('Two', 'shop', 'academy');
  const addition = stand.operations.addMembers('Two', { members: members('blog') });
  await expect(addition).rejects.toMatchObject({ code: 'group.pair_taken' });
  const route = await ruleOf('shop', 'blog');
  const id = route?.id ?? 0;
  for (const deed of [
    stand.operations.changeRoute(id, { rules: { creates: false } }),
    stand.operations.changeRoute(id, { status: 'paused' }),
    stand.operations.removeRoute(id),
  ]) {
    await expect(deed).rejects.toMatchObject({ code: 'route.of_group' });
  }
  const again = stand.operations.addRoute({ source: 'shop', target: 'blog', both: false });
  await expect(again).rejects.toMatchObject({ code: 'route.exists' });
  expect(await ruleOf('shop', 'blog')).toEqual(route);
  expect((await routes()).length).toBe(4);
});

test.each([
  ['site.unknown', () => add('Brands', 'shop', 'nowhere')],
  ['group.unknown', () => stand.operations.changeGroup('None', { status: 'paused' })],
  ['group.unknown', () => stand.operations.removeGroup('None')],
  ['role.unknown', () => addRuled({ roles: ['wizard'] })],
  ['request.invalid', () => addRuled({ fields: ['shoe_size'] })],
])('%s: what can’t be meant changes nothing', async (code, deed) => {
  await expect(deed()).rejects.toMatchObject({ code });
  expect(await stand.operations.groups()).toEqual([]);
  expect(await routes()).toEqual([]);
});
const addRuled = (rules: object) =>
  stand.operations.addGroup({ name: 'Brands', members: members('shop', 'blog'), rules });

test('an exception is of a pair of members, of which one gives and the other takes', async () => {
  await stand.operations.addGroup({
    name: 'Brands',
    members: [...members('shop', 'blog'), { site: 'archive', way: 'takes' }],
  });
  for (const [source, target] of [
    ['archive', 'shop'],
    ['shop', 'academy'],
    ['shop', 'shop'],
  ] as const) {
    await expect(
      stand.operations.exceptRoute('Brands', { source, target, both: false, status: 'none' }),
    ).rejects.toMatchObject({ code: 'group.no_such_pair' });
  }
  await expect(stand.operations.removeMember('Brands', 'academy')).rejects.toMatchObject({
    code: 'group.no_such_pair',
  });
});

test('no route of a group gives one role for two of those that it carries', async () => {
  await stand.operations.changeSite('blog', {
    roleMap: { author: ['author'], subscriber: ['author'] },
  });
  await expect(add('Brands', 'shop', 'blog')).rejects.toMatchObject({ code: 'role.given_twice' });
  expect(await routes()).toEqual([]);
  await stand.operations.changeSite('blog', { roleMap: {} });
});

test('no route of a group takes a source’s word for addresses that nothing confirms', async () => {
  const rules = { confirmsAddresses: true };
  await expect(addRuled(rules)).rejects.toMatchObject({ code: 'route.nothing_confirms' });
  await add('Brands', 'shop', 'blog');
  const refused = { code: 'route.nothing_confirms' };
  await expect(stand.operations.changeGroup('Brands', { rules })).rejects.toMatchObject(refused);
  const ends = { source: 'shop', target: 'blog', both: false };
  await expect(stand.operations.exceptRoute('Brands', { ...ends, rules })).rejects.toMatchObject(
    refused,
  );
  const groups = [{ name: 'Brands', members: members('shop', 'blog'), rules }];
  const { problems } = await stand.operations.diffConfig({
    config: { rollcall: 1, groups, routes: [{ source: 'shop', target: 'academy', rules }] },
    remove: false,
  });
  expect(problems.map(({ path }) => path)).toEqual(['groups[0]', 'routes[0]']);
  expect((await stand.operations.routes()).some((one) => one.rules.confirmsAddresses)).toBe(false);
});

test('members are in step; who left gives and gets nothing, and what was on its way is cancelled', async () => {
  await add('Brands', 'shop', 'blog', 'academy');
  stand.site('shop').register({ login: 'anna', email: 'anna@x.test' });
  edit('shop', 'Anna');
  await stand.rest();
  expect(['blog', 'academy'].map((site) => firstName(site, 'anna'))).toEqual(['Anna', 'Anna']);
  edit('blog', 'Anne');
  await stand.rest();
  expect(['shop', 'academy'].map((site) => firstName(site, 'anna'))).toEqual(['Anne', 'Anne']);

  await stand.operations.changeGroup('Brands', { status: 'paused' });
  edit('shop', 'Ann');
  await stand.rest();
  await stand.operations.removeMember('Brands', 'academy');
  await stand.operations.changeGroup('Brands', { status: 'active' });
  await stand.rest();
  expect(['blog', 'academy'].map((site) => firstName(site, 'anna'))).toEqual(['Ann', 'Anne']);
  const { rows } = await stand.operations.log({ site: 'academy', limit: 1 });
  expect(rows).toMatchObject([{ target: 'academy', status: 'cancelled', login: 'anna' }]);
  edit('academy', 'X');
  await stand.rest();
  expect(firstName('shop', 'anna')).toBe('Ann');
});
