/**
 * What differs between two accounts of one person, or that one of them is not there → what it is: on its way,
 * held, so by a rule, or drift.
 *
 * Does: judge by what the two sites say they hold, and by what the hub believes and has on its way.
 * Does not: read a clock, a store or a site; decide what is delivered (whoever asks brings the rule that says no).
 * Always true: what a pending or held delivery explains is no drift; of a password the stamps are compared,
 * never the hashes, which differ for one and the same password; what is newer on the target is never for repair.
 */
import { type Field, isRole, knownKey, PASSWORD } from '../../model/field.ts';
import type { Account, Delivery, Identity } from '../../model/identity.ts';
import type { InstallationId, SiteKey } from '../../model/ids.ts';
import type { Found } from '../../model/reconcile.ts';
import { mapsRoles, type Route, type Site } from '../../model/route.ts';
import { compareStamps, isFromBefore, isNewer, type Stamp } from '../../model/stamp.ts';
import { isReason, type Reason } from '../../reasons.ts';
import {
  blank,
  type Entry,
  entryOf,
  isSame,
  type Side,
  selectedFields,
  untoldIn,
} from './sides.ts';

export interface Finding {
  readonly what: Exclude<Found, 'in_step'>;
  readonly reason: Reason;
  readonly fields: readonly Field[];
}

export interface Way {
  readonly route: Route;
  readonly source: Site;
  readonly target: Site;
}

export interface Twins extends Way {
  readonly identity: Identity;
  readonly here: Side;
  readonly there: Side;
  /** The first rule that says no to the account as a whole; null: none does. */
  readonly rule: Reason | null;
  /** The target lets a hub give and take this role. */
  readonly isGrantable: (field: Field) => boolean;
}

/** Reasons of one account with their fields; none: the two are in step. */
export function classifyTwins(twins: Twins): readonly Finding[] {
  const found = new Map<string, { what: Finding['what']; reason: Reason; fields: Field[] }>();
  for (const field of [...selectedFields(twins.here, twins.there, twins.route.rules)].sort()) {
    // Roles of other names are not compared.
    if (isRole(field) && mapsRoles(twins.target.rules)) continue;
    const judged = judgeField(field, twins);
    if (judged === null) continue;
    const [what, reason] = judged;
    const one = found.get(`${what} ${reason}`) ?? { what, reason, fields: [] };
    one.fields.push(field);
    found.set(`${what} ${reason}`, one);
  }
  return [...found.values()];
}

type Judged = readonly [what: Finding['what'], reason: Reason];

function judgeField(field: Field, twins: Twins): Judged | null {
  const { identity, source, target, rule, isGrantable } = twins;
  const untold = untoldIn(twins.here, field) ?? untoldIn(twins.there, field);
  if (untold !== undefined) return judgeUntold(untold);
  const here = entryOf(twins.here, field);
  const there = entryOf(twins.there, field);
  if (!differs(field, here, there)) return null;
  const s = stampOf(here, source.key);
  const t = stampOf(there, target.key);
  const waiting = waitingFor(identity.deliveries.get(target.key), field, s);
  if (waiting !== null) return waiting;
  if (rule !== null) return ['by_rule', rule];
  if (!isGrantable(field)) return ['by_rule', 'role.not_grantable'];
  if (isFromBefore(s) && isFromBefore(t)) return ['different', 'drift.from_before'];
  const order = compareStamps(s, t);
  if (order === 0) return ['different', 'drift.altered'];
  if (order < 0) {
    const back = waitingFor(identity.deliveries.get(source.key), field, t);
    return back ?? ['different', 'drift.newer_there'];
  }
  return judgeBehind(field, s, twins);
}

/** A plugin of the target's may hold a value back, and a connector one that is being written. */
function judgeUntold(reason: string): Judged {
  if (reason === 'source.rewritten_outside') return ['held', 'source.rewritten_outside'];
  if (reason === 'account.busy') return ['on_its_way', 'account.busy'];
  return ['by_rule', isReason(reason) ? reason : 'site.error'];
}

function differs(field: Field, here: Entry | undefined, there: Entry | undefined): boolean {
  if (field !== PASSWORD) return !isSame(here?.v ?? blank(field), there?.v ?? blank(field));
  if (here === undefined || there === undefined) return false;
  if (isFromBefore(here.s) && isFromBefore(there.s)) return false;
  return compareStamps(here.s, there.s) !== 0;
}

const stampOf = (entry: Entry | undefined, site: SiteKey): Stamp => entry?.s ?? [0, site];

/** Something as new is on its way there, or waits for a person. */
function waitingFor(delivery: Delivery | undefined, field: Field, stamp: Stamp): Judged | null {
  if (delivery === undefined) return null;
  const carried = delivery.fields.get(field);
  const covers = carried !== undefined && compareStamps(carried.stamp, stamp) >= 0;
  if (!covers && delivery.gone === null) return null;
  const held = delivery.held ?? carried?.held ?? null;
  if (held === null) return ['on_its_way', 'drift.on_its_way'];
  return ['held', isReason(held) ? held : 'drift.on_its_way'];
}

