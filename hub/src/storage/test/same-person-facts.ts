/** Conformance: who may be the same person elsewhere, and how two identities become one. */
import { expect, test } from 'vitest';
import { PASSWORD } from '../../model/field.ts';
import type { Identity } from '../../model/identity.ts';
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

export function samePersonFacts(world: () => World): void {
  test('candidates are found by e-mail and by login, without case, and never by look-alikes', async () => {
    const { storage } = world();
    const place = await addPlace(storage);
    const at = (login: string, email: string, more = {}) =>
      identity([account(place.installation, { login, email, ...more })]);
    const byEmail = at('other', 'Anna@Example.test', { privileged: true });
    const byLogin = at('ANNA', 'somebody@example.test');
    const lookAlike = at('x', 'ánna@example.test');
    const ended = at('anna', 'anna@example.test', { gone: [5, place.site] });
    await save(storage, byEmail, byLogin, lookAlike, ended, at('', ''));
    const uid = newUid();
    const find = await storage.store.transaction((tx) =>
      tx.candidates([{ uid, email: 'anna@EXAMPLE.test', login: 'Anna' }], [place.installation]),
    );
    const wpIdOf = (one: Identity) => one.accounts.get(place.installation)?.wpId;
    expect(find(uid, place.installation)).toEqual([
      {
        by: 'email',
        wpId: wpIdOf(byEmail),
        uid: byEmail.uid,
        login: 'other',
        privileged: true,
        alreadyElsewhere: false,
      },
      {
        by: 'login',
        wpId: wpIdOf(byLogin),
        uid: byLogin.uid,
        login: 'ANNA',
        privileged: false,
        alreadyElsewhere: false,
      },
    ]);
    expect(find(newUid(), place.installation)).toEqual([]);
    const empty = await storage.store.transaction((tx) =>
      tx.candidates([{ uid, email: '', login: '' }], [place.installation]),
    );
    expect(empty(uid, place.installation)).toEqual([]);
  });

  test('who was taken for an account that ended is read again, and the link is forgotten', async () => {
    const { storage } = world();
    const [a, b] = [await addPlace(storage), await addPlace(storage)];
    const older = identity([account(b.installation, { email: 'same@example.test' })]);
    const newer = identity([account(a.installation, { email: 'same@example.test' })]);
    await save(storage, older, newer);
    const wpId = older.accounts.get(b.installation)?.wpId;
    const own = newer.accounts.get(a.installation)?.wpId;
    if (wpId === undefined || own === undefined) throw new Error('no account');
    const link = { uid: newer.uid, installation: b.installation, wpId, by: 'email' as const };
    await storage.store.transaction((tx) => tx.saveLinks([link]));
    await storage.store.transaction((tx) => tx.forgetLinksTo(b.installation, [wpId]));
    expect(await storage.views.links(newer.uid)).toEqual([]);
    expect((await storage.store.due()).toRead).toContain(a.installation);
    const read = await storage.store.refreshes(a.installation, 10);
    expect(read.map(({ wpId }) => wpId)).toEqual([own]);
  });

  test('a candidate who has an account where the asking person has one is somebody else', async () => {
    const { storage } = world();
    const [a, b] = [await addPlace(storage), await addPlace(storage)];
    const email = 'twin@example.test';
    const asking = identity([account(a.installation, { email })]);
    const twin = identity([
      account(a.installation),
      account(b.installation, { email, login: 't' }),
    ]);
    await save(storage, asking, twin);
    const ask = async (uid: Identity['uid'], on?: readonly Place[]) => {
      const installations = on?.map((place) => place.installation);
      const person = { uid, email, login: 't', ...(installations ? { on: installations } : {}) };
      const find = await storage.store.transaction((tx) =>
        tx.candidates([person], [b.installation]),
      );
      return find(uid, b.installation);
    };
    const found = { by: 'email', uid: twin.uid };
    expect(await ask(asking.uid)).toMatchObject([{ ...found, alreadyElsewhere: true }]);
    expect(await ask(newUid())).toMatchObject([{ ...found, alreadyElsewhere: false }]);
    expect(await ask(newUid(), [a])).toMatchObject([{ ...found, alreadyElsewhere: true }]);
    const byViews = await storage.views.candidatesOf(asking, a.installation, [b.installation]);
    expect(byViews(b.installation)).toMatchObject([{ ...found, alreadyElsewhere: true }]);
  });

  test('of two merged identities one stays and the other leads to it', async () => {
    const { storage } = world();
    const [a, b, c] = [await addPlace(storage), await addPlace(storage), await addPlace(storage)];
    const kept = identity(
      [account(a.installation)],
      [delivery(c.site, { email: carried('old@x.test', a.site), url: carried('u', a.site) })],
    );
    const newer = { ...carried('new@x.test', b.site), stamp: [1_800_000_000_000, b.site] as const };
    const moving = account(b.installation, { labelled: true });
    const ended: Identity = {
      ...identity(
        [moving],
        [delivery(c.site, { email: newer, [PASSWORD]: carried(HASH, b.site) }, { version: 4 })],
      ),
      stopped: new Map([[c.site, new Map([['url', [3, b.site] as const]])]]),
    };
    await save(storage, kept, ended);
    await storage.store.transaction((tx) =>
      tx.saveLinks([
        { uid: kept.uid, installation: b.installation, wpId: moving.wpId, by: 'email' },
      ]),
    );
    const merge = () => storage.store.transaction((tx) => tx.mergeIdentities(kept.uid, ended.uid));
    await merge();
    await merge();

    const one = await read(storage, kept.uid);
    expect(await read(storage, ended.uid)).toEqual(one);
    expect([...(one?.accounts.keys() ?? [])].sort()).toEqual(
      [a.installation, b.installation].sort(),
    );
    const waiting = one?.deliveries.get(c.site);
    expect(waiting?.version).toBe(5);
    expect(waiting?.fields.get('email')).toEqual(newer);
    expect(waiting?.fields.get('url')?.value).toBe('u');
    expect(waiting?.fields.get(PASSWORD)?.value).toBe(HASH);
    expect(one?.stopped.get(c.site)?.get('url')).toEqual([3, b.site]);
    expect(await storage.views.links(kept.uid)).toEqual([]);
    // The site carries the old label: it is told which one to replace.
    expect(await storage.store.unlabelled(b.installation, 10)).toEqual([
      { id: moving.wpId, uid: kept.uid, login: moving.login, was: ended.uid },
    ]);
  });

  test('who turns out to have an account already is not created there, and is in their own way no longer', async () => {
    const { storage } = world();
    const [a, b] = [await addPlace(storage), await addPlace(storage)];
    const living = account(a.installation);
    const { login, registered } = living;
    const birth = { login, registered, stamp: [9, a.site] as const, path: [a.site] };
    const held = 'identity.email_taken';
    const waiting = delivery(b.site, { url: carried('u', a.site) }, { birth, held });
    const one = identity([living], [waiting]);
    const other = identity([account(b.installation)]);
    await save(storage, one, other);
    await storage.store.transaction((tx) => tx.mergeIdentities(one.uid, other.uid));
    const left = (await read(storage, one.uid))?.deliveries.get(b.site);
    expect([left?.birth, left?.held]).toEqual([null, null]);
    expect(left?.fields.get('url')?.value).toBe('u');
  });

  test('two people with an account each on one installation are never merged', async () => {
    const { storage } = world();
    const [a, b] = [await addPlace(storage), await addPlace(storage)];
    const one = identity([account(a.installation)]);
    const other = identity([account(a.installation), account(b.installation)]);
    await save(storage, one, other);
    const merge = storage.store.transaction((tx) => tx.mergeIdentities(one.uid, other.uid));
    await expect(merge).rejects.toThrow('living account');
    expect(await read(storage, other.uid)).toEqual(other);
  });

  test('the living account stays when a merge brings a tombstone, from either side', async () => {
    const { storage } = world();
    const place = await addPlace(storage);
    const living = account(place.installation);
    const dead = () => account(place.installation, { gone: [5, place.site] });
    const pairs = [
      [identity([living]), identity([dead()])],
      [identity([dead()]), identity([account(place.installation)])],
    ] as const;
    for (const [into, from] of pairs) {
      await save(storage, into, from);
      await storage.store.transaction((tx) => tx.mergeIdentities(into.uid, from.uid));
      const merged = (await read(storage, into.uid))?.accounts.get(place.installation);
      expect(merged?.gone).toBeNull();
    }
  });
}
