/** Rotation of the hub's credential, cut short at every step, over a real store. On real sites: e2e/ways-to-connect. */
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { Fault } from '../errors.ts';
import type { InstallationId } from '../model/ids.ts';
import type { Connection } from '../sync/ports.ts';
import { Stand } from './test/stand.ts';

let stand: Stand;
let id: InstallationId;
beforeAll(async () => {
  stand = await Stand.open(['shop']);
  await stand.connect('shop');
  const [installation] = await stand.storage.registry.installations();
  if (installation === undefined) throw new Error('nothing is connected');
  ({ id } = installation);
});
afterAll(() => stand.close());

let before: Connection;
beforeEach(async () => {
  before = await kept();
});

const kept = () => stand.storage.registry.connection(id);
const rotate = () => stand.operations.rotateSite('Shop', 'ann');
const works = async (connection: Connection): Promise<boolean> =>
  stand
    .site('shop')
    .status(connection)
    .then(() => true)
    .catch(() => false);
/** The site answers the next status with this fault, whoever asks. */
const failNext = (code: 'site.credential_rejected' | 'site.unreachable') =>
  vi.spyOn(stand.site('shop'), 'status').mockRejectedValueOnce(new Fault(code, 'No.'));

test('the new one is kept and used, the one before ends, and the history tells who did it', async () => {
  expect(await rotate()).toEqual({ sites: ['shop'], ended: true });
  const now = await kept();
  expect(now.credential).not.toEqual(before.credential);
  expect([await works(now), await works(before)]).toEqual([true, false]);
  const events = await stand.operations.siteEvents({ site: 'shop', limit: 10 });
  expect(events[0]).toMatchObject({ code: 'credential.rotated', by: 'operator ann' });
});

test('killed before the new one is kept: the one before goes on, and the next try succeeds', async () => {
  const lost = { ...before, credential: await stand.site('shop').newCredential(before) };
  expect(await works(before)).toBe(true);
  await rotate();
  expect([await works(await kept()), await works(before), await works(lost)]).toEqual([
    true,
    false,
    false,
  ]);
});

test('killed before the new one is used: any later request uses it', async () => {
  failNext('site.unreachable');
  expect(await rotate()).toEqual({ sites: ['shop'], ended: false });
  expect(await works(before)).toBe(true);
  expect(await works(await kept())).toBe(true);
  expect(await works(before)).toBe(false);
});

test('a new one that the site refuses is not kept', async () => {
  failNext('site.credential_rejected');
  await expect(rotate()).rejects.toMatchObject({ code: 'site.credential_rejected' });
  expect((await kept()).credential).toEqual(before.credential);
  expect(await works(before)).toBe(true);
});

test('two at once leave one credential that works', async () => {
  await Promise.allSettled([rotate(), rotate()]);
  expect(await works(await kept())).toBe(true);
  await rotate();
  expect(await works(await kept())).toBe(true);
});

test('only the one that is kept is replaced', async () => {
  const { registry } = stand.storage;
  const other = { user: 'hub', password: 'another' };
  expect(await registry.replaceCredential(id, other, other)).toBe(false);
  expect((await kept()).credential).toEqual(before.credential);
});
