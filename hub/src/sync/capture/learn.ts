/**
 * One account as a site tells of it → what the hub newly knows.
 *
 * Does: compare the stamps with what is known of this installation, and name what is new.
 * Does not: read or write anything; believe a label that the hub didn't give.
 * Always true: a stamp is learned once (I2); a stamp from the future is never learned (I8);
 * an account whose label disagrees teaches nothing at all (I6); a value that no connector gives out
 * (too large, a name with control characters) is not learned, whoever sent it.
 */
import type { AccountState, Gone } from '#contract/account-state.ts';
import type { Carried } from '../../model/carried.ts';
import { comingAndGoing } from '../../model/coming-and-going.ts';
import {
  ACCOUNT,
  EMAIL,
  type Field,
  type KnownKey,
  knownKey,
  roleField,
  type Value,
} from '../../model/field.ts';
import type { Account, Fact, Holding, Identity, Lane } from '../../model/identity.ts';
import { type InstallationId, type SiteKey, siteKey, wordPressId } from '../../model/ids.ts';
import { admittedTo } from '../../model/leaving.ts';
import type { Path } from '../../model/path.ts';
import type { Route, Site, Topology } from '../../model/route.ts';
import { isFromBefore, isFromFuture, isNewer, type Stamp } from '../../model/stamp.ts';
import type { Reason } from '../../reasons.ts';
import { rolesTold, standingTold, whoTells } from './who-tells.ts';

export interface LearnInput {
  readonly identity: Identity;
  /** Uids that became this identity; a site may carry such a label until it is told the new one. */
  readonly formerUids: ReadonlySet<string>;
  readonly installation: InstallationId;
  /** Sites of this installation. */
  readonly sites: readonly Site[];
  /** Its routes may ask for more than a role. */
  readonly topology?: Topology;
  readonly nowMs: number;
  readonly lane: Lane;
  /** Take every stamped field as new: the account was read again on purpose. */
  readonly again: boolean;
  /** Offer the account as if it had just registered, whenever it came about. */
  readonly asNew: boolean;
  /** An operator asked for it. */
  readonly asked?: boolean;
  /** The site may have gone back: who has which roles now is nobody's decision. */
  readonly restored?: boolean;
  /** Accounts that the hub knew to be labelled before the site was asked; absent: all that it knows to be now. */
  readonly labelledBefore?: ReadonlySet<number>;
  /** Made by somebody whose deeds stay on their own site. */
  readonly staysHome?: boolean;
  /** Found by whoever asks; the account teaches nothing then. */
  readonly alarm?: Reason | null;
}

export interface Superseded {
  readonly site: SiteKey;
  readonly field: Field;
  /** What lost. */
  readonly carried: Carried;
}

export interface Lesson {
  readonly identity: Identity;
  readonly holding: Holding;
  /** Some stamps lie in the future: the site is asked to stamp those fields again. */
  readonly restamp: boolean;
  /** The account teaches nothing until a person has looked. */
  readonly alarm: Reason | null;
  /** Fields whose value is larger than what travels. */
  readonly tooLarge: readonly Field[];
  /** E-mail address that the account no longer has. */
  readonly freedEmail: string | null;
  /** Fields on their way here that lost against an edit made here meanwhile. */
  readonly superseded: readonly Superseded[];
}

export function learn(state: AccountState, input: LearnInput): Lesson {
  const before = input.identity.accounts.get(input.installation);
  const alarm = input.alarm ?? labelAlarm(state, input, before);
  if (alarm !== null) return alarmed(state, input, before, alarm);

  const told = factsOf(state, input);
  const every = told.filter((fact) => !isTooLarge(fact.value));
  const trusted = every.filter((fact) => !isFromFuture(fact.stamp, input.nowMs));
  const born = toStamp(state.born);
  const bornTrusted = !isFromFuture(born, input.nowMs);
  const known = new Map<KnownKey, Stamp>(before?.known);
  const fresh = trusted.filter((fact) => isNewer(fact.stamp, known.get(keyOf(fact))));
  for (const fact of fresh) known.set(keyOf(fact), fact.stamp);
  const newlyBorn = bornTrusted && !isFromBefore(born) && isNewer(born, known.get(ACCOUNT));
  if (bornTrusted && isNewer(born, known.get(ACCOUNT))) known.set(ACCOUNT, born);

  const account = accountOf(state, input, before, known);
  const freed = mayLeaveAgain(before, state);
  const stamped = input.again || freed ? trusted : fresh;
  return {
    identity: withAccount(input.identity, account),
    holding: {
      installation: input.installation,
      facts: stamped.filter((fact) => !isFromBefore(fact.stamp)),
      all: trusted,
      complete: true,
      gone: null,
      birth: {
        login: state.login,
        registered: state.registered,
        stamp: born,
        path: input.asNew ? [siteOf(born, input.sites)] : originPath(born, input.sites),
      },
      newlyBorn: newlyBorn || input.asNew || (input.again && bornTrusted && !isFromBefore(born)),
      learnedBy: 'capture',
      lane: input.lane,
      asked: input.asked === true,
      // Whoever frees an account does not keep at home what others changed meanwhile.
      staysHome: input.staysHome === true && !freed,
      ...(input.restored === true ? {} : comingAndGoing(before, account, every, input)),
      ...(input.restored === true
        ? {}
        : { admitted: admittedTo(before, account, every, routesOutOf(input)) }),
    },
    restamp: trusted.length < every.length || !bornTrusted,
    alarm: null,
    tooLarge: told.filter((fact) => isTooLarge(fact.value)).map((fact) => fact.field),
    freedEmail: freedEmail(before, state),
    superseded: supersededHere(input.identity, fresh, input.sites),
  };
}

