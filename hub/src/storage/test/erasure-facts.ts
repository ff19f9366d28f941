/** Conformance: erasures on their way, and what is kept of a person afterwards. */
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { wordPressId } from '../../model/ids.ts';
import { account, addPlace, identity, logEntry, save, type World } from './world.ts';

export function erasureFacts(world: () => World): void {
  const told = (row: string, of: string | null = null) => ({
    row,
    wpId: wordPressId(1),
    login: 'anna',
    of,
  });

  test('an erasure is told once, goes to each installation once, and back to none', async () => {
    const { storage } = world();
    const { erasures } = storage;
    const [here, there] = [await addPlace(storage), await addPlace(storage)];
    const { uid } = identity([account(here.installation)]);
    const way = (from: typeof here, to: typeof here) => [
      { source: from.site, target: to.site, installation: to.installation },
    ];
    await erasures.note(here.installation, [told('row-1'), told('row-1')]);
    await erasures.note(here.installation, [told('row-1')]);
    const [first, second] = await erasures.unsettled(here.installation);
    expect(second).toBeUndefined();
    const id = first?.id ?? '';
    expect(await erasures.settle(id, uid, way(here, there), null)).toEqual([there.installation]);
    expect(await erasures.settle(id, uid, way(here, there), null)).toEqual([]);
    const [step] = await erasures.waiting(there.installation, 9);
    expect(step).toMatchObject({ erasure: id, uid, source: here.site, target: there.site });
    await erasures.end(step?.id ?? 0, 'opened', null);
    await erasures.note(there.installation, [told('row-2', id), told('row-3', randomUUID())]);
    const back = await erasures.unsettled(there.installation);
    const woken = [];
    for (const { id: one } of back)
      woken.push(await erasures.settle(one, uid, way(there, here), null));
    // What claims to be an erasure of this hub and is none is one of its own.
    expect(woken.toSorted((a, b) => a.length - b.length)).toEqual([[], [here.installation]]);
  });

  test('more than a day’s share are held, until a person decides', async () => {
    const { storage } = world();
    const { erasures } = storage;
    const [here, there] = [await addPlace(storage), await addPlace(storage)];
    for (let row = 1; row <= 3; row += 1) {
      await erasures.note(here.installation, [told(`many-${row}`)]);
      const [one] = await erasures.unsettled(here.installation);
      const { uid } = identity([account(here.installation)]);
      const step = { source: here.site, target: there.site, installation: there.installation };
      await erasures.settle(one?.id ?? '', uid, [step], null);
    }
    expect(await erasures.holdBeyond(there.installation, 3, 'there')).toEqual([]);
    const held = await erasures.holdBeyond(there.installation, 2, 'there');
    expect(held.length).toBe(3);
    expect(await erasures.decide([held[0]?.id ?? 0], 'release')).toEqual([there.installation]);
    expect(await erasures.holdBeyond(there.installation, 0, 'there')).toEqual([]);
    expect((await erasures.waiting(there.installation, 9)).length).toBe(1);
    await storage.registry.removeInstallation(there.installation);
    const states = (await erasures.list(9)).map(({ state, reason }) => `${state} ${reason}`);
    expect(new Set(states.slice(0, 3))).toEqual(new Set(['refused site.removed']));
  });

  test('the hub’s records of a person are erased once a day, however often a site tells of it', async () => {
    const { storage } = world();
    const { erasures } = storage;
    const [here, there] = [await addPlace(storage), await addPlace(storage)];
    const { uid } = identity([account(here.installation)]);
    const own = { site: here.site, privileged: false };
    const way = [{ source: here.site, target: there.site, installation: there.installation }];
    const tell = async (place: typeof here, row: string, of: string | null = null) => {
      await erasures.note(place.installation, [told(row, of)]);
      const [one] = await erasures.unsettled(place.installation);
      await erasures.settle(one?.id ?? '', uid, way, { ...own, site: place.site });
      return one?.id ?? '';
    };
    const due = async (place: typeof here) =>
      (await erasures.ownDue(place.installation)).map(({ id }) => id);
    const first = await tell(here, 'own-1');
    await tell(here, 'own-2');
    const [step, another] = await due(here);
    expect(another).toBeUndefined();
    expect(await erasures.eraseOwn(step ?? 0)).toBe(true);
    expect(await erasures.eraseOwn(step ?? 0)).toBe(false);
    await tell(here, 'own-3');
    expect(await due(here)).toEqual([]);
    expect((await erasures.holdBeyond(here.installation, 1, 'own')).length).toBe(1);
    // What the hub asked a site for is answered at once, and one time.
    await tell(there, 'own-4', first);
    const [answer] = await due(there);
    expect(await erasures.eraseOwn(answer ?? 0)).toBe(true);
    await tell(there, 'own-5', first);
    expect(await due(there)).toEqual([]);
  });

  test('names go out of what is kept of a person, also where they were the one who did it', async () => {
    const { storage } = world();
    const place = await addPlace(storage);
    const person = identity([account(place.installation, { login: 'anna' })]);
    const other = identity([account(place.installation)]);
    await save(storage, person, other);
    const by = { source: place.site, actor: 'account anna' };
    await storage.store.transaction((tx) =>
      tx.appendLog([
        logEntry(place, { login: 'anna', uid: person.uid, actor: 'account root' }),
        logEntry(place, { login: 'bo', uid: other.uid, ...by }),
      ]),
    );
    expect(await storage.erasures.eraseRecords(person.uid)).toMatchObject({ logRows: 1 });
    const rows = await storage.views.log({ site: place.site, limit: 9 });
    expect(rows.map(({ login, actor }) => [login, actor])).toEqual([
      ['bo', 'account'],
      ['', 'account'],
    ]);
    expect(await storage.erasures.eraseRecords(person.uid)).toMatchObject({ logRows: 0 });
  });
}
