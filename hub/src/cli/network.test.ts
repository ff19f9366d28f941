/** `rollcall network`: what it asks the hub, what it says, and what it ends with. */
import { expect, it } from 'vitest';
import * as samples from '../api/test/samples.ts';
import { EXIT } from './exit-codes.ts';
import { fakeHub } from './test/fake-hub.ts';

const hub = fakeHub();
const planned = { ...samples.networkRun, state: 'planned' as const, added: 0, done: 0 };
const ALL = { sites: 'all', people: { by: 'all' } };

it.each([
  [['list'], ['networks']],
  [
    ['show', 'Brands'],
    ['network', 'Brands'],
  ],
  [
    ['triggers', 'Brands'],
    ['network', 'Brands'],
  ],
  [
    ['triggers', 'Brands', '--new-account', 'on', '--exclude', 'A, B', '--no-site-admins'],
    [
      'changeNetwork',
      'Brands',
      { newAccount: true, exclude: ['A', 'B'], siteAdmins: false },
      'owner',
    ],
  ],
  [
    ['sync', 'Brands', '--dry-run', '--sites', 'A', '--add-back', '--ids', '3, 4'],
    [
      'planNetworkRun',
      'Brands',
      { action: 'fill', sites: ['A'], people: { by: 'ids', ids: [3, 4] }, addBack: true },
      'owner',
    ],
  ],
  [
    ['sync', 'Brands', '--yes', '--roles', 'editor', '--on', 'A'],
    [
      'planNetworkRun',
      'Brands',
      { action: 'fill', sites: 'all', people: { by: 'roles', roles: ['editor'], on: 'A' } },
      'owner',
    ],
  ],
  [
    ['copy-roles', 'Brands', '--from', 'A', '--memberships', 'all', '--dry-run'],
    [
      'planNetworkRun',
      'Brands',
      { action: 'copy', from: 'A', memberships: 'all', ...ALL },
      'owner',
    ],
  ],
  [
    ['runs', 'Brands', '--limit', '5'],
    ['networkRuns', 'Brands', { limit: 5 }],
  ],
  [
    ['run', 'run-1'],
    ['networkRun', 'run-1'],
  ],
  [
    ['accounts', 'run-1'],
    ['networkRows', 'run-1', {}],
  ],
  [
    ['start', 'run-1'],
    ['startNetworkRun', 'run-1', 'owner'],
  ],
  [
    ['pause', 'Brands', '--run', 'run-1'],
    ['steerNetworkRun', 'run-1', 'pause', 'owner'],
  ],
])('rollcall network %s asks first for %s', async (args, call) => {
  hub.operations.on({ networkRun: async () => planned });
  await hub.rollcall('network', ...args);
  expect(hub.operations.calls[0]).toEqual(call);
});

it('sync counts first, says what would happen, and writes only where it is meant', async () => {
  hub.operations.on({ networkRun: async () => planned });
  expect(await hub.rollcall('network', 'sync', 'Brands', '--dry-run')).toBe(EXIT.ok);
  const { out } = hub.terminal.written;
  expect(out).toContain('5 memberships would be added, 0 changed; 1 stay as they are.');
  expect(out).toContain('1 skipped, network.super_admin: Nobody touches a super admin.');
  expect(out).toContain('“rollcall network start run-1” carries this out.');
  expect(hub.operations.calls.map(([name]) => name)).not.toContain('startNetworkRun');
  hub.at({});
  expect(await hub.rollcall('network', 'sync', 'Brands')).toBe(EXIT.usage);
  expect(hub.terminal.written.err).toContain('Add --yes, or --dry-run.');
});

