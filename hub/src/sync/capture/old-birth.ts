/**
 * Births that the hub has heard of before. Where an account is read anew, as after a restore, they
 * create nobody: a route may have come later than the person.
 */
import { ACCOUNT } from '../../model/field.ts';
import type { Account } from '../../model/identity.ts';
import { isFromBefore, isNewer } from '../../model/stamp.ts';
import type { Taught } from './pull.ts';

/** @param before the account as the hub knew it; null: not at all */
export function withoutOldBirth(taught: Taught, before: Account | null): Taught {
  const { holding } = taught.lesson;
  const { stamp } = holding.birth ?? {};
  const isNews =
    stamp !== undefined && !isFromBefore(stamp) && isNewer(stamp, before?.known.get(ACCOUNT));
  const told = { ...holding, newlyBorn: holding.newlyBorn && isNews };
  return { ...taught, lesson: { ...taught.lesson, holding: told } };
}
