/** Accounts that leave along a route only when they have what it asks for. */
import { describe, expect, test } from 'vitest';
import { LEAVE_PRESETS } from '../api/schemas/route.ts';
import type { Value } from '../model/field.ts';
import type { LeaveCondition } from '../model/leaving.ts';
import { installationOf, World } from './test/world.ts';

const ANNA = { login: 'anna', email: 'anna@example.test' };
const STATUS = 'meta:account_status';
const APPROVED = LEAVE_PRESETS['ultimate-member'];
const SIGNED_IN: LeaveCondition = { kind: 'signed_in' };

const worldWith = (...leaveWhen: readonly LeaveCondition[]): World =>
  new World(2, [{ from: 0, to: 1, rules: { leaveWhen } }]);

function edit(world: World, changes: Readonly<Record<string, Value>>): void {
  const id = world.site(0).byLogin('anna')?.id ?? 0;
  world.site(0).edit(id, changes);
}
const there = (world: World, field = 'first_name') => world.site(1).value('anna', field);
const isThere = (world: World): boolean => world.site(1).byLogin('anna') !== undefined;
const skipped = (world: World): (string | null)[] =>
  world.store.tables.log.filter(({ status }) => status === 'skipped').map(({ reason }) => reason);

/** As the hub tells a site whose routes ask for it. */
async function watchSignIns(world: World, site: number): Promise<void> {
  const connection = {
    installation: installationOf(site),
    restUrl: '',
    publicOnly: true,
    credential: { user: '', password: '' },
    hub: { id: 'hub', term: 1 },
  };
  await world.site(site).settings(connection, { signIns: true });
}

describe('a route that asks for a value', () => {
  test('lets nobody leave who is not approved; with the approval all of the account goes, and without it no later edit', async () => {
    const world = worldWith(APPROVED);
    world.site(0).register(ANNA);
    edit(world, { [STATUS]: ['awaiting_admin_review'] });
    await world.rest();
    edit(world, { first_name: 'Anna' });
    await world.rest();
    expect(isThere(world)).toBe(false);
    expect(new Set(skipped(world))).toEqual(new Set(['route.value_wanted']));
    edit(world, { [STATUS]: ['approved'] });
    await world.rest();
    expect([there(world), there(world, 'email')]).toEqual(['Anna', ANNA.email]);
    expect(there(world, STATUS)).toBeUndefined();
    edit(world, { [STATUS]: ['inactive'], first_name: 'Anne' });
    await world.rest();
    expect(there(world)).toBe('Anna');
    edit(world, { [STATUS]: ['approved'] });
    await world.rest();
    expect(there(world)).toBe('Anne');
  });

  test('takes nobody along when somebody is deleted who is not approved', async () => {
    const world = worldWith(APPROVED);
    const id = world.site(0).register(ANNA);
    edit(world, { [STATUS]: ['approved'] });
    await world.rest();
    edit(world, { [STATUS]: ['rejected'] });
    await world.rest();
    world.site(0).remove(id);
    await world.rest();
    expect(isThere(world)).toBe(true);
  });

  test('takes for approved whom the plugin takes for approved: those without a status', async () => {
    const world = worldWith(LEAVE_PRESETS['new-user-approve']);
    world.site(0).register(ANNA);
    edit(world, { 'meta:pw_user_status': [''] });
    await world.rest();
    expect(isThere(world)).toBe(true);
    edit(world, { 'meta:pw_user_status': ['denied'], first_name: 'Anna' });
    await world.rest();
    expect(there(world)).not.toBe('Anna');
  });

  test('lets somebody leave who was there before Rollcall, and is approved later', async () => {
    const world = worldWith(APPROVED);
    world.site(0).settle(ANNA);
    await world.census(0);
    edit(world, { first_name: 'Anna' });
    await world.rest();
    expect(isThere(world)).toBe(false);
    edit(world, { [STATUS]: ['approved'] });
    await world.rest();
    expect(there(world)).toBe('Anna');
  });

  test('brings nobody whom it let leave all the time, and who is missing there', async () => {
    const world = worldWith();
    const id = world.site(0).settle(ANNA);
    world.site(0).edit(id, { 'meta:pw_user_status': [''] });
    await world.census(0);
    await world.rest();
    const [route] = world.topology.routes;
    if (route === undefined) throw new Error('no route');
    const rules = { ...route.rules, leaveWhen: [LEAVE_PRESETS['new-user-approve']] };
    world.topology = { ...world.topology, routes: [{ ...route, rules }] };
    edit(world, { first_name: 'Anna' });
    await world.rest();
    expect(isThere(world)).toBe(false);
    expect(new Set(skipped(world))).toEqual(new Set(['target.account_missing']));
  });
});

