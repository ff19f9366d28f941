/**
 * A receipt → what the hub now knows, what still waits, and what has to travel on.
 *
 * Does: settle exactly what was sent; whatever was merged into the delivery meanwhile stays.
 * Does not: send, store, log or spread; it returns values.
 * Always true: known stamps rise only to what was sent (I2): a newer stamp that the site holds
 * is its own change and comes out of its own outbox, or it would be lost; what a site refused
 * travels no further from there (I4).
 */
import type { Receipt } from '#contract/messages.ts';
import type { Carried } from '../../model/carried.ts';
import { comingAndGoing } from '../../model/coming-and-going.ts';
import {
  ACCOUNT,
  EMAIL,
  type Field,
  isMeta,
  isRole,
  type KnownKey,
  knownKey,
  metaKeyOf,
  roleOf,
  textOf,
} from '../../model/field.ts';
import type { Account, Delivery, Fact, Holding, Identity } from '../../model/identity.ts';
import { type SiteKey, wordPressId } from '../../model/ids.ts';
import { admittedTo, statusRows } from '../../model/leaving.ts';
import type { LogStatus } from '../../model/log-entry.ts';
import { extendPath } from '../../model/path.ts';
import type { Route, Site } from '../../model/route.ts';
import { compareStamps, isNewer, newerOf, type Stamp } from '../../model/stamp.ts';
import { nameChanged } from '../../model/suffixed-login.ts';
import { backOffMs, busyBackOffMs, lateBackOffMs } from './back-off.ts';
import type { Composed } from './compose.ts';

export interface SettleInput {
  /** As stored now; it may have changed since the operation was sent. */
  readonly identity: Identity;
  readonly composed: Composed;
  readonly receipt: Receipt;
  readonly target: Site;
  /** Out of the target's installation. */
  readonly routes?: readonly Route[];
  readonly nowMs: number;
}

export interface Settled {
  readonly identity: Identity;
  /** What the target holds now, to be spread from there; null: nothing new. */
  readonly holding: Holding | null;
  readonly status: LogStatus | null;
  readonly reason: string | null;
  readonly fields: readonly Field[];
  /** Fields with an outcome of their own: refused, superseded, held. */
  readonly aside: readonly {
    readonly field: Field;
    readonly status: LogStatus;
    readonly reason: string;
  }[];
}

export function settle(input: SettleInput): Settled {
  const { receipt } = input;
  switch (receipt.result) {
    case 'busy':
      return putOff(input, receipt.reason ?? 'account.busy', null, busyBackOffMs);
    case 'failed':
      return putOff(
        input,
        receipt.reason ?? 'target.error',
        'failed',
        receipt.reason === 'target.timeout' ? lateBackOffMs : backOffMs,
      );
    case 'refused':
      return settleRefused(input, receipt.reason ?? 'target.error');
    case 'conflict':
      return receipt.fields === undefined
        ? holdWhole(input, receipt.reason ?? 'identity.login_taken')
        : settleFields(input);
    case 'deleted':
      return settleGone(input);
    default:
      // A write that succeeded speaks of its fields; without them nothing is known to have arrived.
      if (input.composed.operation?.kind === 'write' && receipt.fields === undefined) {
        return putOff(input, 'target.error', 'failed', backOffMs);
      }
      return input.composed.operation?.kind === 'delete' ? settleGone(input) : settleFields(input);
  }
}

/** Comes again by itself; nothing is known about the target that wasn't known before. */
function putOff(
  input: SettleInput,
  reason: string,
  status: LogStatus | null,
  waitMs: (tries: number) => number,
): Settled {
  const delivery = currentDelivery(input);
  const notBeforeMs = input.nowMs + waitMs(delivery?.attempts ?? 1);
  const identity =
    delivery === undefined
      ? input.identity
      : withDelivery(input.identity, { ...delivery, notBeforeMs });
  const tell = isPowerOfTwo(delivery?.attempts ?? 1);
  return { ...nothing(identity), status: tell ? status : null, reason, fields: sentFields(input) };
}

/** What fails again and again is told ever less often. */
const isPowerOfTwo = (count: number): boolean => Number.isInteger(Math.log2(count));

/** Reasons that a person must look at; every other refusal ends the delivery there. */
const HELD_REFUSALS: ReadonlySet<string> = new Set([
  'identity.label_mismatch',
  'target.account_missing',
  'target.content_without_heir',
]);

function settleRefused(input: SettleInput, reason: string): Settled {
  if (HELD_REFUSALS.has(reason)) return holdWhole(input, reason);
  const stamps = new Map<Field, Stamp>();
  for (const [field, carried] of input.composed.sent) stamps.set(field, carried.stamp);
  const { birth, gone } = input.composed.delivery;
  if (birth !== null) stamps.set(ACCOUNT, birth.stamp);
  const stopped = stopAt(input.identity, input.target, stamps);
  const ends = { birth: true, gone: gone !== null };
  const left = prune(stopped, input.target, input.composed, ends);
  return { ...nothing(left), status: 'refused', reason, fields: sentFields(input) };
}

