/** Groups as they are shown. */
import type { GroupView } from '../../api/schemas/group.ts';
import { type SomeRules, SomeRulesSchema } from '../../api/schemas/route.ts';
import { Fault } from '../../errors.ts';
import type { Arrangement } from '../../model/arrangement.ts';
import type { Group } from '../../model/group.ts';
import type { SiteKey } from '../../model/ids.ts';
import type { RouteRules } from '../../model/route.ts';
import type { OperationPorts } from '../ports.ts';

export async function listGroups({ arrangements }: OperationPorts): Promise<readonly GroupView[]> {
  const { now } = await arrangements.read();
  return now.groups.map((group) => viewGroup(now, group));
}

export async function showGroup(
  { arrangements }: OperationPorts,
  name: string,
): Promise<GroupView> {
  const { now } = await arrangements.read();
  return viewGroup(now, groupNamed(now, name));
}

/** @throws Fault `group.unknown` */
export function groupNamed(now: Arrangement, name: string): Group {
  const found = now.groups.find((group) => group.name.toLowerCase() === name.toLowerCase());
  if (found === undefined) throw new Fault('group.unknown', `There is no group “${name}”.`);
  return found;
}

export function viewGroup(now: Arrangement, group: Group): GroupView {
  const names = new Map(now.sites.map(({ key, name }) => [key, name]));
  const nameOf = (key: SiteKey): string => names.get(key) ?? `#${key}`;
  return {
    name: group.name,
    status: group.status,
    rules: shownRules(group.rules),
    members: group.members.map(({ site, way }) => ({ site: nameOf(site), way })),
    exceptions: group.exceptions.map(({ source, target, status, rules }) => ({
      source: nameOf(source),
      target: nameOf(target),
      status,
      rules: shownRules(rules),
    })),
    routes: now.routes.filter((route) => route.group === group.id).length,
    sharing: sharingAccounts(now, group).map((keys) => keys.map(nameOf)),
  };
}

/** In the order in which the schema names them. */
export const shownRules = (rules: Partial<RouteRules>): SomeRules => SomeRulesSchema.parse(rules);

function sharingAccounts(now: Arrangement, group: Group): SiteKey[][] {
  const together = new Map<string, SiteKey[]>();
  for (const { key, installation } of now.sites) {
    if (!group.members.some(({ site }) => site === key)) continue;
    together.set(installation, [...(together.get(installation) ?? []), key]);
  }
  return [...together.values()].filter((keys) => keys.length > 1);
}
