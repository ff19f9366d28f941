/** Conformance: installations, sites and routes. */
import { expect, test } from 'vitest';
import { installationId, routeId, siteKey } from '../../model/ids.ts';
import {
  account,
  addPlace,
  carried,
  claim,
  delivery,
  identity,
  newUid,
  RULES,
  read,
  SECRETS,
  save,
  type World,
} from './world.ts';

export function registryFacts(world: () => World): void {
  const registry = () => world().storage.registry;

  test('site keys are never given twice', async () => {
    const keys = [
      ...(await registry().reserveSiteKeys(3)),
      ...(await registry().reserveSiteKeys(2)),
    ];
    expect(new Set(keys).size).toBe(5);
    expect(keys.every((key) => Number.isInteger(key) && key > 0)).toBe(true);
  });

  test('an installation comes back as it was saved, with its sites', async () => {
    const place = await addPlace(world().storage);
    const found = await registry().installation(place.installation);
    expect(found).toEqual({ ...place.saved, failures: 0, retryAtMs: 0, lastPulledMs: null });
    expect((await registry().topology()).sites.get(place.site)).toEqual(place.record);
    expect(await registry().sites()).toContainEqual(place.record);
    expect((await registry().installations()).map(({ id }) => id)).toContain(place.installation);
  });

  test('a users table is the same installation when it comes again, with its keys', async () => {
    const { registry } = world().storage;
    const place = await addPlace(world().storage);
    const { store } = place.saved;
    const living = await registry.installationOfStore(store);
    expect(living?.installation).toMatchObject({ id: place.installation, state: 'active' });
    await registry.removeInstallation(place.installation);
    const removed = await registry.installationOfStore(store);
    expect(removed?.installation).toMatchObject({ id: place.installation, state: 'removed' });
    expect(removed?.sites.map((site) => site.key)).toEqual([place.site]);
    expect(await registry.installationOfStore('never seen')).toBeNull();
  });

  test('a connection carries the credential and the hub’s identity', async () => {
    const place = await addPlace(world().storage);
    const connection = await registry().connection(place.installation);
    expect(connection).toMatchObject({
      installation: place.installation,
      restUrl: place.saved.restUrl,
      publicOnly: true,
      credential: SECRETS.credential,
    });
    expect(connection.hub.term).toBeGreaterThanOrEqual(1);
    expect(await registry().signalSecret(place.installation)).toBe(SECRETS.signalSecret);
  });

  test('what is unknown is a fault, and has no signal secret', async () => {
    const { registry } = world().storage;
    const nobody = installationId(newUid());
    await expect(registry.installation(nobody)).rejects.toMatchObject({ code: 'site.unknown' });
    await expect(registry.connection(nobody)).rejects.toMatchObject({ code: 'site.unknown' });
    await expect(registry.removeInstallation(nobody)).rejects.toMatchObject({
      code: 'site.unknown',
    });
    await expect(registry.updateInstallation(nobody, { head: 1 })).rejects.toMatchObject({
      code: 'site.unknown',
    });
    expect(await registry.signalSecret(nobody)).toBeNull();
    expect(await registry.signalSecret(installationId('no uuid'))).toBeNull();
    await expect(registry.updateSite(siteKey(999_999), { name: 'x' })).rejects.toMatchObject({
      code: 'site.unknown',
    });
  });

  test('saving again renews credential and sites and ends the back-off', async () => {
    const { storage } = world();
    const place = await addPlace(storage);
    await registry().updateInstallation(place.installation, { failures: 3, retryAtMs: 9e15 });
    const credential = { user: 'other', password: 'renewed' };
    const site = { ...place.record, url: 'https://moved.test', createMissing: false };
    await registry().saveInstallation({ ...place.saved, head: 7 }, [site], {
      credential,
      signalSecret: 'new',
    });
    expect(await registry().installation(place.installation)).toMatchObject({
      failures: 0,
      retryAtMs: 0,
      head: 7,
    });
    expect((await registry().connection(place.installation)).credential).toEqual(credential);
    expect((await registry().topology()).sites.get(place.site)).toEqual(site);
  });

  test('a name that another site has, in whatever case, is refused and nothing is kept', async () => {
    const place = await addPlace(world().storage, { site: { name: 'Shop one' } });
    const before = (await registry().installations()).length;
    await expect(addPlace(world().storage, { site: { name: 'SHOP ONE' } })).rejects.toMatchObject({
      code: 'site.name_taken',
    });
    expect((await registry().installations()).length).toBe(before);
    const other = await addPlace(world().storage);
    await expect(registry().updateSite(other.site, { name: 'shop one' })).rejects.toMatchObject({
      code: 'site.name_taken',
    });
    await registry().updateSite(place.site, { name: 'SHOP ONE' });
  });

  test('one users table belongs to one installation', async () => {
    const place = await addPlace(world().storage);
    await expect(
      addPlace(world().storage, { installation: { store: place.saved.store } }),
    ).rejects.toMatchObject({ code: 'site.already_added' });
  });

  test('a change of an installation or a site touches what it names and nothing else', async () => {
    const place = await addPlace(world().storage);
    const trouble = { code: 'site.timeout', message: 'It took too long.' };
    await registry().updateInstallation(place.installation, { trouble, retryAtMs: 1234.6 });
    await registry().updateInstallation(place.installation, { head: 5, epoch: 'e1' });
    expect(await registry().installation(place.installation)).toEqual({
      ...place.saved,
      trouble,
      retryAtMs: 1235,
      head: 5,
      epoch: 'e1',
      failures: 0,
      lastPulledMs: null,
    });
    await registry().updateInstallation(place.installation, { trouble: null });
    expect((await registry().installation(place.installation)).trouble).toBeNull();
    await registry().updateSite(place.site, { status: 'paused' });
    expect((await registry().topology()).sites.get(place.site)).toEqual({
      ...place.record,
      status: 'paused',
    });
  });

  test('routes are added, changed and removed, and wrong ones are refused', async () => {
    const [a, b] = [await addPlace(world().storage), await addPlace(world().storage)];
    const ends = { source: a.site, target: b.site };
    const route = await registry().addRoute({ ...ends, rules: RULES });
    expect(route).toEqual({ id: route.id, ...ends, status: 'active', rules: RULES });
    await expect(registry().addRoute({ ...ends, rules: RULES })).rejects.toMatchObject({
      code: 'route.exists',
    });
    await expect(
      registry().addRoute({ source: a.site, target: a.site, rules: RULES }),
    ).rejects.toMatchObject({ code: 'route.same_installation' });
    await expect(
      registry().addRoute({ source: a.site, target: siteKey(999_999), rules: RULES }),
    ).rejects.toMatchObject({ code: 'site.unknown' });
    await registry().updateRoute(route.id, { status: 'paused' });
    const rules = { ...RULES, creates: false };
    await registry().updateRoute(route.id, { rules });
    expect((await registry().topology()).routes).toContainEqual({
      ...route,
      status: 'paused',
      rules,
    });
    await registry().removeRoute(route.id);
    await expect(registry().removeRoute(route.id)).rejects.toMatchObject({ code: 'route.unknown' });
    await expect(
      registry().updateRoute(routeId(999_999), { status: 'paused' }),
    ).rejects.toMatchObject({ code: 'route.unknown' });
  });

  test('what waits for a route is due again when the route changes; a delete settles first', async () => {
    const { storage } = world();
    const [a, b] = [await addPlace(storage), await addPlace(storage)];
    const route = await registry().addRoute({ source: a.site, target: b.site, rules: RULES });
    const waits = { notBeforeMs: (await storage.store.nowMs()) + 3_600_000 };
    const edit = identity(
      [account(a.installation)],
      [delivery(b.site, { email: carried('x@y.test', a.site) }, waits)],
    );
    const gone = { stamp: [5, a.site] as const, path: [a.site], how: 'delete' as const };
    const end = identity([account(a.installation)], [delivery(b.site, {}, { ...waits, gone })]);
    await save(storage, edit, end);
    await registry().updateRoute(route.id, { status: 'active' });
    expect((await claim(storage, b)).map((one) => one.identity.uid)).toEqual([edit.uid]);
    const now = await storage.store.nowMs();
    const settles = (await read(storage, end.uid))?.deliveries.get(b.site)?.notBeforeMs ?? 0;
    expect(settles).toBeGreaterThan(now);
    expect(settles).toBeLessThanOrEqual(now + 60_000);
  });

  test('removing an installation cancels what is on its way there and keeps the people', async () => {
    const { storage } = world();
    const [a, b] = [await addPlace(storage), await addPlace(storage)];
    await registry().addRoute({ source: a.site, target: b.site, rules: RULES });
    const person = identity(
      [account(a.installation, { login: 'Anna' }), account(b.installation)],
      [delivery(b.site, { email: carried('x@y.test', a.site) })],
    );
    await save(storage, person);
    await registry().removeInstallation(b.installation);
    await registry().removeInstallation(b.installation);

    const kept = await read(storage, person.uid);
    expect(kept?.accounts.size).toBe(2);
    expect(kept?.deliveries.size).toBe(0);
    expect(await storage.views.log({ site: b.site, limit: 5 })).toMatchObject([
      { uid: person.uid, status: 'cancelled', reason: 'site.removed', fields: ['email'] },
    ]);
    const topology = await registry().topology();
    expect(topology.sites.has(b.site)).toBe(false);
    expect(topology.routes.filter((route) => route.target === b.site)).toEqual([]);
    expect((await registry().installation(b.installation)).state).toBe('removed');
    expect((await registry().installations()).map(({ id }) => id)).not.toContain(b.installation);
    await expect(registry().connection(b.installation)).rejects.toMatchObject({
      code: 'site.unknown',
    });
    expect(await registry().signalSecret(b.installation)).toBeNull();
    const again = await addPlace(storage, {
      installation: { store: b.saved.store },
      site: { name: b.record.name },
    });
    expect(again.site).not.toBe(b.site);
  });
}
