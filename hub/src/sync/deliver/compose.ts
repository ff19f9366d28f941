/**
 * A waiting delivery → the operation that is sent, looked at once more when it is claimed.
 *
 * Does: leave out what the target holds by now, and what no active route carries any more, a delete like a field.
 * Does not: send, store, or read a clock.
 * Always true: an operation names an account by the hub's own table; a created account is
 * described in full.
 */
import type { Operation } from '#contract/messages.ts';
import type { Carried } from '../../model/carried.ts';
import { type Field, isRole, knownKey, PASSWORD } from '../../model/field.ts';
import type { Delivery, Identity } from '../../model/identity.ts';
import type { SiteKey } from '../../model/ids.ts';
import type { Path } from '../../model/path.ts';
import { isMember, type Route, type Site, type Topology } from '../../model/route.ts';
import { compareStamps, isFromBefore, isNewer, type Stamp } from '../../model/stamp.ts';
import {
  isRaised,
  namedAlong,
  namedIn,
  privilegedOf,
  routeBetween,
  routeOf,
  takesPower,
} from './named-power.ts';

export interface Cancelled {
  readonly field: Field;
  readonly reason: 'route.removed' | 'role.raised';
}

/** What becomes of a delete that waits. */
type End = 'none' | 'sent' | 'waits' | 'cancelled';

export interface Composed {
  readonly operation: Operation | null;
  /** The delivery as it was claimed. */
  readonly claimed: Delivery;
  /** The same after this look. */
  readonly delivery: Delivery;
  /** What of it is in the operation. */
  readonly sent: ReadonlyMap<Field, Carried>;
  /** What of it is there by now: an answer was lost, and the site's own outbox has told of it since. */
  readonly arrived: ReadonlyMap<Field, Carried>;
  /** So it is with the account itself. */
  readonly born: boolean;
  /** Sites to read the account from again: values that belong here were dropped after the retention. */
  readonly stale: readonly SiteKey[];
  readonly cancelled: readonly Cancelled[];
  readonly end: End;
  /** The last site before the target, for the log. */
  readonly source: SiteKey | null;
  readonly path: Path;
}

export function compose(
  identity: Identity,
  delivery: Delivery,
  target: Site,
  topology: Topology,
): Composed {
  const looked = lookAgain(identity, delivery, target, topology);
  const remaining = { ...delivery, fields: looked.waiting, birth: looked.birth };
  const account = identity.accounts.get(target.installation);
  const id = account === undefined || account.gone !== null ? null : account.wpId;
  const path = pathOf(delivery, looked.sent.size > 0 ? looked.sent : looked.arrived);
  const source = path.at(-1) ?? null;
  const base = {
    op: delivery.id,
    uid: identity.uid,
    source: sourceOf(topology, source),
    blog: target.blog,
    id,
  };
  const stale = delivery.gone === null ? staleSources(delivery) : [];
  const end = endOf(delivery.gone, target, topology);
  let operation: Operation | null = null;
  if (stale.length > 0 || end === 'waits' || end === 'cancelled') operation = null;
  else if (delivery.gone !== null) {
    const reassign = heirOf(topology, source, target.key);
    const { how, stamp } = delivery.gone;
    const route = routeBetween(topology, source, target.key);
    const named = route === undefined ? [] : namedAlong(identity, route, topology, target);
    const privileged = privilegedOf(named, named);
    operation = { ...base, kind: 'delete', gone: wire(stamp), reassign, how, ...privileged };
  } else if (
    looked.sent.size > 0 ||
    (looked.birth !== null && (id === null || looked.joins) && !looked.paused)
  ) {
    const fields = Object.fromEntries(
      [...looked.sent].map(([field, { value, stamp }]) => [field, { v: value, s: wire(stamp) }]),
    );
    const there = looked.joins && !looked.paused ? null : id;
    const create = createOf(looked.birth, there, looked.bearer);
    const privileged = namedIn(identity, looked, topology, target);
    const write = { ...base, kind: 'write' as const, create, fields, ...privileged };
    operation = mailsPassword(looked.sent, topology, target)
      ? { ...write, password_mail: true }
      : write;
  }
  return {
    operation,
    claimed: delivery,
    delivery: remaining,
    sent: looked.sent,
    arrived: looked.arrived,
    born: delivery.birth !== null && id !== null && !looked.joins,
    stale,
    cancelled: looked.cancelled,
    end,
    source,
    path,
  };
}

