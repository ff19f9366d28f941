/** Commands that wait for something, and checks that do not hold. */
import { describe, expect, it } from 'vitest';
import * as samples from '../api/test/samples.ts';
import { fakeHub } from './test/fake-hub.ts';

const hub = fakeHub();

describe('long work', () => {
  it('sync waits for the end and says what became of it', async () => {
    expect(await hub.rollcall('sync', '--from', 'Shop', '--to', 'Blog', '--all')).toBe(0);
    expect(hub.operations.calls.map(([name]) => name)).toEqual(['startSync', 'sync']);
    expect(hub.terminal.written.progress).toContain('Delivering: 1 of 2, about 2 s left …');
    expect(hub.terminal.written.out).toBe('Shop → Blog: 2 accounts, 1 delivered.\n');
  });

  it('sync fails when the run does, or parts of it', async () => {
    const fault = { code: 'site.timeout', message: 'Blog did not answer.', next: 'Try again.' };
    hub.operations.on({ sync: async () => ({ ...samples.run, state: 'failed', fault }) });
    expect(await hub.rollcall('sync', '--from', 'Shop', '--to', 'Blog', '--all')).toBe(1);
    expect(hub.terminal.written.err).toBe('Blog did not answer.\n  Try again.\n');
    hub.operations.on({ sync: async () => ({ ...samples.run, state: 'done', failed: 1 }) });
    expect(await hub.rollcall('sync', '--from', 'Shop', '--to', 'Blog', '--all')).toBe(1);
  });

  it('sync that is left goes on in the hub, and says so', async () => {
    hub.operations.on({ sync: async () => samples.run });
    hub.terminal.onPause = (count) => count === 2 && hub.terminal.interrupt();
    expect(await hub.rollcall('sync', '--from', 'Shop', '--to', 'Blog', '--all')).toBe(1);
    expect(hub.terminal.written.err).toContain('goes on in the hub');
  });

  it('status --wait-idle looks until nothing is pending', async () => {
    let looks = 0;
    hub.operations.on({
      status: async () => {
        looks += 1;
        return looks < 3 ? { ...samples.status, idle: false, pending: 2 } : samples.status;
      },
    });
    expect(await hub.rollcall('status', '--wait-idle', '10')).toBe(0);
    expect(looks).toBe(3);
  });

  it('status --wait-idle says what still is pending when the time is over', async () => {
    const sites = [{ ...samples.siteStatus, pending: 2 }];
    hub.operations.on({
      status: async () => ({ ...samples.status, idle: false, pending: 2, sites }),
    });
    expect(await hub.rollcall('status', '--wait-idle', '1')).toBe(1);
    expect(hub.terminal.written.err).toContain('2 still pending (Shop).');
  });

  it('logs --follow goes on after the last row until it is interrupted', async () => {
    const pages: unknown[] = [];
    hub.operations.on({
      log: async (query) => {
        pages.push(query.after);
        return { rows: [{ ...samples.logRow, id: (query.after ?? 6) + 1 }] };
      },
    });
    hub.terminal.onPause = (count) => count === 2 && hub.terminal.interrupt();
    expect(await hub.rollcall('logs', '--follow', '--json')).toBe(0);
    expect(pages).toEqual([undefined, 7, 8]);
    const ids = hub.terminal.written.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).id);
    expect(ids).toEqual([7, 8, 9]);
  });

  it('run asks again until nothing more can be done, and fails when something is left', async () => {
    let asked = 0;
    hub.operations.on({
      runUntilIdle: async () => {
        asked += 1;
        return { ...samples.runReport, finished: asked > 1, pending: 1 };
      },
    });
    expect(await hub.rollcall('run', '--json')).toBe(1);
    expect(JSON.parse(hub.terminal.written.out)).toMatchObject({
      pulled: 4,
      delivered: 6,
      pending: 1,
    });
  });

  it('what takes the hub many turns is asked for until it is done', async () => {
    const turns = (asked: { after?: string | undefined }) => (asked.after === 'p-1' ? null : 'p-1');
    hub.operations.on({
      decideHeld: async (asked) => ({ decided: 500, next: turns(asked) }),
      answerAlarms: async (asked) => ({ answered: 500, next: turns(asked) }),
    });
    expect(await hub.rollcall('held', 'reject', '--reason', 'a.b')).toBe(0);
    expect(hub.terminal.written.out).toBe('1000 decided.\n');
    expect(hub.operations.calls.map(([, asked]) => asked)).toEqual([
      { reason: 'a.b', decision: 'reject' },
      { reason: 'a.b', decision: 'reject', after: 'p-1' },
    ]);
    expect(await hub.rollcall('alarm', 'answer', 'Shop', 'forget', '--all')).toBe(0);
    expect(hub.terminal.written.out).toBe('1000 decided.\n1000 answered.\n');
  });

  it('tests and checks that do not hold end with 1', async () => {
    const fault = { code: 'site.tls', message: 'No secure connection.', next: 'Repair it.' };
    hub.operations.on({
      testSite: async () => ({ ...samples.siteTest, ok: false, fault }),
      doctor: async () => ({
        ok: false,
        checks: [{ ...samples.check, level: 'problem', next: 'Start it.' }],
      }),
      decideHeld: async () => ({ decided: 0, next: null }),
    });
    expect(await hub.rollcall('site', 'test', 'Shop')).toBe(1);
    expect(hub.terminal.written.err).toBe('No secure connection.\n  Repair it.\n');
    expect(await hub.rollcall('doctor')).toBe(1);
    expect(await hub.rollcall('held', 'reject', 'd-9')).toBe(1);
  });
});