function holdWhole(input: SettleInput, reason: string): Settled {
  const delivery = currentDelivery(input);
  const identity =
    delivery === undefined
      ? input.identity
      : withDelivery(input.identity, { ...delivery, held: reason, version: delivery.version + 1 });
  return { ...nothing(identity), status: 'held', reason, fields: sentFields(input) };
}

function settleGone(input: SettleInput): Settled {
  const gone = input.composed.delivery.gone;
  const account = input.identity.accounts.get(input.target.installation);
  const settled = { birth: true, gone: true };
  let identity = prune(input.identity, input.target, input.composed, settled);
  if (gone === null) return nothing(identity);
  // On a network who is a member of other sites, too, leaves this one and keeps the account.
  const ends = gone.how === 'delete' && input.receipt.result !== 'updated';
  if (account !== undefined && !ends && input.target.network != null) {
    const roles = new Map(account.roles);
    roles.delete(input.target.key);
    identity = withAccount(identity, { ...account, roles });
  }
  if (account !== undefined && ends) {
    identity = withAccount(identity, {
      ...account,
      gone: newerOf(gone.stamp, account.gone ?? undefined),
    });
  }
  const path = extendPath(gone.path, input.target.key);
  const holding: Holding = {
    ...emptyHolding(input),
    gone: { stamp: gone.stamp, path, site: input.target.key },
  };
  const unchanged = input.receipt.result === 'unchanged';
  return {
    ...nothing(identity),
    holding: ends ? holding : null,
    status: unchanged ? 'unchanged' : 'delivered',
    reason: input.receipt.reason ?? null,
  };
}

function settleFields(input: SettleInput): Settled {
  const { receipt, composed, target } = input;
  const outcomes = sortOutcomes(input);
  const before = input.identity.accounts.get(target.installation);
  const account = accountAfter(input, before, outcomes.held);
  let identity = account === null ? input.identity : withAccount(input.identity, account);
  identity = stopAt(identity, target, outcomes.refused);
  identity = prune(identity, target, composed, {
    birth: account !== null,
    gone: false,
    blocked: outcomes.blocked,
  });
  const born = before === undefined && composed.delivery.birth !== null && account !== null;
  const holding = holdingAfter(input, outcomes.arrived, born, before, account);
  // Unchanged and yet new to the hub: it was created before, and that answer was lost.
  const done = receipt.result === 'unchanged' && !born ? 'unchanged' : 'delivered';
  const joined = hasJoined(input, before);
  const nothingArrived = outcomes.arrived.length === 0 && !born && !joined;
  return {
    identity,
    holding: nothingArrived ? null : joined ? { ...holding, entered: enteredBy(input) } : holding,
    status: nothingArrived && outcomes.aside.length > 0 ? null : done,
    reason: receipt.reason ?? (born ? nameChanged(composed.delivery.birth, account) : null),
    fields: outcomes.arrived.map(([field]) => field),
    aside: outcomes.aside,
  };
}

/** The account was there as a member of other sites of its network, and is one of this site now. */
const hasJoined = ({ composed, receipt }: SettleInput, before: Account | undefined): boolean =>
  before !== undefined &&
  receipt.result === 'updated' &&
  composed.operation?.kind === 'write' &&
  composed.operation.create !== null;
const enteredBy = ({ target }: SettleInput): ReadonlySet<SiteKey> => new Set([target.key]);

interface Outcomes {
  readonly arrived: [Field, Carried][];
  /** What the hub may take as held there. */
  readonly held: Map<KnownKey, Stamp>;
  readonly refused: Map<Field, Stamp>;
  readonly blocked: Map<Field, string>;
  readonly aside: { field: Field; status: LogStatus; reason: string }[];
}

function sortOutcomes({ receipt, composed, target }: SettleInput): Outcomes {
  const outcomes: Outcomes = {
    arrived: [],
    held: new Map(),
    refused: new Map(),
    blocked: new Map(),
    aside: [],
  };
  for (const [field, carried] of composed.sent) {
    const answer = receipt.fields?.[field];
    // Not spoken of: the operation as a whole succeeded, this field is sent again.
    if (answer === undefined) continue;
    const reason = answer.why ?? 'target.error';
    if (answer.r === 'refused') {
      outcomes.refused.set(field, carried.stamp);
      outcomes.aside.push({ field, status: 'refused', reason });
    } else if (answer.r === 'conflict') {
      outcomes.blocked.set(field, reason);
      outcomes.aside.push({ field, status: 'held', reason });
    } else {
      outcomes.held.set(knownKey(field, target.key), carried.stamp);
      if (answer.r === 'kept') {
        if (carried.stamp[0] > 0) {
          outcomes.aside.push({ field, status: 'superseded', reason: 'conflict.superseded' });
        }
      } else outcomes.arrived.push([field, carried]);
    }
  }
  return outcomes;
}

