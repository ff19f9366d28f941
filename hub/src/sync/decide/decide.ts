/**
 * Does what one installation holds go along one route, in what form, and if not, why not?
 *
 * Does: answer for one (holding, route), as a value with reason codes. Preview, "explain" and
 * the property tests are this same call.
 * Does not: read a clock, a database or a network, or change anything.
 * Always true: the first rule that says no gives the reason; nothing at or below what the target
 * is known to hold, or what is on its way there, is ever sent (I2); nothing crosses to an
 * account that is only a candidate (I5).
 */
import type { Carried } from '../../model/carried.ts';
import {
  ACCOUNT,
  apartFrom,
  type Field,
  isRole,
  knownKey,
  roleField,
  roleOf,
  TURNED_AWAY,
} from '../../model/field.ts';
import type {
  Account,
  Birth,
  Candidate,
  Delivery,
  Fact,
  Holding,
  Identity,
} from '../../model/identity.ts';
import { firstUnmet } from '../../model/leaving.ts';
import { extendPath, hasVisited } from '../../model/path.ts';
import { raisesPower, whyPowerIsKept, whyPowerStays } from '../../model/power.ts';
import {
  isAmongThoseWhoLeave,
  isMember,
  type Route,
  rolesGivenFor,
  type Site,
  selects,
} from '../../model/route.ts';
import { compareStamps, isFromBefore, isNewer, type Stamp } from '../../model/stamp.ts';
import { isReason, type Reason } from '../../reasons.ts';

export interface Question {
  readonly identity: Identity;
  readonly holding: Holding;
  readonly route: Route;
  readonly source: Site;
  readonly target: Site;
  /** Accounts on the target's installation that may be the same person, or are in the way. */
  readonly candidates: readonly Candidate[];
  /** The source has brought as many new accounts as go without a person’s consent. */
  readonly creationsUsedUp?: boolean | undefined;
  /** Some site gives roles of other names for those that come to it. */
  readonly rolesAreMapped?: boolean | undefined;
}

export interface Dropped {
  readonly field: Field;
  readonly reason: Reason;
}

export type Decision = Readonly<{ route: Route; dropped: readonly Dropped[] }> &
  (
    | {
        readonly kind: 'deliver' | 'hold';
        readonly reason: Reason | null;
        readonly fields: ReadonlyMap<Field, Carried>;
        readonly birth: Birth | null;
        readonly gone: Delivery['gone'];
      }
    | {
        readonly kind: 'skip';
        readonly reason: Reason;
        /** The account on the target that the identity may be linked to, once proven. */
        readonly candidate: Candidate | null;
      }
    /** The values must be read from the source first: an account would be created from a part. */
    | { readonly kind: 'refresh' }
  );

export function decide(question: Question): Decision {
  const { route, holding } = question;
  const stop = accountRule(question);
  if (stop !== null) return maybeRefresh(question, stop) ?? skip(route, stop);
  const gone = holding.gone ?? lostRole(question);
  if (gone !== null) return decideGone(question, gone);

  const entered = hasEntered(question);
  if (entered && !holding.complete) return { kind: 'refresh', route, dropped: [] };
  const news = entered ? holding.all : withoutMembership(question, holding.facts);
  const { chosen, dropped } = chooseFields(question, news);
  const account = question.identity.accounts.get(question.target.installation);
  if (account !== undefined) {
    if (account.gone !== null) return skip(route, 'identity.deleted', dropped);
    if (account.alarm !== null) return skip(route, alarmOf(account), dropped);
    const joins = joinsThere(question, account);
    if (chosen.size === 0 && joins === null)
      return skip(route, emptyReason(holding, dropped), dropped);
    if (!route.rules.updates && joins === null) return skip(route, 'route.updates_off', dropped);
    return deliver(route, chosen, joins, dropped);
  }
  return decideMissing(question, chosen, dropped);
}

/**
 * Rules about the account as a whole. A paused route is no rule here: what goes along it is
 * decided and waits, so that nothing has to be caught up with.
 */
