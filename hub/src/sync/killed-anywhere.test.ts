/** The process killed at each single call of store and site in turn, on a short road. */
import { expect, test } from 'vitest';
import { FUTURE_TOLERANCE_MS } from '../model/stamp.ts';
import { World } from './test/world.ts';

const ANNA = { login: 'anna', email: 'anna@x.test' };
/** More calls than any of these stories makes; each tells itself when it was told to its end. */
const MANY_CALLS = 1_000;

async function withAnna(): Promise<World> {
  const world = new World(3, [
    { from: 0, to: 1 },
    { from: 1, to: 0 },
    { from: 1, to: 2 },
  ]);
  world.site(0).register(ANNA);
  await world.rest();
  return world;
}

const anna = (world: World, site: number): number => world.site(site).byLogin('anna')?.id ?? 0;
const everywhere = (world: World, field: string) =>
  world.sites.map((site) => site.value('anna', field));

const stories: Record<string, (world: World) => Promise<void>> = {
  'an edit': async (world) => world.site(0).edit(anna(world, 0), { first_name: 'Arrived' }),
  'an edit from a clock that is ahead': async (world) => {
    world.nowMs += FUTURE_TOLERANCE_MS * 10;
    world.site(0).edit(anna(world, 0), { first_name: 'Arrived' });
    world.nowMs -= FUTURE_TOLERANCE_MS * 10;
  },
  'values that were dropped after the retention': async (world) => {
    world.site(0).edit(anna(world, 0), { first_name: 'Arrived' });
    await world.pull(0);
    world.expire();
  },
};

test.each(Object.entries(stories))(
  'I7: %s arrives, wherever the process is killed',
  async (_, tell) => {
    for (let after = 0; after < MANY_CALLS; after += 1) {
      const world = await withAnna();
      world.nowMs += 10;
      await tell(world);
      world.killAfter = after;
      for (const site of [0, 1, 2, 0, 1, 2]) {
        await world.pull(site);
        await world.send(site);
      }
      const wasKilled = world.killAfter === null;
      await world.rest();
      expect([after, ...everywhere(world, 'first_name')]).toEqual([
        after,
        'Arrived',
        'Arrived',
        'Arrived',
      ]);
      if (!wasKilled) return;
    }
    throw new Error('the story has no end');
  },
);

test('I7: everybody is known and labelled, wherever the census is killed', async () => {
  for (let after = 0; after < 12; after += 1) {
    const world = new World(1, []);
    for (const name of ['anna', 'bert'])
      world.site(0).settle({ login: name, email: `${name}@x.test` });
    world.killAfter = after;
    await world.census(0);
    world.killAfter = null;
    await world.census(0);
    const { identities } = world.store.tables;
    expect(identities.size).toBe(2);
    expect([...world.site(0).accountsById.values()].every(({ uid }) => uid !== null)).toBe(true);
  }
});
