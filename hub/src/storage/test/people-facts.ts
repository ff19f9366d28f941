/** Conformance: identities, what they look like elsewhere, and how two become one. */
import { expect, test } from 'vitest';
import { PASSWORD } from '../../model/field.ts';
import type { Identity } from '../../model/identity.ts';
import { deliveryId, siteKey, wordPressId } from '../../model/ids.ts';
import {
  account,
  addPlace,
  carried,
  delivery,
  identity,
  newUid,
  type Place,
  read,
  save,
  type World,
} from './world.ts';

const HASH = '$wp$2y$10$abcdefghijklmnopqrstuv';

/** An identity with something in every corner. */
function full(a: Place, b: Place): Identity {
  const here = account(a.installation, {
    login: 'Ánna “quoted”',
    email: 'Anna@Example.test',
    privileged: true,
    outgoingStopped: true,
    incomingRejected: true,
    labelled: true,
    known: new Map([
      ['email', [5, a.site]],
      [`${a.site}/role:editor`, [6, a.site]],
    ]),
    roles: new Map([[a.site, ['customer', 'editor']]]),
    alarm: 'identity.label_mismatch',
  });
  const fields = {
    email: carried('new@example.test', a.site, 'identity.email_taken'),
    [PASSWORD]: carried(HASH, a.site),
    'role:member': { ...carried(false, a.site), lost: 'customer' },
    'meta:phone': carried(['1', ['nested', null, true, 2.5]], a.site),
    'meta:odd': carried('zero \u0000 and half \ud800 a pair', a.site),
  };
  const waiting = delivery(b.site, fields, {
    birth: { login: 'anna', registered: here.registered, stamp: [9, a.site], path: [a.site] },
    held: 'identity.email_taken',
    actor: 'person anna',
    lane: 'bulk',
    attempts: 3,
    version: 7,
    notBeforeMs: 123,
  });
  const person = identity([here], [waiting]);
  return { ...person, stopped: new Map([[b.site, new Map([['email', [4, a.site] as const]])]]) };
}

