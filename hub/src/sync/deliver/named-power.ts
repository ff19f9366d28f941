/**
 * What an operation says of privileged accounts and roles, by routes and accounts as they are when it is sent.
 *
 * Does: name what the routes name and the account of their source has the power for; say which roles are
 * raised on the way, whatever was decided when they set out.
 * Does not: ask for consent; the target does.
 * Always true: who has no power at the source reaches no privileged account, but for the loss of a role.
 */
import type { Carried } from '../../model/carried.ts';
import { type Field, isRole, roleOf } from '../../model/field.ts';
import type { Identity } from '../../model/identity.ts';
import type { SiteKey } from '../../model/ids.ts';
import type { Path } from '../../model/path.ts';
import { givenWithPower, isPower, namedBy, namedFor } from '../../model/power.ts';
import type { Route, Site, Topology } from '../../model/route.ts';

type Sent = ReadonlyMap<Field, Carried>;

interface Way {
  readonly route: Route;
  readonly topology: Topology;
  readonly target: Site;
}

/**
 * An account is named by every route that anything comes along, a role by the one that brings it. Roles that
 * somebody lost at the source name the account, too: only roles come along with them.
 */
export function namedIn(
  identity: Identity,
  { sent, bearer, demotes }: Looked,
  topology: Topology,
  target: Site,
): ReturnType<typeof privilegedOf> {
  const routes = new Set(bearer === undefined ? [] : [bearer]);
  const roles: string[] = [];
  const lost: string[] = [];
  for (const [field, carried] of sent) {
    const route = routeOf(topology, carried.path, target.key);
    if (route === undefined) continue;
    routes.add(route);
    if (!isRole(field) || !isBacked(identity, field, carried, { route, topology, target }))
      continue;
    roles.push(roleOf(field));
    if (demotes && carried.value === false) lost.push(roleOf(field));
  }
  const lists = [...routes].map((route) => [
    ...namedAlong(identity, route, topology, target),
    ...lost.filter((role) => namedBy(route.rules).includes(role)),
  ]);
  const account = (lists[0] ?? []).filter((role) => lists.every((list) => list.includes(role)));
  return privilegedOf([...new Set(account)], roles);
}

interface Looked {
  readonly sent: Sent;
  readonly bearer: Route | undefined;
  /** Privileged roles are taken, and nothing but roles is sent. */
  readonly demotes: boolean;
}

/** Does this take a privileged role, by the word of somebody who lost it? */
export const takesPower = (
  identity: Identity,
  sent: Sent,
  topology: Topology,
  target: Site,
): boolean =>
  [...sent].some(([field, carried]) => {
    if (!isRole(field) || carried.value !== false) return false;
    const route = routeOf(topology, carried.path, target.key);
    return route !== undefined && isBacked(identity, field, carried, { route, topology, target });
  });

/** Would a role be given, or taken, as a privileged one, that is none at the source? */
export const isRaised = (identity: Identity, field: Field, carried: Carried, way: Way): boolean =>
  isRole(field) &&
  namedBy(way.route.rules).includes(roleOf(field)) &&
  isPower(roleOf(field), way.route.rules, way.target) &&
  !isBacked(identity, field, carried, way);

/**
 * Is a role named by the route, with the power for it at the source? It is given only to who holds one with power. It is
 * taken for one with power that was lost, whatever the map has said since; of what waits from an older hub nobody
 * knows for which, and it is enough that the route carries one.
 */
function isBacked(
  identity: Identity,
  field: Field,
  { value, lost }: Carried,
  { route, topology, target }: Way,
): boolean {
  const role = roleOf(field);
  if (value === true) return namedAlong(identity, route, topology, target).includes(role);
  const source = topology.sites.get(route.source);
  if (source === undefined || !namedBy(route.rules).includes(role)) return false;
  if (lost !== undefined)
    return route.rules.roles.includes(lost) && source.powers?.includes(lost) === true;
  return givenWithPower(route.rules.roles, source, target).includes(role);
}

export function namedAlong(
  identity: Identity,
  route: Route,
  topology: Topology,
  target: Site,
): readonly string[] {
  const source = topology.sites.get(route.source);
  if (source === undefined) return [];
  return namedFor({ source, here: identity.accounts.get(source.installation) }, route, target);
}

/** A site is told of names where there are any: most routes have none. */
export const privilegedOf = (account: readonly string[], roles: readonly string[]) =>
  account.length === 0 && roles.length === 0
    ? {}
    : { privileged: { account: [...account], roles: [...roles] } };

export const routeBetween = (topology: Topology, source: SiteKey | null, target: SiteKey) =>
  topology.routes.find((route) => route.source === source && route.target === target);

/** The route that a value came along last. */
export const routeOf = (topology: Topology, path: Path, target: SiteKey): Route | undefined =>
  routeBetween(topology, path.at(-1) ?? null, target);
