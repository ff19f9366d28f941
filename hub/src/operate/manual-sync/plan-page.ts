/**
 * What a manual sync would do with a page of accounts, and why. Reads both sides; writes nothing.
 *
 * Always true: the preview and the run are this same plan (I10). A link that the operator has not
 * named keeps its reason, `link.unproven`: the preview shows it, and the run leaves it alone (I5).
 */
import type { AccountState } from '#contract/account-state.ts';
import type { SyncRequest } from '../../api/schemas/sync.ts';
import { EMAIL, type Field, isRole, roleOf } from '../../model/field.ts';
import type { Account, Candidate, Delivery, Identity } from '../../model/identity.ts';
import { wordPressId } from '../../model/ids.ts';
import { firstUnmet } from '../../model/leaving.ts';
import { powerTold, type Speaker, whyPowerIsKept, whyPowerStays } from '../../model/power.ts';
import { mapsRoles, type Route, selects } from '../../model/route.ts';
import type { Kept, Pair, PlannedWhat, Sides } from '../../model/sync-run.ts';
import { isReason, type Reason } from '../../reasons.ts';
import type { SiteRecord, Transaction } from '../../sync/ports.ts';
import type { OperationPorts } from '../ports.ts';
import type { AdoptPlan } from './adopt/differences.ts';
import { compare } from './compare.ts';
import { asGuarded, guardOf, type TargetGuard, takesRole } from './target-guard.ts';

export interface Way {
  readonly route: Route;
  readonly target: SiteRecord;
}

export interface Planned {
  readonly state: AccountState;
  readonly identity: Identity;
  readonly way: Way;
  readonly what: PlannedWhat;
  readonly fields: readonly Field[];
  readonly atLeastMs: number;
  readonly seen: string;
  readonly kept: Kept;
  readonly reason: Reason | null;
  /** For `link`: the older account that may be the same person; proven by the run if it was named. */
  readonly candidate: Candidate | null;
  /** Of an adopt run. */
  readonly pair: Pair | null;
  readonly sides: Sides | null;
}

export interface PlanFor {
  readonly source: SiteRecord;
  readonly ways: readonly Way[];
  readonly mode: NonNullable<SyncRequest['mode']>;
  /** It is an adopt run; see `adopt/pair-page.ts`. */
  readonly adopt?: AdoptPlan;
  /** The very pair must have been named: who has the address by now may be somebody else. */
  readonly isNamed: (login: string, target: SiteRecord, other: string) => boolean;
}

export async function planPage(
  ports: OperationPorts,
  { source, ways, mode, isNamed }: PlanFor,
  states: readonly AccountState[],
): Promise<readonly Planned[]> {
  if (states.length === 0) return [];
  const { identities, candidates } = await ports.store.transaction((tx) =>
    known(tx, source, ways, states),
  );
  const planned: Planned[] = [];
  for (const way of ways) {
    const { target } = way;
    const guard = await guardOf(ports, target);
    const drafts = states.flatMap((state) => {
      const identity = identities.get(wordPressId(state.id));
      if (identity === undefined) return [];
      const there = candidates(identity.uid, target.installation);
      const judged = { ...way, target: asGuarded(target, guard) };
      const first = draft({ state, identity, way, judged, source, candidates: there, mode });
      const { candidate } = first;
      const isProven = candidate === null || isNamed(state.login, target, candidate.login);
      return [guarded(isProven ? first : { ...first, reason: 'link.unproven' }, guard)];
    });
    planned.push(...(await withDifferences(ports, source, way, guard, drafts)));
  }
  return planned;
}

export async function known(
  tx: Transaction,
  source: SiteRecord,
  ways: readonly Way[],
  states: readonly AccountState[],
) {
  const identities = await tx.lockByAccount(
    source.installation,
    states.map((state) => wordPressId(state.id)),
  );
  const people = states.flatMap((state) => {
    const identity = identities.get(wordPressId(state.id));
    return identity === undefined
      ? []
      : [{ uid: identity.uid, email: state.email, login: state.login }];
  });
  const candidates = await tx.candidates(
    people,
    ways.map((way) => way.target.installation),
  );
  return { identities, candidates };
}

type Draft = Planned & { readonly twin: number | null };

interface DraftInput {
  readonly state: AccountState;
  readonly identity: Identity;
  readonly way: Way;
  /** The same, with what the target says of consent now. */
  readonly judged: Way;
  readonly source: SiteRecord;
  readonly candidates: readonly Candidate[];
  readonly mode: PlanFor['mode'];
}

export const NOTHING = {
  fields: [],
  atLeastMs: 0,
  seen: '',
  kept: {},
  candidate: null,
  pair: null,
  sides: null,
} as const;

