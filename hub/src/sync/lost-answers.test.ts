/** Answers that are lost, one after another: the log says of each field that it arrived, once. */
import { expect, test } from 'vitest';
import { World } from './test/world.ts';

const EDGES = [
  { from: 0, to: 1 },
  { from: 1, to: 0 },
];

async function withAnna(): Promise<World> {
  const world = new World(2, EDGES);
  world.site(0).register({ login: 'anna', email: 'anna@x.test' });
  await world.rest();
  world.store.tables.log.length = 0;
  return world;
}

function edit(world: World, site: number, changes: Record<string, string>): void {
  world.nowMs += 10;
  world.site(site).edit(world.site(site).byLogin('anna')?.id ?? 0, changes);
}

/** The site does it, and its answer is lost. */
async function sendInVain(world: World): Promise<void> {
  world.site(1).loseReceipts = 1;
  await world.send(1).catch(() => {});
  expect(world.site(1).loseReceipts).toBe(0);
  world.nowMs += 60_000;
}

/** The other site tells of the account as it is now, for another reason. */
async function tells(world: World, nickname: string): Promise<void> {
  edit(world, 1, { nickname });
  await world.pull(1);
}

/** What came of it in the end. */
const toldOf = (world: World, field: string) =>
  world.store.tables.log
    .filter(({ target, fields }) => target === 2 && fields.some((name) => name === field))
    .map(({ status }) => status)
    .filter((status) => status !== 'failed');

test('I13: what arrived by an earlier try is told beside a later one that changed nothing', async () => {
  const world = await withAnna();
  edit(world, 0, { first_name: 'Anna' });
  await world.pull(0);
  await sendInVain(world);
  await tells(world, 'one');
  edit(world, 0, { last_name: 'Smith' });
  await world.pull(0);
  await sendInVain(world);
  await world.rest();
  expect(toldOf(world, 'last_name')).toEqual(['unchanged']);
  expect(toldOf(world, 'first_name')).toEqual(['delivered']);
});

test('I13: what arrived by an earlier try is told once, also when the account was busy in between', async () => {
  const world = await withAnna();
  edit(world, 0, { first_name: 'Anna' });
  await world.pull(0);
  await sendInVain(world);
  await tells(world, 'one');
  edit(world, 0, { last_name: 'Smith' });
  await world.pull(0);
  const id = world.site(1).byLogin('anna')?.id ?? 0;
  world.site(1).busy.add(id);
  await world.send(1);
  expect(toldOf(world, 'first_name')).toEqual([]);
  world.site(1).busy.delete(id);
  world.nowMs += 60_000;
  await world.rest();
  expect(toldOf(world, 'last_name')).toEqual(['delivered']);
  expect(toldOf(world, 'first_name')).toEqual(['delivered']);
});
