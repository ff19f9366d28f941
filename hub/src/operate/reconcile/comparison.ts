/** The two sites of a comparison as they are now, and the route whose rules they are compared by. */
import { Fault, isFaultCode } from '../../errors.ts';
import { isMeta, isRole, roleField } from '../../model/field.ts';
import type { SiteKey } from '../../model/ids.ts';
import type { ReconcileRecord } from '../../model/reconcile.ts';
import { mapsRoles, type Route } from '../../model/route.ts';
import { someMapRoles } from '../../sync/decide/spread.ts';
import type { SiteRecord } from '../../sync/ports.ts';
import { asGuarded, guardOf, type TargetGuard } from '../manual-sync/target-guard.ts';
import type { OperationPorts } from '../ports.ts';

export interface Comparison {
  readonly source: SiteRecord;
  readonly target: SiteRecord;
  readonly route: Route;
  readonly guard: TargetGuard;
  readonly rolesAreMapped: boolean;
}

/** @throws Fault `site.unknown`, `route.unknown`, and the trouble of a site that waits for a person */
export async function comparisonOf(
  ports: OperationPorts,
  ends: Pick<ReconcileRecord, 'source' | 'target'>,
): Promise<Comparison> {
  const { registry } = ports;
  const sites = new Map((await registry.sites()).map((site) => [site.key, site]));
  const found = (key: SiteKey): SiteRecord => {
    const site = sites.get(key);
    if (site === undefined)
      throw new Fault('site.unknown', 'A site of this comparison was removed.');
    return site;
  };
  const [source, target] = [found(ends.source), found(ends.target)];
  const topology = await registry.topology();
  const route = routeBetween(topology.routes, source, target);
  for (const { installation } of [source, target]) await refuseTroubled(ports, installation);
  const guard = await guardOf(ports, target);
  return {
    source,
    target: asGuarded(target, guard),
    route,
    guard,
    rolesAreMapped: someMapRoles(topology),
  };
}

/** @throws Fault `route.unknown`, `route.same_installation` */
export function routeBetween(
  routes: readonly Route[],
  source: SiteRecord,
  target: SiteRecord,
): Route {
  if (source.installation === target.installation) {
    const same = `“${source.name}” and “${target.name}” have the same accounts; there is nothing to compare.`;
    throw new Fault('route.same_installation', same);
  }
  const route = routes.find((one) => one.source === source.key && one.target === target.key);
  if (route !== undefined) return route;
  const sentence = `There is no route from “${source.name}” to “${target.name}”; its rules say what belongs there.`;
  throw new Fault('route.unknown', sentence);
}

/** What such a site says now may be an earlier state of it, or another site's. */
async function refuseTroubled(
  { registry }: OperationPorts,
  id: SiteRecord['installation'],
): Promise<void> {
  const { state, trouble } = await registry.installation(id);
  if (state === 'active') return;
  const code = trouble !== null && isFaultCode(trouble.code) ? trouble.code : 'source.rewound';
  throw new Fault(code, trouble?.message ?? 'The site needs attention first.');
}

/** What is summed up on both sides. Roles of other names are not compared. */
export function comparedFields({ route: { rules }, target }: Comparison): string[] {
  const plain = rules.fields.filter((field) => !isRole(field) && !isMeta(field));
  const roles = mapsRoles(target.rules) ? [] : rules.roles.map(roleField);
  return [...plain, ...roles, ...rules.meta.map((entry) => `meta:${entry}`)];
}
