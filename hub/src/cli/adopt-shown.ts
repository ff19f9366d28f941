/** Adopt runs as the command line shows them. */
import type { SyncRun, SyncStepRow } from '../api/schemas/sync.ts';
import { targetsOf } from './sync-shown.ts';
import { table } from './table.ts';
import { visible } from './visible.ts';

/** Counts first. */
export function reportOf(run: SyncRun): string {
  const { adopt } = run;
  if (adopt === null) return '';
  const [target = ''] = run.to;
  const rows = [
    ['same person', adopt.same],
    ['clash', adopt.clash],
    ['… not decided', adopt.undecided],
    [`only on ${run.from}`, adopt.onlyHere],
    [`only on ${target}`, adopt.onlyThere ?? '?'],
  ] as const;
  const counted = table(
    ['WHO', 'ACCOUNTS'],
    rows.map((row) => [...row]),
  );
  return `${run.accounts} accounts of ${visible(run.from)}.\n\n${counted}\n${targetsOf(run)}`;
}

export const pairsOf = (steps: readonly SyncStepRow[]): string =>
  table(
    [
      'ACCOUNT',
      'EMAIL',
      'PAIR',
      'THERE',
      'EMAIL THERE',
      'WHAT',
      'FIELDS',
      'DECISION',
      'STATE',
      'WHY',
    ],
    steps.map((step) => [
      step.login,
      step.email ?? '',
      step.pair ?? '',
      step.others.map(({ login }) => login).join(' | '),
      step.others.map(({ email }) => email).join(' | '),
      step.what,
      step.fields.join(','),
      step.decision ?? '',
      step.state,
      step.note?.message ?? step.message,
    ]),
  );