/** The account ended on its site. Null: it had ended before, or it is someone else's tombstone. */
export function learnGone(gone: Gone, input: LearnInput): Lesson | null {
  const before = input.identity.accounts.get(input.installation) ?? neverAnswered(gone, input);
  if (before.gone !== null || before.login !== gone.login) return null;
  if (gone.uid !== null && isForeign(gone.uid, input)) return null;
  const stamp = toStamp(gone.stamp);
  const at: Stamp = isFromFuture(stamp, input.nowMs) ? [input.nowMs, stamp[1]] : stamp;
  const site = siteOf(at, input.sites);
  return {
    identity: withAccount(input.identity, { ...before, gone: at, alarm: withoutVanished(before) }),
    holding: {
      installation: input.installation,
      facts: [],
      all: [],
      complete: true,
      gone: { stamp: at, path: originPath(at, input.sites), site },
      birth: null,
      newlyBorn: false,
      learnedBy: 'capture',
      lane: input.lane,
      staysHome: input.staysHome === true,
    },
    restamp: false,
    alarm: null,
    tooLarge: [],
    freedEmail: before.email === '' ? null : before.email,
    superseded: [],
  };
}

/** The hub had created it, and never heard that it was there. */
const neverAnswered = ({ id, login }: Gone, { installation }: LearnInput): Account => ({
  installation,
  wpId: wordPressId(id),
  login,
  email: '',
  registered: '',
  privileged: false,
  outgoingStopped: false,
  incomingRejected: false,
  labelled: true,
  known: new Map(),
  roles: new Map(),
  gone: null,
  alarm: null,
});

const toStamp = ([ms, site]: readonly [number, number]): Stamp => [ms, siteKey(site)];
const keyOf = (fact: Fact): KnownKey => knownKey(fact.field, fact.site);

/**
 * The hub's own table says who is who. A label that disagrees, a label made for another login,
 * a labelled account that comes without its label, or one that registered at another time (its id
 * was used again) is an alarm, never a link.
 */
function labelAlarm(
  state: AccountState,
  input: LearnInput,
  before: Account | undefined,
): Reason | null {
  if (before?.alarm === 'account.reappeared') return 'account.reappeared';
  if (!state.label_ok) return 'identity.label_mismatch';
  if (state.uid !== null && isForeign(state.uid, input)) return 'identity.label_mismatch';
  if (before === undefined) return null;
  const wasLabelled = input.labelledBefore?.has(state.id) ?? true;
  if (before.labelled && wasLabelled && state.uid === null) return 'identity.label_mismatch';
  const registered = state.uid !== null || before.registered === state.registered;
  return before.login === state.login && registered ? null : 'identity.label_mismatch';
}

/**
 * The account was kept at home until now: what changed meanwhile was learned and skipped, so it
 * is spread now, or it would be lost. What a target holds already is not sent again (I2).
 */
const mayLeaveAgain = (before: Account | undefined, state: AccountState): boolean =>
  before !== undefined &&
  ((before.privileged && !state.privileged) ||
    (before.outgoingStopped && !state.switches.stop_outgoing));

const isForeign = (uid: string, { identity, formerUids }: LearnInput): boolean =>
  uid !== identity.uid && !formerUids.has(uid);

