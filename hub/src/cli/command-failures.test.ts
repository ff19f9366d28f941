/** What a person reads when a command can't do what was asked. */
import { describe, expect, it } from 'vitest';
import { TOKENS } from '../api/test/fake-operations.ts';
import * as samples from '../api/test/samples.ts';
import { Fault } from '../errors.ts';
import { fakeHub, PASSWORD, siteAdd } from './test/fake-hub.ts';

const hub = fakeHub();

describe('what goes wrong is one sentence and the next step', () => {
  it('of the hub', async () => {
    expect(await hub.rollcall('site', 'remove', 'Nowhere')).toBe(1);
    expect(hub.terminal.written.err).toBe(
      'There is no site “Nowhere”.\n  “rollcall site list” shows the names.\n',
    );
    expect(hub.terminal.written.out).toBe('');
  });

  it('as JSON with --json', async () => {
    expect(await hub.rollcall('site', 'remove', 'Nowhere', '--json')).toBe(1);
    const { error } = JSON.parse(hub.terminal.written.err);
    expect(error).toMatchObject({ code: 'site.unknown', message: 'There is no site “Nowhere”.' });
  });

  it.each([
    [['bogus'], 'Unknown command'],
    [['site'], 'A command is missing.'],
    [['site', 'list', '--bogus'], 'Unknown option'],
    [['site', 'add', 'shop.test'], '--name is missing'],
    [['route', 'add', 'Shop'], 'Missing required argument'],
    [
      ['route', 'add', 'A', 'B', '--on-delete', 'explode'],
      'Allowed choices are delete, strip, ignore.',
    ],
    [['sync', '--from', 'A', '--to', 'B'], 'which accounts'],
    [['sync', '--from', 'A', '--to', 'B', '--all', '--roles', 'x'], 'which accounts'],
    [['sync', '--from', 'A', '--to', ',', '--all'], 'names no site'],
    [['sync', '--from', 'A', '--to', 'B', '--roles', ','], 'names nothing'],
    [['link', 'A', 'anna', 'B', '--mail', '--password'], 'Either --mail or --password'],
    [['link', 'A', 'anna', 'B', '--within', '2h'], 'goes with --mail'],
    [['link', 'A', 'anna', 'B', '--mail', '--within', 'soon'], 'is no span of time'],
    [['logs', '--since', 'yesterday'], 'is no time'],
    [['logs', '--limit', '0'], 'is no number'],
    [['logs', '--status', 'lost'], 'is none of these'],
    [['logs', '--action', 'create,lose'], '“lose” is none of these'],
    [['logs', '--all', '--follow'], 'leave --before and --follow out'],
    [['logs', '--csv', '--bom'], '--bom goes with'],
    [['held', 'resolve', 'd-1'], 'Required option'],
    [['held', 'resolve', 'd-1', '--as', 'mine'], 'Allowed choices'],
    [['retry'], 'either ids or --all'],
    [['retry', '7', '--all'], 'either ids or --all'],
    [['retry', 'x'], 'no id of a row'],
    [['log', 'settings', '--off'], 'name it'],
    [['log', 'settings', 'Shop', '--on', '--off'], 'either --on or --off'],
    [['log', 'settings', '--days', '0'], 'no number of days'],
    [['status', '--wait-idle', 'soon'], 'is no number of seconds'],
    [['serve', '--port', '99999'], 'is no port'],
    [['serve', '--public-url', 'shop'], 'is no web address'],
    [['connector', 'build', '--out', 'connector.tar'], 'does not end in .zip'],
    [['site', 'list', '--url', 'shop'], 'is no web address'],
  ])('rollcall %s is not understood', async (args, sentence) => {
    expect(await hub.rollcall(...args)).toBe(2);
    expect(hub.terminal.written.err).toContain(sentence);
    expect(hub.terminal.written.err).toMatch(/\n {2}\S.*\.\n$/u);
    expect(hub.operations.calls).toEqual([]);
  });

  it.each([
    ['no hub answers', { ROLLCALL_URL: 'http://127.0.0.1:9', ROLLCALL_TOKEN: 'x' }, 3],
    ['no hub is named and none runs here', {}, 3],
    ['the token is missing', { ROLLCALL_URL: 'http://127.0.0.1:9' }, 4],
  ])('%s', async (_, env, exit) => {
    hub.at({ env });
    expect(await hub.rollcall('site', 'list')).toBe(exit);
    expect(hub.terminal.written.err).toContain('--token');
  });

  it('the token is wrong, or may not', async () => {
    expect(await hub.rollcall('site', 'list', '--token', 'wrong')).toBe(4);
    expect(await hub.rollcall('site', 'remove', 'Shop', '--token', TOKENS.viewer)).toBe(4);
  });

  it('a stranger answers at the address', async () => {
    expect(await hub.rollcall('site', 'list', '--url', `${hub.url}/healthz`)).toBe(1);
    expect(hub.terminal.written.err).toContain('There is nothing at this address.');
  });

  it('a fault of the hub has an id and no stack', async () => {
    hub.operations.on({ sites: () => Promise.reject(new Error('boom')) });
    expect(await hub.rollcall('site', 'list')).toBe(5);
    expect(hub.terminal.written.err).toMatch(/Its id there is [0-9a-f]{12}\./u);
    expect(hub.terminal.written.err).not.toMatch(/\.ts:|boom/u);
  });

  it('a fault of the command line has no stack but with ROLLCALL_DEBUG=1', async () => {
    expect(await hub.rollcall('serve', '--data', hub.folder)).toBe(5);
    expect(hub.terminal.written.err).not.toContain('.ts:');
    hub.at({ env: { ROLLCALL_DEBUG: '1' } });
    await hub.rollcall('serve', '--data', hub.folder);
    expect(hub.terminal.written.err).toContain('.ts:');
  });
});

