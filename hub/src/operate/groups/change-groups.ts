/**
 * Making, changing and removing groups. What it means for routes is `expand.ts`'s to say; the store
 * makes it so in one transaction, and then the sites hear of it.
 */
import type {
  AddGroup,
  AddMembers,
  ChangeGroup,
  Except,
  GroupView,
} from '../../api/schemas/group.ts';
import { Fault } from '../../errors.ts';
import type { ArrangedSite, Arrangement, Rearranged } from '../../model/arrangement.ts';
import {
  type Group,
  type GroupException,
  type GroupMember,
  gives,
  isBetween,
} from '../../model/group.ts';
import { groupId } from '../../model/ids.ts';
import type { RouteRules } from '../../model/route.ts';
import { writtenOut } from '../../model/route-preset.ts';
import type { OperationPorts } from '../ports.ts';
import { refuseNames } from '../privileged-roles.ts';
import { named, refuseRules } from '../routes.ts';
import { exceptionOf, pairsOf, withGroup, withoutGroup } from './expand.ts';
import { tellEnds } from './tell-ends.ts';
import { groupNamed, viewGroup } from './view-groups.ts';

export async function addGroup(ports: OperationPorts, wanted: AddGroup): Promise<GroupView> {
  const id = groupId(ports.newId());
  return change(ports, wanted.name, (now) => {
    refuseName(now, wanted.name);
    const rules = { ...writtenOut(wanted.preset), ...named(wanted.rules ?? {}) };
    const members = joined(now, [], wanted.members);
    refuseGroupRules(now, members, rules);
    const group: Group = {
      id,
      name: wanted.name,
      status: 'active',
      rules,
      members,
      exceptions: [],
    };
    return withGroup(now, group, 'become exceptions');
  });
}

export async function changeGroup(
  ports: OperationPorts,
  name: string,
  { name: newName, status, preset, rules }: ChangeGroup,
): Promise<GroupView> {
  return change(ports, newName ?? name, (now) => {
    const group = groupNamed(now, name);
    if (newName !== undefined) refuseName(now, newName, group);
    const ruled = { ...group.rules, ...presetFor(group, preset), ...named(rules ?? {}) };
    refuseGroupRules(now, group.members, ruled);
    const changed = {
      ...group,
      name: newName ?? group.name,
      status: status ?? group.status,
      rules: ruled,
    };
    return withGroup(now, changed, 'become exceptions');
  });
}

export async function addMembers(
  ports: OperationPorts,
  name: string,
  { members }: AddMembers,
): Promise<GroupView> {
  return change(ports, name, (now) => {
    const group = groupNamed(now, name);
    const all = joined(now, group.members, members);
    refuseGroupRules(now, all, group.rules);
    return withGroup(now, { ...group, members: all }, 'become exceptions');
  });
}

export async function removeMember(
  ports: OperationPorts,
  name: string,
  site: string,
): Promise<GroupView> {
  return change(ports, name, (now) => {
    const group = groupNamed(now, name);
    const { key, name: shown } = siteIn(now, site);
    const members = group.members.filter((member) => member.site !== key);
    if (members.length === group.members.length) {
      throw new Fault('group.no_such_pair', `“${shown}” is no member of “${group.name}”.`);
    }
    return withGroup(now, { ...group, members }, 'become exceptions');
  });
}

/** A single route of the group gets rules of its own, is paused, left out, or like the others again. */
export async function exceptRoute(
  ports: OperationPorts,
  name: string,
  wanted: Except,
): Promise<GroupView> {
  return change(ports, name, (now) => {
    const group = groupNamed(now, name);
    const source = siteIn(now, wanted.source);
    const target = siteIn(now, wanted.target);
    const ways = wanted.both
      ? [[source, target] as const, [target, source] as const]
      : [[source, target] as const];
    let next = now;
    for (const [from, to] of ways) next = excepted(next, group.name, from, to, wanted);
    return next;
  });
}

