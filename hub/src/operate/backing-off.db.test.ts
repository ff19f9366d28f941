/** A site that is left alone for a while is asked again by itself, and a site that signals elsewhere is told where to. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Stand } from './test/stand.ts';

const WAIT_MS = 60_000;
let stand: Stand;

beforeAll(async () => {
  stand = await Stand.open(['shop']);
  await stand.connect('shop');
  await stand.rest();
});
afterAll(() => stand.close());

test('a signal that comes too early is not the last that is heard of the site', async () => {
  const { registry, store } = stand.storage;
  const [installation] = await registry.installations();
  if (installation === undefined) throw new Error('nothing is connected');
  const { id } = installation;
  const retryAtMs = (await store.nowMs()) + WAIT_MS;
  await registry.updateInstallation(id, { failures: 1, retryAtMs });
  stand.site('shop').register({ login: 'anna', email: 'anna@x.test' });
  stand.askedLater.length = 0;
  const uid = () => stand.site('shop').byLogin('anna')?.uid;

  await stand.operations.acceptSignal(id, { epoch: 'e', head: 1 });
  await stand.work();
  expect(uid()).toBeNull();
  const [later, ...more] = stand.askedLater;
  expect(more).toEqual([]);
  expect(later?.installation).toBe(id);
  expect(later?.afterMs).toBeGreaterThan(0);
  expect(later?.afterMs).toBeLessThanOrEqual(WAIT_MS);

  await registry.updateInstallation(id, { retryAtMs: 0 });
  await stand.operations.acceptSignal(id, { epoch: 'e', head: 1 });
  await stand.work();
  expect(uid()).not.toBeNull();
});

test('a site with news and no signal is told once more where this hub is', async () => {
  const { registry } = stand.storage;
  const [installation] = await registry.installations();
  if (installation === undefined) throw new Error('nothing is connected');
  const { id } = installation;
  const here = `https://hub.test/api/v1/signals/${id}`;
  expect(stand.site('shop').signalsTo).toBe(here);
  stand.site('shop').signalsTo = 'https://another.test';
  await registry.updateInstallation(id, { lastSignalMs: 1 });
  stand.site('shop').register({ login: 'bo', email: 'bo@x.test' });
  await stand.rest();
  expect((await registry.installation(id)).lastSignalMs).toBeNull();
  await stand.rest();
  expect(stand.site('shop').signalsTo).toBe(here);
});
