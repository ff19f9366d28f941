/**
 * What the commands ask the API for and what they make of its answers. The hub itself is proven in
 * e2e/.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TOKENS } from '../api/test/fake-operations.ts';
import * as samples from '../api/test/samples.ts';
import { Fault } from '../errors.ts';
import { writeHubFile } from './hub-file.ts';
import { fakeHub, PASSWORD, siteAdd } from './test/fake-hub.ts';

const hub = fakeHub();

describe('a command asks for what it was told', () => {
  const accounts = { by: 'all' };
  it.each<[string[], unknown[]]>([
    [['site', 'list'], ['sites']],
    [
      ['site', 'test', 'My Shop'],
      ['testSite', 'My Shop'],
    ],
    [
      ['site', 'pause', 'Shop'],
      ['changeSite', 'Shop', { status: 'paused' }],
    ],
    [
      ['site', 'resume', 'Shop'],
      ['changeSite', 'Shop', { status: 'active' }],
    ],
    [
      ['site', 'set', 'Shop', '--automatic', 'off', '--sync-roles', 'customer, editor'],
      ['changeSite', 'Shop', { automatic: false, syncRoles: ['customer', 'editor'] }],
    ],
    [
      ['site', 'set', 'Shop', '--sync-roles', '', '--on-role-lost', 'delete'],
      ['changeSite', 'Shop', { syncRoles: [], onRoleLost: 'delete' }],
    ],
    [
      ['site', 'set', 'Shop', '--create-missing', 'on'],
      ['changeSite', 'Shop', { createMissing: true }],
    ],
    [
      ['site', 'set', 'Shop', '--role-map', 'customer=buyer+member, editor = author'],
      ['changeSite', 'Shop', { roleMap: { customer: ['buyer', 'member'], editor: ['author'] } }],
    ],
    [
      ['site', 'set', 'Shop', '--role-map', ''],
      ['changeSite', 'Shop', { roleMap: {} }],
    ],
    [['site', 'show', 'Shop'], ['sites']],
    [
      ['site', 'guard', 'Shop', '--check-address', '203.0.113.9'],
      ['guard', 'Shop', { address: '203.0.113.9' }],
    ],
    [
      ['site', 'guard', 'Shop', '--read-only', '--whitelist', '--revoke-role', 'author', 'editor'],
      [
        'tightenGuard',
        'Shop',
        { readOnly: true, whitelist: true, revokeRoles: ['author', 'editor'] },
        'owner',
      ],
    ],
    [
      ['account', 'show', 'Shop', 'anna'],
      ['account', { site: 'Shop', login: 'anna' }],
    ],
    [
      ['privacy', 'export', 'Shop', 'anna'],
      ['personRecords', { site: 'Shop', login: 'anna' }],
    ],
    [
      ['privacy', 'erase', 'Shop', 'anna'],
      ['erasePerson', { site: 'Shop', login: 'anna' }, 'owner'],
    ],
    [['privacy', 'list'], ['erasures']],
    [
      ['privacy', 'release', '1', '2'],
      ['decideErasures', { erasures: [1, 2], decision: 'release' }, 'owner'],
    ],
    [
      ['privacy', 'reject', '--all'],
      ['decideErasures', { all: true, decision: 'reject' }, 'owner'],
    ],
    [
      ['account', 'set', 'Shop', 'anna', '--no-stop-outgoing', '--reject-incoming'],
      [
        'switchAccount',
        { site: 'Shop', login: 'anna', stopOutgoing: false, rejectIncoming: true },
        'owner',
      ],
    ],
    [
      ['site', 'remove', 'Shop'],
      ['removeSite', 'Shop', { force: false }, 'owner'],
    ],
    [
      ['site', 'copy', 'Shop'],
      ['siteCopied', 'Shop', 'owner'],
    ],
    [
      ['site', 'remove', 'Shop', '--force'],
      ['removeSite', 'Shop', { force: true }, 'owner'],
    ],
    [
      siteAdd('--app-password', PASSWORD),
      ['addSite', { url: 'shop.test', name: 'Shop', user: 'admin', appPassword: PASSWORD }],
    ],
    [
      ['route', 'add', 'Shop', 'Blog', '--both'],
      ['addRoute', { source: 'Shop', target: 'Blog', both: true, rules: {} }],
    ],
    [
      [
        'route',
        'add',
        'A',
        'B',
        '--roles',
        'customer, editor',
        '--no-creates',
        '--on-delete',
        'strip',
      ],
      [
        'addRoute',
        {
          source: 'A',
          target: 'B',
          both: false,
          rules: { roles: ['customer', 'editor'], creates: false, onDelete: 'strip' },
        },
      ],
    ],
    [['route', 'list'], ['routes']],
    [
      ['group', 'add', 'Brands', '--members', 'Shop, Blog', '--takes', 'Archive', '--no-creates'],
      [
        'addGroup',
        {
          name: 'Brands',
          members: [
            { site: 'Shop', way: 'both' },
            { site: 'Blog', way: 'both' },
            { site: 'Archive', way: 'takes' },
          ],
          rules: { creates: false },
        },
      ],
    ],
    [['group', 'list'], ['groups']],
    [
      ['group', 'show', 'Brands'],
      ['group', 'Brands'],
    ],
    [
      ['group', 'change', 'Brands', '--name', 'Marken', '--meta', 'billing_*'],
      ['changeGroup', 'Brands', { name: 'Marken', rules: { meta: ['billing_*'] } }],
    ],
    [
      ['group', 'pause', 'Brands'],
      ['changeGroup', 'Brands', { status: 'paused' }],
    ],
    [
      ['group', 'resume', 'Brands'],
      ['changeGroup', 'Brands', { status: 'active' }],
    ],
    [
      ['group', 'add-member', 'Brands', 'A', 'B', '--gives', 'HQ'],
      [
        'addMembers',
        'Brands',
        {
          members: [
            { site: 'A', way: 'both' },
            { site: 'B', way: 'both' },
            { site: 'HQ', way: 'gives' },
          ],
        },
      ],
    ],
    [
      ['group', 'remove-member', 'Brands', 'Shop & Co'],
      ['removeMember', 'Brands', 'Shop & Co'],
    ],
    [
      ['group', 'except', 'Brands', 'Shop', 'Blog', '--both', '--none'],
      ['exceptRoute', 'Brands', { source: 'Shop', target: 'Blog', both: true, status: 'none' }],
    ],
    [
      ['group', 'except', 'Brands', 'Shop', 'Blog', '--paused', '--fields', 'email'],
      [
        'exceptRoute',
        'Brands',
        {
          source: 'Shop',
          target: 'Blog',
          both: false,
          status: 'paused',
          rules: { fields: ['email'] },
        },
      ],
    ],
    [
      ['group', 'except', 'Brands', 'Shop', 'Blog', '--like-group'],
      ['exceptRoute', 'Brands', { source: 'Shop', target: 'Blog', both: false, status: 'group' }],
    ],
    [['config', 'export'], ['config']],
    [
      ['group', 'remove', 'Brands'],
      ['removeGroup', 'Brands'],
    ],
    [['route', 'show', 'Shop', 'Blog'], ['routes']],
    [
      ['log', 'settings', 'Shop', '--off', '--days', 'default'],
      ['changeSiteLog', 'Shop', { on: false, days: null }, 'owner'],
    ],
    [
      ['log', 'settings', '--days', '90'],
      ['changeLogSettings', { days: 90 }],
    ],
    [['log', 'settings'], ['logSettings']],
    [
      ['held', 'list', '--look', '--json'],
      ['held', { look: 'true' }],
    ],
    [
      ['held', 'show', 'd-1'],
      ['showHeld', 'd-1'],
    ],
    [
      ['held', 'resolve', 'd-1', '--as', 'separate'],
      ['resolveHeld', 'd-1', 'separate', 'owner'],
    ],
    [
      ['retry', '7'],
      ['retry', { rows: [7] }, 'owner'],
    ],
    [
      ['retry', '--all', '--site', 'Shop'],
      ['retry', { all: true, site: 'Shop' }, 'owner'],
    ],
    [
      ['logs', '--all', '--action', 'create, delete', '--reason', 'a.b', '--until', '2h'],
      [
        'log',
        {
          action: ['create', 'delete'],
          reason: 'a.b',
          until: '2026-11-21T07:31:00.000Z',
          after: 0,
          limit: 1000,
        },
      ],
    ],
    [
      ['logs', '--status', 'held,failed', '--site', 'Shop', '--account', 'anna', '--since', '1h'],
      [
        'log',
        {
          status: ['held', 'failed'],
          site: 'Shop',
          account: 'anna',
          since: '2026-11-21T08:31:00.000Z',
          limit: 100,
        },
      ],
    ],
    [
      ['site', 'history', 'Shop'],
      ['siteEvents', { site: 'Shop', limit: 100 }],
    ],
    [['status'], ['status', { look: false }]],
    [
      ['status', '--wait-idle', '5'],
      ['status', { look: true }],
    ],
    [
      ['explain', 'Shop', 'anna & bo'],
      ['explain', 'Shop', 'anna & bo'],
    ],
    [['recover'], ['planRecovery']],
    [
      ['recover', '--yes'],
      ['recoverHub', 'owner'],
    ],
    [['doctor'], ['doctor']],
    [
      ['held', 'list'],
      ['held', {}],
    ],
    [
      ['held', 'list', '--reason', 'a.b', '--limit', '5', '--after', 'p-1'],
      ['held', { reason: 'a.b', limit: 5, after: 'p-1' }],
    ],
    [
      ['alarm', 'list', '--site', 'Shop', '--after', 'p-1'],
      ['alarms', { site: 'Shop', after: 'p-1' }],
    ],
    [
      ['logs', '--before', '7', '--limit', '5'],
      ['log', { before: 7, limit: 5 }],
    ],
    [
      ['held', 'reject', '--reason', 'a.b'],
      ['decideHeld', { reason: 'a.b', decision: 'reject' }, 'owner'],
    ],
    [
      ['held', 'release', 'd-1'],
      ['decideHeld', { deliveries: ['d-1'], decision: 'release' }, 'owner'],
    ],
    [
      ['link', 'Shop', 'anna', 'Blog'],
      [
        'proveLink',
        { site: 'Shop', login: 'anna', otherSite: 'Blog', otherLogin: 'anna' },
        'owner',
      ],
    ],
    [
      ['link', 'Shop', 'anna', 'Blog', 'anna2', '--mail'],
      [
        'askForProof',
        { site: 'Shop', login: 'anna', otherSite: 'Blog', otherLogin: 'anna2', kind: 'mail' },
        'owner',
      ],
    ],
    [
      ['link', 'Shop', 'anna', 'Blog', '--password', '--within', '2h'],
      [
        'askForProof',
        {
          site: 'Shop',
          login: 'anna',
          otherSite: 'Blog',
          otherLogin: 'anna',
          kind: 'password',
          withinSeconds: 7200,
        },
        'owner',
      ],
    ],
    [['proof', 'list'], ['askedProofs']],
    [
      ['proof', 'withdraw', 'p-1'],
      ['withdrawProof', 'p-1', 'owner'],
    ],
    [['run'], ['runUntilIdle', { waitMs: 20_000 }]],
  ])('rollcall %s', async (args, call) => {
    expect(await hub.rollcall(...args)).toBe(0);
    expect(hub.operations.calls).toEqual([call]);
    expect(hub.terminal.written.out).not.toBe('');
    expect(hub.terminal.written.err).toBe('');
  });

  it.each([
    [
      ['sync', '--from', 'A', '--to', 'B,C', '--all', '--dry-run'],
      ['planSync', { from: 'A', to: ['B', 'C'], accounts }, 'owner'],
    ],
    [
      ['sync', '--from', 'A', '--to', 'B', '--roles', 'customer', '--dry-run'],
      [
        'planSync',
        { from: 'A', to: ['B'], accounts: { by: 'roles', roles: ['customer'] } },
        'owner',
      ],
    ],
    [
      ['sync', '--from', 'A', '--to', 'B', '--accounts', 'anna, bo', '--dry-run'],
      [
        'planSync',
        { from: 'A', to: ['B'], accounts: { by: 'accounts', logins: ['anna', 'bo'] } },
        'owner',
      ],
    ],
    [
      ['sync', '--from', 'A', '--to', 'B', '--search', 'ann', '--only-missing', '--dry-run'],
      [
        'planSync',
        { from: 'A', to: ['B'], accounts: { by: 'search', search: 'ann' }, mode: 'only_missing' },
        'owner',
      ],
    ],
    [
      ['runs', 'list', '--limit', '5'],
      ['syncs', { limit: 5 }],
    ],
    [
      ['runs', 'show', 'run-1'],
      ['sync', 'run-1'],
    ],
    [
      ['runs', 'accounts', 'run-1', '--state', 'changed'],
      ['syncSteps', 'run-1', { state: 'changed' }],
    ],
    [
      ['runs', 'start', 'run-1', '--link-all'],
      ['startPlanned', 'run-1', { links: 'all' }],
    ],
    [
      ['runs', 'start', 'run-1', '--link', 'vera@My Blog=vera-b'],
      ['startPlanned', 'run-1', { links: [{ login: 'vera', target: 'My Blog', other: 'vera-b' }] }],
    ],
    [
      ['runs', 'pause', 'run-1'],
      ['pauseSync', 'run-1'],
    ],
    [
      ['runs', 'resume', 'run-1'],
      ['resumeSync', 'run-1'],
    ],
    [
      ['runs', 'cancel', 'run-1'],
      ['cancelSync', 'run-1'],
    ],
    [
      ['runs', 'undo', 'run-1', '--remove-created'],
      ['undoSync', 'run-1', { removeCreated: true }, 'owner'],
    ],
  ] as const)('rollcall %s asks first for %s', async (args, call) => {
    await hub.rollcall(...args);
    expect(hub.operations.calls[0]).toEqual(call);
  });

  it.each([
    [['site', 'list'], { sites: [samples.site] }],
    [['route', 'list'], { routes: [samples.route, samples.wayBack] }],
    [['status'], samples.status],
    [['explain', 'Shop', 'anna'], samples.explanation],
    [['recover'], samples.recovery],
    [['doctor'], { ok: true, checks: [samples.check] }],
    [['proof', 'list'], { proofs: [samples.proof] }],
    [['logs'], samples.logRow],
    [['run'], samples.runReport],
    [
      ['runs', 'show', 'run-1'],
      { ...samples.run, state: 'done', endedAt: samples.MOMENT, pending: 0 },
    ],
    [['runs', 'accounts', 'run-1'], samples.steps],
  ])('rollcall %s --json gives the answer itself', async (args, value) => {
    expect(await hub.rollcall(...args, '--json')).toBe(0);
    expect(JSON.parse(hub.terminal.written.out)).toEqual(value);
  });

  it('route pause, resume and remove find routes by names or id', async () => {
    expect(await hub.rollcall('route', 'pause', 'shop', 'Blog', '--both')).toBe(0);
    expect(await hub.rollcall('route', 'remove', '2')).toBe(0);
    expect(hub.operations.calls.filter(([name]) => name !== 'routes')).toEqual([
      ['changeRoute', 1, { status: 'paused' }],
      ['changeRoute', 2, { status: 'paused' }],
      ['removeRoute', 2],
    ]);
    expect(await hub.rollcall('route', 'resume', 'Shop', 'Academy')).toBe(1);
    expect(hub.terminal.written.err).toContain('There is no route Shop → Academy.');
  });
});

describe('route change', () => {
  it('sends what was named and nothing else, for both ways', async () => {
    const rules = ['--meta', 'billing_*, phone', '--roles', '', '--no-creates', '--updates'];
    const more = ['--on-delete', 'strip', '--reassign-to', 'heir', '--both'];
    expect(await hub.rollcall('route', 'change', 'Shop', 'blog', ...rules, ...more)).toBe(0);
    const wanted = {
      meta: ['billing_*', 'phone'],
      roles: [],
      creates: false,
      updates: true,
      onDelete: 'strip',
      reassignTo: 'heir',
    };
    expect(hub.operations.calls.slice(1)).toEqual([
      ['changeRoute', 1, { rules: wanted }],
      ['changeRoute', 2, { rules: wanted }],
    ]);
  });

  it('says who leaves by conditions or by the name of a plugin, and says what is none', async () => {
    const change = (...words: readonly string[]) => hub.rollcall('route', 'change', '1', ...words);
    expect(await change('--leave-when', 'role:author', 'meta:plan=gold, x', 'signed-in')).toBe(0);
    expect(await change('--leave-preset', 'new-user-approve')).toBe(0);
    expect(await change('--no-leave-when')).toBe(0);
    const asked = hub.operations.calls.filter(([name]) => name === 'changeRoute');
    expect(asked.map(([, , wanted]) => wanted)).toEqual(
      [
        [
          { kind: 'role', role: 'author' },
          { kind: 'meta', key: 'plan', values: ['gold', 'x'] },
          { kind: 'signed_in' },
        ],
        [{ kind: 'meta', key: 'pw_user_status', values: ['approved', ''] }],
        [],
      ].map((leaveWhen) => ({ rules: { leaveWhen } })),
    );
    expect(await change('--leave-when', 'approved')).toBe(2);
    expect(hub.terminal.written.err).toContain('“approved” is none of role:NAME');
  });

  it('names a preset and what becomes of a login that is taken', async () => {
    const preset = ['--preset', 'woocommerce'];
    expect(await hub.rollcall('route', 'change', '1', ...preset, '--login-taken', 'hold')).toBe(0);
    expect(await hub.rollcall('route', 'change', '1', ...preset)).toBe(0);
    expect(await hub.rollcall('route', 'add', 'Shop', 'Blog', ...preset)).toBe(0);
    expect(hub.operations.calls.filter(([name]) => name !== 'routes')).toEqual([
      ['changeRoute', 1, { preset: 'woocommerce', rules: { loginTaken: 'hold' } }],
      ['changeRoute', 1, { preset: 'woocommerce' }],
      [
        'addRoute',
        { source: 'Shop', target: 'Blog', both: false, preset: 'woocommerce', rules: {} },
      ],
    ]);
    expect(await hub.rollcall('route', 'add', 'Shop', 'Blog', '--preset', 'magento')).toBe(2);
  });

  it('takes the heir away, and says when nothing was named', async () => {
    expect(await hub.rollcall('route', 'change', '1', '--no-reassign-to')).toBe(0);
    expect(hub.operations.calls.slice(1)).toEqual([
      ['changeRoute', 1, { rules: { reassignTo: null } }],
    ]);
    expect(await hub.rollcall('route', 'change', 'Shop', 'Blog')).toBe(2);
    expect(hub.terminal.written.err).toContain('Nothing to change is named.');
  });
});

describe('the Application Password', () => {
  it('is read from standard input with -', async () => {
    hub.at({ input: `${PASSWORD}\r\n` });
    expect(await hub.rollcall(...siteAdd('--app-password', '-'))).toBe(0);
    expect(hub.operations.calls[0]?.[1]).toMatchObject({ appPassword: PASSWORD });
  });

  it('is asked for when it is missing or empty', async () => {
    expect(await hub.rollcall(...siteAdd())).toBe(2);
    expect(await hub.rollcall(...siteAdd('--app-password', '-'))).toBe(2);
    expect(hub.operations.calls).toEqual([]);
  });

  it('is never shown again, whatever happens', async () => {
    const happenings = [
      new Fault('site.wrong_password', 'Wrong.'),
      new Error(`boom ${PASSWORD}`),
      new Fault('site.dns', 'None.'),
    ];
    for (const happening of happenings) {
      hub.operations.on({ addSite: () => Promise.reject(happening) });
      await hub.rollcall(...siteAdd('--app-password', PASSWORD));
      await hub.rollcall(...siteAdd('--app-password', PASSWORD, '--json'));
    }
    await hub.rollcall(...siteAdd('--app-password', PASSWORD, '--nonsense'));
    await hub.rollcall(...siteAdd('--app-password', PASSWORD, 'surplus'));
    const { out, err, progress } = hub.terminal.written;
    expect(out + err + progress.join('')).not.toContain(PASSWORD);
    expect(err).toContain('Wrong.');
  });
});

describe('which hub', () => {
  const own = () => join(hub.folder, 'data');
  it('is found in the data folder’s own file', async () => {
    mkdirSync(own(), { recursive: true });
    writeHubFile(own(), { url: hub.url, token: TOKENS.owner, pid: 1 });
    hub.at({ env: {} });
    expect(await hub.rollcall('site', 'list', '--data', 'data')).toBe(0);
    hub.at({ env: { ROLLCALL_DATA: own() } });
    expect(await hub.rollcall('site', 'list')).toBe(0);
    // A folder that is named wins over an address in the environment.
    hub.at({ env: { ROLLCALL_URL: 'http://127.0.0.1:9', ROLLCALL_TOKEN: 'x' } });
    expect(await hub.rollcall('site', 'list', '--data', 'data')).toBe(0);
  });

  it('that is named never gets the token of another one', async () => {
    hub.at({ env: {} });
    expect(
      await hub.rollcall('site', 'list', '--data', 'data', '--url', 'http://127.0.0.1:9'),
    ).toBe(4);
  });
});
