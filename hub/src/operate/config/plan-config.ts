/**
 * A document and the present arrangement → the arrangement that the document asks for.
 *
 * Pure. Does: find all that is wrong with it, by path. Does not: add sites, which takes a credential: what
 * names a site that is not connected yet is left for when it is.
 * Always true: asked again with what came of it, it changes nothing.
 */
import type { Config } from '../../api/schemas/config.ts';
import type { ArrangedSite, Arrangement } from '../../model/arrangement.ts';
import type { GroupId } from '../../model/ids.ts';
import { mapsRoles } from '../../model/route.ts';
import { refuseGivenTwice } from '../routes.ts';
import { Findings } from './findings.ts';
import { planGroups } from './plan-groups.ts';
import { planRoutes } from './plan-routes.ts';
import { planSites } from './plan-sites.ts';

export interface PlannedConfig {
  readonly next: Arrangement;
  readonly problems: Findings['problems'];
  readonly toConnect: readonly { readonly name: string; readonly url: string }[];
  readonly notInFile: readonly ArrangedSite[];
}

export function planConfig(
  now: Arrangement,
  config: Config,
  options: { readonly remove: boolean; readonly newGroupId: () => GroupId },
): PlannedConfig {
  const findings = new Findings();
  const planned = planSites(now, config, options.remove, findings);
  const site = findings.sitesNamed(planned.sites, planned.toConnect);
  const base = { ...now, sites: planned.sites, logDays: config.hub?.logDays ?? now.logDays };
  const grouped = planGroups(base, config, { ...options, site, findings });
  const next = planRoutes(grouped, now, config, { site, findings });
  refuseRolesGivenTwice(next, findings);
  const { problems } = findings;
  return {
    next,
    problems,
    toConnect: planned.toConnect,
    notInFile: planned.notInFile,
  };
}

/** By a map of the document, or by routes of it: either way it is the two together. */
function refuseRolesGivenTwice(next: Arrangement, findings: Findings): void {
  for (const target of next.sites.filter(({ rules }) => mapsRoles(rules))) {
    const into = next.routes.filter((route) => route.target === target.key);
    findings.attempt(`sites “${target.name}”.roleMap`, () => {
      for (const { rules } of into) refuseGivenTwice(target, rules.roles);
    });
  }
}
