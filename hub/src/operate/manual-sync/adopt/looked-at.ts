/** What a person has looked at in the plan of an adopt run, and whether it is still so. */
import { z } from 'zod';
import type { OtherSide, PlannedStep, SyncStep } from '../../../model/sync-run.ts';
import type { Planned } from '../plan-page.ts';
import type { AdoptPlan } from './differences.ts';

const SeenSchema = z.object({ facts: z.unknown(), values: z.string().nullable() });

/** Who is who, and what would cross; of a clash that a person has decided nobody has seen the latter. */
export function hasMovedApart(step: SyncStep, fresh: PlannedStep): boolean {
  // The person's records were erased since.
  if (step.seen === '') return true;
  const before = SeenSchema.parse(JSON.parse(step.seen));
  const now = SeenSchema.parse(JSON.parse(fresh.seen));
  if (JSON.stringify(before.facts) !== JSON.stringify(now.facts)) return true;
  if (step.pair === 'clash') return fresh.what !== 'link';
  const isAsPlanned = step.what === fresh.what && step.reason === fresh.reason;
  return !isAsPlanned || before.values !== now.values;
}

/** Planned again, nobody has seen it: it is not linked before it stands in a plan. */
export const unreviewed = (now: Planned): Planned =>
  now.pair === null || now.what !== 'link' ? now : { ...now, reason: 'link.unproven' };

/** Whom the person's decision names. */
export function chosenIn(steps: readonly SyncStep[]): AdoptPlan['chosen'] {
  const links = new Map(
    steps.flatMap((step) =>
      step.pair === 'clash' && step.decision === 'link' ? [[Number(step.wpId), step] as const] : [],
    ),
  );
  return (id: number, others: readonly OtherSide[]) => {
    const step = links.get(id);
    if (step === undefined) return undefined;
    return others.find(({ login }) => login === step.other);
  };
}
