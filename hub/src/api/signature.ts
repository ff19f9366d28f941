/**
 * Is a signal from the site that it says it is from?
 *
 * `X-Rollcall-Signature: t=<ms>,v1=<hex>`, v1 = HMAC-SHA-256(secret, `${t}.${body}`) over the body
 * byte by byte (contract/messages.ts). Compared in constant time.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** Clocks differ, and a signal may wait in a queue; a replayed one is only a hint to look. */
const TOLERANCE_MS = 5 * 60_000;

export interface SignedSignal {
  readonly header: string | undefined;
  readonly body: string;
  readonly nowMs: number;
}

/** @param secret null: nobody's; takes as long as a real one, so that ids can't be tried out */
export function isSigned(signal: SignedSignal, secret: string | null): boolean {
  const match = /^t=(\d{1,15}),v1=([0-9a-f]{64})$/u.exec(signal.header ?? '');
  const [, t = '0', given = '0'.repeat(64)] = match ?? [];
  const made = createHmac('sha256', secret ?? 'nobody’s')
    .update(`${t}.${signal.body}`)
    .digest();
  const same = timingSafeEqual(made, Buffer.from(given, 'hex'));
  const fresh = Math.abs(signal.nowMs - Number(t)) <= TOLERANCE_MS;
  return match !== null && secret !== null && same && fresh;
}
