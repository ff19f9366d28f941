/**
 * Many deletes at once need a person's consent: a wrong click or a hostile site must not empty
 * the others. Deletes settle for a while and are judged together, per target installation.
 */
import type { InstallationId } from '../../model/ids.ts';
import type { Transaction } from '../ports.ts';

export interface DeletionLimit {
  /** More than so many at once are held. */
  readonly count: number;
  /** More than this part of the target's accounts (0 to 1) are held… */
  readonly part: number;
  /** …but never so few. */
  readonly partAtLeast: number;
  /** More than so many within 24 hours are held. */
  readonly perDay: number;
}

export const DELETION_LIMIT: DeletionLimit = { count: 20, part: 0.1, partAtLeast: 5, perDay: 100 };

/** Holds all due deletes of the target when they are over the limit. */
export async function holdsDeletes(
  tx: Transaction,
  installation: InstallationId,
  limit: DeletionLimit,
): Promise<void> {
  const { due, accounts, doneToday } = await tx.deletesDue(installation);
  if (due === 0) return;
  const allowed = Math.min(
    limit.count,
    Math.max(limit.partAtLeast, Math.floor(accounts * limit.part)),
  );
  if (due > allowed || due + doneToday > limit.perDay) {
    await tx.holdDeletes(installation, 'delete.over_limit');
  }
}
