/**
 * `{ "z": gzip(JSON) }`: the form of a request, and of its answer, that web application firewalls let pass.
 *
 * Always true: requests are written in hexadecimal. In base64, every third one of some size holds by chance what a
 * stricter rule set takes for SQL (`0x1f`, `or 1`).
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import { parseBounded } from './bounded-json.ts';

/** ModSecurity's recommended settings refuse bodies above 131,072 bytes; this leaves room for the rest. */
export const ENVELOPE_BYTES = 100_000;

export const packEnvelope = (json: string): string =>
  JSON.stringify({ z: gzipSync(json, { level: 6 }).toString('hex') });

const EnvelopeSchema = z.strictObject({ z: z.string() });

/** What is in an envelope; anything else as it is; undefined when it is no gzip, or holds too much. */
export function openEnvelope(value: unknown, mostBytes: number): unknown {
  const parsed = EnvelopeSchema.safeParse(value);
  if (!parsed.success) return value;
  try {
    const packed = Buffer.from(parsed.data.z, 'base64');
    return parseBounded(gunzipSync(packed, { maxOutputLength: mostBytes }).toString('utf8'));
  } catch {
    return undefined;
  }
}

/** How many from the start of a list fit into one envelope, beside what else a request holds; at least one. */
export function fittingCount(list: readonly unknown[]): number {
  let count = list.length;
  while (count > 1) {
    const bytes = packEnvelope(JSON.stringify(list.slice(0, count))).length;
    if (bytes <= ENVELOPE_BYTES) return count;
    // A little less than the proportion: the others may be larger.
    count = Math.max(1, Math.min(count - 1, Math.floor((count * 0.9 * ENVELOPE_BYTES) / bytes)));
  }
  return count;
}
