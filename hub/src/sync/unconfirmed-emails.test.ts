/** New e-mail addresses that their person has not confirmed. */
import { expect, test } from 'vitest';
import type { RouteRules } from '../model/route.ts';
import { type Edge, World } from './test/world.ts';

const ANNA = { login: 'anna', email: 'anna@example.test' };
const HOLD: Partial<RouteRules> = { unconfirmedEmails: 'hold' };

async function worldWith(edges: readonly Edge[]): Promise<World> {
  const world = new World(3, edges);
  world.site(0).register(ANNA);
  await world.rest();
  return world;
}
const idOf = (world: World, site: number): number => world.site(site).byLogin('anna')?.id ?? 0;
const emails = (world: World) => world.sites.map((site) => site.value('anna', 'email') ?? null);
const held = (world: World) =>
  world.store.tables.log
    .filter(({ reason }) => reason === 'email.unconfirmed')
    .map(({ status, target, fields }) => [status, target, fields.join()]);

test('I11: one that somebody else set waits where a route says so, and the other fields go on', async () => {
  const world = await worldWith([{ from: 0, to: 1, rules: HOLD }]);
  world.site(0).edit(idOf(world, 0), { email: 'other@example.test', first_name: 'Anna' });
  await world.rest();
  expect(emails(world)).toEqual(['other@example.test', ANNA.email, null]);
  expect(world.site(1).value('anna', 'first_name')).toBe('Anna');
  expect(held(world)).toEqual([['held', 2, 'email']]);
  world.site(0).edit(idOf(world, 0), { last_name: 'Later' });
  await world.rest();
  expect([world.site(1).value('anna', 'last_name'), emails(world)[1]]).toEqual([
    'Later',
    ANNA.email,
  ]);
  world.site(0).moveTo(idOf(world, 0), 'mine@example.test');
  await world.rest();
  expect(emails(world)).toEqual(['mine@example.test', 'mine@example.test', null]);
});

test('one that was set on another site is as little confirmed where it only passes through', async () => {
  const world = await worldWith([
    { from: 0, to: 1 },
    { from: 1, to: 2, rules: HOLD },
  ]);
  world.site(0).edit(idOf(world, 0), { email: 'other@example.test' });
  await world.rest();
  expect(emails(world)).toEqual(['other@example.test', 'other@example.test', ANNA.email]);
  world.site(0).moveTo(idOf(world, 0), 'mine@example.test');
  await world.rest();
  expect(emails(world)).toEqual(Array(3).fill('mine@example.test'));
});

test('an operator’s manual sync carries it, and a new account comes with the address that it has', async () => {
  const world = new World(2, [{ from: 0, to: 1, rules: HOLD }]);
  world.site(0).register(ANNA);
  world.site(0).edit(idOf(world, 0), { email: 'other@example.test' });
  await world.rest();
  expect(emails(world)).toEqual(['other@example.test', 'other@example.test']);
  world.site(0).edit(idOf(world, 0), { email: 'third@example.test' });
  await world.rest();
  expect(emails(world)[1]).toBe('other@example.test');
  const delivery = [...world.store.tables.identities.values()][0]?.deliveries.values().next().value;
  expect(delivery?.fields.get('email')?.held).toBe('email.unconfirmed');
});

test('T941: of a site with an older connector, which does not tell how an address was set, a new one waits', async () => {
  const world = await worldWith([{ from: 0, to: 1, rules: HOLD }]);
  world.site(0).forgetEmailOrigins();
  world.site(0).moveTo(idOf(world, 0), 'mine@example.test');
  world.site(0).edit(idOf(world, 0), { first_name: 'Anna' });
  await world.rest();
  expect(emails(world)).toEqual(['mine@example.test', ANNA.email, null]);
  expect(world.site(1).value('anna', 'first_name')).toBe('Anna');
  expect(held(world)).toEqual([['held', 2, 'email']]);
});

/** Rows in which an address goes by: status, target, and whether it is marked. */
const addresses = (world: World) =>
  world.store.tables.log
    .filter(({ fields }) => fields.includes('email'))
    .map(({ status, target, unconfirmed = false }) => [status, target, unconfirmed]);

test('T937: every row in which an unconfirmed address goes by says so, whether a route holds it or not', async () => {
  const world = await worldWith([
    { from: 0, to: 1 },
    { from: 1, to: 2 },
  ]);
  const brought = addresses(world);
  expect(brought.map(([, , mark]) => mark)).toEqual(brought.map(() => false));
  const count = brought.length;
  world.site(0).edit(idOf(world, 0), { email: 'other@example.test', first_name: 'Anna' });
  await world.rest();
  expect(addresses(world).slice(count)).toEqual([
    ['delivered', 2, true],
    ['delivered', 3, true],
  ]);
  world.site(0).moveTo(idOf(world, 0), 'mine@example.test');
  await world.rest();
  expect(addresses(world).slice(count + 2)).toEqual([
    ['delivered', 2, false],
    ['delivered', 3, false],
  ]);
  world.site(0).edit(idOf(world, 0), { email: 'third@example.test' });
  await world.pull(0);
  world.nowMs += 1;
  world.site(1).moveTo(idOf(world, 1), 'hers@example.test');
  await world.rest();
  const lost = addresses(world).filter(([status]) => status === 'superseded');
  expect(lost).toEqual([['superseded', 2, true]]);
});

test('T937: of what a route holds, and of what a new account comes with, the row says so, too', async () => {
  const world = new World(2, [{ from: 0, to: 1, rules: HOLD }]);
  world.site(0).register(ANNA);
  world.site(0).edit(idOf(world, 0), { email: 'other@example.test' });
  await world.rest();
  world.site(0).edit(idOf(world, 0), { email: 'third@example.test', last_name: 'Berg' });
  await world.rest();
  expect(addresses(world)).toEqual([
    ['delivered', 2, true],
    ['held', 2, true],
  ]);
});