function accountRule(question: Question): Reason | null {
  const { identity, holding, source, target } = question;
  const account = identity.accounts.get(holding.installation);
  if (account != null && account.alarm !== null) return alarmOf(account);
  if (account?.outgoingStopped === true) return 'account.outgoing_stopped';
  if (holding.staysHome === true) return 'account.maker_stopped';
  const power = account === undefined ? null : whyPowerStays(account, question.route, target);
  if (power !== null) return power === 'unnamed' ? 'account.privileged' : 'account.not_consented';
  if (target.installation === holding.installation) return 'path.already_visited';
  // A target that has ended may be listed again: what goes there is decided and waits.
  if (source.closed === 'ended') return 'site.ended';
  return holding.asked === true ? null : leavingRule(question, account);
}

/** What leaves a site by itself. An operator's own word is not bound by it. */
function leavingRule(question: Question, account: Account | undefined): Reason | null {
  const { rules, key } = question.source;
  if (!rules.automatic) return 'source.automatic_off';
  if (isClosedWithAll(question, account)) return 'source.closed';
  if (!isAmongThoseWhoLeave(rules, account?.roles.get(key))) {
    return lostRole(question) === null ? 'source.role_not_selected' : null;
  }
  const member = isMember(question.source, account?.roles.get(key));
  const endsUnknown = member === undefined && question.holding.gone !== null;
  if (member !== true && !endsUnknown && !membershipEnds(question)) return 'source.not_a_member';
  const unmet = firstUnmet(question.route.rules, account, key);
  // An end is heard of once. It goes only to where the account is known, so it has left before.
  if (unmet === null || (question.holding.gone !== null && !unmet.certain)) return null;
  return unmet.reason;
}

/** A site that is deactivated, or missing from its list, may have lost everybody with it: nobody has decided that. */
const isClosedWithAll = (question: Question, account: Account | undefined): boolean =>
  question.source.closed === 'deleted' &&
  isMember(question.source, account?.roles.get(question.source.key)) !== true &&
  (membershipEnds(question) || lostRole(question) !== null);

/** That a role was taken is the last thing that leaves with somebody whose membership ends. */
const membershipEnds = ({ holding, source }: Question): boolean =>
  holding.facts.some(
    ({ field, site, value }) => isRole(field) && site === source.key && value === false,
  );

/** Of somebody who is no longer a member only the roles that were taken leave. */
function withoutMembership(
  { identity, holding, source }: Question,
  facts: readonly Fact[],
): readonly Fact[] {
  const roles = identity.accounts.get(holding.installation)?.roles.get(source.key);
  const leaves = holding.asked === true || isMember(source, roles) === true;
  return leaves ? facts : facts.filter(({ field }) => isRole(field));
}

/** On a network somebody who comes anew may have an account already, on another of its sites. */
function joinsThere(question: Question, account: Account): Birth | null {
  const { holding, route, target, identity } = question;
  const { birth } = holding;
  if (target.network == null || isMember(target, account.roles.get(target.key)) === true)
    return null;
  if (birth === null || !route.rules.creates || hasVisited(birth.path, target.key)) return null;
  if (!holding.newlyBorn && !hasEntered(question)) return null;
  if (identity.deliveries.get(target.key)?.gone != null) return null;
  return { ...birth, path: extendPath(birth.path, route.source) };
}

/** Nobody was told yet whether the account may leave: it came here from elsewhere, and is read first. */
function maybeRefresh(question: Question, stop: Reason): Decision | null {
  const { identity, holding, route, source, target } = question;
  if (holding.complete || holding.gone !== null) return null;
  const account = identity.accounts.get(holding.installation);
  if (stop === 'source.not_a_member') {
    if (isMember(source, account?.roles.get(source.key)) !== undefined) return null;
  } else {
    const unmet = firstUnmet(route.rules, account, source.key);
    if (unmet === null || unmet.certain || unmet.reason !== stop) return null;
  }
  const mayCome =
    identity.accounts.has(target.installation) ||
    holding.newlyBorn ||
    hasEntered(question) ||
    target.createMissing;
  return mayCome ? { kind: 'refresh', route, dropped: [] } : null;
}

