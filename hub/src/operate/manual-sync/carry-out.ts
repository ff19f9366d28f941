/**
 * Carries a planned manual sync out, a slice of accounts at a time: proves the links that were named,
 * stamps what differs on the source, offers what is missing; from there everything takes the same road
 * as any edit.
 *
 * Does not: write to a target by itself.
 * Always true: what was there is kept before anything is asked for. A slice that was cut short is done
 * again without stamping anything twice. Where something moved since the plan was made, nothing is done.
 */

import { Fault } from '../../errors.ts';
import type { SyncRunRecord, SyncStep } from '../../model/sync-run.ts';
import type { OperationPorts } from '../ports.ts';
import { carryOutSlice } from './carry-out-slice.ts';
import { sitesOfRun } from './choose.ts';
import { settleSteps } from './settle-steps.ts';

/** Accounts in one go: short enough to stop between two of them, long enough for few requests. */
const SLICE = 100;

export async function carryOut(ports: OperationPorts, { id }: SyncRunRecord): Promise<void> {
  for (;;) {
    const run = await ports.runs.find(id);
    if (run?.state !== 'running') return;
    const asked = await sitesOfRun(ports, run);
    const steps = await nextSlice(ports, run, asked.ways.length);
    if (steps.length === 0) {
      await ports.runs.change(id, ['running'], { state: 'delivering', fault: null });
      await settleSteps(ports, id);
      return;
    }
    const settled = await carryOutSlice(ports, run, asked, steps);
    if (settled === 0) {
      throw new Fault('site.refused', `“${asked.source.name}” took none of the next accounts.`);
    }
    if (run.fault !== null) await ports.runs.change(id, ['running'], { fault: null });
  }
}

/** All targets of an account are in one slice: it is stamped once for all of them. */
async function nextSlice(
  { runs }: OperationPorts,
  { id }: SyncRunRecord,
  targets: number,
): Promise<readonly SyncStep[]> {
  const limit = Math.max(SLICE, targets);
  const steps = await runs.steps(id, { states: ['doing', 'planned'], limit });
  const last = steps.at(-1)?.wpId;
  const whole = steps.filter(({ wpId }) => wpId !== last);
  return steps.length < limit || whole.length === 0 ? steps : whole;
}