function endOf(gone: Delivery['gone'], target: Site, topology: Topology): End {
  if (gone === null) return 'none';
  const route = routeOf(topology, gone.path, target.key);
  if (route === undefined) return gone.ordered === true ? 'sent' : 'cancelled';
  return route.status === 'active' ? 'sent' : 'waits';
}

/** The route that brings the password says so. */
function mailsPassword(sent: Composed['sent'], topology: Topology, target: Site): boolean {
  const password = sent.get(PASSWORD);
  if (password === undefined) return false;
  return routeOf(topology, password.path, target.key)?.rules.passwordMail === true;
}

const wire = (stamp: Stamp): [number, number] => [stamp[0], stamp[1]];

function createOf(birth: Delivery['birth'], id: number | null, bearer: Route | undefined) {
  if (birth === null || id !== null) return null;
  const { login, registered, stamp } = birth;
  const born = { login, registered, born: wire(stamp), default_role: true };
  return bearer?.rules.loginTaken === 'suffix' ? { ...born, login_taken: 'suffix' as const } : born;
}

function sourceOf(topology: Topology, source: SiteKey | null) {
  const site = source === null ? undefined : topology.sites.get(source);
  return { url: site?.url ?? '', key: source ?? 1 };
}

const heirOf = (topology: Topology, source: SiteKey | null, target: SiteKey): string | null =>
  routeBetween(topology, source, target)?.rules.reassignTo ?? null;

function pathOf(delivery: Delivery, sent: ReadonlyMap<Field, Carried>): Path {
  if (delivery.gone !== null) return delivery.gone.path;
  const first = [...sent.values()].find((carried) => !isFromBefore(carried.stamp));
  return first?.path ?? delivery.birth?.path ?? [...sent.values()][0]?.path ?? [];
}

/** Where everything of this delivery came from, when a part of it has lost its value. */
function staleSources({ fields, birth }: Delivery): readonly SiteKey[] {
  const carried = [...fields.values()];
  if (!carried.some((entry) => entry.expired === true)) return [];
  const paths = [...carried.map((entry) => entry.path), ...(birth === null ? [] : [birth.path])];
  return [...new Set(paths.flatMap((path) => path.at(-1) ?? []))];
}

/** Splits the waiting fields: to be sent now, still waiting (held, route paused), cancelled. */
function lookAgain(identity: Identity, delivery: Delivery, target: Site, topology: Topology) {
  const account = identity.accounts.get(target.installation);
  const waiting = new Map<Field, Carried>();
  const sent = new Map<Field, Carried>();
  const arrived = new Map<Field, Carried>();
  const cancelled: Cancelled[] = [];
  for (const [field, carried] of delivery.fields) {
    const known = account?.known.get(knownKey(field, target.key));
    if (!isNewer(carried.stamp, known)) {
      if (known !== undefined && compareStamps(carried.stamp, known) === 0)
        arrived.set(field, carried);
      continue;
    }
    const route = routeOf(topology, carried.path, target.key);
    if (route === undefined) cancelled.push({ field, reason: 'route.removed' });
    else if (isRaised(identity, field, carried, { route, topology, target }))
      cancelled.push({ field, reason: 'role.raised' });
    else {
      waiting.set(field, carried);
      if (route.status === 'active' && carried.held === undefined) sent.set(field, carried);
    }
  }
  const bearer =
    delivery.birth === null ? undefined : routeOf(topology, delivery.birth.path, target.key);
  // Born already: the receipt was lost, and the site's own outbox has told of the account.
  // Or there before, as a member of other sites of the network: it becomes one here.
  const joins =
    bearer !== undefined &&
    account !== undefined &&
    target.network != null &&
    isMember(target, account.roles.get(target.key)) !== true;
  const birth = bearer === undefined || (account !== undefined && !joins) ? null : delivery.birth;
  if (bearer?.status === 'paused' && account === undefined) sent.clear();
  const paused = bearer?.status === 'paused';
  const demotes =
    account !== undefined && birth === null && takesPower(identity, sent, topology, target);
  // Whatever else waits comes after it, to somebody who is an administrator no more.
  if (demotes) for (const field of sent.keys()) if (!isRole(field)) sent.delete(field);
  return { waiting, sent, arrived, cancelled, birth, bearer, joins, paused, demotes };
}
