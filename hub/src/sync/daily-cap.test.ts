/** How many new accounts a source may bring in a day. */
import { expect, test } from 'vitest';
import { World } from './test/world.ts';

const DAY_MS = 86_400_000;

function flood(world: World, from: number, count: number): void {
  for (let n = from; n < from + count; n += 1) {
    world.site(0).register({ login: `robot${n}`, email: `robot${n}@example.test` });
  }
}
const there = (world: World): readonly string[] =>
  [...world.site(1).accountsById.values()].map(({ login }) => login);
const edit = (world: World, login: string, name: string) =>
  world.site(0).edit(world.site(0).byLogin(login)?.id ?? 0, { first_name: name });

test('I11: what a source brings beyond its own cap waits, whatever becomes of it there, and a day later it brings more', async () => {
  const world = new World(2, [{ from: 0, to: 1 }]);
  world.rule(0, { newAccountsADay: 2 });
  flood(world, 0, 4);
  await world.rest();
  expect(there(world)).toEqual(['robot0', 'robot1']);
  edit(world, 'robot0', 'Known');
  edit(world, 'robot2', 'Waits');
  world.site(0).remove(world.site(0).byLogin('robot3')?.id ?? 0);
  await world.rest();
  expect([there(world), world.site(1).value('robot0', 'first_name')]).toEqual([
    ['robot0', 'robot1'],
    'Known',
  ]);
  const held = [...world.store.tables.identities.values()].flatMap(({ deliveries }) =>
    [...deliveries.values()].map((delivery) => [
      delivery.birth?.login,
      delivery.held,
      delivery.fields.get('first_name')?.value,
    ]),
  );
  expect(held).toEqual([['robot2', 'source.creation_limit', 'Waits']]);
  world.nowMs += DAY_MS;
  flood(world, 10, 1);
  await world.rest();
  expect(there(world)).toEqual(['robot0', 'robot1', 'robot10']);
});

test('a cap of none lets every new account wait', async () => {
  const world = new World(2, [{ from: 0, to: 1 }]);
  world.rule(0, { newAccountsADay: 0 });
  flood(world, 0, 1);
  await world.rest();
  expect(there(world)).toEqual([]);
});