/** The account is none of those any more who leave the source, and its site calls that a delete. */
function lostRole({ holding, source }: Question): Holding['gone'] {
  const stamp = holding.left?.get(source.key);
  if (stamp === undefined || source.rules.onRoleLost !== 'delete') return null;
  return { stamp, path: [source.key], site: source.key };
}

/** It counts as a registration: everything that the account holds goes. */
const hasEntered = ({ holding, route, source }: Question): boolean =>
  holding.entered?.has(source.key) === true || holding.admitted?.has(route.id) === true;

/** Nothing is learned of the account and nothing sent to it until a person has looked. */
const alarmOf = ({ alarm }: Account): Reason =>
  alarm !== null && isReason(alarm) ? alarm : 'identity.label_mismatch';

function decideGone(question: Question, gone: NonNullable<Holding['gone']>): Decision {
  const { identity, route, target } = question;
  const { onDelete } = route.rules;
  if (onDelete === 'ignore') return skip(route, 'route.deletes_off');
  if (hasVisited(gone.path, target.key)) return skip(route, 'path.already_visited');
  const account = identity.accounts.get(target.installation);
  const pending = identity.deliveries.get(target.key);
  if (account?.gone != null || pending?.gone != null) return skip(route, 'target.already_holds');
  if (account === undefined && pending === undefined) return skip(route, 'target.account_missing');
  const step = {
    fields: new Map<Field, Carried>(),
    birth: null,
    gone: { stamp: gone.stamp, path: extendPath(gone.path, route.source), how: onDelete },
    dropped: [],
    route,
  };
  const newest = newestKnown(account?.known.values() ?? []);
  return newest !== null && compareStamps(newest, gone.stamp) > 0
    ? { kind: 'hold', reason: 'delete.newer_edit', ...step }
    : { kind: 'deliver', reason: null, ...step };
}

/** The identity has no account on the target. */
function decideMissing(
  question: Question,
  chosen: ReadonlyMap<Field, Carried>,
  dropped: readonly Dropped[],
): Decision {
  const { holding, route, source, target, identity } = question;
  const pending = identity.deliveries.get(target.key);
  if (pending?.gone != null) return skip(route, 'identity.deleted', dropped);
  if (pending?.birth != null) {
    return chosen.size === 0
      ? skip(route, emptyReason(holding, dropped), dropped)
      : deliver(route, chosen, null, dropped);
  }
  const byEmail = question.candidates.find((candidate) => candidate.by === 'email');
  if (byEmail !== undefined && !byEmail.alreadyElsewhere) {
    const kept = whyPowerIsKept(byEmail, route, target, {
      source,
      here: identity.accounts.get(holding.installation),
    });
    const reason = kept === null ? 'link.unproven' : 'link.privileged';
    return { kind: 'skip', reason, route, dropped, candidate: byEmail };
  }
  if (isKeptApart(question)) return skip(route, 'identity.kept_apart', dropped);
  const { birth } = holding;
  if (birth === null) return skip(route, 'target.account_missing', dropped);
  if (hasVisited(birth.path, target.key)) return skip(route, 'path.already_visited', dropped);
  if (!holding.newlyBorn && !hasEntered(question) && !target.createMissing) {
    return skip(route, 'target.account_missing', dropped);
  }
  if (!route.rules.creates) return skip(route, 'route.creates_off', dropped);
  const isTurnedAway = identity.stopped.get(target.key)?.has(TURNED_AWAY) === true;
  if (isTurnedAway && holding.asked !== true) return skip(route, 'source.turned_away', dropped);
  const refused = identity.stopped.get(target.key)?.get(ACCOUNT);
  if (refused !== undefined && !isNewer(birth.stamp, refused) && chosen.size === 0) {
    return skip(route, 'path.stopped_at', dropped);
  }
  if (!covers(holding, route)) return { kind: 'refresh', route, dropped };
  const filling = new Map([...chooseFilling(question), ...chosen]);
  const created = { ...birth, path: extendPath(birth.path, route.source) };
  if (byEmail !== undefined) return hold(route, 'identity.email_taken', filling, created, dropped);
  const byLogin = question.candidates.some((candidate) => candidate.by === 'login');
  if (byLogin && route.rules.loginTaken !== 'suffix')
    return hold(route, 'identity.login_taken', filling, created, dropped);
  if (question.creationsUsedUp === true) {
    return hold(route, 'source.creation_limit', filling, created, dropped);
  }
  return deliver(route, filling, created, dropped);
}

