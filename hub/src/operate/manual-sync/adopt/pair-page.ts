/**
 * Who of a page of accounts is who on the target: the same person, a clash, or only here; and what an
 * adopt run would do with them. Reads both sides as they are now; writes nothing.
 *
 * Always true: a pair is the same person only where the e-mail addresses agree byte by byte, lower-cased,
 * on both sides as they stand there now, nobody else stands against either, and neither may administer its
 * site. Everything else is a clash, and waits for a person's decision. The run asks this same function
 * again, and does nothing where an answer about who is who has changed since.
 */
import type { AccountState } from '#contract/account-state.ts';
import { isKeptAsWritten, isSameEmail } from '../../../model/email.ts';
import { apartFrom, EMAIL } from '../../../model/field.ts';
import type { Account, Candidate, Identity } from '../../../model/identity.ts';
import { type InstallationId, type WordPressId, wordPressId } from '../../../model/ids.ts';
import { selects } from '../../../model/route.ts';
import type { OtherSide, Pair, Sides } from '../../../model/sync-run.ts';
import type { Reason } from '../../../reasons.ts';
import { readStates } from '../../alarms/read-states.ts';
import type { OperationPorts } from '../../ports.ts';
import {
  accountRefusal,
  heldReason,
  known,
  NOTHING,
  type PlanFor,
  type Planned,
  type Way,
} from '../plan-page.ts';
import { guardOf, type TargetGuard } from '../target-guard.ts';
import { type AdoptPlan, differencesOf } from './differences.ts';

/** So many that stand against one account are looked at and shown; more are as undecidable. */
const MOST_OTHERS = 5;

export async function pairPage(
  ports: OperationPorts,
  planFor: PlanFor & { readonly adopt: AdoptPlan },
  states: readonly AccountState[],
): Promise<readonly Planned[]> {
  const { source, ways, adopt } = planFor;
  if (states.length === 0) return [];
  const { identities, candidates } = await ports.store.transaction((tx) =>
    known(tx, source, ways, states),
  );
  const planned: Planned[] = [];
  for (const way of ways) {
    const { installation } = way.target;
    const guard = await guardOf(ports, way.target);
    const people = states.flatMap((state) => {
      const identity = identities.get(wordPressId(state.id));
      if (identity === undefined) return [];
      return [
        { state, identity, found: candidates(identity.uid, installation).slice(0, MOST_OTHERS) },
      ];
    });
    const ids = people.flatMap(({ identity, found }) => [
      ...(idOf(identity.accounts.get(installation)) ?? []),
      ...found.map(({ wpId }) => wpId),
    ]);
    const detail = adopt.how === 'link' ? 'who' : 'state';
    const there = await readThere(ports, installation, [...new Set(ids)], detail);
    for (const one of people) planned.push(pairOf({ ...one, there, way, guard, planFor }));
  }
  return planned;
}

/** A request names at most so many. */
const IDS_AT_ONCE = 500;

async function readThere(
  ports: OperationPorts,
  installation: InstallationId,
  ids: readonly WordPressId[],
  detail: 'who' | 'state',
): Promise<ReadonlyMap<number, AccountState>> {
  const there = new Map<number, AccountState>();
  for (let from = 0; from < ids.length; from += IDS_AT_ONCE) {
    const some = ids.slice(from, from + IDS_AT_ONCE);
    for (const state of await readStates(ports, installation, some, detail))
      there.set(state.id, state);
  }
  return there;
}

const idOf = (account: Account | undefined) =>
  account === undefined || account.gone !== null ? undefined : [account.wpId];

interface Input {
  readonly state: AccountState;
  readonly identity: Identity;
  readonly found: readonly Candidate[];
  /** Of the target, as they are there now. */
  readonly there: ReadonlyMap<number, AccountState>;
  readonly way: Way;
  readonly guard: TargetGuard;
  readonly planFor: PlanFor & { readonly adopt: AdoptPlan };
}

function pairOf(input: Input): Planned {
  const { state, identity, found, there, way, planFor } = input;
  const account = identity.accounts.get(way.target.installation);
  const sides: Sides = { email: state.email, others: found.map((one) => otherOf(one, input)) };
  const facts = factsOf(state, identity, account, sides, there);
  const base: Planned = {
    ...NOTHING,
    state,
    identity,
    way,
    sides,
    pair: 'clash',
    what: 'skip',
    reason: null,
  };
  const judged =
    account === undefined ? judgeUnlinked(input, base, sides) : judgeLinked(input, base, account);
  const { guard } = input;
  const works = judged.what === 'create' || judged.what === 'update' || judged.reason === null;
  const allowed: Planned =
    works && judged.what !== 'unchanged' && guard.readOnly
      ? { ...judged, what: 'skip', reason: 'target.read_only', candidate: null }
      : judged;
  const twin = there.get(account?.wpId ?? allowed.candidate?.wpId ?? 0);
  const isToCompare = allowed.reason === null && allowed.what !== 'create' && twin !== undefined;
  const compared = isToCompare
    ? differencesOf(allowed, twin, planFor.source, guard, planFor.adopt)
    : null;
  const { seen: values = null, ...differences } = compared ?? {};
  const seen = JSON.stringify({ facts, values });
  const isSettled = allowed.what === 'update' && compared?.fields.length === 0;
  return { ...allowed, ...differences, seen, what: isSettled ? 'unchanged' : allowed.what };
}

