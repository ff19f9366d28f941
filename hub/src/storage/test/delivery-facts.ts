/** Conformance: what is due, who gets it, and what holds it. */
import { expect, test } from 'vitest';
import type { Delivery, Identity } from '../../model/identity.ts';
import { identityUid } from '../../model/ids.ts';
import {
  account,
  addPlace,
  carried,
  claim,
  delivery,
  identity,
  logEntry,
  type Place,
  read,
  save,
  until,
  type World,
} from './world.ts';

export function deliveryFacts(world: () => World): void {
  const now = () => world().storage.store.nowMs();
  const two = async () =>
    [await addPlace(world().storage), await addPlace(world().storage)] as const;

  /** Somebody with one delivery from a to b. */
  const someone = (a: Place, b: Place, change: Partial<Delivery> = {}): Identity => {
    const fields = { url: carried('https://x.test', a.site) };
    return identity([account(a.installation)], [delivery(b.site, fields, change)]);
  };
  const uidsOf = (claimed: Awaited<ReturnType<typeof claim>>) =>
    claimed.map((one) => one.identity.uid);
  const lanesDue = async (place: Place) =>
    (await world().storage.store.due()).now
      .filter((one) => one.installation === place.installation)
      .map((one) => one.lane);

  test('deliveries are claimed oldest first, so many, each lane on its own', async () => {
    const { storage } = world();
    const [a, b] = await two();
    const people = [someone(a, b), someone(a, b), someone(a, b)];
    for (const one of people) await save(storage, one);
    const bulk = someone(a, b, { lane: 'bulk' });
    await save(storage, bulk);
    expect(await lanesDue(b)).toEqual(['people', 'bulk']);
    const first = await claim(storage, b, { limit: 2 });
    expect(uidsOf(first)).toEqual(people.slice(0, 2).map((one) => one.uid));
    expect(uidsOf(await claim(storage, b))).toEqual([people[2]?.uid]);
    expect(uidsOf(await claim(storage, b))).toEqual([]);
    expect(uidsOf(await claim(storage, b, { lane: 'bulk' }))).toEqual([bulk.uid]);
    expect(await claim(storage, a)).toEqual([]);
    expect(await lanesDue(b)).toEqual([]);
  });

  test('a claim raises the attempts and hands out what is stored', async () => {
    const { storage } = world();
    const [a, b] = await two();
    const person = someone(a, b);
    await save(storage, person);
    const [claimed] = await claim(storage, b);
    expect(claimed?.delivery.attempts).toBe(1);
    expect(claimed?.identity).toEqual(await read(storage, person.uid));
    expect(claimed?.identity.deliveries.get(b.site)).toEqual(claimed?.delivery);
  });

  test('a lease ends by being released, by its time, or with the process that held it', async () => {
    const { storage } = world();
    const [a, b] = await two();
    const person = someone(a, b);
    await save(storage, person);
    const [claimed] = await claim(storage, b);
    const id = claimed?.delivery.id;
    if (id === undefined) throw new Error('nothing claimed');
    await storage.store.transaction((tx) => tx.releaseClaims([id], []));
    expect((await claim(storage, b, { leaseMs: 0 })).length).toBe(1);
    expect((await claim(storage, b)).length).toBe(1);
    expect((await claim(storage, b)).length).toBe(0);
    await storage.store.forgetLeases();
    const [again] = await claim(storage, b);
    expect(again?.delivery.attempts).toBe(4);
  });

  test('a try without an answer counts once', async () => {
    const { storage } = world();
    const [a, b] = await two();
    await save(storage, someone(a, b));
    const attempts: (number | undefined)[] = [];
    for (let round = 0; round < 3; round += 1) {
      const [claimed] = await claim(storage, b);
      attempts.push(claimed?.delivery.attempts);
      const ids = claimed === undefined ? [] : [claimed.delivery.id];
      await storage.store.transaction((tx) => tx.releaseClaims(ids, ids));
    }
    expect(attempts).toEqual([1, 2, 2]);
  });

  test('what backs off is due at once when somebody asks, what settles is not', async () => {
    const { storage } = world();
    const [a, b] = await two();
    const [tried, settling] = [someone(a, b), someone(a, b)];
    const later = (await storage.store.nowMs()) + 600_000;
    for (const [person, attempts] of [
      [tried, 3],
      [settling, 0],
    ] as const) {
      const delivery = person.deliveries.get(b.site);
      if (delivery === undefined) throw new Error('no delivery');
      const waiting = { ...delivery, attempts, notBeforeMs: later };
      await save(storage, { ...person, deliveries: new Map([[b.site, waiting]]) });
    }
    expect(await claim(storage, b)).toEqual([]);
    await storage.store.transaction((tx) => tx.retryNow(b.installation));
    expect(uidsOf(await claim(storage, b))).toEqual([tried.uid]);
  });

  test('a lease is prolonged while its holder works, and no other one is', async () => {
    const { storage } = world();
    const [a, b] = await two();
    const [mine, other] = [someone(a, b), someone(a, b)];
    await save(storage, mine, other);
    const claimed = await claim(storage, b, { leaseMs: 20_000 });
    const id = claimed.find((one) => one.identity.uid === mine.uid)?.delivery.id;
    if (id === undefined) throw new Error('nothing claimed');
    const leasesOf = async (uid: string): Promise<number> =>
      (
        await storage.database.kysely
          .selectFrom('deliveries')
          .select('lease_until_ms')
          .where('uid', '=', identityUid(uid))
          .executeTakeFirstOrThrow()
      ).lease_until_ms ?? 0;
    const before = { mine: await leasesOf(mine.uid), other: await leasesOf(other.uid) };
    const letGo = storage.store.keepLeased([id], 3_000);
    await until(async () => (await leasesOf(mine.uid)) !== before.mine);
    letGo();
    expect(await leasesOf(other.uid)).toBe(before.other);
  });

  test('a delivery that changes while it is out keeps its lease and its place', async () => {
    const { storage } = world();
    const [a, b] = await two();
    const [older, younger] = [someone(a, b), someone(a, b)];
    await save(storage, older);
    await save(storage, younger);
    const [out] = await claim(storage, b, { limit: 1 });
    if (out === undefined) throw new Error('nothing claimed');
    const changed = { ...out.delivery, version: 9 };
    await save(storage, { ...out.identity, deliveries: new Map([[b.site, changed]]) });
    expect(uidsOf(await claim(storage, b, { leaseMs: 0 }))).toEqual([younger.uid]);
    await storage.store.transaction((tx) => tx.releaseClaims([out.delivery.id], []));
    expect(uidsOf(await claim(storage, b))).toEqual([older.uid, younger.uid]);
  });

  test('what is held is not due: the whole, or every field', async () => {
    const { storage } = world();
    const [a, b] = await two();
    const heldField = { email: carried('x@y.test', a.site, 'identity.email_taken') };
    const birth = { login: 'n', registered: '', stamp: [5, a.site] as const, path: [a.site] };
    const gone = { stamp: [5, a.site] as const, path: [a.site], how: 'strip' as const };
    const with1 = (fields: Parameters<typeof delivery>[1], change: Partial<Delivery> = {}) =>
      identity([account(a.installation)], [delivery(b.site, fields, change)]);
    const due = [
      with1({ ...heldField, url: carried('u', a.site) }),
      with1(heldField, { birth }),
      with1({}, { gone }),
    ];
    const waits = [
      with1(heldField),
      with1({}),
      someone(a, b, { held: 'delete.over_limit' }),
      with1({}, { gone, held: 'delete.over_limit' }),
    ];
    await save(storage, ...waits);
    expect(await lanesDue(b)).toEqual([]);
    await save(storage, ...due);
    const claimed = uidsOf(await claim(storage, b));
    expect(new Set(claimed)).toEqual(new Set(due.map((one) => one.uid)));
  });

  test('nothing is due to paused sites, nor to installations that are not well', async () => {
    const { storage } = world();
    const { registry } = storage;
    const [a, b] = await two();
    await save(storage, someone(a, b));
    const closed = async () => [...(await lanesDue(b)), ...(await claim(storage, b))];
    await registry.updateSite(b.site, { status: 'paused' });
    expect(await closed()).toEqual([]);
    await registry.updateSite(b.site, { status: 'active' });
    await registry.updateInstallation(b.installation, { state: 'attention' });
    expect(await closed()).toEqual([]);
    await registry.updateInstallation(b.installation, {
      state: 'active',
      retryAtMs: (await now()) + 60_000,
    });
    expect(await closed()).toEqual([]);
    await registry.updateInstallation(b.installation, { retryAtMs: 0 });
    expect(await lanesDue(b)).toEqual(['people']);
    expect((await claim(storage, b)).length).toBe(1);
  });

  test('the next time that something is due: put off, out on a lease, site backing off', async () => {
    const { storage } = world();
    const [a, b] = await two();
    expect((await storage.store.due()).nextMs).toBeNull();
    const at = (await now()) + 50_000;
    const putOff = someone(a, b, { notBeforeMs: at });
    await save(storage, putOff);
    expect((await storage.store.due()).nextMs).toBe(at);
    expect(await claim(storage, b)).toEqual([]);
    // The site is tried again after that: then is when it becomes due.
    await storage.registry.updateInstallation(b.installation, { retryAtMs: at + 5_000 });
    expect((await storage.store.due()).nextMs).toBe(at + 5_000);
    await storage.registry.updateInstallation(b.installation, { retryAtMs: at - 5_000 });
    expect((await storage.store.due()).nextMs).toBe(at);
    await storage.registry.updateInstallation(b.installation, { retryAtMs: 0 });
    await save(storage, someone(a, b));
    await claim(storage, b, { leaseMs: 20_000 });
    const { nextMs } = await storage.store.due();
    expect(nextMs).toBeGreaterThan((await now()) + 10_000);
    expect(nextMs).toBeLessThanOrEqual((await now()) + 20_000);
  });

  test('deletes are counted for their limit, and held together', async () => {
    const { storage } = world();
    const [a, b] = await two();
    const gone = { stamp: [5, a.site] as const, path: [a.site], how: 'delete' as const };
    const leaving = (change: Partial<Delivery> = {}) =>
      identity(
        [account(a.installation), account(b.installation)],
        [delivery(b.site, {}, { gone, ...change })],
      );
    const settling = leaving({ notBeforeMs: (await now()) + 60_000 });
    const edit = someone(a, b);
    await save(
      storage,
      leaving(),
      leaving(),
      settling,
      leaving({ held: 'delete.newer_edit' }),
      edit,
    );
    await storage.store.transaction(async (tx) => {
      await tx.appendLog([
        logEntry(b, { action: 'delete' }),
        logEntry(b, { action: 'delete', status: 'failed' }),
        logEntry(a, { action: 'delete' }),
      ]);
      expect(await tx.deletesDue(b.installation)).toEqual({ due: 2, accounts: 4, doneToday: 1 });
      expect(await tx.holdDeletes(b.installation, 'delete.over_limit')).toBe(3);
      expect(await tx.deletesDue(b.installation)).toMatchObject({ due: 0 });
    });
    expect((await read(storage, settling.uid))?.deliveries.get(b.site)).toMatchObject({
      held: 'delete.over_limit',
      version: 2,
    });
    expect(uidsOf(await claim(storage, b))).toEqual([edit.uid]);
  });

  test('what waited for an address or a login is tried again when it is free', async () => {
    const { storage } = world();
    const [a, b] = await two();
    const birth = { login: 'Anna', registered: '', stamp: [5, a.site] as const, path: [a.site] };
    const email = (held?: string) => ({ email: carried('Taken@X.test', a.site, held) });
    const make = (fields: ReturnType<typeof email>, change: Partial<Delivery>) =>
      identity([account(a.installation)], [delivery(b.site, fields, change)]);
    const far = (await now()) + 60_000;
    const field = make(email('identity.email_taken'), { notBeforeMs: far });
    const byEmail = make(email(), { birth, held: 'identity.email_taken' });
    const byLogin = make(email(), { birth, held: 'identity.login_taken' });
    const other = make(email(), { birth, held: 'identity.label_mismatch' });
    await save(storage, field, byEmail, byLogin, other);
    const release = (freed: { emails: string[]; logins: string[] }, at = b) =>
      storage.store.transaction((tx) => tx.releaseHeld(at.installation, freed));
    expect(await release({ emails: ['other@x.test'], logins: ['other'] })).toBe(0);
    expect(await release({ emails: ['taken@x.test'], logins: ['anna'] }, a)).toBe(0);
    expect(await release({ emails: ['taken@x.TEST'], logins: [] })).toBe(2);
    expect(new Set(uidsOf(await claim(storage, b)))).toEqual(new Set([field.uid, byEmail.uid]));
    expect(await release({ emails: [], logins: ['ANNA'] })).toBe(1);
    expect(uidsOf(await claim(storage, b))).toEqual([byLogin.uid]);
    const freed = (await read(storage, field.uid))?.deliveries.get(b.site);
    expect(freed).toMatchObject({ version: 2, notBeforeMs: 0 });
    expect(freed?.fields.get('email')).not.toHaveProperty('held');
    expect(await release({ emails: ['taken@x.test'], logins: ['anna'] })).toBe(0);
  });
}
