/**
 * What an account must have before it leaves along a route: a role, a value that an approval or a
 * membership plugin keeps, or that somebody has signed in to it. All that a route names must hold.
 *
 * Always true: of an account that nobody was told enough of, the answer is `unknown`, never yes.
 */
import { knownKey, metaField, roleField, type Value } from './field.ts';
import type { Account, Fact } from './identity.ts';
import type { RouteId, SiteKey } from './ids.ts';
import type { Route, RouteRules } from './route.ts';
import { isFromBefore, isNewer } from './stamp.ts';

export type LeaveCondition =
  | { readonly kind: 'role'; readonly role: string }
  /** One of these, compared byte by byte; an empty one: there is none, or it is empty. */
  | { readonly kind: 'meta'; readonly key: string; readonly values: readonly string[] }
  | { readonly kind: 'signed_in' };

/** What a site told of an account that its routes ask for, beside its roles. */
export interface Standing {
  /** Somebody has signed in to it; whoever was there before Rollcall counts as having done so. */
  readonly signedIn: boolean;
  /** Of the keys that were asked for when it was told. */
  readonly meta: Readonly<Record<string, readonly string[]>>;
  /** How it came by its address; absent: not known. */
  readonly emailBy?: 'registration' | 'confirmation' | 'other';
}

/** Why somebody may not leave along a route. */
export type Unmet = 'route.role_wanted' | 'route.value_wanted' | 'route.sign_in_wanted';
type Met = 'yes' | 'no' | 'unknown';
type Told = Pick<Account, 'roles' | 'standing'>;

const REASONS: Readonly<Record<LeaveCondition['kind'], Unmet>> = {
  role: 'route.role_wanted',
  meta: 'route.value_wanted',
  signed_in: 'route.sign_in_wanted',
};

/** The first that does not hold, and whether it is certain; null: all hold. */
export function firstUnmet(
  { leaveWhen = [] }: RouteRules,
  account: Told | undefined,
  source: SiteKey,
): { readonly reason: Unmet; readonly certain: boolean } | null {
  const open = leaveWhen.map((condition) => ({
    reason: REASONS[condition.kind],
    met: account === undefined ? 'unknown' : isMet(condition, account, source),
  }));
  const unmet = open.find(({ met }) => met === 'no') ?? open.find(({ met }) => met !== 'yes');
  return unmet === undefined ? null : { reason: unmet.reason, certain: unmet.met === 'no' };
}

function isMet(condition: LeaveCondition, { roles, standing }: Told, source: SiteKey): Met {
  const said = (is: boolean | undefined): Met => (is === undefined ? 'unknown' : is ? 'yes' : 'no');
  if (condition.kind === 'role') return said(roles.get(source)?.includes(condition.role));
  if (condition.kind === 'signed_in') return said(standing?.signedIn);
  const { key, values } = condition;
  if (standing === undefined || !Object.hasOwn(standing.meta, key)) return 'unknown';
  const rows = standing.meta[key] ?? [];
  return said((rows.length === 0 ? [''] : rows).some((row) => values.includes(row)));
}

/** Longer ones are nobody's status; what they hold is nothing that the hub keeps. */
const LONGEST_STATUS = 190;

/** @param value of a field of meta: its rows */
export const statusRows = (value: Value): readonly string[] =>
  (Array.isArray(value) ? value : [value]).flatMap((row: Value) =>
    (typeof row === 'string' || typeof row === 'number') && String(row).length <= LONGEST_STATUS
      ? String(row)
      : [],
  );

/** Meta keys that a site must tell of, so that its routes can be answered for. */
export const keysAskedFor = (routes: readonly Route[], source: SiteKey): readonly string[] =>
  routes.flatMap((route) =>
    route.source === source
      ? (route.rules.leaveWhen ?? []).flatMap((asked) => (asked.kind === 'meta' ? asked.key : []))
      : [],
  );

export const asksForSignIns = (routes: readonly Route[], source: SiteKey): boolean =>
  routes.some(
    (route) =>
      route.source === source &&
      (route.rules.leaveWhen ?? []).some(({ kind }) => kind === 'signed_in'),
  );

/**
 * Routes on which an account may leave now, and could not before. Of whom nothing was told before,
 * only who was seen to get what was missing.
 */
export function admittedTo(
  before: Account | undefined,
  now: Account,
  facts: readonly Fact[],
  routes: readonly Route[],
): ReadonlySet<RouteId> {
  const admitted = new Set<RouteId>();
  if (before === undefined) return admitted;
  for (const { id, source, rules } of routes) {
    if (firstUnmet(rules, now, source) !== null) continue;
    const was = firstUnmet(rules, before, source);
    if (was === null) continue;
    if (was.certain || gotIt(rules, before, facts)) admitted.add(id);
  }
  return admitted;
}

/** Was something that the route asks for seen to change just now? */
function gotIt(
  { leaveWhen = [] }: RouteRules,
  { known, standing }: Account,
  facts: readonly Fact[],
): boolean {
  const asked = new Set(
    leaveWhen.flatMap((condition) => {
      if (condition.kind === 'role') return roleField(condition.role);
      return condition.kind === 'meta' ? metaField(condition.key) : [];
    }),
  );
  const changed = facts.some(
    ({ field, site, stamp }) =>
      asked.has(field) && !isFromBefore(stamp) && isNewer(stamp, known.get(knownKey(field, site))),
  );
  // Nobody was told of their sign-ins yet who came from elsewhere.
  return changed || (standing === undefined && leaveWhen.some(({ kind }) => kind === 'signed_in'));
}
