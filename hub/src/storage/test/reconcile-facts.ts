/** Conformance: comparisons of two sites, page by page, and when they are due. */
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { wordPressId } from '../../model/ids.ts';
import type { Counted, DriftRow } from '../../model/reconcile.ts';
import { purgeReconciles, REPORTS_KEPT } from '../reconciles.ts';
import { addPlace, newUid, type Place, RULES, type World } from './world.ts';

export function reconcileFacts(world: () => World): void {
  const all = () => world().storage.reconciles;

  async function added(from?: Place, to?: Place) {
    const [one, two] = [
      from ?? (await addPlace(world().storage)),
      to ?? (await addPlace(world().storage)),
    ];
    const id = randomUUID();
    const ends = { source: one.site, target: two.site };
    await all().add({ id, ...ends, repair: true, extra: true, startedBy: 'ann' });
    return { id, one, two, ends };
  }
  const row = (wpId: number, reason: string): Omit<DriftRow, 'state'> => ({
    side: 'source',
    wpId: wordPressId(wpId),
    what: 'different',
    reason,
    uid: newUid(),
    login: `person-${wpId}`,
    fields: ['email'],
  });
  const page = (readFrom: number, readTo: number, counts: readonly Counted[]) => ({
    state: 'comparing' as const,
    side: 'source' as const,
    readFrom,
    readTo,
    accounts: 2,
    counts,
    raised: ['a.b'],
  });

  test('a page of a comparison counts once, and what was found of it stays as it was found', async () => {
    const { id } = await added();
    expect(await all().atWork()).toContain(id);
    expect(await all().find("no id'; --")).toBeNull();
    await all().keep(id, [row(1, 'a.b'), row(1, 'c.d'), row(2, 'a.b'), row(9, 'a.b')]);
    await all().keep(id, [{ ...row(1, 'a.b'), login: 'somebody else' }]);
    const counts = [{ what: 'by_rule' as const, reason: 'e.f', count: 2 }];
    await all().pageDone(id, page(0, 5, counts));
    await all().pageDone(id, page(0, 5, counts));
    await all().pageDone(id, page(5, 8, counts));
    expect(await all().find(id)).toMatchObject({
      readTo: 8,
      accounts: 4,
      counts: [{ what: 'by_rule', reason: 'e.f', count: 4 }],
    });
    const [first, ...rest] = await all().rows(id, { limit: 3 });
    expect([first, ...rest].map((one) => [one?.wpId, one?.reason, one?.state])).toEqual([
      [1, 'a.b', 'raised'],
      [1, 'c.d', 'found'],
      [2, 'a.b', 'raised'],
    ]);
    expect(first?.login).toBe('person-1');
    const last = rest.at(-1);
    if (last === undefined) throw new Error('three rows were kept');
    expect((await all().rows(id, { after: last, limit: 3 })).map(({ wpId }) => wpId)).toEqual([9]);
    expect(await all().rows(id, { what: 'extra', limit: 3 })).toEqual([]);
    expect(await all().rowCounts(id)).toHaveLength(3);
  });

  /** One after the other in the past: two within one millisecond would have no order. */
  const begunAt = (id: string, count: number) =>
    sql`update reconciles set at_ms = at_ms - 1000000 + ${count} * 1000 where id = ${id}`.execute(
      world().storage.database.kysely,
    );

  test('of each two sites the newest reports are kept, and the last one is known', async () => {
    const { id, one, two, ends } = await added();
    await begunAt(id, -1);
    let last = id;
    for (let count = 0; count < REPORTS_KEPT + 2; count += 1) {
      expect(await all().change(last, ['comparing'], { state: 'done', endedMs: 5 })).toBe(true);
      last = (await added(one, two)).id;
      await begunAt(last, count);
    }
    expect(await all().change(id, ['comparing'], { state: 'done' })).toBe(false);
    const kept = await all().list({ ...ends, limit: 100 });
    expect([kept.length, kept[0]?.id]).toEqual([REPORTS_KEPT, last]);
    expect((await all().list({ ...ends, ...pageAfter(kept[1]), limit: 1 }))[0]?.id).toBe(
      kept[2]?.id,
    );
    const latest = (await all().latest()).filter(({ source }) => source === one.site);
    expect(latest.map((found) => found.id)).toEqual([kept[1]?.id]);
    await purgeReconciles(world().storage.database, 1);
    expect(await all().list({ ...ends, limit: 100 })).toHaveLength(1);
  });

  test('what is due is begun once, by whoever looks first, and not while it is under way', async () => {
    const [one, two] = [await addPlace(world().storage), await addPlace(world().storage)];
    const { id: route } = await world().storage.registry.addRoute({
      source: one.site,
      target: two.site,
      rules: RULES,
    });
    await all().schedule(route, { every: 'daily', repair: false });
    await all().schedule(route, { every: 'weekly', repair: true });
    const begun = await Promise.all([1, 2, 3].map(() => all().startDue(randomUUID)));
    const [id = ''] = begun.flat();
    expect(begun.flat()).toEqual([id]);
    expect(await all().find(id)).toMatchObject({ repair: true, startedBy: 'schedule' });
    const again = () =>
      sql`update reconcile_schedules set next_ms = 0 where route = ${route}`.execute(
        world().storage.database.kysely,
      );
    await again();
    expect(await all().startDue(randomUUID)).toEqual([]);
    await all().change(id, ['comparing'], { state: 'done', endedMs: 1 });
    // It had stayed due.
    await world().storage.registry.updateRoute(route, { status: 'paused' });
    expect(await all().startDue(randomUUID)).toEqual([]);
    await world().storage.registry.updateRoute(route, { status: 'active' });
    expect(await all().startDue(randomUUID)).toEqual([]);
    await again();
    const [next = ''] = await all().startDue(randomUUID);
    await again();
    expect(await all().startDue(randomUUID)).toEqual([]);
    await all().change(next, ['comparing'], { state: 'cancelled', endedMs: 1 });
    expect(await all().startDue(randomUUID)).toHaveLength(1);
    await world().storage.registry.removeRoute(route);
    expect((await all().schedules()).some((found) => found.route === route)).toBe(false);
  });
}

const pageAfter = (after: { readonly atMs: number; readonly id: string } | undefined) =>
  after === undefined ? {} : { after };
