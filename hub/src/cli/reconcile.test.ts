/** `rollcall reconcile`: what it asks the hub, what it says, and what it ends with. */
import { expect, it } from 'vitest';
import * as samples from '../api/test/samples.ts';
import { fakeHub } from './test/fake-hub.ts';

const hub = fakeHub();
const ends = { source: 'Shop', target: 'Blog' };

it.each([
  [
    ['Shop', 'Blog'],
    ['startReconcile', { ...ends, repair: false, extra: true }, 'owner'],
  ],
  [
    ['Shop', 'Blog', '--repair', '--no-extra'],
    ['startReconcile', { ...ends, repair: true, extra: false }, 'owner'],
  ],
  [
    ['list', '--limit', '5'],
    ['reconciles', { limit: 5 }],
  ],
  [
    ['show', 'rec-1'],
    ['reconcile', 'rec-1'],
  ],
  [
    ['accounts', 'rec-1', '--what', 'held'],
    ['driftRows', 'rec-1', { what: 'held' }],
  ],
  [
    ['cancel', 'rec-1'],
    ['cancelReconcile', 'rec-1'],
  ],
])('rollcall reconcile %s asks first for %s', async (args, call) => {
  await hub.rollcall('reconcile', ...args);
  expect(hub.operations.calls[0]).toEqual(call);
});

it('it waits for the end, shows what drifts and why, and ends with 1', async () => {
  expect(await hub.rollcall('reconcile', 'Shop', 'Blog')).toBe(1);
  const { out, progress } = hub.terminal.written;
  expect(progress).toContain('Comparing: 12 of 12 accounts …');
  expect(out).toContain('Shop → Blog: 1 drift, 10 in step.');
  expect(out).toContain('drift.behind: The repair sends it.');
});

it('it ends with 0 where nothing drifts, or all of it was raised, and with 1 where it failed', async () => {
  const view = { ...samples.comparison, drift: 2, raised: 2, repair: true };
  hub.operations.on({ reconcile: async () => view });
  expect(await hub.rollcall('reconcile', 'Shop', 'Blog', '--repair')).toBe(0);
  const fault = { code: 'site.unknown', message: 'A site was removed.', next: 'Look.' };
  hub.operations.on({ reconcile: async () => ({ ...view, state: 'failed', fault }) });
  expect(await hub.rollcall('reconcile', 'Shop', 'Blog')).toBe(1);
  expect(hub.terminal.written.err).toContain('A site was removed.');
  expect(await hub.rollcall('reconcile', 'Shop', 'Blog', '--json')).toBe(1);
});

it('--json gives the answer itself, with the first accounts', async () => {
  await hub.rollcall('reconcile', 'Shop', 'Blog', '--json');
  expect(JSON.parse(hub.terminal.written.out)).toEqual({
    ...samples.comparison,
    rows: samples.drift.accounts,
    more: false,
  });
  hub.at({});
  expect(await hub.rollcall('reconcile', 'list', '--json')).toBe(0);
  expect(JSON.parse(hub.terminal.written.out)).toEqual({
    reconciles: [samples.comparison],
    next: null,
  });
  hub.at({});
  await hub.rollcall('reconcile', 'show', 'rec-1', '--json');
  expect(JSON.parse(hub.terminal.written.out)).toEqual(samples.comparison);
});

it('route change says when a route is compared, status what came out, and no name steers a terminal', async () => {
  const change = ['route', 'change', 'Shop', 'Blog', '--reconcile', 'weekly'];
  await hub.rollcall(...change, '--reconcile-repair', 'on');
  expect(hub.operations.calls.at(-1)).toEqual([
    'changeRoute',
    1,
    { reconcile: { every: 'weekly', repair: true } },
  ]);
  const evil = 'a\nroot \u001b[2J\u202e';
  const row = { id: evil, source: evil, target: evil, state: 'done', endedAt: null } as const;
  hub.operations.on({
    status: async () => ({ ...samples.status, reconciles: [{ ...row, drift: 3, raised: 1 }] }),
    reconcile: async () => ({ ...samples.comparison, id: evil, source: evil, target: evil }),
    driftRows: async () => ({
      accounts: samples.drift.accounts.map((one) => ({ ...one, login: evil, site: evil })),
      next: evil,
    }),
  });
  hub.at({});
  await hub.rollcall('status');
  expect(hub.terminal.written.out).toContain('2 drift');
  for (const command of [
    ['Shop', 'Blog'],
    ['show', 'rec-1'],
    ['accounts', 'rec-1'],
  ])
    await hub.rollcall('reconcile', ...command);
  const { out, err } = hub.terminal.written;
  expect(`${out}${err}`.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202E]/u);
  expect(`${out}${err}`).not.toMatch(/^root/mu);
});
