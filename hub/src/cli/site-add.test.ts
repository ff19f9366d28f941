/** The three ways of `rollcall site add`. */
import { describe, expect, it } from 'vitest';
import { fakeHub, PASSWORD, siteAdd } from './test/fake-hub.ts';

const hub = fakeHub();
const added = { url: 'shop.test', name: 'Shop', user: 'admin' };
const approve = (...more: string[]) =>
  hub.rollcall('site', 'add', 'shop.test', '--name', 'Shop', '--approve', ...more);

describe('with a name and a password', () => {
  it('sends what was typed, spaces and all, to be used once', async () => {
    hub.at({ input: ' pass word \n' });
    expect(await hub.rollcall(...siteAdd('--password', '-', '--install'))).toBe(0);
    const body = { ...added, password: ' pass word ', install: true };
    expect(hub.operations.calls).toEqual([['addSite', body]]);
    expect(hub.terminal.written.out + hub.terminal.written.err).not.toContain('pass word');
  });

  it.each([
    ['both passwords', ['--password', 'a', '--app-password', PASSWORD]],
    ['an empty one', ['--password', '']],
    ['an installation without one', ['--app-password', PASSWORD, '--install']],
    ['an approval as well', ['--approve', '--password', 'a']],
  ])('takes no %s', async (_, more) => {
    expect(await hub.rollcall(...siteAdd(...more))).toBe(2);
    expect(hub.operations.calls).toEqual([]);
  });
});

describe('with an approval', () => {
  it('shows where to approve, and waits for it', async () => {
    const states = ['open', 'open', 'connecting', 'connected'] as const;
    let asked = 0;
    const view = { id: 'a-1', name: 'Shop', endsAt: '2026-11-21T10:00:00.000Z', fault: null };
    hub.operations.on({
      approval: async () => ({ ...view, state: states[asked++] ?? 'connected' }),
    });
    expect(await approve()).toBe(0);
    expect(asked).toBe(4);
    expect(hub.terminal.written.err).toContain('https://shop.test/wp-admin/authorize-application');
    expect(hub.terminal.written.out).toBe('Shop is connected.\n');
  });

  it.each([
    ['rejected', null, 'approve.rejected'],
    ['expired', null, 'approve.expired'],
    [
      'failed',
      { code: 'site.not_mine', message: 'Another hub’s.', next: 'Release it.' },
      'site.not_mine',
    ],
  ] as const)('ends when it is %s', async (state, fault, code) => {
    const view = { id: 'a-1', name: 'Shop', endsAt: '2026-11-21T10:00:00.000Z' };
    hub.operations.on({ approval: async () => ({ ...view, state, fault }) });
    expect(await approve('--json')).toBe(1);
    expect(hub.terminal.written.err).toContain(code);
  });
});