function alarmed(
  state: AccountState,
  input: LearnInput,
  before: Account | undefined,
  alarm: Reason,
): Lesson {
  const account = before ?? accountOf(state, input, undefined, new Map());
  return {
    identity: withAccount(input.identity, { ...account, alarm }),
    holding: {
      installation: input.installation,
      facts: [],
      all: [],
      complete: false,
      gone: null,
      birth: null,
      newlyBorn: false,
      learnedBy: 'capture',
      lane: input.lane,
    },
    restamp: false,
    alarm,
    tooLarge: [],
    freedEmail: null,
    superseded: [],
  };
}

function factsOf(state: AccountState, { sites }: LearnInput): Fact[] {
  const facts: Fact[] = [];
  for (const [field, { v, s }] of Object.entries(state.fields ?? {})) {
    if (!isPlainName(field)) continue;
    const stamp = toStamp(s);
    facts.push({
      field,
      site: siteOf(stamp, sites),
      value: v,
      stamp,
      path: originPath(stamp, sites),
      ...(field === EMAIL && isUnconfirmed(state, stamp) ? { unconfirmed: true } : {}),
    });
  }
  for (const site of sites) {
    for (const [role, { v, s }] of Object.entries(state.roles?.[String(site.blog)] ?? {})) {
      if (!isPlainName(role)) continue;
      const stamp = toStamp(s);
      const path = originPath(stamp, sites, site.key);
      facts.push({ field: roleField(role), site: site.key, value: v, stamp, path });
    }
  }
  return facts;
}

/** An older connector does not tell: what was set since Rollcall is there may be anybody's word. */
const isUnconfirmed = ({ email_by }: AccountState, stamp: Stamp): boolean =>
  email_by === undefined ? !isFromBefore(stamp) : email_by === 'other';

/** As the connector's own bound: more would crowd everybody else out of a page. */
const MAX_VALUE_BYTES = 1_048_576;

const isTooLarge = (value: Value): boolean =>
  typeof value === 'string'
    ? value.length * 3 > MAX_VALUE_BYTES && Buffer.byteLength(value) > MAX_VALUE_BYTES
    : typeof value === 'object' &&
      value !== null &&
      Buffer.byteLength(JSON.stringify(value)) > MAX_VALUE_BYTES;

/** Neither a store nor a terminal takes control characters and halves of a character in a name. */
const isPlainName = (name: string): boolean => !/[\p{Cc}\p{Cs}]/u.test(name);

/** The site of this installation that a stamp names, else the installation's first. */
function siteOf(stamp: Stamp, sites: readonly Site[]): SiteKey {
  return (sites.find((site) => site.key === stamp[1]) ?? sites[0])?.key ?? stamp[1];
}

/** Edited here: [here]. Held here but edited elsewhere: [there, here]. */
function originPath(stamp: Stamp, sites: readonly Site[], here = siteOf(stamp, sites)): Path {
  const own = stamp[1] === here || isFromBefore(stamp) || stamp[1] === 0;
  return own ? [here] : [stamp[1], here];
}

function accountOf(
  state: AccountState,
  input: LearnInput,
  before: Account | undefined,
  known: ReadonlyMap<KnownKey, Stamp>,
): Account {
  return {
    ...whoTells(state, input.installation, input.sites),
    labelled: state.uid === input.identity.uid,
    known,
    roles: rolesTold(state, input.sites, before?.roles),
    ...standingTold(state, routesOutOf(input), before?.standing),
    gone: before?.gone ?? null,
    alarm: withoutVanished(before),
  };
}

const routesOutOf = ({ topology, sites }: LearnInput): readonly Route[] =>
  topology?.routes.filter(({ source }) => sites.some(({ key }) => key === source)) ?? [];

/** It is there, or its end was seen after all. */
const withoutVanished = (before: Account | undefined): string | null =>
  before?.alarm === 'account.vanished' ? null : (before?.alarm ?? null);

const withAccount = (identity: Identity, account: Account): Identity => ({
  ...identity,
  accounts: new Map(identity.accounts).set(account.installation, account),
});

function freedEmail(before: Account | undefined, state: AccountState): string | null {
  if (before === undefined) return null;
  return before.email.toLowerCase() === state.email.toLowerCase() ? null : before.email;
}

function supersededHere(identity: Identity, fresh: readonly Fact[], sites: readonly Site[]) {
  const lost: Superseded[] = [];
  for (const site of sites) {
    const waiting = identity.deliveries.get(site.key)?.fields;
    for (const fact of fresh) {
      const carried = waiting?.get(fact.field);
      if (carried !== undefined && isNewer(fact.stamp, carried.stamp)) {
        lost.push({ site: site.key, field: fact.field, carried });
      }
    }
  }
  return lost;
}
