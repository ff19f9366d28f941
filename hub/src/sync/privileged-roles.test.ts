/** Privileged accounts and roles along routes that name them, or do not. */
import { expect, test } from 'vitest';
import type { Route, RouteRules, Site } from '../model/route.ts';
import { type Edge, EVERYTHING, World } from './test/world.ts';

const ADMINISTRATOR = 'administrator';
const NAMED: Partial<RouteRules> = {
  roles: [...EVERYTHING.roles, ADMINISTRATOR],
  privilegedRoles: [ADMINISTRATOR],
};
const BOSS = { login: 'boss', email: 'boss@example.test', role: ADMINISTRATOR };
const ANNA = { login: 'anna', email: 'anna@example.test' };

/** @param consenting sites that let administrators come, and whose hub knows it */
function worldWith(
  edges: readonly Edge[],
  consenting: readonly number[],
  change: Partial<Site> = {},
): World {
  const world = new World(3, edges);
  const sites = [...world.topology.sites.values()].map((site, index): Site => {
    const consents = consenting.includes(index) ? [ADMINISTRATOR] : [];
    world.site(index).guarding.consents = consents;
    return { ...site, powers: [ADMINISTRATOR, 'editor'], consents, ...change };
  });
  world.topology = { ...world.topology, sites: new Map(sites.map((site) => [site.key, site])) };
  return world;
}
const edit = (
  world: World,
  site: number,
  login: string,
  changes: Record<string, string | boolean>,
) => {
  const there = world.site(site);
  there.edit(there.byLogin(login)?.id ?? 0, changes);
};
const has = (world: World, login = 'boss') =>
  world.sites.map((site) => site.value(login, 'role:administrator') ?? null);
const names = (world: World, login = 'boss') =>
  world.sites.map((site) => site.value(login, 'first_name') ?? null);
const told = (world: World, target: number) => [
  ...new Set(
    world.store.tables.log
      .filter((row) => row.target === target + 1 && row.reason !== null)
      .map(({ reason }) => reason),
  ),
];
const FORWARD: readonly Edge[] = [
  { from: 0, to: 1, rules: NAMED },
  { from: 1, to: 2, rules: { roles: NAMED.roles ?? [] } },
];

test('T178: who becomes an administrator by one route leaves the target along no other that does not name it', async () => {
  const world = worldWith(FORWARD, [1, 2]);
  world.site(0).register(BOSS);
  await world.rest();
  expect(has(world)).toEqual([true, true, null]);
  expect(told(world, 2)).toEqual(['account.privileged']);
  edit(world, 0, 'boss', { first_name: 'Bo' });
  await world.rest();
  expect(names(world)).toEqual(['Bo', 'Bo', null]);
  // Somebody ordinary is everywhere, and becomes one on the first two.
  world.site(0).register(ANNA);
  await world.rest();
  edit(world, 0, 'anna', { 'role:administrator': true, password: `$P$B${'n'.repeat(30)}` });
  await world.rest();
  expect(has(world, 'anna')).toEqual([true, true, null]);
  const [here, there, third] = world.sites.map((site) => site.value('anna', 'password'));
  expect([there === here, third === here]).toEqual([true, false]);
});

test.each([
  ['the route does not name it', { roles: NAMED.roles ?? [] }, [1], {}, 'account.privileged'],
  ['the target does not consent', NAMED, [], {}, 'account.not_consented'],
  ['the hub does not know that it does', NAMED, [1], { consents: [] }, 'account.not_consented'],
  [
    'the target has no name for the role',
    NAMED,
    [1],
    {
      rules: {
        automatic: true,
        syncRoles: [],
        onRoleLost: 'stop',
        roleMap: { author: ['author'] },
        newAccountsADay: null,
      },
    },
    'account.privileged',
  ],
] as const)(
  'T178: an administrator stays where %s',
  async (_, rules, consenting, change, reason) => {
    const world = worldWith([{ from: 0, to: 1, rules }], consenting, change);
    world.site(0).register(BOSS);
    await world.rest();
    expect(world.site(1).byLogin('boss')).toBeUndefined();
    expect(told(world, 1)).toEqual([reason]);
  },
);

