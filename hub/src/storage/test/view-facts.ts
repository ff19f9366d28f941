/** Conformance: what people are shown. */
import { expect, test } from 'vitest';
import { wordPressId } from '../../model/ids.ts';
import { purgeEvents } from '../tidy.ts';
import {
  account,
  addPlace,
  carried,
  delivery,
  identity,
  logEntry,
  save,
  type World,
} from './world.ts';

export function viewFacts(world: () => World): void {
  const views = () => world().storage.views;
  const write = (...entries: ReturnType<typeof logEntry>[]) =>
    world().storage.store.transaction((tx) => tx.appendLog(entries));

  test('the log shows the newest first, or what follows a row', async () => {
    const place = await addPlace(world().storage);
    const site = place.site;
    const full = logEntry(place, {
      login: 'Anna',
      source: site,
      reason: 'target.read_only',
      status: 'refused',
      path: [site, site],
      fields: ['email', 'role:editor'],
      actor: 'user ed\u0000itor',
      durationMs: 12.6,
      unconfirmed: true,
    });
    await write(logEntry(place, { login: 'bo' }), full);
    const rows = await views().log({ site, limit: 10 });
    expect(rows.map((row) => row.login)).toEqual(['Anna', 'bo']);
    const { id, atMs, ...shown } = rows[0] ?? { id: 0, atMs: 0 };
    expect(shown).toEqual({ ...full, actor: 'user ed\ufffditor', durationMs: 13 });
    expect(Math.abs(atMs - (await world().storage.store.nowMs()))).toBeLessThan(60_000);
    const first = rows[1]?.id ?? 0;
    expect((await views().log({ site, afterId: first, limit: 10 })).map((row) => row.id)).toEqual([
      id,
    ]);
    expect((await views().log({ site, afterId: first - 1, limit: 10 })).length).toBe(2);
    const before = await views().log({ site, beforeId: id, limit: 10 });
    expect(before.map((row) => row.id)).toEqual([first]);
  });

  test('the log is narrowed by status, site, login and time', async () => {
    const [a, b] = [await addPlace(world().storage), await addPlace(world().storage)];
    await write(
      logEntry(a, { login: 'anna', status: 'failed' }),
      logEntry(a, { login: 'bo' }),
      logEntry(b, { login: 'ANNA', source: a.site }),
    );
    const logins = async (query: Partial<Parameters<ReturnType<typeof views>['log']>[0]>) =>
      (await views().log({ site: a.site, limit: 10, ...query })).map((row) => row.login);
    expect(await logins({})).toEqual(['ANNA', 'bo', 'anna']);
    expect(await logins({ limit: 1 })).toEqual(['ANNA']);
    expect(await logins({ login: 'Anna' })).toEqual(['ANNA', 'anna']);
    expect(await logins({ statuses: ['failed'] })).toEqual(['anna']);
    expect(await logins({ site: b.site })).toEqual(['ANNA']);
    const now = await world().storage.store.nowMs();
    expect(await logins({ sinceMs: now + 60_000 })).toEqual([]);
    expect((await logins({ sinceMs: now - 60_000 })).length).toBe(3);
  });

  test('the backlog counts what waits, per installation', async () => {
    const { storage } = world();
    const [a, b] = [await addPlace(storage), await addPlace(storage)];
    const to = (fields: Parameters<typeof delivery>[1], change = {}) =>
      identity([account(a.installation)], [delivery(b.site, fields, change)]);
    const url = carried('u', a.site);
    const taken = carried('x@y.test', a.site, 'identity.email_taken');
    await save(
      storage,
      to({ url }),
      to({ url, email: taken }),
      to({ email: taken }),
      to({ url }, { held: 'identity.login_taken' }),
    );
    await storage.store.transaction((tx) => tx.queueRefresh(a.installation, [wordPressId(5)]));
    const of = async (place: typeof a) =>
      (await views().backlog()).find((one) => one.installation === place.installation);
    expect(await of(b)).toMatchObject({ pending: 2, held: 3, unacknowledged: 0, unlabelled: 0 });
    expect((await of(b))?.oldestPendingMs).toBeGreaterThan(0);
    expect(await of(a)).toMatchObject({
      pending: 0,
      held: 0,
      oldestPendingMs: null,
      unlabelled: 4,
      refreshes: 1,
    });
    expect(await views().accountCount(a.installation)).toBe(4);
    expect(await views().accountCount(b.installation)).toBe(0);

    const held = (await views().held({ limit: 1_000 })).filter((one) => one.target === b.site);
    expect(held.map(({ reason, fields }) => [reason, fields])).toEqual(
      expect.arrayContaining([
        ['identity.email_taken', ['email']],
        ['identity.email_taken', ['email']],
        ['identity.login_taken', ['url']],
      ]),
    );
    expect(held.length).toBe(3);
    expect(held.every((one) => one.login.startsWith('person-'))).toBe(true);
  });

  test('what is held comes page by page, the oldest first, whatever became of the page before', async () => {
    const { storage } = world();
    const [a, b] = [await addPlace(storage), await addPlace(storage)];
    const url = carried('u', a.site);
    const people = ['identity.login_taken', 'identity.login_taken', 'source.creation_limit'].map(
      (held) => identity([account(a.installation)], [delivery(b.site, { url }, { held })]),
    );
    for (const person of people) await save(storage, person);
    const query = { targets: [b.site], limit: 2 };
    const page = await views().held(query);
    expect(page.map(({ uid }) => uid)).toEqual(people.slice(0, 2).map(({ uid }) => uid));
    const [, last] = page;
    await save(storage, ...people.slice(0, 2).map((one) => ({ ...one, deliveries: new Map() })));
    if (last === undefined) throw new Error('a page of two');
    const rest = await views().held({ ...query, after: last });
    expect(rest.map(({ uid, reason }) => [uid, reason])).toEqual([
      [people[2]?.uid, 'source.creation_limit'],
    ]);
    const { queuedAtMs = 0 } = rest[0] ?? {};
    expect(await views().held({ ...query, queuedUntilMs: queuedAtMs - 1 })).toEqual([]);
    expect(await views().held({ ...query, queuedUntilMs: queuedAtMs })).toHaveLength(1);
    expect(await views().held({ ...query, reason: 'identity.login_taken' })).toEqual([]);
  });

  test('alarms come page by page, by login, and are counted by site and kind', async () => {
    const { storage } = world();
    const [a, b] = [await addPlace(storage), await addPlace(storage)];
    const alarm = 'account.vanished';
    const named = (login: string, place: typeof a, kind = alarm) =>
      identity([account(place.installation, { login, alarm: kind })]);
    await save(
      storage,
      named('Bo', a),
      named('anna', a),
      named('anna', b),
      named('cy', a, 'identity.label_mismatch'),
    );
    const { installation } = a;
    const page = await views().alarms({ installation, limit: 2 });
    expect(page.map(({ login }) => login)).toEqual(['anna', 'Bo']);
    const [, after] = page;
    if (after === undefined) throw new Error('a page of two');
    const rest = await views().alarms({ installation, after, limit: 2 });
    expect(rest.map(({ login }) => login)).toEqual(['cy']);
    const narrowed = { installation, alarms: [alarm], logins: ['ANNA', 'cy'], limit: 9 };
    expect((await views().alarms(narrowed)).map(({ login }) => login)).toEqual(['anna']);
    const kinds = (await views().alarmsByKind()).filter((one) => one.installation === installation);
    expect(kinds.map(({ alarm: kind, count }) => [kind, count])).toEqual([
      [alarm, 2],
      ['identity.label_mismatch', 1],
    ]);
  });

  test('an identity is found by login, the living before the ended', async () => {
    const { storage } = world();
    const { installation, site } = await addPlace(storage);
    const ended = identity([account(installation, { login: 'Anna', gone: [5, site] })]);
    await save(storage, ended);
    expect(await views().identityByLogin(installation, 'anna')).toEqual(ended);
    const living = identity([account(installation, { login: 'ANNA' })]);
    await save(storage, living);
    expect(await views().identityByLogin(installation, 'anna')).toEqual(living);
    expect(await views().identityByLogin(installation, 'nobody')).toBeNull();
  });

  test('a found link is kept once, and shown while its account lives', async () => {
    const { storage } = world();
    const [a, b] = [await addPlace(storage), await addPlace(storage)];
    const person = identity([account(a.installation)]);
    const older = account(b.installation, { login: 'older' });
    const elder = identity([older]);
    await save(storage, person, elder);
    const link = {
      uid: person.uid,
      installation: b.installation,
      wpId: older.wpId,
      by: 'email' as const,
    };
    await storage.store.transaction((tx) => tx.saveLinks([link, link]));
    await storage.store.transaction((tx) => tx.saveLinks([link]));
    const { installation, wpId } = link;
    expect(await views().links(person.uid)).toEqual([
      { installation, wpId, login: 'older', by: 'email', privileged: false },
    ]);
    const waiting = await views().linkCount();
    expect(waiting).toBeGreaterThan(0);
    const gone = { ...older, gone: [5, b.site] as const };
    await save(storage, { ...elder, accounts: new Map([[b.installation, gone]]) });
    expect(await views().links(person.uid)).toEqual([]);
    expect(await views().linkCount()).toBe(waiting - 1);
  });

  test('what happened to a site is kept, ten of a kind in an hour, and forgotten in time', async () => {
    const { storage } = world();
    const [{ installation }, other] = [await addPlace(storage), await addPlace(storage)];
    const event = (code: string, at: number) => ({ code, message: `No. ${at}`, actor: null });
    for (let at = 0; at < 12; at += 1) {
      await storage.registry.noteEvent(installation, event('installation.copied', at));
    }
    await storage.registry.noteEvent(other.installation, event('source.rewound', 1));
    const said = { code: 'source.rewound', message: 'It went back.', actor: 'operator olga' };
    await storage.registry.noteEvent(installation, said);
    const [newest, ...older] = await views().siteEvents({ installation, limit: 100 });
    expect(newest).toMatchObject({ ...said, installation });
    expect(older.map(({ message }) => message)).toEqual(
      Array.from({ length: 10 }, (_, at) => `No. ${9 - at}`),
    );
    expect((await views().siteEvents({ limit: 2 })).map((row) => row.message)).toEqual([
      'It went back.',
      'No. 1',
    ]);
    expect(await purgeEvents(storage.database, 60_000)).toBe(0);
    expect(await purgeEvents(storage.database, -60_000)).toBeGreaterThanOrEqual(12);
    expect(await views().siteEvents({ installation, limit: 1 })).toEqual([]);
  });
}