/** The source holds something newer, and nothing of it is on its way. */
function judgeBehind(field: Field, stamp: Stamp, { identity, source, target }: Twins): Judged {
  const knownThere = knownOf(identity, target, field);
  if (isNewer(stamp, knownOf(identity, source, field))) return ['on_its_way', 'drift.not_heard'];
  const stopped = identity.stopped.get(target.key)?.get(field);
  if (stopped !== undefined && !isNewer(stamp, stopped)) return ['by_rule', 'path.stopped_at'];
  return ['different', isNewer(stamp, knownThere) ? 'drift.behind' : 'drift.believed'];
}

const knownOf = ({ accounts }: Identity, site: Site, field: Field): Stamp | undefined =>
  accounts.get(site.installation)?.known.get(knownKey(field, site.key));

/** A finding about the account as a whole. */
const whole = (what: Finding['what'], reason: Reason): Finding => ({ what, reason, fields: [] });

/** What `decide` said of offering the account to the target. */
export interface Offered {
  readonly kind: 'deliver' | 'hold' | 'skip' | 'refresh';
  readonly reason: Reason | null;
}

/**
 * An account of the source that has no twin on the target.
 *
 * @param believed the hub has an account there that the site does not have
 */
export function classifyMissing(
  identity: Identity | null,
  { target }: Way,
  offered: Offered,
  believed: boolean,
): Finding {
  // It was read after the last pull: its change is still to come.
  if (identity === null) return whole('on_its_way', 'drift.not_heard');
  const waiting = waitingWhole(identity.deliveries.get(target.key));
  if (waiting !== null) return waiting;
  const account = identity.accounts.get(target.installation);
  if (account !== undefined && account.gone === null) {
    const alarm = alarmOf(account);
    if (alarm !== null) return whole('held', alarm);
    if (believed) return whole('missing', 'account.vanished');
  }
  if (offered.kind === 'deliver') return whole('missing', 'drift.missing');
  return whole('by_rule', offered.reason ?? 'drift.on_its_way');
}

function waitingWhole(delivery: Delivery | undefined): Finding | null {
  if (delivery === undefined || (delivery.birth === null && delivery.gone === null)) return null;
  const { held } = delivery;
  return held === null
    ? whole('on_its_way', 'drift.on_its_way')
    : whole('held', isReason(held) ? held : 'drift.on_its_way');
}

export const alarmOf = ({ alarm }: Pick<Account, 'alarm'>): Reason | null => {
  if (alarm === null) return null;
  return isReason(alarm) ? alarm : 'identity.label_mismatch';
};

export interface Alone extends Way {
  /** Null: the hub knows nobody of this id there. */
  readonly identity: Identity | null;
  readonly privileged: boolean;
  /** Somebody on the source has the same address, and nobody has proven that it is the same person. */
  readonly unproven: boolean;
}

/** An account of the target; null: it has a living twin on the source, and was compared there. */
export function classifyExtra(alone: Alone): Finding | null {
  const { identity, source, target, route } = alone;
  const here = identity?.accounts.get(source.installation);
  if (here !== undefined && here.gone === null) return null;
  if (identity !== null) {
    const waiting = waitingWhole(
      identity.deliveries.get(here === undefined ? source.key : target.key),
    );
    if (waiting !== null) return waiting;
    const alarm = alarmIn(identity, target.installation);
    if (alarm !== null) return whole('held', alarm);
  }
  if (alone.privileged) return whole('by_rule', 'account.privileged');
  if (here !== undefined) return ended(identity, route, target);
  if (alone.unproven) return whole('by_rule', 'link.unproven');
  return whole('extra', 'drift.extra');
}

const alarmIn = ({ accounts }: Identity, installation: InstallationId): Reason | null => {
  const account = accounts.get(installation);
  return account === undefined ? null : alarmOf(account);
};

/** Deleted on the source, and alive here. */
function ended(identity: Identity | null, { rules }: Route, target: Site): Finding {
  if (rules.onDelete === 'ignore') return whole('by_rule', 'route.deletes_off');
  const roles = identity?.accounts.get(target.installation)?.roles.get(target.key);
  // Its roles were taken, and that is all that this route does.
  if (rules.onDelete === 'strip' && roles?.length === 0)
    return whole('by_rule', 'identity.deleted');
  return whole('extra', 'identity.deleted');
}

/** What the repair raises; everything else is only told. */
export const REPAIRS = {
  'drift.missing': 'send',
  'drift.behind': 'send',
  'drift.believed': 'reread',
  'account.vanished': 'alarm',
} as const satisfies Partial<Record<Reason, string>>;
export type Repaired = keyof typeof REPAIRS;
export const isRepaired = (reason: string): reason is Repaired => Object.hasOwn(REPAIRS, reason);