function draft({ state, identity, way, judged, source, candidates, mode }: DraftInput): Draft {
  const base = { ...NOTHING, twin: null, state, identity, way };
  const skip = (reason: Reason): Draft => ({ ...base, what: 'skip', reason });
  const hold = (reason: Reason): Draft => ({ ...base, what: 'hold', reason });
  const { rules } = way.route;
  const here = identity.accounts.get(source.installation);
  if (here?.alarm != null) return skip('identity.label_mismatch');
  const speaker = { source, here: powerTold(state, [source]) };
  const stays = whyPowerStays(speaker.here, judged.route, judged.target);
  if (stays !== null)
    return skip(stays === 'unnamed' ? 'account.privileged' : 'account.not_consented');
  if (state.switches.stop_outgoing) return skip('account.outgoing_stopped');
  const pending = identity.deliveries.get(way.target.key);
  if (pending?.gone != null) return skip('identity.deleted');
  // No condition of the route binds an operator; the plan names it beside what is done.
  const unmet = firstUnmet(rules, here, source.key);
  const reason = unmet?.certain === true ? unmet.reason : null;
  const heldFor = heldReason(pending);
  const there = identity.accounts.get(way.target.installation);
  if (there !== undefined) {
    const refused = accountRefusal(there, { ...judged, ...speaker });
    if (refused !== null) return skip(refused);
    if (mode === 'only_missing') return skip('run.only_missing');
    if (!rules.updates) return skip('route.updates_off');
    if (heldFor !== null) return hold(heldFor);
    return { ...base, what: 'update', reason, twin: there.wpId };
  }
  if (heldFor !== null) return hold(heldFor);
  const byEmail = candidates.find((candidate) => candidate.by === 'email');
  if (byEmail !== undefined && powerRefusal(byEmail, { ...judged, ...speaker }) !== null)
    return skip('link.privileged');
  if (byEmail !== undefined && !byEmail.alreadyElsewhere) {
    if (mode === 'only_missing') return skip('run.only_missing');
    return { ...base, what: 'link', reason: null, candidate: byEmail, twin: byEmail.wpId };
  }
  if (!rules.creates) return skip('route.creates_off');
  if (byEmail !== undefined) return hold('identity.email_taken');
  const isTaken = candidates.length > 0;
  if (isTaken && rules.loginTaken !== 'suffix') return hold('identity.login_taken');
  if (!selects(rules, EMAIL) || state.email === '') return skip('email.missing');
  return { ...base, what: 'create', reason: isTaken ? 'identity.login_suffixed' : reason };
}

/** What the target itself says that it takes from nobody. */
const guarded = (draft: Draft, { readOnly }: TargetGuard): Draft =>
  readOnly && (draft.what === 'create' || draft.what === 'update' || draft.what === 'link')
    ? { ...draft, ...NOTHING, twin: null, what: 'skip', reason: 'target.read_only' }
    : draft;

export const heldReason = (pending: Delivery | undefined): Reason | null =>
  pending?.held != null && isReason(pending.held) ? pending.held : null;

/** @param way none: no privileged role counts as named */
export function accountRefusal(there: Account, way?: Way & Speaker): Reason | null {
  if (there.gone !== null) return 'identity.deleted';
  if (there.alarm !== null) return 'identity.label_mismatch';
  const kept = powerRefusal(there, way);
  if (kept !== null) return kept;
  return there.incomingRejected ? 'account.incoming_rejected' : null;
}

/** What a privileged account may not be told along the way. */
export function powerRefusal(
  there: Pick<Account, 'privileged' | 'privilegedBy'>,
  way?: Way & Speaker,
): Reason | null {
  if (!there.privileged) return null;
  const kept = way === undefined ? 'unnamed' : whyPowerIsKept(there, way.route, way.target, way);
  if (kept === null) return null;
  return kept === 'unnamed' ? 'target.privileged_account' : 'account.not_consented';
}

/** Reads the twins on the target and compares field by field. */
async function withDifferences(
  ports: OperationPorts,
  source: SiteRecord,
  { route, target }: Way,
  guard: TargetGuard,
  drafts: readonly Draft[],
): Promise<Planned[]> {
  const twins = await readTwins(ports, target, drafts);
  // Roles of other names are not compared: they travel when they are given and taken.
  const isMapped = (field: Field): boolean => isRole(field) && mapsRoles(target.rules);
  const isNotGrantable = (field: Field): boolean =>
    isMapped(field) || (isRole(field) && !takesRole(guard, route, source)(roleOf(field)));
  const judged = { route, source, target: asGuarded(target, guard) };
  return drafts.map(({ twin, ...planned }): Planned => {
    if (twin === null) return planned;
    const skip = (reason: Reason): Planned => ({ ...planned, what: 'skip', reason });
    const there = twins.get(twin);
    if (there === undefined) return skip('target.account_missing');
    const kept = powerRefusal(powerTold(there, [target]), {
      ...judged,
      here: powerTold(planned.state, [source]),
    });
    if (kept !== null) return skip(planned.what === 'link' ? 'link.privileged' : kept);
    const sides = [
      { state: planned.state, blog: source.blog },
      { state: there, blog: target.blog },
    ] as const;
    const { rules } = planned.way.route;
    // They become one person, and that is all that such a route lets through.
    if (planned.what === 'link' && !rules.updates) return planned;
    const compared = compare(...sides, rules, isNotGrantable);
    if (compared.fields.length > 0 || planned.what === 'link') return { ...planned, ...compared };
    return compare(...sides, rules, isMapped).fields.length > 0
      ? skip('role.not_grantable')
      : { ...planned, ...compared, what: 'unchanged', reason: null };
  });
}

/** A page of accounts is at most so long. */
const MOST_TWINS = 1_000;

async function readTwins(
  { registry, site }: OperationPorts,
  target: SiteRecord,
  drafts: readonly Draft[],
): Promise<ReadonlyMap<number, AccountState>> {
  const ids = drafts.flatMap(({ twin }) => twin ?? []);
  if (ids.length === 0) return new Map();
  const connection = await registry.connection(target.installation);
  const asked = { after: 0, limit: MOST_TWINS, ids, detail: 'state' } as const;
  const { accounts } = await site.accounts(connection, asked);
  return new Map(accounts.map((state) => [state.id, state]));
}
