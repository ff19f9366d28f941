/**
 * Sends operations to one site and brings back a receipt for each, whatever happens to the batch.
 *
 * Does: halve a batch on which the site fails while it is otherwise well, until the guilty
 * operation stands alone.
 * Does not: store anything, or wait.
 * On failure: throws `Fault` when the site itself is not well; operations that were applied by
 * then are simply sent again, applying is idempotent.
 */
import type { Operation, Receipt } from '#contract/messages.ts';
import { Fault, type FaultCode } from '../../errors.ts';
import type { Connection, SitePort } from '../ports.ts';

/** The batch may be what the site fails on; `/status` tells. */
const PERHAPS_THE_BATCH: ReadonlySet<FaultCode> = new Set([
  'site.server_error',
  'site.bad_answer',
  'site.timeout',
  'site.refused',
]);

export async function applyBatch(
  site: SitePort,
  connection: Connection,
  operations: readonly Operation[],
): Promise<readonly Receipt[]> {
  try {
    const answer = await site.apply(connection, { operations, dryRun: false });
    return answer.receipts;
  } catch (fault) {
    if (!(fault instanceof Fault) || !PERHAPS_THE_BATCH.has(fault.code)) throw fault;
    if (!(await isWell(site, connection))) throw fault;
    return halve(site, connection, operations, fault);
  }
}

async function halve(
  site: SitePort,
  connection: Connection,
  operations: readonly Operation[],
  fault: Fault,
): Promise<readonly Receipt[]> {
  const [only, ...others] = operations;
  if (only === undefined) return [];
  if (others.length === 0) {
    return [{ op: only.op, result: 'failed', reason: 'target.error', message: fault.message }];
  }
  const middle = Math.ceil(operations.length / 2);
  const first = await applyBatch(site, connection, operations.slice(0, middle));
  const second = await applyBatch(site, connection, operations.slice(middle));
  return [...first, ...second];
}

async function isWell(site: SitePort, connection: Connection): Promise<boolean> {
  try {
    await site.status(connection);
    return true;
  } catch {
    return false;
  }
}