/** The account on the target as known after the receipt; null: there is none. */
function accountAfter(
  { receipt, composed, target, identity }: SettleInput,
  before: Account | undefined,
  held: ReadonlyMap<KnownKey, Stamp>,
): Account | null {
  const known = new Map<KnownKey, Stamp>(before?.known);
  for (const [key, stamp] of held) known.set(key, newerOf(stamp, known.get(key)));
  const email = composed.sent.get(EMAIL);
  const tookEmail = email !== undefined && held.has(EMAIL) && receipt.fields?.[EMAIL]?.r !== 'kept';
  const address = tookEmail ? textOf(email.value) : undefined;
  const roles = rolesAfter(composed, receipt, target, before);
  if (before !== undefined) {
    const email = address ?? before.email;
    const power = powerAfter(composed, receipt, target, before);
    return {
      ...before,
      ...standingAfter(composed, receipt, before),
      ...power,
      known,
      roles,
      email,
    };
  }
  const birth = composed.delivery.birth;
  if (receipt.id === undefined || birth === null) return null;
  known.set(ACCOUNT, birth.stamp);
  const anyAccount = [...identity.accounts.values()][0];
  return {
    installation: target.installation,
    wpId: wordPressId(receipt.id),
    login: receipt.login ?? birth.login,
    email: address ?? anyAccount?.email ?? '',
    registered: birth.registered,
    ...powerAfter(composed, receipt, target, { privileged: false }),
    outgoingStopped: false,
    incomingRejected: false,
    labelled: true,
    known,
    roles,
    gone: null,
    alarm: null,
  };
}

/** A status that came from elsewhere counts as one that was set here. */
function standingAfter({ sent }: Composed, receipt: Receipt, { standing }: Account) {
  if (standing === undefined) return {};
  const meta = new Map(Object.entries(standing.meta));
  for (const [field, { value }] of sent) {
    const result = receipt.fields?.[field]?.r;
    if (!isMeta(field) || (result !== 'applied' && result !== 'same')) continue;
    if (meta.has(metaKeyOf(field))) meta.set(metaKeyOf(field), statusRows(value));
  }
  return { standing: { ...standing, meta: Object.fromEntries(meta) } };
}

/**
 * Who was given a privileged role counts as privileged from here on: nothing of theirs leaves the target along
 * a route that does not name it. Who lost one still counts so, until the site says otherwise.
 */
function powerAfter(
  composed: Composed,
  receipt: Receipt,
  { key }: Site,
  { privileged, privilegedBy }: Pick<Account, 'privileged' | 'privilegedBy'>,
): Pick<Account, 'privileged' | 'privilegedBy'> {
  const given = privilegedIn(composed, receipt).filter(({ value }) => value === true);
  if (given.length === 0) return privilegedBy ? { privileged, privilegedBy } : { privileged };
  if (privileged && privilegedBy === undefined) return { privileged };
  const { roles = {}, other = false } = privilegedBy ?? {};
  const names = new Set([...(roles[key] ?? []), ...given.map(({ role }) => role)]);
  return {
    privileged: true,
    privilegedBy: { roles: { ...roles, [key]: [...names].toSorted() }, other },
  };
}

/** Privileged roles that the target has given or taken. Whom it concerns is read anew. */
export function privilegedIn({ operation, sent }: Composed, { fields = {} }: Receipt) {
  const named = operation?.privileged?.roles ?? [];
  return [...sent].flatMap(([field, { value }]) => {
    const result = fields[field]?.r;
    const isNamed = isRole(field) && named.includes(roleOf(field));
    const happened = result === 'applied' || result === 'same' || result === 'altered';
    return isNamed && happened ? [{ role: roleOf(field), value }] : [];
  });
}

/**
 * Of an account whose roles there were never told nothing is said; nor of one that a network's site has made a member
 * by a role of its own.
 */
function rolesAfter(
  { sent, operation }: Composed,
  receipt: Receipt,
  { key, network }: Site,
  before: Account | undefined,
): Account['roles'] {
  const comes = operation?.kind === 'write' && operation.create !== null;
  const told =
    before === undefined || comes ? (before?.roles.get(key) ?? []) : before.roles.get(key);
  if (before !== undefined && told === undefined) return before.roles;
  const names = new Set(told);
  for (const [field, { value }] of sent) {
    const result = receipt.fields?.[field]?.r;
    if (!isRole(field) || (result !== 'applied' && result !== 'same')) continue;
    if (value === true) names.add(roleOf(field));
    else names.delete(roleOf(field));
  }
  const roles = new Map(before?.roles);
  if (comes && network != null && names.size === 0) roles.delete(key);
  else roles.set(key, [...names].toSorted());
  return roles;
}

