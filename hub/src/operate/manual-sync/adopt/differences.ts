/**
 * Which fields an adopt run takes to the target.
 *
 * `link`: none. `source_wins`: all that differ, as a manual sync does. `fill`: what is empty there and was
 * never edited since Rollcall is on the site. Empty is '' for a field of WordPress's own, no row or rows
 * of '' alone for meta, and for a role, where those were asked for, that the account has it not. Never
 * the e-mail address, never the password.
 */
import type { AccountState } from '#contract/account-state.ts';
import { EMAIL, type Field, isRole, PASSWORD, roleOf, type Value } from '../../../model/field.ts';
import { mapsRoles } from '../../../model/route.ts';
import { fillingStamp } from '../../../model/stamp.ts';
import type { Kept, OtherSide } from '../../../model/sync-run.ts';
import type { SiteRecord } from '../../../sync/ports.ts';
import { type Compared, compare } from '../compare.ts';
import type { Planned } from '../plan-page.ts';
import type { TargetGuard } from '../target-guard.ts';

export const ADOPT_MODES = ['link', 'fill', 'source_wins'] as const;

export interface AdoptPlan {
  readonly how: (typeof ADOPT_MODES)[number];
  readonly createMissing: boolean;
  /** Also fills in roles. */
  readonly roles: boolean;
  /** Whom a person has chosen of those who stand against an account. */
  readonly chosen: (id: number, others: readonly OtherSide[]) => OtherSide | undefined;
}

const NOTHING: Compared = { fields: [], atLeastMs: 0, seen: '', kept: {} };

export function differencesOf(
  { state, way }: Planned,
  twin: AccountState,
  source: SiteRecord,
  { grantable }: TargetGuard,
  { how, roles }: AdoptPlan,
): Compared {
  const { target, route } = way;
  if (how === 'link' || !route.rules.updates) return NOTHING;
  const without = (field: Field): boolean =>
    isRole(field) &&
    ((how === 'fill' && !roles) ||
      mapsRoles(target.rules) ||
      (grantable !== null && !grantable.has(roleOf(field))));
  const compared = compare(
    { state, blog: source.blog },
    { state: twin, blog: target.blog },
    route.rules,
    without,
  );
  return how === 'fill' ? onlyEmpty(compared, source) : compared;
}

function onlyEmpty({ kept }: Compared, source: SiteRecord): Compared {
  const filled = Object.entries(kept).filter(
    ([field, { before, after }]) =>
      field !== EMAIL &&
      field !== PASSWORD &&
      isEmpty(field, before?.v) &&
      !isEmpty(field, after) &&
      fillingStamp(before?.s, source.key) !== null,
  );
  const fields = filled.map(([field]) => field);
  const seen = JSON.stringify(filled.map(([field, { before, after }]) => [field, before, after]));
  return { fields, atLeastMs: 0, seen, kept: Object.fromEntries(filled) satisfies Kept };
}

function isEmpty(field: Field, value: Value | undefined): boolean {
  if (value === undefined || value === null || value === '') return true;
  if (isRole(field)) return value === false;
  return Array.isArray(value) && value.every((entry) => entry === '' || entry === null);
}