function excepted(
  now: Arrangement,
  name: string,
  source: ArrangedSite,
  target: ArrangedSite,
  { status, preset, rules }: Except,
): Arrangement {
  const group = groupNamed(now, name);
  const pairs = [...pairsOf(now, group)];
  if (!pairs.some((pair) => pair.source === source && pair.target === target)) {
    const sentence = `“${group.name}” has no route from “${source.name}” to “${target.name}”.`;
    throw new Fault('group.no_such_pair', sentence);
  }
  refuseRules(source, rules);
  refuseNames(target, rules ?? {});
  const others = group.exceptions.filter(
    (one) => one.source !== source.key || one.target !== target.key,
  );
  if (status === 'group') {
    return withGroup(now, { ...group, exceptions: others }, 'become like the group');
  }
  const present = now.routes.find((route) => isBetween(route, source.key, target.key));
  const before = exceptionOf(group, source.key, target.key);
  const exception: GroupException = {
    source: source.key,
    target: target.key,
    status: status ?? before?.status ?? 'active',
    rules: { ...before?.rules, ...writtenOut(preset, present?.rules), ...named(rules ?? {}) },
  };
  return withGroup(now, { ...group, exceptions: [...others, exception] }, 'become like the group');
}

/** Where no roles are named the routes carry all harmless ones: to name some would take others away. */
function presetFor({ rules }: Group, preset: ChangeGroup['preset']): Partial<RouteRules> {
  const { roles, ...rest } = writtenOut(preset, rules);
  return rules.roles === undefined || roles === undefined ? rest : { ...rest, roles };
}

/** What is on its way along its routes is cancelled, as with routes that are removed. */
export async function removeGroup(ports: OperationPorts, name: string): Promise<void> {
  const done = await ports.arrangements.change((now) =>
    withoutGroup(now, groupNamed(now, name).id),
  );
  await tellEnds(ports, done);
}

async function change(
  ports: OperationPorts,
  name: string,
  plan: (now: Arrangement) => Arrangement,
): Promise<GroupView> {
  const done: Rearranged = await ports.arrangements.change(plan);
  await tellEnds(ports, done);
  return viewGroup(done.after, groupNamed(done.after, name));
}

function refuseName(now: Arrangement, name: string, itself?: Group): void {
  const other = now.groups.find((group) => group.name.toLowerCase() === name.toLowerCase());
  if (other === undefined || other.id === itself?.id) return;
  throw new Fault('group.name_taken', `There is a group “${other.name}” already.`);
}

/**
 * A role that travels counts as known when one of the members has it: the others carry it once they have
 * it, too. One that people must have before they leave is known to all who give: nobody would leave.
 */
export function refuseGroupRules(
  now: Arrangement,
  members: readonly GroupMember[],
  rules: Partial<RouteRules>,
): void {
  refuseRules(undefined, rules);
  const sitesOf = (some: readonly GroupMember[]) =>
    now.sites.filter(({ key }) => some.some(({ site }) => site === key));
  const sites = sitesOf(members);
  const unknown = rules.roles?.find((role) =>
    sites.every(({ roles }) => roles[role] === undefined),
  );
  if (unknown !== undefined && sites.length > 0) {
    throw new Fault('role.unknown', `No member of the group has a role “${unknown}”.`);
  }
  const { leaveWhen = [], privilegedRoles = [] } = rules;
  const powerless = privilegedRoles.find((role) =>
    sites.every(({ roles }) => roles[role]?.privileged !== true),
  );
  if (powerless !== undefined && sites.length > 0) {
    const sentence = `“${powerless}” gives no power over any member of the group.`;
    throw new Fault('role.not_privileged', sentence);
  }
  for (const giver of sitesOf(members.filter(gives))) refuseRules(giver, { leaveWhen });
}

/** Each site once, in the order of their keys. */
export function joined(
  now: Arrangement,
  members: readonly GroupMember[],
  added: AddMembers['members'],
): GroupMember[] {
  const ways = new Map(members.map(({ site, way }) => [site, way]));
  for (const { site, way } of added) ways.set(siteIn(now, site).key, way);
  return [...ways].map(([site, way]) => ({ site, way })).sort((a, b) => a.site - b.site);
}

/** @throws Fault `site.unknown` */
export function siteIn(now: Arrangement, name: string): ArrangedSite {
  const found = now.sites.find((site) => site.name.toLowerCase() === name.toLowerCase());
  if (found === undefined) throw new Fault('site.unknown', `There is no site named “${name}”.`);
  return found;
}
