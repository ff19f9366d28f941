/**
 * A group and the routes that it makes.
 *
 * Pure: an arrangement in, an arrangement out. Always true: a group's routes are those between members
 * of which one gives and the other takes, less the pairs that are left out, and between no two sites of
 * one installation, as those share their accounts. A pair of sites is of one group at most.
 */
import { Fault } from '../../errors.ts';
import type { ArrangedRoute, ArrangedSite, Arrangement } from '../../model/arrangement.ts';
import { type Group, type GroupException, gives, isBetween, takes } from '../../model/group.ts';
import type { GroupId, SiteKey } from '../../model/ids.ts';
import { mapsRoles, type RouteRules } from '../../model/route.ts';
import { refuseUnable } from '../older-connectors.ts';
import { refuseGivenTwice, refuseUnprovable, withDefaults } from '../routes.ts';

/** What becomes of routes that were set by themselves, where the group now reaches. */
export type Singles = 'become exceptions' | 'become like the group';

/**
 * The arrangement with this group in place of what it was.
 * @throws Fault `group.pair_taken`, `role.given_twice`, `route.nothing_confirms`, `site.connector_too_old`
 */
export function withGroup(now: Arrangement, changed: Group, singles: Singles): Arrangement {
  const others = now.routes.filter((route) => route.group !== changed.id);
  const byEnds = new Map(others.map((route) => [pairOf(route), route]));
  const group = settled(now, changed, singles === 'become exceptions' ? byEnds : new Map());
  const wanted = routesOf(now, group);
  for (const route of wanted) refuseTaken(now, group, route, byEnds.get(pairOf(route)));
  for (const { rules } of wanted) refuseUnprovable(rules);
  refuseNews(now, wanted);
  for (const target of now.sites.filter(({ rules }) => mapsRoles(rules))) {
    for (const route of wanted.filter(({ target: key }) => key === target.key)) {
      refuseGivenTwice(target, route.rules.roles);
    }
  }
  const replaced = new Set(wanted.map(pairOf));
  return {
    ...now,
    groups: [...now.groups.filter(({ id }) => id !== group.id), group],
    routes: [...others.filter((route) => !replaced.has(pairOf(route))), ...wanted],
  };
}

/** Its routes go with it. */
export const withoutGroup = (now: Arrangement, id: GroupId): Arrangement => ({
  ...now,
  groups: now.groups.filter((group) => group.id !== id),
  routes: now.routes.filter((route) => route.group !== id),
});

/** Pairs of the group that may have a route, whether they are left out or not. */
export function* pairsOf(
  now: Arrangement,
  group: Group,
): Generator<{ readonly source: ArrangedSite; readonly target: ArrangedSite }> {
  const sites = new Map(now.sites.map((site) => [site.key, site]));
  const of = (key: SiteKey) => sites.get(key);
  for (const source of group.members.filter(gives).flatMap(({ site }) => of(site) ?? [])) {
    for (const target of group.members.filter(takes).flatMap(({ site }) => of(site) ?? [])) {
      if (source.installation !== target.installation) yield { source, target };
    }
  }
}

/** A route of its own keeps its rules; what was said of a pair that is no longer one is forgotten. */
function settled(
  now: Arrangement,
  group: Group,
  singles: ReadonlyMap<string, ArrangedRoute>,
): Group {
  const said = new Map(group.exceptions.map((exception) => [pairOf(exception), exception]));
  const exceptions: GroupException[] = [];
  for (const { source, target } of pairsOf(now, group)) {
    const ends = { source: source.key, target: target.key };
    const single = singles.get(pairOf(ends));
    const exception = said.get(pairOf(ends));
    if (exception !== undefined) exceptions.push(exception);
    else if (single !== undefined && single.group === null) {
      exceptions.push({ ...ends, status: single.status, rules: inFull(single.rules) });
    }
  }
  return { ...group, exceptions };
}

/** Also those that a route need not have: an exception follows its group in what it doesn't name. */
export const inFull = (rules: RouteRules): Required<RouteRules> => ({
  leaveWhen: [],
  passwordMail: false,
  unconfirmedEmails: 'send',
  confirmsAddresses: false,
  privilegedRoles: [],
  ...rules,
});

function routesOf(now: Arrangement, group: Group): ArrangedRoute[] {
  const said = new Map(group.exceptions.map((exception) => [pairOf(exception), exception]));
  const routes: ArrangedRoute[] = [];
  for (const { source, target } of pairsOf(now, group)) {
    const ends = { source: source.key, target: target.key };
    const exception = said.get(pairOf(ends));
    if (exception?.status === 'none') continue;
    const rules = withDefaults(source, target, { ...group.rules, ...exception?.rules });
    const status = group.status === 'paused' ? 'paused' : (exception?.status ?? 'active');
    routes.push({ ...ends, status, rules, group: group.id });
  }
  return routes;
}

/** What was asked of an older connector before does not keep a group from being changed. */
function refuseNews(now: Arrangement, wanted: readonly ArrangedRoute[]): void {
  const sites = new Map(now.sites.map((site) => [site.key, site]));
  const before = new Map(now.routes.map((route) => [pairOf(route), route.rules]));
  for (const route of wanted) {
    const [source, target] = [sites.get(route.source), sites.get(route.target)];
    if (source === undefined || target === undefined) continue;
    refuseUnable(source, target, route.rules, before.get(pairOf(route)));
  }
}

function refuseTaken(
  now: Arrangement,
  group: Group,
  { source, target }: ArrangedRoute,
  there: ArrangedRoute | undefined,
): void {
  const other = now.groups.find(({ id }) => id === there?.group);
  if (other === undefined || other.id === group.id) return;
  const nameOf = (key: SiteKey) => now.sites.find((site) => site.key === key)?.name ?? `#${key}`;
  throw new Fault(
    'group.pair_taken',
    `“${nameOf(source)}” → “${nameOf(target)}” belongs to the group “${other.name}” already.`,
  );
}

export const pairOf = ({ source, target }: { source: SiteKey; target: SiteKey }): string =>
  `${source}-${target}`;

export const exceptionOf = (
  group: Group,
  source: SiteKey,
  target: SiteKey,
): GroupException | undefined => group.exceptions.find((one) => isBetween(one, source, target));