it('sync --yes goes on to the end, with how far it is, and fails where the run failed', async () => {
  const states = [planned, { ...planned, state: 'running' as const, done: 3, secondsLeft: 1 }];
  const end = samples.networkRun;
  hub.operations.on({ networkRun: async () => states.shift() ?? end });
  expect(await hub.rollcall('network', 'sync', 'Brands', '--yes')).toBe(EXIT.ok);
  expect(hub.terminal.written.progress).toContain(
    'Filling: 3 of 7, 12000 a second, about 1 s left …',
  );
  expect(hub.terminal.written.out).toContain(
    'Brands (done): 7 of 7 looked at, 5 added, 1 unchanged',
  );
  const fault = { code: 'network.refused', message: 'No such site.', next: 'Look.' };
  const failed = { ...end, state: 'failed' as const, fault };
  states.push(planned);
  hub.operations.on({ networkRun: async () => states.shift() ?? failed });
  expect(await hub.rollcall('network', 'sync', 'Brands', '--yes')).toBe(EXIT.failed);
  expect(hub.terminal.written.err).toContain('No such site.');
});

it('undo takes the newest run that was carried out, and waits for its end', async () => {
  const never = {
    ...samples.networkRun,
    id: 'run-9',
    state: 'cancelled' as const,
    startedAt: null,
  };
  const undone = { ...samples.networkRun, state: 'undone' as const, removed: 4, kept: 1 };
  hub.operations.on({
    networkRuns: async () => ({ runs: [never, samples.networkRun], next: null, fault: null }),
    steerNetworkRun: async () => ({ ...samples.networkRun, wanted: 'undo' }),
    networkRun: async () => undone,
  });
  expect(await hub.rollcall('network', 'undo', 'Brands')).toBe(EXIT.ok);
  expect(hub.operations.calls.slice(0, 2).map(([name, id]) => [name, id])).toEqual([
    ['networkRuns', 'Brands'],
    ['steerNetworkRun', 'run-1'],
  ]);
  expect(hub.terminal.written.out).toContain('4 taken back, 1 left since they were touched');
  const left = [
    { reason: 'network.site_closed', message: 'The site is archived.', count: 1 },
    { reason: 'network.role_privileged', message: 'The role is privileged.', count: 2 },
  ];
  const again = { ...undone, id: 'run-7', kept: 5, left };
  hub.operations.on({
    networkRuns: async () => ({
      runs: [never, again, samples.networkRun],
      next: null,
      fault: null,
    }),
    networkRun: async () => again,
  });
  const before = hub.operations.calls.length;
  expect(await hub.rollcall('network', 'undo', 'Brands')).toBe(EXIT.ok);
  expect(hub.operations.calls[before + 1]?.slice(0, 3)).toEqual([
    'steerNetworkRun',
    'run-7',
    'undo',
  ]);
  expect(hub.terminal.written.out).toContain('4 taken back, 2 left since they were touched');
  expect(hub.terminal.written.out).toContain('1 not taken back yet, network.site_closed: ');
  for (const runs of [[never], [never, undone, samples.networkRun]]) {
    hub.operations.on({ networkRuns: async () => ({ runs, next: null, fault: null }) });
    expect(await hub.rollcall('network', 'undo', 'Brands')).toBe(EXIT.usage);
    expect(hub.operations.calls.at(-1)?.[0]).toBe('networkRuns');
  }
});

it('--json gives the answer itself', async () => {
  await hub.rollcall('network', 'show', 'Brands', '--json');
  expect(JSON.parse(hub.terminal.written.out)).toEqual(samples.network);
  hub.at({});
  hub.operations.on({ networkRun: async () => planned });
  await hub.rollcall('network', 'sync', 'Brands', '--dry-run', '--json');
  expect(JSON.parse(hub.terminal.written.out)).toEqual(planned);
});

it.each([
  [['sync', 'Brands', '--yes', '--ids', '3', '--search', 'x']],
  [['sync', 'Brands', '--yes', '--roles', 'editor']],
  [['sync', 'Brands', '--yes', '--ids', 'three']],
  [['triggers', 'Brands', '--new-account', 'maybe']],
])('rollcall network %s is not understood', async (args) => {
  expect(await hub.rollcall('network', ...args)).toBe(EXIT.usage);
  expect(hub.operations.calls).toEqual([]);
});
