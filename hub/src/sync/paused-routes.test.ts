/** Routes that are paused or removed while something waits, through the real capture, decide and deliver code. */
import { expect, test } from 'vitest';
import type { Route } from '../model/route.ts';
import { World } from './test/world.ts';

const BOTH = [
  { from: 0, to: 1 },
  { from: 1, to: 0 },
];
const MINUTE = 60_000;

/** Anna is on both sites. */
async function withAnna(): Promise<World> {
  const world = new World(2, BOTH);
  world.site(0).register({ login: 'anna', email: 'anna@x.test' });
  await world.rest();
  world.site(1).applied.length = 0;
  world.store.tables.log.length = 0;
  return world;
}

const annaAt = (world: World, site: number) => world.site(site).byLogin('anna');

function setRoutes(world: World, change: (route: Route) => Route[]): void {
  world.topology = { ...world.topology, routes: world.topology.routes.flatMap(change) };
}
const pause = (world: World) => setRoutes(world, (route) => [{ ...route, status: 'paused' }]);
const resume = (world: World) => setRoutes(world, (route) => [{ ...route, status: 'active' }]);
const remove = (world: World) => setRoutes(world, () => []);

/** Deleted at the source, heard of, and old enough to be sent. */
async function deleteAnna(world: World): Promise<void> {
  world.nowMs += 10;
  world.site(0).remove(annaAt(world, 0)?.id ?? 0);
  await world.pull(0);
}

/** Long enough for whatever is put off. */
async function later(world: World): Promise<void> {
  world.nowMs += 90 * MINUTE;
  await world.send(1);
}

const logged = (world: World) =>
  world.store.tables.log.map(({ action, status, reason }) => [action, status, reason]);

test('I11: what goes along a paused route waits, merged, and arrives once when it is resumed', async () => {
  const world = await withAnna();
  pause(world);
  for (const name of ['one', 'two']) {
    world.nowMs += 10;
    world.site(0).edit(annaAt(world, 0)?.id ?? 0, { first_name: name });
    await world.pull(0);
    await world.send(1);
  }
  expect(world.site(1).value('anna', 'first_name')).toBe('');
  expect(logged(world)).toEqual([]);
  resume(world);
  await world.rest();
  expect(world.site(1).value('anna', 'first_name')).toBe('two');
  expect(world.site(1).applied).toHaveLength(1);
});

test('T256: a delete waits while its route is paused, and goes when it is resumed', async () => {
  const world = await withAnna();
  await deleteAnna(world);
  pause(world);
  await later(world);
  await later(world);
  expect(annaAt(world, 1)).toBeDefined();
  expect(logged(world)).toEqual([]);
  resume(world);
  await later(world);
  expect(annaAt(world, 1)).toBeUndefined();
  expect(logged(world)).toEqual([['delete', 'delivered', null]]);
});

test('T256: a delete is cancelled where its route was removed, and the account stays', async () => {
  const world = await withAnna();
  await deleteAnna(world);
  remove(world);
  await later(world);
  await later(world);
  expect(annaAt(world, 1)).toBeDefined();
  expect(world.site(1).applied).toEqual([]);
  expect(logged(world)).toEqual([['delete', 'cancelled', 'route.removed']]);
});
