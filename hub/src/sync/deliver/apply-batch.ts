/**
 * Sends operations to one site and hands back a receipt for each, whatever happens to the batch.
 *
 * Does: halve a batch on which the site fails while it is otherwise well, until the guilty
 * operation stands alone; hand receipts over as they come, so that what was reached stays reached.
 * Does not: store anything, or wait.
 * Always true: an operation without a receipt is simply due again; applying is idempotent. A site
 * that fails at whatever it is given is not asked about each operation in turn.
 * On failure: throws `Fault` when the site itself is not well, or seems not to be.
 */
import type { Operation, Receipt } from '#contract/messages.ts';
import { Fault, type FaultCode } from '../../errors.ts';
import type { Connection, SitePort } from '../ports.ts';

/**
 * Operations that a site may have died of, by id. It was still at work on them, or left its lock
 * behind, so that halving would only have met the lock: they travel alone until each has a receipt
 * of its own. Lost with the process; then the site fails on them together once more.
 */
export type Suspects = Set<string>;

export interface Errand {
  readonly site: SitePort;
  readonly connection: Connection;
  readonly suspects: Suspects;
  readonly settle: (receipts: readonly Receipt[], durationMs: number) => Promise<void>;
}

/** The batch may be what the site fails on; `/status` tells. */
const PERHAPS_THE_BATCH: ReadonlySet<FaultCode> = new Set([
  'site.server_error',
  'site.bad_answer',
  'site.timeout',
  'site.refused',
]);
/** So many guilty ones and none that went through: it is the site, and asking on would be hammering. */
const GUILTY_IN_A_ROW = 5;

export function applyBatch(errand: Errand, operations: readonly Operation[]): Promise<void> {
  return new Batch(errand).apply(operations);
}

class Batch {
  readonly #errand: Errand;
  #guiltyInARow = 0;

  constructor(errand: Errand) {
    this.#errand = errand;
  }

  async apply(operations: readonly Operation[]): Promise<void> {
    const { suspects } = this.#errand;
    const together = operations.filter(({ op }) => !suspects.has(op));
    if (together.length > 0) await this.#part(together);
    for (const operation of operations) {
      if (together.includes(operation)) continue;
      const receipts = await this.#part([operation]);
      // The site is still at work, or its lock has yet to run out: the others would wait in vain.
      if (isLocked(receipts)) return;
    }
  }

  /** @returns receipts of the last request; they are settled */
  async #part(operations: readonly Operation[], afterFault = false): Promise<readonly Receipt[]> {
    const { site, connection, suspects } = this.#errand;
    const started = performance.now();
    try {
      const receipts = await ask(site, connection, operations);
      if (isLocked(receipts)) {
        if (afterFault) suspect(suspects, operations);
      } else {
        this.#guiltyInARow = 0;
        for (const { op } of receipts) suspects.delete(op);
      }
      await this.#settle(receipts, started);
      return receipts;
    } catch (fault) {
      if (!(fault instanceof Fault) || !PERHAPS_THE_BATCH.has(fault.code)) throw fault;
      if (!(await isWell(site, connection))) throw fault;
      return this.#failed(operations, fault, started);
    }
  }

  async #failed(
    operations: readonly Operation[],
    fault: Fault,
    started: number,
  ): Promise<readonly Receipt[]> {
    const [only, ...others] = operations;
    if (only === undefined) return [];
    const late = fault.code === 'site.timeout';
    if (others.length === 0) {
      this.#errand.suspects.delete(only.op);
      const receipts = [guilty(only, fault)];
      await this.#settle(receipts, started);
      this.#guiltyInARow += 1;
      if (late || this.#guiltyInARow >= GUILTY_IN_A_ROW) throw fault;
      return receipts;
    }
    if (late) {
      // It may still be at work on them, and each half would cost another time-out.
      suspect(this.#errand.suspects, operations);
      throw fault;
    }
    const middle = Math.ceil(operations.length / 2);
    await this.#part(operations.slice(0, middle), true);
    return this.#part(operations.slice(middle), true);
  }

  #settle(receipts: readonly Receipt[], started: number): Promise<void> {
    return this.#errand.settle(receipts, Math.round(performance.now() - started));
  }
}

/** @throws Fault also when not one of the operations has a receipt: asking on would never end */
async function ask(
  site: SitePort,
  connection: Connection,
  operations: readonly Operation[],
): Promise<readonly Receipt[]> {
  const { receipts } = await site.apply(connection, { operations, dryRun: false });
  const sent = new Set(operations.map(({ op }) => op));
  // `delete`: what is said twice of one operation counts once.
  const ours = receipts.filter(({ op }) => sent.delete(op));
  if (ours.length > 0) return ours;
  const { host } = new URL(connection.restUrl);
  throw new Fault('site.bad_answer', `${host} answered without saying what became of anything.`);
}

const guilty = ({ op }: Operation, fault: Fault): Receipt => ({
  op,
  result: 'failed',
  reason: fault.code === 'site.timeout' ? 'target.timeout' : 'target.error',
  message: fault.message,
});

const isLocked = (receipts: readonly Receipt[]): boolean =>
  receipts.length > 0 && receipts.every(({ reason }) => reason === 'target.locked');

function suspect(suspects: Suspects, operations: readonly Operation[]): void {
  for (const { op } of operations) suspects.add(op);
}

async function isWell(site: SitePort, connection: Connection): Promise<boolean> {
  try {
    await site.status(connection);
    return true;
  } catch {
    return false;
  }
}