function holdingAfter(
  input: SettleInput,
  arrived: readonly (readonly [Field, Carried])[],
  born: boolean,
  before: Account | undefined,
  account: Account | null,
): Holding {
  const { composed, target } = input;
  const facts = arrived.map(
    ([field, carried]): Fact => ({
      field,
      site: target.key,
      value: carried.value,
      stamp: carried.stamp,
      path: extendPath(carried.path, target.key),
      ...(carried.unconfirmed === undefined ? {} : { unconfirmed: true }),
    }),
  );
  const birth = composed.delivery.birth;
  return {
    ...emptyHolding(input),
    facts: facts.filter((fact) => fact.stamp[0] > 0),
    all: facts,
    birth: birth && { ...birth, path: extendPath(birth.path, target.key) },
    newlyBorn: born,
    ...(account === null
      ? {}
      : {
          ...comingAndGoing(before, account, facts, { sites: [target], nowMs: input.nowMs }),
          admitted: admittedTo(before, account, facts, input.routes ?? []),
        }),
  };
}

const emptyHolding = (input: SettleInput): Holding => ({
  installation: input.target.installation,
  facts: [],
  all: [],
  complete: false,
  gone: null,
  birth: null,
  newlyBorn: false,
  learnedBy: 'receipt',
  lane: input.composed.delivery.lane,
});

/**
 * Takes out of the stored delivery what the target holds by now, what it refused, and what no
 * route carries any more. Values that were merged in after the claim are newer and stay.
 */
export function prune(
  identity: Identity,
  target: Site,
  composed: Composed,
  ends: { birth: boolean; gone: boolean; blocked?: ReadonlyMap<Field, string> },
): Identity {
  const stored = identity.deliveries.get(target.key);
  if (stored === undefined) return identity;
  const account = identity.accounts.get(target.installation);
  const stopped = identity.stopped.get(target.key);
  const cancelled = new Set(composed.cancelled.map((entry) => entry.field));
  const fields = new Map<Field, Carried>();
  for (const [field, present] of stored.fields) {
    const claimed = composed.claimed.fields.get(field)?.stamp;
    const untouched = claimed !== undefined && !isNewer(present.stamp, claimed);
    if (!isNewer(present.stamp, account?.known.get(knownKey(field, target.key)))) continue;
    if (!isNewer(present.stamp, stopped?.get(field))) continue;
    if (untouched && cancelled.has(field)) continue;
    const reason = untouched ? ends.blocked?.get(field) : undefined;
    fields.set(field, reason === undefined ? present : { ...present, held: reason });
  }
  const over = ends.gone || composed.end === 'cancelled';
  const gone = over && sameGone(stored, composed.claimed) ? null : stored.gone;
  const birth = ends.birth ? null : stored.birth;
  const deliveries = new Map(identity.deliveries);
  if (fields.size === 0 && gone === null && birth === null) deliveries.delete(target.key);
  else {
    const version = stored.version + 1;
    deliveries.set(target.key, {
      ...stored,
      fields,
      gone,
      birth,
      version,
      notBeforeMs: 0,
      attempts: 0,
    });
  }
  return { ...identity, deliveries };
}

const sameGone = (a: Delivery, b: Delivery): boolean =>
  a.gone !== null && b.gone !== null && compareStamps(a.gone.stamp, b.gone.stamp) === 0;

function stopAt(identity: Identity, target: Site, stamps: ReadonlyMap<Field, Stamp>): Identity {
  if (stamps.size === 0) return identity;
  const here = new Map(identity.stopped.get(target.key));
  for (const [field, stamp] of stamps) here.set(field, newerOf(stamp, here.get(field)));
  return { ...identity, stopped: new Map(identity.stopped).set(target.key, here) };
}

const currentDelivery = (input: SettleInput): Delivery | undefined =>
  input.identity.deliveries.get(input.target.key);

const withDelivery = (identity: Identity, delivery: Delivery): Identity => ({
  ...identity,
  deliveries: new Map(identity.deliveries).set(delivery.target, delivery),
});

const withAccount = (identity: Identity, account: Account): Identity => ({
  ...identity,
  accounts: new Map(identity.accounts).set(account.installation, account),
});

const sentFields = (input: SettleInput): Field[] => [...input.composed.sent.keys()];

const nothing = (identity: Identity): Settled => ({
  identity,
  holding: null,
  status: null,
  reason: null,
  fields: [],
  aside: [],
});
