/** Manual syncs as the command line shows them. */
import type { SyncRun, SyncStepRow } from '../api/schemas/sync.ts';
import { table } from './table.ts';
import { visible } from './visible.ts';

export const hasEnded = ({ state }: SyncRun): boolean =>
  ['planned', 'paused', 'done', 'cancelled', 'failed', 'undone'].includes(state);

export function progressOf(run: SyncRun): string {
  if (run.state === 'planning') return `Comparing: ${run.accounts} accounts …`;
  const left = run.secondsLeft === null ? '' : `, about ${timeOf(run.secondsLeft)} left`;
  const waits = run.fault === null ? '' : ` (${run.fault.message})`;
  const doing = run.state === 'delivering' ? 'Delivering' : 'Running';
  return `${doing}: ${run.done} of ${run.total}${left} …${waits}`;
}

const timeOf = (seconds: number): string =>
  seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;

export const targetsOf = ({ targets }: SyncRun): string =>
  table(
    ['TARGET', 'CREATE', 'UPDATE', 'LINK', 'UNCHANGED', 'SKIP', 'HOLD'],
    targets.map((t) => [t.site, t.create, t.update, t.link, t.unchanged, t.skip, t.hold]),
  );

export function describeRun(run: SyncRun): string {
  const parts = [`${run.accounts} accounts`, `${run.delivered} delivered`];
  if (run.pending > 0) parts.push(`${run.pending} on their way`);
  if (run.skipped > 0) parts.push(`${run.skipped} skipped`);
  if (run.held > 0) parts.push(`${run.held} held (“rollcall held list”)`);
  if (run.failed > 0) parts.push(`${run.failed} failed (“rollcall logs --status failed”)`);
  if (run.changed > 0)
    parts.push(
      `${run.changed} changed meanwhile and planned again (“rollcall runs resume ${run.id}”)`,
    );
  if (run.cancelled > 0) parts.push(`${run.cancelled} cancelled`);
  if (run.undone > 0) parts.push(`${run.undone} put back`);
  if (run.stays > 0) parts.push(`${run.stays} left as they are`);
  return visible(`${run.from} → ${run.to.join(', ')}: ${parts.join(', ')}.`).concat('\n');
}

export const stepsOf = (steps: readonly SyncStepRow[]): string =>
  table(
    ['ACCOUNT', 'TARGET', 'WHAT', 'FIELDS', 'STATE', 'WHY'],
    steps.map((step) => [
      step.login,
      step.target,
      step.other === null ? step.what : `${step.what} to ${step.other}`,
      step.fields.join(','),
      step.state,
      step.note?.message ?? step.message,
    ]),
  );