describe('a route that asks for a sign-in', () => {
  test('lets nobody leave before the first one; with it all of the account goes, once', async () => {
    const world = worldWith(SIGNED_IN);
    await watchSignIns(world, 0);
    const id = world.site(0).register(ANNA);
    await world.rest();
    expect([isThere(world), skipped(world)]).toEqual([false, ['route.sign_in_wanted']]);
    world.site(0).signIn(id, 'secret');
    await world.rest();
    expect(there(world, 'email')).toBe(ANNA.email);
    world.site(0).signIn(id, 'secret');
    expect(await world.pull(0)).toBe(0);
  });

  test('takes whoever was there before Rollcall for signed in', async () => {
    const world = worldWith(SIGNED_IN);
    world.site(0).settle(ANNA);
    await world.census(0);
    edit(world, { first_name: 'Anna' });
    await world.rest();
    expect(skipped(world)).toEqual(['target.account_missing']);
  });

  test('keeps what came from elsewhere until its person signs in here', async () => {
    const world = new World(3, [
      { from: 0, to: 1 },
      { from: 1, to: 2, rules: { leaveWhen: [SIGNED_IN] } },
    ]);
    await watchSignIns(world, 1);
    world.site(0).register(ANNA);
    await world.rest();
    const id = world.site(1).byLogin('anna')?.id ?? 0;
    expect([id > 0, world.site(2).byLogin('anna')]).toEqual([true, undefined]);
    world.site(1).signIn(id, 'secret');
    await world.rest();
    expect(world.site(2).value('anna', 'email')).toBe(ANNA.email);
    world.site(0).edit(world.site(0).byLogin('anna')?.id ?? 0, { first_name: 'Anna' });
    await world.rest();
    expect(world.site(2).value('anna', 'first_name')).toBe('Anna');
  });
});

test('an approval or a role that came from elsewhere counts as one that was given here', async () => {
  for (const asked of [APPROVED, { kind: 'role', role: 'author' } as const]) {
    const world = new World(3, [
      { from: 0, to: 1, rules: { meta: ['account_status'] } },
      { from: 1, to: 2, rules: { leaveWhen: [asked] } },
    ]);
    world.site(0).register(ANNA);
    edit(world, { [STATUS]: ['pending'] });
    await world.rest();
    expect(world.site(2).byLogin('anna')).toBeUndefined();
    edit(world, { [STATUS]: ['approved'], 'role:author': true });
    await world.rest();
    expect(world.site(2).value('anna', 'email')).toBe(ANNA.email);
    edit(world, { [STATUS]: ['rejected'], 'role:author': false, first_name: 'Anna' });
    await world.rest();
    expect(world.site(2).value('anna', 'first_name')).not.toBe('Anna');
  }
});

test('of several conditions all must hold, and an operator’s word is bound by none', async () => {
  const world = worldWith(SIGNED_IN, APPROVED, { kind: 'role', role: 'author' });
  await watchSignIns(world, 0);
  const id = world.site(0).register(ANNA);
  await world.rest();
  world.site(0).signIn(id, 'secret');
  edit(world, { [STATUS]: ['approved'] });
  await world.rest();
  expect([isThere(world), skipped(world).at(-1)]).toEqual([false, 'route.role_wanted']);
  await world.carry(0, id, 1);
  await world.rest();
  expect(there(world, 'email')).toBe(ANNA.email);
  edit(world, { first_name: 'Anna' });
  await world.rest();
  expect(there(world)).toBe('');
  edit(world, { 'role:author': true });
  await world.rest();
  expect([there(world), there(world, 'role:author')]).toEqual(['Anna', true]);
});
