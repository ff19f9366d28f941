/** Somebody acts between any two calls of store and site: nothing is as it was when it was asked for. */
import { describe, expect, test } from 'vitest';
import { World } from './test/world.ts';

const ANNA = { login: 'anna', email: 'anna@x.test' };
/** More calls than any of these stories makes; each tells itself when it was told to its end. */
const MANY_CALLS = 1_000;
const SITES = [0, 1, 2] as const;
type Story = (world: World) => void;

/** Changes of the first lead to the second and back, and on to the third. */
const newWorld = (): World =>
  new World(3, [
    { from: 0, to: 1 },
    { from: 1, to: 0 },
    { from: 1, to: 2 },
  ]);

const anna = (world: World, site: number): number => world.site(site).byLogin('anna')?.id ?? 0;
const change = (world: World, site: number, name: string): void => {
  if (anna(world, site) !== 0) world.site(site).edit(anna(world, site), { first_name: name });
};
const remove = (world: World, site: number): void => {
  if (anna(world, site) !== 0) world.site(site).remove(anna(world, site));
};

const STORIES: Readonly<Record<string, { readonly known: boolean; readonly tell: Story }>> = {
  'somebody registers': { known: false, tell: (world) => world.site(0).register(ANNA) },
  'somebody edits': { known: true, tell: (world) => change(world, 0, 'Before') },
  'somebody is deleted': { known: true, tell: (world) => remove(world, 1) },
};

/** Tells the story once for each call at which the act can fall, and then looks. */
async function atEachMoment(
  { known, tell }: { readonly known: boolean; readonly tell: Story },
  act: (world: World) => void,
  look: (world: World, after: number) => void,
): Promise<void> {
  for (let after = 0; after < MANY_CALLS; after += 1) {
    const world = newWorld();
    if (known) {
      world.site(0).register(ANNA);
      await world.rest();
    }
    world.nowMs += 10;
    tell(world);
    world.meanwhile = { after, act: () => act(world) };
    for (const site of [0, 1, 2, 0, 1, 2]) {
      await world.pull(site);
      await world.send(site);
    }
    const hasActed = world.meanwhile === null;
    if (!hasActed) world.meanwhile = { after: 0, act: () => act(world) };
    await world.rest();
    look(world, after);
    if (!hasActed) return;
  }
  throw new Error('the story has no end');
}

const alarmsIn = (world: World): (string | null)[] =>
  [...world.store.tables.identities.values()].flatMap(({ accounts }) =>
    [...accounts.values()].flatMap(({ alarm }) => alarm ?? []),
  );

describe.each(Object.entries(STORIES))('while what happens is that %s', (_, story) => {
  test.each(SITES)('I7: who is deleted on site %i meanwhile stays nowhere', async (site) => {
    let ended = false;
    await atEachMoment(
      story,
      (world) => {
        ended = anna(world, site) !== 0;
        remove(world, site);
      },
      (world, after) => {
        const there = SITES.filter((at) => anna(world, at) !== 0);
        // Nothing leads out of the third.
        const kept = site === 2 ? SITES.filter((at) => at !== 2) : [];
        const expected = story === STORIES['somebody is deleted'] ? [] : kept;
        if (ended) expect([after, there, alarmsIn(world)]).toEqual([after, expected, []]);
      },
    );
  });

  test.each([0, 1] as const)('I7: an edit on site %i meanwhile arrives', async (site) => {
    let edited = false;
    await atEachMoment(
      story,
      (world) => {
        edited = anna(world, site) !== 0;
        change(world, site, 'Meanwhile');
      },
      (world, after) => {
        const names = SITES.flatMap((at) => world.site(at).value('anna', 'first_name') ?? []);
        const all = story === STORIES['somebody is deleted'] ? 'none or all' : 3;
        const found = [after, new Set(names), alarmsIn(world)];
        if (edited && names.length > 0) expect(found).toEqual([after, new Set(['Meanwhile']), []]);
        if (edited && all === 3) expect([after, names.length]).toEqual([after, 3]);
      },
    );
  });

  test('I7: who is deleted on site 0 meanwhile, and registers anew, is there once', async () => {
    await atEachMoment(
      story,
      (world) => {
        remove(world, 0);
        world.nowMs += 1;
        world.site(0).register({ ...ANNA, email: 'anna@again.test' });
      },
      (world, after) => {
        const mails = SITES.map((at) => world.site(at).value('anna', 'email'));
        expect([after, ...mails, alarmsIn(world)]).toEqual([
          after,
          'anna@again.test',
          'anna@again.test',
          'anna@again.test',
          [],
        ]);
      },
    );
  });
});