it('text from a site can’t steer the terminal', async () => {
  const evil = '\u001b]0;owned\u0007\u001b[2J\u009b31m\u202Egnp\r\nroot';
  hub.operations.on({
    sites: async () => [{ ...samples.site, name: evil, trouble: { code: evil, message: evil } }],
    log: async () => ({ rows: [{ ...samples.logRow, login: evil, actor: evil, path: [evil] }] }),
    explain: async () => ({ ...samples.explanation, login: evil, site: evil }),
    held: async () => ({ held: [{ ...samples.held, login: evil, message: evil }], next: null }),
    status: async () => ({ ...samples.status, sites: [{ ...samples.siteStatus, name: evil }] }),
    planSync: async () => ({ ...samples.plan, from: evil }),
    sync: async () => ({
      ...samples.run,
      from: evil,
      to: [evil],
      fault: { code: evil, message: evil, next: evil },
    }),
    syncSteps: async () => ({
      accounts: samples.steps.accounts.map((step) => ({ ...step, login: evil, other: evil })),
      next: evil,
    }),
    addSite: () => Promise.reject(new Fault('site.refused', evil)),
    testSite: async () => ({
      ...samples.siteTest,
      wordpress: evil,
      warnings: [{ code: evil, message: evil }],
    }),
    doctor: async () => ({
      ok: true,
      checks: [{ ...samples.check, subject: evil, message: evil, next: evil }],
    }),
  });
  const commands = [
    ['site', 'list'],
    ['logs'],
    ['explain', 'Shop', 'anna'],
    ['held', 'list'],
    ['status'],
    ['sync', '--from', 'A', '--to', 'B', '--all', '--dry-run'],
    ['runs', 'show', 'run-1'],
    ['runs', 'accounts', 'run-1'],
    siteAdd('--app-password', PASSWORD),
    ['site', 'test', 'Shop'],
    ['doctor'],
  ];
  for (const command of commands) {
    await hub.rollcall(...command);
    await hub.rollcall(...command, '--json');
  }
  const { out, err } = hub.terminal.written;
  expect(`${out}${err}`.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202E]/u);
  // A line break in a name can't make a line of its own.
  expect(`${out}${err}`).not.toMatch(/^root/mu);
});
