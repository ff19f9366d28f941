/** Conformance: captured rows, labels, and what a site must be asked again. */
import { expect, test } from 'vitest';
import { type WordPressId, wordPressId } from '../../model/ids.ts';
import type { CapturedChange } from '../../sync/ports.ts';
import { purgeChanges } from '../tidy.ts';
import { account, addPlace, identity, type Place, save, type World } from './world.ts';

const change = (row: string, rev = 1): CapturedChange => ({
  row,
  rev,
  kind: 'update',
  wpId: wordPressId(5),
  uid: null,
  actor: { kind: 'user', login: 'ed\u0000itor \ud800' },
  fields: ['email'],
  atMs: 1_700_000_000_000,
});

const ids = (...numbers: number[]): WordPressId[] => numbers.map(wordPressId);

export function outboxFacts(world: () => World): void {
  const append = (place: Place, ...changes: CapturedChange[]) =>
    world().storage.store.transaction((tx) => tx.appendChanges(place.installation, changes));

  test('a row is new once per revision, whoever sends it again', async () => {
    const [a, b] = [await addPlace(world().storage), await addPlace(world().storage)];
    expect(await append(a, change('r1'), change('r2'), change('r1'))).toEqual([0, 1]);
    expect(await append(a, change('r2'), change('r1', 2), change('r3'))).toEqual([1, 2]);
    expect(await append(b, change('r1'))).toEqual([0]);
    expect(await append(a)).toEqual([]);
  });

  test('rows wait for their acknowledgement; one that comes again waits again', async () => {
    const { store } = world().storage;
    const place = await addPlace(world().storage);
    await append(place, change('r1'), change('r2', 3));
    const waiting = async () =>
      new Set((await store.unacknowledged(place.installation)).map(String));
    expect(await waiting()).toEqual(new Set(['r1,1', 'r2,3']));
    await store.markAcknowledged(place.installation, [
      ['r2', 3],
      ['r1', 9],
    ]);
    expect(await waiting()).toEqual(new Set(['r1,1']));
    expect(await append(place, change('r2', 3))).toEqual([]);
    expect(await waiting()).toEqual(new Set(['r1,1', 'r2,3']));
  });

  test('acknowledged rows are purged by age, waiting ones never', async () => {
    const { storage } = world();
    const place = await addPlace(storage);
    await append(place, change('old'), change('waiting'));
    await storage.store.markAcknowledged(place.installation, [['old', 1]]);
    expect(await purgeChanges(storage.database, 60_000)).toBe(0);
    expect(await purgeChanges(storage.database, -60_000)).toBeGreaterThanOrEqual(1);
    expect(await storage.store.unacknowledged(place.installation)).toEqual([['waiting', 1]]);
    expect(await append(place, change('old'))).toEqual([0]);
  });

  test('accounts wait for their label until the site has confirmed it', async () => {
    const { storage } = world();
    const { store } = storage;
    const place = await addPlace(storage);
    const at = (more = {}) => identity([account(place.installation, more)]);
    const [one, two] = [at(), at()];
    await save(
      storage,
      one,
      two,
      at({ labelled: true }),
      at({ alarm: 'identity.label_mismatch' }),
      at({ gone: [5, place.site] }),
    );
    const labels = await store.unlabelled(place.installation, 10);
    const accounts = [one, two].map((person) => person.accounts.get(place.installation));
    expect(labels).toEqual([
      { id: accounts[0]?.wpId, uid: one.uid, login: accounts[0]?.login },
      { id: accounts[1]?.wpId, uid: two.uid, login: accounts[1]?.login },
    ]);
    expect((await store.unlabelled(place.installation, 1)).length).toBe(1);
    // A label that was told before two identities became one says nothing of the new uid.
    const former = labels.map(({ id }) => ({ id, uid: identity([]).uid }));
    await store.markLabelled(place.installation, former);
    expect((await store.unlabelled(place.installation, 10)).length).toBe(2);
    await store.markLabelled(place.installation, labels.slice(0, 1));
    expect((await store.unlabelled(place.installation, 10)).map(({ uid }) => uid)).toEqual([
      two.uid,
    ]);
  });

  test('accounts to be read again are listed oldest first, until what was read is cleared', async () => {
    const { store } = world().storage;
    const { installation } = await addPlace(world().storage);
    await store.transaction(async (tx) => {
      await tx.queueRefresh(installation, ids(3, 1, 3));
      await tx.queueRefresh(installation, ids(2, 1));
    });
    const listed = async (limit: number) =>
      (await store.refreshes(installation, limit)).map(({ wpId }) => wpId);
    const clear = async (refreshes: Awaited<ReturnType<typeof store.refreshes>>, fails = false) =>
      store.transaction(async (tx) => {
        await tx.clearRefreshes(installation, refreshes);
        if (fails) throw new Error('killed');
      });
    expect(new Set(await listed(9))).toEqual(new Set([1, 2, 3]));
    const all = await store.refreshes(installation, 9);
    expect(await listed(2)).toEqual(all.slice(0, 2).map(({ wpId }) => wpId));
    await expect(clear(all, true)).rejects.toThrow('killed');
    expect(await store.refreshes(installation, 9)).toEqual(all);
    // Asked for again while it was read: it is read once more.
    await store.transaction((tx) => tx.queueRefresh(installation, ids(2)));
    await clear(all);
    expect(await listed(9)).toEqual([2]);
    await clear(await store.refreshes(installation, 9));
    expect(await listed(9)).toEqual([]);
  });

  test('accounts to be stamped again are asked for until that is cleared', async () => {
    const { store } = world().storage;
    const { installation } = await addPlace(world().storage);
    await store.transaction(async (tx) => {
      await tx.queueRestamp(installation, ids(4, 5));
      await tx.queueRestamp(installation, ids(5));
    });
    expect(new Set(await store.restamps(installation))).toEqual(new Set([4, 5]));
    await store.clearRestamps(installation, ids(4));
    expect(await store.restamps(installation)).toEqual([5]);
  });

  test('the cursor is part of the transaction', async () => {
    const { store, registry } = world().storage;
    const { installation } = await addPlace(world().storage);
    await store.transaction((tx) =>
      tx.setCursor(installation, { epoch: 'e2', head: 12_345_678_901 }),
    );
    expect(await registry.installation(installation)).toMatchObject({
      epoch: 'e2',
      head: 12_345_678_901,
    });
  });
}