/** A person said of all who are in the way that they are others. Asked for by a person it is held again. */
function isKeptApart({ candidates, identity, target, holding }: Question): boolean {
  if (candidates.length === 0 || holding.asked === true) return false;
  const stopped = identity.stopped.get(target.key);
  return candidates.every(({ uid }) => stopped?.has(apartFrom(uid)) === true);
}

/** The newly learned fields that may and need to go to the target. */
function chooseFields(
  { identity, holding, route, source, target, rolesAreMapped = false }: Question,
  facts: readonly Fact[],
): { chosen: Map<Field, Carried>; dropped: Dropped[] } {
  const chosen = new Map<Field, Carried>();
  const dropped: Dropped[] = [];
  const known = identity.accounts.get(target.installation)?.known;
  const pending = identity.deliveries.get(target.key)?.fields;
  const stopped = identity.stopped.get(target.key);
  // An operator's own word needs no other.
  const mayWait = identity.accounts.has(target.installation) && holding.asked !== true;
  for (const told of facts) {
    const first = routeRule(told, route, source, target);
    if (first !== null) {
      if (first !== 'elsewhere') dropped.push({ field: told.field, reason: first });
      continue;
    }
    for (const fact of asGiven(told, target)) {
      const mayReturn = !(rolesAreMapped && isRole(fact.field));
      const reason = fieldRule(fact, target, {
        known: known?.get(knownKey(fact.field, target.key)),
        pending: pending?.get(fact.field)?.stamp,
        stopped: stopped?.get(fact.field),
        lost: mayReturn && hasLost(known, fact, target),
      });
      if (reason === null)
        chosen.set(fact.field, withheld(carry(fact, route, told), fact, mayWait, route));
      else dropped.push({ field: fact.field, reason });
    }
  }
  return { chosen, dropped };
}

/** Under the names of the target. The stamp stays, so there and back again is old news. */
const asGiven = (fact: Fact, { rules }: Site): readonly Fact[] =>
  isRole(fact.field)
    ? rolesGivenFor(rules, roleOf(fact.field)).map((role) => ({ ...fact, field: roleField(role) }))
    : [fact];

/** What the lists say; names are those of the source. */
function routeRule(
  fact: Fact,
  route: Route,
  source: Site,
  target: Site,
): Reason | 'elsewhere' | null {
  if (isRole(fact.field) && fact.site !== route.source) return 'elsewhere';
  if (!selects(route.rules, fact.field)) return 'field.not_selected';
  if (!isRole(fact.field)) return null;
  const role = roleOf(fact.field);
  if (rolesGivenFor(target.rules, role).length === 0) return 'role.not_mapped';
  return raisesPower(role, route, source, target) ? 'role.raised' : null;
}

/**
 * A site that a value has been through is known to hold it, unless it was read anew since and holds
 * less: it was restored from a backup, and gets its own values back. Of a site that was never read
 * whole nothing can be said. Where roles are mapped, a role comes back under another name as one that
 * the site never had: it does not come back at all.
 */
const hasLost = (
  known: Account['known'] | undefined,
  { field, stamp }: Fact,
  target: Site,
): boolean =>
  known !== undefined && known.size > 0 && isNewer(stamp, known.get(knownKey(field, target.key)));