/** What a person looked at: if any of it is another one when the run comes, nothing is done. */
function factsOf(
  state: AccountState,
  identity: Identity,
  account: Account | undefined,
  { others }: Sides,
  there: ReadonlyMap<number, AccountState>,
): unknown {
  const who = (one: AccountState | undefined) =>
    one === undefined ? null : [one.id, one.login, one.email, one.privileged];
  const linked = account === undefined ? null : [account.wpId, who(there.get(account.wpId))];
  const opposite = others.map(({ id, uid, by, why }) => [uid, by, why, who(there.get(id))]);
  return [who(state), identity.uid, linked, opposite];
}

function otherOf(candidate: Candidate, { state, identity, there, way, planFor }: Input): OtherSide {
  const now = there.get(candidate.wpId);
  const { wpId: id, uid, by } = candidate;
  return {
    id,
    uid,
    by,
    login: now?.login ?? candidate.login,
    email: now?.email ?? '',
    why: whyNever(candidate, now, { state, identity, way, planFor }),
  };
}

function whyNever(
  candidate: Candidate,
  now: AccountState | undefined,
  { state, identity, planFor }: Pick<Input, 'state' | 'identity' | 'way' | 'planFor'>,
): Reason | null {
  if (now === undefined || now.login !== candidate.login) return 'target.account_missing';
  if (identity.accounts.get(planFor.source.installation)?.alarm != null)
    return 'identity.label_mismatch';
  if (state.privileged) return 'account.privileged';
  if (now.privileged || candidate.privileged) return 'link.privileged';
  return candidate.alreadyElsewhere ? 'link.other_person' : null;
}

/** They are one person already. */
function judgeLinked(
  { state, identity, way, planFor }: Input,
  base: Planned,
  account: Account,
): Planned {
  const same: Planned = { ...base, pair: 'same' };
  const skip = (reason: Reason): Planned => ({ ...same, what: 'skip', reason });
  const refused = accountRefusal(account);
  if (refused === 'identity.label_mismatch') return { ...base, what: 'hold', reason: refused };
  if (refused === 'identity.deleted') return skip(refused);
  if (planFor.adopt.how === 'link') return { ...same, what: 'unchanged' };
  if (refused !== null) return skip(refused);
  const stays = whyNothingLeaves(state, identity, planFor);
  if (stays !== null) return skip(stays);
  if (!way.route.rules.updates) return skip('route.updates_off');
  const held = heldReason(identity.deliveries.get(way.target.key));
  return held === null ? { ...same, what: 'update' } : { ...same, what: 'hold', reason: held };
}

function judgeUnlinked(input: Input, base: Planned, sides: Sides): Planned {
  const { state, identity, way, planFor, found } = input;
  if (identity.deliveries.get(way.target.key)?.gone != null)
    return { ...base, pair: pairWith(sides), reason: 'identity.deleted' };
  if (sides.others.length === 0) return judgeOnlyHere(input, { ...base, pair: 'only_here' });
  const chosen = planFor.adopt.chosen(state.id, sides.others);
  const [only] = sides.others;
  const other = chosen ?? (sides.others.length === 1 ? only : undefined);
  const clash = (reason: Reason): Planned => ({ ...base, what: 'hold', reason });
  if (other === undefined) return clash('link.two_candidates');
  if (other.why !== null) return clash(other.why);
  const reason = chosen === undefined ? whyUnsure(input, other) : null;
  if (reason !== null) return clash(reason);
  const candidate = found.find(({ wpId }) => wpId === other.id) ?? null;
  if (candidate === null) return clash('target.account_missing');
  const stays = planFor.adopt.how === 'link' ? null : whyNothingLeaves(state, identity, planFor);
  const pair = whyUnsure(input, other) === null && sides.others.length === 1 ? 'same' : 'clash';
  if (stays !== null) return { ...base, pair, reason: stays };
  const isNamed = planFor.isNamed(state.login, way.target, candidate.login);
  const linked: Planned = { ...base, pair, what: 'link', candidate };
  return isNamed ? linked : { ...linked, reason: 'link.unproven' };
}

const pairWith = ({ others }: Sides): Pair => (others.length === 0 ? 'only_here' : 'clash');

/** Why it takes a person to say that the two are one. */
function whyUnsure({ state, identity, way }: Input, other: OtherSide): Reason | null {
  if (other.by !== 'email' || !isSameEmail(state.email, other.email)) return 'link.login_only';
  if (!isKeptAsWritten(state.email) || !isKeptAsWritten(other.email)) return 'email.malformed';
  const apart = identity.stopped.get(way.target.key)?.has(apartFrom(other.uid)) === true;
  return apart ? 'identity.kept_apart' : null;
}

function judgeOnlyHere({ state, identity, way, planFor }: Input, base: Planned): Planned {
  const skip = (reason: Reason): Planned => ({ ...base, what: 'skip', reason });
  const { rules } = way.route;
  if (!planFor.adopt.createMissing) return skip('run.only_here');
  const stays = whyNothingLeaves(state, identity, planFor);
  if (stays !== null) return skip(stays);
  const held = heldReason(identity.deliveries.get(way.target.key));
  if (held !== null) return { ...base, what: 'hold', reason: held };
  if (!rules.creates) return skip('route.creates_off');
  const carriesEmail = selects(rules, EMAIL) && state.email !== '';
  return carriesEmail ? { ...base, what: 'create' } : skip('email.missing');
}

function whyNothingLeaves(
  { privileged, switches }: AccountState,
  identity: Identity,
  { source }: PlanFor,
): Reason | null {
  if (identity.accounts.get(source.installation)?.alarm != null) return 'identity.label_mismatch';
  if (privileged) return 'account.privileged';
  return switches.stop_outgoing ? 'account.outgoing_stopped' : null;
}
