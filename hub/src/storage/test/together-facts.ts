/** Conformance where two processes share a database: nobody gets what another one holds. */
import { expect, test } from 'vitest';
import { wordPressId } from '../../model/ids.ts';
import {
  account,
  addPlace,
  carried,
  claim,
  delivery,
  identity,
  logEntry,
  read,
  save,
  until,
  type World,
} from './world.ts';

export function togetherFacts(world: () => World): void {
  const both = () => {
    const { storage, second } = world();
    if (second === null) throw new Error('This suite needs two connections.');
    return [storage, second] as const;
  };
  const gate = () => {
    let open = (): void => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    return { open, opened };
  };

  test('two processes that claim at once share the work and never one delivery', async () => {
    const [one, other] = both();
    const [a, b] = [await addPlace(one), await addPlace(one)];
    const people = Array.from({ length: 200 }, () =>
      identity([account(a.installation)], [delivery(b.site, { url: carried('u', a.site) })]),
    );
    await save(one, ...people);
    const rounds = Array.from({ length: 10 }, (_, round) =>
      claim(round % 2 === 0 ? one : other, b, { limit: 20 }),
    );
    const claimed = (await Promise.all(rounds)).flat();
    const rest = [...(await claim(one, b, { limit: 200 })), ...claimed];
    const uids = rest.map((entry) => entry.identity.uid);
    expect(uids.length).toBe(200);
    expect(new Set(uids).size).toBe(200);
    expect(rest.every((entry) => entry.delivery.attempts === 1)).toBe(true);
  });

  test('a claim passes over people whom another transaction holds, without waiting', async () => {
    const [one, other] = both();
    const [a, b] = [await addPlace(one), await addPlace(one)];
    const make = () =>
      identity([account(a.installation)], [delivery(b.site, { url: carried('u', a.site) })]);
    const [held, free] = [make(), make()];
    await save(one, held);
    await save(one, free);
    const [locked, done] = [gate(), gate()];
    const holding = one.store.transaction(async (tx) => {
      await tx.lockByUid([held.uid]);
      locked.open();
      await done.opened;
    });
    await locked.opened;
    expect((await claim(other, b)).map((entry) => entry.identity.uid)).toEqual([free.uid]);
    done.open();
    await holding;
    expect((await claim(other, b)).map((entry) => entry.identity.uid)).toEqual([held.uid]);
  });

  test('the second to learn of a person waits and sees what the first one learned', async () => {
    const [one, other] = both();
    const place = await addPlace(one);
    const person = identity([account(place.installation)]);
    const wpId = person.accounts.get(place.installation)?.wpId ?? wordPressId(0);
    await save(one, person);
    const locked = gate();
    const add = (field: string, storage: typeof one, ready?: () => void) =>
      storage.store.transaction(async (tx) => {
        const found = (await tx.lockByAccount(place.installation, [wpId])).get(wpId);
        const its = found?.accounts.get(place.installation);
        if (found === undefined || its === undefined) throw new Error('unknown');
        ready?.();
        await tx.nowMs();
        const known = new Map(its.known).set(field, [5, place.site]);
        await tx.save([{ ...found, accounts: new Map([[place.installation, { ...its, known }]]) }]);
      });
    const first = add('email', one, locked.open);
    await locked.opened;
    await Promise.all([first, add('url', other)]);
    const known = (await read(one, person.uid))?.accounts.get(place.installation)?.known;
    expect(new Set(known?.keys())).toEqual(new Set(['email', 'url']));
  });

  test('two that meet one new account end with one identity: the later one looks again', async () => {
    const [one, other] = both();
    const place = await addPlace(one);
    const wpId = wordPressId(77);
    const [bothLooked, looks] = [gate(), { count: 0 }];
    let runs = 0;
    const learn = (storage: typeof one) =>
      storage.store.transaction(async (tx) => {
        runs += 1;
        const found = await tx.lockByAccount(place.installation, [wpId]);
        looks.count += 1;
        if (looks.count === 2) bothLooked.open();
        await bothLooked.opened;
        const present = found.get(wpId);
        if (present !== undefined) return present.uid;
        const fresh = identity([account(place.installation, { wpId })]);
        await tx.save([fresh]);
        return fresh.uid;
      });
    const uids = await Promise.all([learn(one), learn(other)]);
    expect(uids[0]).toBe(uids[1]);
    expect(runs).toBe(3);
  });

  test('two that wait for each other in a circle both get through', async () => {
    const [one, other] = both();
    const place = await addPlace(one);
    const people = [
      identity([account(place.installation)]),
      identity([account(place.installation)]),
    ];
    await save(one, ...people);
    const [x, y] = people.map((person) => person.uid);
    if (x === undefined || y === undefined) throw new Error('no people');
    const [bothHold, holds] = [gate(), { count: 0 }];
    const take = (storage: typeof one, first: typeof x, then: typeof x) =>
      storage.store.transaction(async (tx) => {
        await tx.lockByUid([first]);
        holds.count += 1;
        if (holds.count === 2) bothHold.open();
        await bothHold.opened;
        return (await tx.lockByUid([then])).size;
      });
    expect(await Promise.all([take(one, x, y), take(other, y, x)])).toEqual([1, 1]);
  });

  test('who follows the log sees every row, however long its writer took', async () => {
    const [one, other] = both();
    const place = await addPlace(one);
    const [written, seen] = [gate(), gate()];
    const slow = one.store.transaction(async (tx) => {
      await tx.appendLog([logEntry(place, { login: 'slow' })]);
      written.open();
      await seen.opened;
    });
    await written.opened;
    await other.store.transaction((tx) => tx.appendLog([logEntry(place, { login: 'fast' })]));
    const follow = async (afterId: number) =>
      other.views.log({ site: place.site, afterId, limit: 10 });
    expect(await follow(0)).toEqual([]);
    expect((await other.views.log({ site: place.site, limit: 9 })).length).toBe(1);
    seen.open();
    await slow;
    await until(async () => (await follow(0)).length === 2);
    expect((await follow(0)).map((row) => row.login)).toEqual(['slow', 'fast']);
  });
}