test('T178: an administrator of whom an older connector does not say by what stays', async () => {
  const world = worldWith([{ from: 0, to: 1, rules: NAMED }], [1]);
  world.site(0).forgetPower();
  world.site(0).register(BOSS);
  await world.rest();
  expect(world.site(1).byLogin('boss')).toBeUndefined();
  expect(told(world, 1)).toEqual(['account.privileged']);
});

test('T179: a role that gives no power at home never comes as a privileged one, and takes none away', async () => {
  const rules: Partial<RouteRules> = { ...NAMED, roles: ['subscriber', ADMINISTRATOR] };
  const world = worldWith([{ from: 0, to: 1, rules }], [1]);
  world.rule(1, { roleMap: { subscriber: [ADMINISTRATOR], administrator: ['author'] } });
  world.site(0).register(ANNA);
  await world.rest();
  expect(world.site(1).byLogin('anna')).toBeDefined();
  expect(has(world, 'anna')).toEqual([null, null, null]);
  edit(world, 1, 'anna', { 'role:administrator': true });
  await world.rest();
  edit(world, 0, 'anna', { 'role:subscriber': false });
  await world.rest();
  expect(has(world, 'anna')[1]).toBe(true);
  expect(told(world, 1)).toContain('role.raised');
});

/** What the hub knows of a site, and of all routes, from now on. */
function learn(world: World, index: number, site: Partial<Site>, route: Partial<Route> = {}): void {
  const sites = new Map(world.topology.sites);
  const [key, before] = [...sites][index] ?? [];
  if (key === undefined || before === undefined) throw new Error(`no site ${index}`);
  sites.set(key, { ...before, ...site });
  const routes = world.topology.routes.map((one) => ({ ...one, ...route }));
  world.topology = { sites, routes };
}

test.each([
  ['its source role gave none', ['administrator']],
  ['its source role gives none any more', ['administrator', 'author']],
])(
  'T215: a role that waits while it becomes a privileged one is not given where %s',
  async (_, powers) => {
    const rules: Partial<RouteRules> = { roles: ['author', ADMINISTRATOR] };
    const named = { ...EVERYTHING, ...NAMED, ...rules };
    const world = worldWith([{ from: 0, to: 1, rules }], [1]);
    world.rule(1, { roleMap: { author: [ADMINISTRATOR] } });
    // As it told before a plugin came.
    learn(world, 1, { powers: [] });
    learn(world, 0, { powers });
    world.site(0).register({ ...ANNA, role: 'author' });
    await world.pull(0);
    expect(world.store.tables.identities.size).toBe(1);
    learn(world, 1, { powers: [ADMINISTRATOR] }, { rules: named });
    learn(world, 0, { powers: [ADMINISTRATOR] });
    await world.rest();
    expect(world.site(1).byLogin('anna')).toBeDefined();
    expect(has(world, 'anna')).toEqual([null, null, null]);
    expect(told(world, 1)).toContain('role.raised');
  },
);

test('T215: a role that was lost before the map was changed is not taken as the privileged one that another role stands for by now', async () => {
  const rules: Partial<RouteRules> = { roles: ['author', ADMINISTRATOR] };
  const world = worldWith([{ from: 0, to: 1, rules }], [1]);
  world.rule(1, { roleMap: { author: [ADMINISTRATOR] } });
  learn(world, 1, { powers: [] });
  world.site(1).register(BOSS);
  world.site(0).register({ ...ANNA, role: 'author' });
  await world.rest();
  edit(world, 1, 'anna', { 'role:administrator': true });
  await world.rest();
  edit(world, 0, 'anna', { 'role:author': false });
  await world.pull(0);
  // Meanwhile it is a role with power there, the route names it, and who brings it is somebody else.
  const named = { ...EVERYTHING, ...NAMED, ...rules };
  learn(world, 1, { powers: [ADMINISTRATOR] }, { rules: named });
  learn(world, 0, { powers: [ADMINISTRATOR] });
  world.rule(1, { roleMap: { administrator: [ADMINISTRATOR], author: ['author'] } });
  await world.rest();
  expect(has(world, 'anna')[1]).toBe(true);
  expect(told(world, 1)).toContain('role.raised');
});

