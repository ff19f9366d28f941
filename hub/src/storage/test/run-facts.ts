/** Conformance: manual syncs, planned page by page and carried out step by step. */
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { wordPressId } from '../../model/ids.ts';
import type { PlannedStep, StepState } from '../../model/sync-run.ts';
import { account, addPlace, identity, newUid, type Place, save, type World } from './world.ts';

export function runFacts(world: () => World): void {
  const runs = () => world().storage.runs;

  const stepOf = (place: Place, wpId: number, state: StepState = 'planned'): PlannedStep => ({
    wpId: wordPressId(wpId),
    target: place.site,
    uid: newUid(),
    login: `person-${wpId}`,
    what: state === 'left' ? 'skip' : 'update',
    other: null,
    proven: false,
    fields: ['first_name'],
    reason: null,
    seen: '[]',
    state,
    atLeastMs: 5,
    pair: null,
    sides: null,
  });

  async function added(): Promise<{ id: string; place: Place }> {
    const place = await addPlace(world().storage);
    const id = randomUUID();
    const request = { anything: ['goes'] };
    await runs().add({ id, source: place.site, request, startedBy: 'ann', starts: false });
    return { id, place };
  }

  test('a run comes back as it was asked for, among those at work, the newest first', async () => {
    const one = await added();
    const two = await added();
    expect(await runs().find(one.id)).toMatchObject({
      state: 'planning',
      request: { anything: ['goes'] },
      startedBy: 'ann',
      readTo: 0,
      accounts: 0,
      fault: null,
    });
    expect(await runs().find("no id'; --")).toBeNull();
    expect(await runs().atWork()).toEqual(expect.arrayContaining([one.id, two.id]));
    const listed = await runs().list({ limit: 2 });
    expect(new Set(listed.map(({ id }) => id))).toEqual(new Set([one.id, two.id]));
    const [first, last] = listed;
    if (first === undefined || last === undefined) throw new Error('two runs were added');
    expect((await runs().list({ limit: 1, after: first }))[0]?.id).toBe(last.id);
  });

  test('a page of a plan is stored once, and none after the run was cancelled', async () => {
    const { id, place } = await added();
    const page = {
      readFrom: 0,
      readTo: 2,
      accounts: 2,
      steps: [stepOf(place, 1), stepOf(place, 2)],
    };
    await runs().plan(id, page);
    await runs().plan(id, page);
    expect(await runs().find(id)).toMatchObject({ readTo: 2, accounts: 2 });
    expect(await runs().change(id, ['planned'], { state: 'running' })).toBe(false);
    expect(await runs().change(id, ['planning'], { state: 'cancelled', endedMs: 7 })).toBe(true);
    await runs().plan(id, { readFrom: 2, readTo: null, accounts: 1, steps: [stepOf(place, 3)] });
    expect((await runs().steps(id, { limit: 9 })).map(({ wpId }) => wpId)).toEqual([1, 2]);
    expect(await runs().atWork()).not.toContain(id);
  });

  test('steps come by state and by page, are counted, and what an undo needs is sealed', async () => {
    const { id, place } = await added();
    const steps = [stepOf(place, 1), stepOf(place, 2, 'left'), stepOf(place, 10)];
    await runs().plan(id, { readFrom: 0, readTo: null, accounts: 3, steps });
    const target = place.site;
    const kept = {
      password: { before: { v: 'a secret hash', s: [3, target] as const }, after: '' },
    };
    const stamps = { password: [9, target] as const };
    await runs().save(id, [
      { wpId: wordPressId(1), target, state: 'sent', kept, stamps, note: 'a.b' },
    ]);
    const [step] = await runs().steps(id, { states: ['sent'], limit: 9 });
    expect(step).toMatchObject({ wpId: 1, kept, stamps, note: 'a.b', fields: ['first_name'] });
    const { rows } = await sql<{ kept: string }>`select kept from sync_steps where run = ${id}
      and kept is not null`.execute(world().storage.database.kysely);
    expect(rows.map((row) => row.kept.includes('secret'))).toEqual([false]);
    const after = { wpId: wordPressId(1), target };
    expect((await runs().steps(id, { after, limit: 1 })).map(({ wpId }) => wpId)).toEqual([2]);
    expect(await runs().moveAll(id, ['planned'], 'cancelled')).toBe(1);
    const counts = await runs().counts(id);
    expect(new Set(counts.map(({ what, state, count }) => `${what} ${state} ${count}`))).toEqual(
      new Set(['skip left 1', 'update cancelled 1', 'update sent 1']),
    );
  });

  test('an adopt run finds who stands against one account with another, and who stands against nobody', async () => {
    const { id, place } = await added();
    const there = await addPlace(world().storage);
    const living = async (wpId: number, ...on: Place[]) => {
      const accounts = on.map(({ installation }) =>
        account(installation, { wpId: wordPressId(wpId), login: `person-${wpId}` }),
      );
      await save(world().storage, identity(accounts));
    };
    for (const wpId of [5, 6, 7]) await living(wpId, there);
    await living(8, there, place);
    const against = (wpId: number, ...others: number[]): PlannedStep => ({
      ...stepOf(place, wpId),
      what: 'link',
      pair: 'same',
      sides: {
        email: '',
        others: others.map((other) => ({
          id: wordPressId(other),
          uid: newUid(),
          login: `person-${other}`,
          email: '',
          by: 'email',
          why: null,
        })),
      },
    });
    const steps = [against(1, 5), against(2, 5), against(3, 6), stepOf(place, 4)];
    await runs().plan(id, { readFrom: 0, readTo: null, accounts: 4, steps });
    await runs().clashTwice(id, 'a.reason');
    const found = await runs().steps(id, { limit: 9 });
    expect(found.map(({ wpId, what, reason }) => [wpId, what, reason])).toEqual([
      [1, 'hold', 'a.reason'],
      [2, 'hold', 'a.reason'],
      [3, 'link', null],
      [4, 'update', null],
    ]);
    expect(await runs().steps(id, { pair: 'clash', limit: 9 })).toHaveLength(2);
    const between = { on: there.installation, not: place.installation };
    const alone = await runs().onlyThere(id, { ...between, limit: 9 });
    expect(alone).toMatchObject([{ wpId: 7, login: 'person-7', privileged: false }]);
    expect(await runs().countOnlyThere(id, between)).toBe(1);
    const after = wordPressId(7);
    expect(await runs().onlyThere(id, { ...between, after, limit: 9 })).toEqual([]);
    const decided = { wpId: wordPressId(1), target: place.site, decision: 'skip' } as const;
    expect(await runs().decide(id, [decided])).toBe(false);
    await runs().change(id, ['planning'], { state: 'planned' });
    expect(await runs().decide(id, [decided])).toBe(true);
    const [first] = await runs().stepsOf(id, [wordPressId(1)]);
    expect(first).toMatchObject({ decision: 'skip', what: 'hold', other: null });
  });
}
