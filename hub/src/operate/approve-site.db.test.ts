/** Attempts to connect by WordPress's approve page, over a real store. On a real site: e2e/ways-to-connect. */
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { StartedApproval } from '../api/schemas/site.ts';
import { startApproval } from './approve-site.ts';
import { Stand } from './test/stand.ts';

let stand: Stand;
let started: StartedApproval;
let secret: string;
beforeAll(async () => {
  stand = await Stand.open(['shop']);
});
afterAll(() => stand.close());
beforeEach(async () => {
  started = await stand.operations.startApproval({ url: 'shop', name: 'shop' }, 'ann');
  secret = asked('success_url').searchParams.get('state') ?? '';
});

const asked = (name: string) => new URL(new URL(started.approveUrl).searchParams.get(name) ?? '');
const state = async () => (await stand.operations.approval(started.id, 'ann')).state;
const come = (given = secret) =>
  stand.operations.approvalCame(given, { user: 'admin', password: 'abcd efgh' });

test('the page is told where to lead back to, with a secret of this attempt', async () => {
  expect(asked('success_url').href).toBe(`https://hub.test/connect/approved?state=${secret}`);
  expect(asked('reject_url').href).toBe(`https://hub.test/connect/rejected?state=${secret}`);
  expect(secret.length).toBeGreaterThan(40);
  const { rows } = await sql`select * from approvals`.execute(stand.storage.database.kysely);
  expect(JSON.stringify(rows)).not.toContain(secret);
});

test('an approval is taken once, by whoever brings the secret, and connects the site', async () => {
  expect(await come('x'.repeat(43))).toBe(false);
  expect(await state()).toBe('open');
  const [first, second] = await Promise.all([come(), come()]);
  expect(first).toBe(!second);
  await vi.waitFor(async () => expect(await state()).toBe('connected'), 20_000);
  expect((await stand.operations.sites()).map(({ name }) => name)).toEqual(['shop']);
  expect(await come()).toBe(false);
});

test('what became of it is shown to nobody else', async () => {
  const other = stand.operations.approval(started.id, 'bob');
  await expect(other).rejects.toMatchObject({ code: 'approve.unknown' });
  const none = stand.operations.approval('nothing', 'ann');
  await expect(none).rejects.toMatchObject({ code: 'approve.unknown' });
});

test('one that was rejected, or is too late, connects nothing', async () => {
  expect(await stand.operations.approvalRejected(secret)).toBe(true);
  expect([await come(), await state()]).toEqual([false, 'rejected']);
  started = await stand.operations.startApproval({ url: 'shop', name: 'shop' }, 'ann');
  secret = asked('success_url').searchParams.get('state') ?? '';
  const past = sql`update approvals set ends_ms = 1000 where id = ${started.id}`;
  await past.execute(stand.storage.database.kysely);
  expect([await come(), await state()]).toEqual([false, 'expired']);
});

test('a trade that the hub did not survive shows as failed, and says what may be left', async () => {
  const dead = sql`update approvals set state = 'connecting', ends_ms = 1000 where id = ${started.id}`;
  await dead.execute(stand.storage.database.kysely);
  const view = await stand.operations.approval(started.id, 'ann');
  expect(view).toMatchObject({ state: 'failed', fault: { code: 'internal.fault' } });
  expect(view.fault?.message).toContain('Application Password');
});

test.each([
  ['http://hub.test', 'https://shop.test', 'approve.needs_https'],
  ['http://hub.test', 'http://shop.test', 'fine'],
  ['https://hub.test', 'https://shop.test', 'fine'],
])('a hub at %s and a site at %s: %s', async (publicUrl, site, code) => {
  const found = { restUrl: `${site}/wp-json/`, publicOnly: false };
  const work = startApproval(
    {
      introductions: {
        discover: async () => found,
        approvePage: async () => `${site}/wp-admin/authorize-application.php`,
      },
      approvals: { open: async () => {} },
      store: { nowMs: async () => 0 },
      publicUrl: () => publicUrl,
      newSecret: () => 'secret',
      newId: () => 'id',
    },
    { url: site, name: 'Shop' },
    'ann',
  );
  const outcome = await work.then(
    () => 'fine',
    (fault: { code: string }) => fault.code,
  );
  expect(outcome).toBe(code);
});
