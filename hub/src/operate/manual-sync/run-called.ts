/** The manual sync with this id, where it must be in one of these states. */
import { Fault } from '../../errors.ts';
import type { RunState, SyncRunRecord } from '../../model/sync-run.ts';
import type { OperationPorts } from '../ports.ts';

/** @throws Fault `sync.unknown`, `sync.wrong_state` */
export async function runCalled(
  { runs }: Pick<OperationPorts, 'runs'>,
  id: string,
  states?: readonly RunState[],
): Promise<SyncRunRecord> {
  const run = await runs.find(id);
  if (run === null) throw new Fault('sync.unknown', `There is no manual sync “${id}”.`);
  if (states === undefined || states.includes(run.state)) return run;
  const sentence = `The sync is ${run.state}; that is possible while it is ${states.join(' or ')}.`;
  throw new Fault('sync.wrong_state', sentence);
}
