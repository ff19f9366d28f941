import { expect, test } from 'vitest';
import type { FaultCode } from '../../errors.ts';
import { waitMsAfter } from './closed-door.ts';

const HOUR_MS = 3_600_000;

/** Waits after each of these failures in turn. */
function waits(...codes: readonly FaultCode[]): number[] {
  let trouble: { code: FaultCode; message: string } | null = null;
  return codes.map((code, failures) => {
    const waitMs = waitMsAfter(code, { failures, trouble });
    trouble = { code, message: '' };
    return waitMs;
  });
}

test('T305: three refusals in a row, and the site is asked once an hour', () => {
  const refusals = [
    'site.credential_rejected',
    'site.refused',
    'site.credential_rejected',
  ] as const;
  expect(waits(...refusals).map((ms) => ms >= HOUR_MS)).toEqual([false, false, true]);
});

test('T305: a site that was down and refuses once is asked again soon', () => {
  const down = ['site.unreachable', 'site.unreachable', 'site.timeout'] as const;
  for (const ms of waits(...down, 'site.credential_rejected', 'site.unreachable', 'site.refused')) {
    expect(ms).toBeLessThan(HOUR_MS / 5);
  }
});
