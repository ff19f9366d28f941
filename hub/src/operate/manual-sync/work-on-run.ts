/**
 * A worker's turn at a manual sync.
 *
 * Always true: all that matters is stored; any process may take any turn, and one that was killed is
 * taken again.
 * On failure: what may pass (a site that is away) is noted and tried again; anything else ends the run as
 * `failed`, and what was done stands.
 */
import { Fault } from '../../errors.ts';
import { RUNS_AT_WORK, type SyncRunRecord } from '../../model/sync-run.ts';
import type { OperationPorts } from '../ports.ts';
import { carryOut } from './carry-out.ts';
import { makePlan } from './plan-sync.ts';
import { putBack } from './put-back.ts';
import { settleSteps } from './settle-steps.ts';

export async function workOnRun(ports: OperationPorts, id: string): Promise<void> {
  const run = await ports.runs.find(id);
  if (run === null) return;
  try {
    await turn(ports, run);
  } catch (error) {
    await noteFault(ports, id, error);
  }
}

async function turn(ports: OperationPorts, run: SyncRunRecord): Promise<void> {
  if (run.state === 'planning') await makePlan(ports, run);
  if (run.state === 'running') await carryOut(ports, run);
  if (run.state === 'delivering') await settleSteps(ports, run.id);
  if (run.state === 'undoing') await putBack(ports, run);
}

async function noteFault({ runs, store }: OperationPorts, id: string, error: unknown) {
  const run = await runs.find(id);
  if (run === null) return;
  const known = error instanceof Fault;
  const { code, message, next } = known
    ? error
    : new Fault('internal.fault', 'The run broke off.', { cause: error });
  const fault = { code, message, next };
  // A plan that can't be made is asked for again by whoever wants it.
  const mayPass = known && error.retryable && run.state !== 'planning';
  if (mayPass) await runs.change(id, RUNS_AT_WORK, { fault });
  else {
    await runs.change(id, RUNS_AT_WORK, { fault, state: 'failed', endedMs: await store.nowMs() });
  }
  if (!known) throw error;
}