function fieldRule(
  fact: Fact,
  target: Site,
  held: Record<'known' | 'pending' | 'stopped', Stamp | undefined> & { readonly lost: boolean },
): Reason | null {
  if (isFromBefore(fact.stamp)) return 'target.already_holds';
  if (hasVisited(fact.path, target.key) && !held.lost) return 'path.already_visited';
  if (!isNewer(fact.stamp, held.stopped)) return 'path.stopped_at';
  if (!isNewer(fact.stamp, held.known)) {
    return held.known !== undefined && compareStamps(fact.stamp, held.known) < 0
      ? 'conflict.superseded'
      : 'target.already_holds';
  }
  if (held.pending !== undefined && !isNewer(fact.stamp, held.pending)) {
    return compareStamps(fact.stamp, held.pending) < 0
      ? 'conflict.superseded'
      : 'target.already_holds';
  }
  return null;
}

/** Everything a new account is filled with, values from before Rollcall included. */
function chooseFilling({ holding, route, source, target }: Question): Map<Field, Carried> {
  const filling = new Map<Field, Carried>();
  for (const told of holding.all) {
    if (routeRule(told, route, source, target) !== null) continue;
    for (const fact of asGiven(told, target)) filling.set(fact.field, carry(fact, route, told));
  }
  return filling;
}

/** Is everything at hand that this route would fill a new account with? */
function covers(holding: Holding, route: Route): boolean {
  if (holding.complete) return true;
  const atHand = new Set(holding.all.map((fact) => fact.field));
  return route.rules.fields.every((field) => atHand.has(field));
}

/** @param told the same under the source's names */
const carry = (fact: Fact, route: Route, told: Fact): Carried => ({
  value: fact.value,
  stamp: fact.stamp,
  path: extendPath(fact.path, route.source),
  ...(isRole(told.field) && told.value === false ? { lost: roleOf(told.field) } : {}),
  ...(fact.unconfirmed === undefined ? {} : { unconfirmed: true }),
});

const UNCONFIRMED: Reason = 'email.unconfirmed';

/** The account would get an address that its person has not confirmed; its other fields go on. */
const withheld = (carried: Carried, fact: Fact, mayWait: boolean, { rules }: Route): Carried =>
  mayWait && fact.unconfirmed === true && rules.unconfirmedEmails === 'hold'
    ? { ...carried, held: UNCONFIRMED }
    : carried;

function newestKnown(stamps: Iterable<Stamp>): Stamp | null {
  let newest: Stamp | null = null;
  for (const stamp of stamps)
    if (newest === null || compareStamps(stamp, newest) > 0) newest = stamp;
  return newest;
}

/** Why nothing is left to send: the reason of a field that a person would ask about. */
function emptyReason(holding: Holding, dropped: readonly Dropped[]): Reason {
  const asked: readonly Reason[] = [
    'conflict.superseded',
    'path.stopped_at',
    'target.already_holds',
    'path.already_visited',
    'role.raised',
    'role.not_mapped',
  ];
  for (const reason of asked) if (dropped.some((entry) => entry.reason === reason)) return reason;
  return holding.facts.length === 0 ? 'target.already_holds' : 'field.not_selected';
}

const skip = (route: Route, reason: Reason, dropped: readonly Dropped[] = []): Decision => ({
  kind: 'skip',
  reason,
  route,
  dropped,
  candidate: null,
});

const deliver = (
  route: Route,
  fields: ReadonlyMap<Field, Carried>,
  birth: Birth | null,
  dropped: readonly Dropped[],
): Decision => ({ kind: 'deliver', reason: null, route, fields, birth, gone: null, dropped });

const hold = (
  route: Route,
  reason: Reason,
  fields: ReadonlyMap<Field, Carried>,
  birth: Birth | null,
  dropped: readonly Dropped[],
): Decision => ({ kind: 'hold', reason, route, fields, birth, gone: null, dropped });
