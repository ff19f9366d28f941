/**
 * "Take the run back": what it changed on its targets, and nobody has touched since.
 *
 * Does not: part accounts that the run linked, once anything has gone from the one to the other (`part-linked.ts`).
 */
import type { SyncRun, UndoSync } from '../../api/schemas/sync.ts';
import { Fault } from '../../errors.ts';
import type { OperationPorts } from '../ports.ts';
import { sitesOfRun } from './choose.ts';
import { viewSync } from './list-syncs.ts';
import { runCalled } from './run-called.ts';

/** Returns as soon as it is under way. Asked again, it sees to what could not be put back before. */
export async function undoSync(
  ports: OperationPorts,
  id: string,
  { removeCreated }: UndoSync,
  by: string,
): Promise<SyncRun> {
  const run = await runCalled(ports, id, ['done', 'cancelled', 'failed', 'undone']);
  if (run.startedMs === null)
    throw new Fault('sync.wrong_state', 'It was never started; there is nothing to take back.');
  await sitesOfRun(ports, run);
  const open = await ports.runs.steps(id, { states: ['doing', 'sent'], limit: 1 });
  if (open.length > 0)
    throw new Fault('sync.wrong_state', 'A part of the sync is still on its way; wait for it.');
  const state = { state: 'undoing', undoneBy: by, removesCreated: removeCreated ?? false } as const;
  if (!(await ports.runs.change(id, [run.state], state)))
    throw new Fault('sync.wrong_state', 'The sync went on meanwhile.');
  await ports.wake.run(id);
  return viewSync(ports, id);
}
