/** Conformance: how the Sync Log is searched, paged, kept and purged. */
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { identityUid } from '../../model/ids.ts';
import type { LogQuery } from '../../sync/ports.ts';
import { selectLog } from '../read-log.ts';
import { purgeLog } from '../tidy.ts';
import { account, addPlace, identity, logEntry, save, type World } from './world.ts';

const DAY_MS = 86_400_000;

export function logFacts(world: () => World): void {
  const write = (...entries: ReturnType<typeof logEntry>[]) =>
    world().storage.store.transaction((tx) => tx.appendLog(entries));
  const loginsOf = async (query: Omit<LogQuery, 'limit'>, limit = 10) =>
    (await world().storage.views.log({ ...query, limit })).map((row) => row.login);
  const nowMs = () => world().storage.store.nowMs();

  test('the log is searched by several statuses and actions, by reason, uid and time', async () => {
    const { storage } = world();
    const { site, ...place } = await addPlace(storage);
    const at = { ...place, site };
    const [kept, ended] = [
      identity([account(place.installation)]),
      identity([account((await addPlace(storage)).installation)]),
    ];
    await save(storage, kept, ended);
    await write(
      logEntry(at, { login: 'a', status: 'failed', reason: 'target.error', uid: kept.uid }),
      logEntry(at, { login: 'b', status: 'held', action: 'create' }),
      logEntry(at, { login: 'c', action: 'delete', uid: ended.uid }),
      logEntry(at, { login: 'd', source: site }),
    );
    expect(await loginsOf({ site, statuses: ['held', 'failed'] })).toEqual(['b', 'a']);
    expect(await loginsOf({ site, actions: ['delete', 'create'] })).toEqual(['c', 'b']);
    expect(await loginsOf({ site, actions: ['delete'], statuses: ['held'] })).toEqual([]);
    expect(await loginsOf({ site, reason: 'target.error' })).toEqual(['a']);
    expect(await loginsOf({ uid: kept.uid })).toEqual(['a']);
    await storage.store.transaction((tx) => tx.mergeIdentities(kept.uid, ended.uid));
    for (const { uid } of [kept, ended]) expect(await loginsOf({ uid })).toEqual(['c', 'a']);
    expect(await loginsOf({ uid: identityUid('00000000-0000-4000-8000-000000000000') })).toEqual(
      [],
    );
    const now = await nowMs();
    expect(await loginsOf({ site, untilMs: now + DAY_MS })).toEqual(['d', 'c', 'b', 'a']);
    expect(await loginsOf({ site, untilMs: now - DAY_MS })).toEqual([]);
    expect(await loginsOf({ site, sinceMs: now + DAY_MS })).toEqual([]);
  });

  test('pages follow one another both ways, and no row stands on two', async () => {
    const place = await addPlace(world().storage);
    const { site } = place;
    const all = Array.from({ length: 7 }, (_, at) => String(at));
    await write(
      ...all.map((login, at) => logEntry(place, at % 2 ? { login, source: site } : { login })),
    );
    const ids = new Map(
      (await world().storage.views.log({ site, limit: 9 })).map((row) => [row.login, row.id]),
    );
    const of = (login: string): number => ids.get(login) ?? -1;
    expect(await loginsOf({ site }, 3)).toEqual(['6', '5', '4']);
    expect(await loginsOf({ site, beforeId: of('4') }, 3)).toEqual(['3', '2', '1']);
    expect(await loginsOf({ site, beforeId: of('1') }, 3)).toEqual(['0']);
    expect(await loginsOf({ site, afterId: 0 }, 3)).toEqual(['0', '1', '2']);
    expect(await loginsOf({ site, afterId: of('2') }, 9)).toEqual(['3', '4', '5', '6']);
    expect(await loginsOf({ ids: [of('5'), of('1')] })).toEqual(['5', '1']);
  });

  test('no page of the log reads the whole table, however it is narrowed', async () => {
    const { kysely } = world().storage.database;
    const [{ site }, busy] = [await addPlace(world().storage), await addPlace(world().storage)];
    // Most are alike, and few are what a person looks for.
    await sql`insert into sync_log (at_ms, uid, login, login_key, source, target, action, status, reason, fields, path, attempts)
      select 1000000 + n, md5((n % 5000)::text)::uuid, 'l' || n % 5000, 'l' || n % 5000,
        case when n % 900 = 0 then ${site}::integer end, ${busy.site}::integer,
        case when n % 700 = 0 then 'delete' else 'update' end,
        case when n % 800 = 0 then 'failed' else 'delivered' end,
        case when n % 800 = 0 then 'target.error' end, '[]', '[]', 1
      from generate_series(1, 20000) n`.execute(kysely);
    await sql`analyze sync_log`.execute(kysely);
    const [{ uid } = { uid: '' }] = (
      await sql<{ uid: string }>`select uid from sync_log where login_key = 'l77' limit 1`.execute(
        kysely,
      )
    ).rows;
    await sql`insert into identities (uid) values (${uid}::uuid)`.execute(kysely);
    const last = await world().storage.views.log({ limit: 1 });
    const queries: Omit<LogQuery, 'limit'>[] = [
      {},
      { beforeId: (last[0]?.id ?? 0) - 10_000 },
      { afterId: 0 },
      { site },
      { site: busy.site },
      { statuses: ['failed', 'held'] },
      { actions: ['delete', 'link'] },
      { reason: 'target.error' },
      { login: 'l77' },
      { uid },
      { untilMs: 1_010_000 },
      { sinceMs: 1_019_990 },
      { site: busy.site, statuses: ['failed'] },
    ];
    for (const query of queries) {
      const select = await selectLog(kysely, { ...query, limit: 100 });
      if (select === null) throw new Error('no such rows');
      const { rows } = await sql<{ 'QUERY PLAN': string }>`explain ${select}`.execute(kysely);
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      expect([query, plan]).toEqual([query, expect.not.stringContaining('Seq Scan')]);
      expect((await world().storage.views.log({ ...query, limit: 5 })).length).toBeGreaterThan(2);
    }
    await sql`delete from sync_log where target = ${busy.site}`.execute(kysely);
  });

  test('rows are kept as long as the hub says, or the site that they went to', async () => {
    const { database, logKeeping } = world().storage;
    const [a, b] = [await addPlace(world().storage), await addPlace(world().storage)];
    await write(logEntry(a, { source: b.site }), logEntry(b, { source: a.site }));
    const now = await nowMs();
    await logKeeping.setDays(10);
    await logKeeping.setSite(b.site, { days: 40 });
    expect((await logKeeping.settings()).sites).toEqual(
      expect.arrayContaining([
        { site: a.site, on: true, days: null },
        { site: b.site, on: true, days: 40 },
      ]),
    );
    const targets = async () =>
      (await world().storage.views.log({ site: a.site, limit: 9 })).map((row) => row.target);
    await purgeLog(database, now + 9 * DAY_MS);
    expect(await targets()).toEqual([b.site, a.site]);
    await purgeLog(database, now + 11 * DAY_MS);
    expect(await targets()).toEqual([b.site]);
    await logKeeping.setSite(b.site, { days: null });
    expect(await purgeLog(database, now + 11 * DAY_MS)).toBe(1);
    expect(await targets()).toEqual([]);
    await logKeeping.setDays(30);
    await expect(logKeeping.setSite(a.site, { days: 0 })).rejects.toThrow();
  });

  test('a purge goes through more rows than it takes at once, and leaves what is younger', async () => {
    const { database } = world().storage;
    const place = await addPlace(world().storage);
    await sql`insert into sync_log (at_ms, uid, login, login_key, target, action, status, fields, path, attempts)
      select 5, md5('x')::uuid, 'x', 'x', ${place.site}::integer, 'update', 'delivered', '[]', '[]', 1
      from generate_series(1, 12000)`.execute(database.kysely);
    await write(logEntry(place));
    expect(await purgeLog(database, 31 * DAY_MS)).toBe(12_000);
    expect((await world().storage.views.log({ site: place.site, limit: 9 })).length).toBe(1);
  });

  test('of a site whose log is off nothing is written but deletes, which the deletion limit counts', async () => {
    const { logKeeping, store } = world().storage;
    const [off, on] = [await addPlace(world().storage), await addPlace(world().storage)];
    await logKeeping.setSite(off.site, { on: false });
    await write(
      logEntry(off),
      logEntry(off, { login: 'gone', action: 'delete' }),
      logEntry(on, { login: 'from', source: off.site }),
    );
    expect(await loginsOf({ site: off.site })).toEqual(['from', 'gone']);
    const count = await store.transaction((tx) => tx.deletesDue(off.installation));
    expect(count.doneToday).toBe(1);
    await logKeeping.setSite(off.site, { on: true });
    await write(logEntry(off));
    expect(await loginsOf({ site: off.site })).toEqual(['anna', 'from', 'gone']);
  });
}