test('T216: who has an ordinary account changes and deletes no administrator’s of the same person, whatever the route names', async () => {
  const world = worldWith([{ from: 0, to: 1, rules: NAMED }], [1]);
  world.site(0).register(ANNA);
  await world.rest();
  edit(world, 1, 'anna', { 'role:administrator': true });
  await world.rest();
  const before = world.site(1).value('anna', 'password');
  edit(world, 0, 'anna', { password: `$P$B${'n'.repeat(30)}`, email: 'other@example.test' });
  await world.rest();
  expect(world.site(1).value('anna', 'password')).toBe(before);
  expect(world.site(1).value('anna', 'email')).toBe(ANNA.email);
  edit(world, 0, 'anna', { 'role:subscriber': false });
  await world.rest();
  world.site(0).remove(world.site(0).byLogin('anna')?.id ?? 0);
  await world.rest();
  expect(has(world, 'anna')[1]).toBe(true);
  expect(told(world, 1)).toContain('target.privileged_account');
});

test('a role that the route names is an ordinary one where the target gives it no power', async () => {
  const privilegedRoles = [ADMINISTRATOR, 'author'];
  const world = worldWith([{ from: 0, to: 1, rules: { ...NAMED, privilegedRoles } }], [1]);
  world.site(0).register({ ...ANNA, role: 'author' });
  await world.rest();
  expect(world.site(1).value('anna', 'role:author')).toBe(true);
});

test('an administrator is demoted along a route that names it, but for the last one; another route changes nothing of them', async () => {
  const world = worldWith(
    [
      { from: 0, to: 1, rules: NAMED },
      { from: 2, to: 1, rules: { roles: NAMED.roles ?? [] } },
    ],
    [1],
  );
  world.site(0).register(BOSS);
  world.site(0).register({ ...BOSS, login: 'second', email: 'second@example.test' });
  await world.rest();
  edit(world, 0, 'boss', { 'role:administrator': false, 'role:subscriber': true });
  await world.rest();
  expect([has(world), world.site(1).value('boss', 'role:subscriber')]).toEqual([
    [false, false, null],
    true,
  ]);
  edit(world, 0, 'second', { 'role:administrator': false, first_name: 'Last' });
  await world.rest();
  // Who is an administrator there and no more here is told nothing else.
  expect([has(world, 'second')[1], names(world, 'second')[1]]).toEqual([true, '']);
  expect(told(world, 1)).toContain('target.last_administrator');
  expect(told(world, 1)).toContain('target.privileged_account');
  // The site is asked once more, and the first is like everybody.
  const known = [...world.store.tables.identities.values()].flatMap(({ accounts }) =>
    [...accounts.values()].filter(({ login }) => login === 'boss'),
  );
  expect(known.map(({ privileged }) => privileged)).toEqual([false, false]);
  edit(world, 0, 'boss', { first_name: 'Plain' });
  await world.rest();
  expect(names(world)[1]).toBe('Plain');
});

test('who was an administrator to the end at the source ends as one on the target', async () => {
  const world = worldWith([{ from: 0, to: 1, rules: NAMED }], [1]);
  for (const login of ['boss', 'second'])
    world.site(0).register({ ...BOSS, login, email: `${login}@example.test` });
  await world.rest();
  world.site(0).remove(world.site(0).byLogin('boss')?.id ?? 0);
  await world.rest();
  const there = ['boss', 'second'].map((login) => world.site(1).byLogin(login) !== undefined);
  expect(there).toEqual([false, true]);
});
