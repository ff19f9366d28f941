/** A login that another person has on the target, on a route that says `suffix`: the real engine, sites in memory. */
import { expect, test } from 'vitest';
import { textOf } from '../model/field.ts';
import { type Edge, World } from './test/world.ts';

const SUFFIX = { loginTaken: 'suffix' } as const;
const ring: Edge[] = [
  [0, 1],
  [1, 0],
  [1, 2],
  [2, 1],
].map(([from = 0, to = 0]) => ({ from, to, rules: SUFFIX }));
const ANNA = { login: 'anna', email: 'anna@x.test' };
const OTHER = { login: 'anna', email: 'another@x.test' };

/** Anna registered on the first site; on the second somebody else has that login. */
async function clash(prepare?: (world: World) => void): Promise<World> {
  const world = new World(3, ring);
  world.site(1).settle(OTHER);
  await world.census(1);
  prepare?.(world);
  world.site(0).register(ANNA);
  return world;
}

const created = (world: World) =>
  world.store.tables.log
    .filter(({ action, status }) => action === 'create' && status === 'delivered')
    .map(({ target, reason }) => [target, reason]);
const named = (world: World, site: number, login: string): string | null => {
  const account = world.site(site).byLogin(login);
  return account === undefined ? null : textOf(world.site(site).value(login, 'email'));
};

function edit(world: World, site: number, login: string, first_name: string): void {
  world.nowMs += 10;
  world.site(site).edit(world.site(site).byLogin(login)?.id ?? 0, { first_name });
}

test('creates the account with a number, once, and under the first login where that is free', async () => {
  const world = await clash();
  await world.rest();
  expect(created(world)).toEqual([
    [2, 'identity.login_suffixed'],
    [3, null],
  ]);
  expect([named(world, 1, 'anna'), named(world, 1, 'anna-2')]).toEqual([OTHER.email, ANNA.email]);
  expect([named(world, 2, 'anna'), named(world, 2, 'anna-2')]).toEqual([ANNA.email, null]);
  expect([named(world, 0, 'anna'), named(world, 0, 'anna-2')]).toEqual([ANNA.email, null]);

  for (const site of world.sites) site.applied.length = 0;
  edit(world, 1, 'anna-2', 'Anne');
  await world.rest();
  expect([0, 2].map((site) => world.site(site).value('anna', 'first_name'))).toEqual([
    'Anne',
    'Anne',
  ]);
  expect(world.site(1).value('anna', 'first_name')).not.toBe('Anne');
  expect(world.sites.map((site) => site.applied.length)).toEqual([1, 0, 1]);
});

test.each(['loseReceipts', 'down'] as const)(
  'I7: an answer that was lost makes no second one, and the log says it (%s)',
  async (how) => {
    const world = await clash();
    await world.pull(0);
    world.site(1).loseReceipts = 1;
    await world.send(1);
    if (how === 'down') await world.pull(1);
    await world.rest();
    expect(named(world, 1, 'anna-2')).toBe(ANNA.email);
    expect(named(world, 1, 'anna-3')).toBeNull();
    expect(created(world).filter(([target]) => target === 2)).toEqual([
      [2, 'identity.login_suffixed'],
    ]);
  },
);

/** What every route says of it. */
function rule(world: World, loginTaken: 'hold' | 'suffix'): void {
  const routes = world.topology.routes.map((route) => ({
    ...route,
    rules: { ...route.rules, loginTaken },
  }));
  world.topology = { ...world.topology, routes };
}

test('I11: what was held is created with a number when the route says so and a person lets it go', async () => {
  const world = await clash((fresh) => rule(fresh, 'hold'));
  await world.rest();
  expect(named(world, 1, 'anna-2')).toBeNull();
  expect(world.store.tables.log.map(({ reason }) => reason)).toContain('identity.login_taken');

  rule(world, 'suffix');
  await world.rest();
  expect(named(world, 1, 'anna-2')).toBeNull();
  for (const [uid, identity] of world.store.tables.identities) {
    const deliveries = new Map(
      [...identity.deliveries].map(([target, delivery]) => [target, { ...delivery, held: null }]),
    );
    world.store.tables.identities.set(uid, { ...identity, deliveries });
  }
  await world.rest();
  expect(named(world, 1, 'anna-2')).toBe(ANNA.email);
});
