/**
 * Keeps leases alive while their holder works.
 *
 * Does: prolong them every so often, from the claim until it is told to stop.
 * Always true: the leases of a process that was killed run out within one length; one that is
 * merely slow keeps its own. It never waits for a row that somebody else holds.
 * On failure: says nothing. A lease that runs out leads to a repetition, and that changes nothing.
 */
import { type Kysely, sql } from 'kysely';
import type { DeliveryId } from '../model/ids.ts';
import { hubNow } from './hub-clock.ts';
import type { Tables } from './tables.ts';

/** So often within one length that one lost attempt does no harm. */
const PER_LENGTH = 3;

export function keepLeased(
  db: Kysely<Tables>,
  deliveries: readonly DeliveryId[],
  leaseMs: number,
): () => void {
  if (deliveries.length === 0) return () => {};
  const timer = setInterval(() => {
    prolong(db, deliveries, leaseMs).catch(() => {});
  }, leaseMs / PER_LENGTH);
  return () => clearInterval(timer);
}

async function prolong(
  db: Kysely<Tables>,
  deliveries: readonly DeliveryId[],
  leaseMs: number,
): Promise<void> {
  await sql`update deliveries set lease_until_ms = ${hubNow} + ${leaseMs}::bigint
    where (uid, target) in (
      select uid, target from deliveries
      where id = any(${[...deliveries]}::text[]) and lease_until_ms > ${hubNow}
      for update skip locked)`.execute(db);
}