export function peopleFacts(world: () => World): void {
  test('an identity comes back as it was saved, by account and by uid', async () => {
    const { storage } = world();
    const [a, b] = [await addPlace(storage), await addPlace(storage)];
    const person = full(a, b);
    await save(storage, person);
    expect(await read(storage, person.uid)).toEqual(person);
    const wpId = person.accounts.get(a.installation)?.wpId ?? wordPressId(0);
    const byAccount = await storage.store.transaction((tx) =>
      tx.lockByAccount(a.installation, [wpId, wordPressId(999_999_999)]),
    );
    expect(byAccount).toEqual(new Map([[wpId, person]]));
  });

  test('text that PostgreSQL can’t hold does not stop its batch', async () => {
    const { storage } = world();
    const place = await addPlace(storage);
    const odd = identity([account(place.installation, { login: 'a\u0000b', email: 'c\ud800@d' })]);
    const plain = identity([account(place.installation)]);
    await save(storage, odd, plain);
    const found = (await read(storage, odd.uid))?.accounts.get(place.installation);
    expect(found).toMatchObject({ login: 'a\ufffdb', email: 'c\ufffd@d' });
    expect(await read(storage, plain.uid)).toEqual(plain);
  });

  test('an account that ended is nobody’s, and its WordPress id may come again', async () => {
    const { storage } = world();
    const place = await addPlace(storage);
    const wpId = wordPressId(7);
    const ended = identity([account(place.installation, { wpId, gone: [5, place.site] })]);
    const look = () =>
      storage.store.transaction((tx) => tx.lockByAccount(place.installation, [wpId]));
    await save(storage, ended);
    expect((await look()).size).toBe(0);
    const next = identity([account(place.installation, { wpId })]);
    await save(storage, next);
    expect((await look()).get(wpId)).toEqual(next);
    expect(await read(storage, ended.uid)).toEqual(ended);
  });

  test('saving writes what differs and nothing else', async () => {
    const { storage, statements } = world();
    const [a, b] = [await addPlace(storage), await addPlace(storage)];
    const person = full(a, b);
    await save(storage, person);
    const count = await storage.store.transaction(async (tx) => {
      const found = (await tx.lockByUid([person.uid])).get(person.uid);
      const before = statements();
      if (found !== undefined) await tx.save([found]);
      await tx.save([structuredClone(person)]);
      return statements() - before;
    });
    expect(count).toBe(0);
  });

  test('deliveries, refusals and accounts that are gone from an identity are deleted', async () => {
    const { storage } = world();
    const [a, b] = [await addPlace(storage), await addPlace(storage)];
    const person = full(a, b);
    await save(storage, person);
    const bare = { ...person, deliveries: new Map(), stopped: new Map(), accounts: new Map() };
    await save(storage, bare);
    expect(await read(storage, person.uid)).toEqual(bare);
  });

  test('an account can move from one identity to another in one save', async () => {
    const { storage } = world();
    const place = await addPlace(storage);
    const moving = account(place.installation);
    const [from, to] = [identity([moving]), identity([])];
    await save(storage, from, to);
    const moved = { ...to, accounts: from.accounts };
    await save(storage, moved, { ...from, accounts: new Map() });
    expect(await read(storage, to.uid)).toEqual(moved);
    expect((await read(storage, from.uid))?.accounts.size).toBe(0);
  });

  test('a transaction that throws leaves nothing', async () => {
    const { storage } = world();
    const place = await addPlace(storage);
    const person = identity([account(place.installation)]);
    const work = storage.store.transaction(async (tx) => {
      await tx.save([person]);
      await tx.queueRefresh(place.installation, [wordPressId(1)]);
      await tx.setCursor(place.installation, { epoch: 'e', head: 9 });
      throw new Error('killed');
    });
    await expect(work).rejects.toThrow('killed');
    expect(await read(storage, person.uid)).toBeUndefined();
    expect((await storage.registry.installation(place.installation)).epoch).toBeNull();
    expect(await storage.store.refreshes(place.installation, 9)).toEqual([]);
  });

  test('calls that would wait for their own transaction are refused at once', async () => {
    const { storage } = world();
    await storage.store.transaction(async () => {
      await expect(storage.registry.topology()).rejects.toThrow('inside a transaction');
      await expect(storage.store.nowMs()).rejects.toThrow('inside a transaction');
      await expect(storage.views.held({ limit: 1 })).rejects.toThrow('inside a transaction');
    });
    expect(await storage.store.nowMs()).toBeGreaterThan(1_600_000_000_000);
  });

  test('a thousand identities are learned and saved in a fixed number of statements', async () => {
    const { storage, statements } = world();
    const [a, b] = [await addPlace(storage), await addPlace(storage)];
    const many = Array.from({ length: 1000 }, () => full(a, b));
    const ids = many.map((one) => one.accounts.get(a.installation)?.wpId ?? wordPressId(0));
    const counts: number[] = [];
    const count = async <T>(work: Promise<T>, before = statements()): Promise<T> => {
      const result = await work;
      counts.push(statements() - before);
      return result;
    };
    await storage.store.transaction((tx) => count(tx.save(many)));
    const found = await storage.store.transaction(async (tx) => {
      const known = await count(tx.lockByAccount(a.installation, ids));
      const people = [...known.values()].map((one) => ({
        uid: one.uid,
        email: 'nobody@example.test',
        login: 'nobody',
      }));
      await count(tx.candidates(people, [a.installation, b.installation]));
      const changed = [...known.values()].map((one) => ({
        ...one,
        deliveries: new Map(),
        stopped: new Map([[b.site, new Map([['url', [9, a.site] as const]])]]),
      }));
      await count(tx.save(changed));
      return known;
    });
    expect(found.size).toBe(1000);
    // New: identities, accounts, deliveries, refusals. Look: lock, owners, three tables. Again:
    // deliveries deleted, refusals rewritten.
    expect(counts).toEqual([4, 5, 1, 2]);
  });

  test('another delivery to the same site takes the old one’s row', async () => {
    const { storage } = world();
    const [a, b] = [await addPlace(storage), await addPlace(storage)];
    const person = identity(
      [account(a.installation)],
      [delivery(b.site, { url: carried('1', a.site) })],
    );
    await save(storage, person);
    const next = delivery(b.site, { url: carried('2', a.site) }, { id: deliveryId(newUid()) });
    await save(storage, { ...person, deliveries: new Map([[b.site, next]]) });
    expect((await read(storage, person.uid))?.deliveries.get(b.site)).toEqual(next);
    expect(siteKey(b.site)).toBe(next.target);
  });
}
