/** The routes of a document that are of no group. */
import type { Config } from '../../api/schemas/config.ts';
import { Fault } from '../../errors.ts';
import type { ArrangedRoute, ArrangedSite, Arrangement } from '../../model/arrangement.ts';
import { pairOf } from '../groups/expand.ts';
import { refuseUnable } from '../older-connectors.ts';
import { refuseNames } from '../privileged-roles.ts';
import { named, refuseRules, refuseUnprovable, withDefaults } from '../routes.ts';
import type { Findings, SiteNamed } from './findings.ts';

interface Means {
  readonly site: SiteNamed;
  readonly findings: Findings;
}

/** @param grouped with the routes of groups alone @param now as it was before */
export function planRoutes(
  grouped: Arrangement,
  now: Arrangement,
  { routes: wanted }: Config,
  means: Means,
): Arrangement {
  const singles = now.routes.filter(({ group }) => group === null);
  const ofGroups = new Map(grouped.routes.map((route) => [pairOf(route), route]));
  const keys = new Set(grouped.sites.map(({ key }) => key));
  if (wanted === undefined) {
    const kept = singles.filter(
      (route) => keys.has(route.source) && keys.has(route.target) && !ofGroups.has(pairOf(route)),
    );
    return { ...grouped, routes: [...grouped.routes, ...kept] };
  }
  const { findings } = means;
  findings.twice(
    wanted.map(({ source, target }, at) => ({
      path: `routes[${at}]`,
      name: `${source} → ${target}`,
    })),
  );
  const before = new Map(singles.map((route) => [pairOf(route), route]));
  const planned = wanted.flatMap((route, at) => {
    const path = `routes[${at}]`;
    const source = means.site(`${path}.source`, route.source);
    const target = means.site(`${path}.target`, route.target);
    if (source === null || target === null || source === 'later' || target === 'later') return [];
    return findings.attempt(path, () => routeOf(source, target, route, before)) ?? [];
  });
  for (const [at, route] of planned.entries()) {
    const group = grouped.groups.find(({ id }) => id === ofGroups.get(pairOf(route))?.group);
    if (group === undefined) continue;
    const sentence = `This route is of the group “${group.name}”.`;
    findings.say(`routes[${at}]`, sentence, 'Write it as an exception of the group.');
  }
  return { ...grouped, routes: [...grouped.routes, ...planned] };
}

function routeOf(
  source: ArrangedSite,
  target: ArrangedSite,
  { status, rules }: NonNullable<Config['routes']>[number],
  before: ReadonlyMap<string, ArrangedRoute>,
): ArrangedRoute {
  if (source.installation === target.installation) {
    const sentence = `“${source.name}” and “${target.name}” share their accounts.`;
    throw new Fault('route.same_installation', sentence);
  }
  refuseRules(source, rules);
  refuseNames(target, rules ?? {});
  const ends = { source: source.key, target: target.key };
  const here = before.get(pairOf(ends));
  const whole =
    here === undefined
      ? withDefaults(source, target, rules)
      : { ...here.rules, ...named(rules ?? {}) };
  refuseUnprovable(whole);
  refuseUnable(source, target, whole, here?.rules);
  return { ...ends, status: status ?? here?.status ?? 'active', rules: whole, group: null };
}
