/** Groups as a person reads them. */
import type { GroupView } from '../api/schemas/group.ts';
import type { SomeRules } from '../api/schemas/route.ts';
import { table } from './table.ts';
import { visible } from './visible.ts';

export const describeGroups = (groups: readonly GroupView[]): string =>
  groups.length === 0
    ? 'No groups yet. “rollcall group add NAME --members shop,blog” makes one.\n'
    : table(
        ['NAME', 'STATE', 'MEMBERS', 'ROUTES', 'EXCEPTIONS'],
        groups.map(({ name, status, members, routes, exceptions }) => [
          name,
          status,
          members.length,
          routes,
          exceptions.length,
        ]),
      );

export function describeGroup(group: GroupView): string {
  const { name, status, members, exceptions, sharing, routes } = group;
  const those = (way: string): string =>
    members
      .filter((member) => member.way === way)
      .map(({ site }) => visible(site))
      .join(', ') || 'none';
  const lines = [
    `Group ${visible(name)} (${status}): ${members.length} members, ${routes} routes`,
    `  Give and take  ${those('both')}`,
    `  Only give      ${those('gives')}`,
    `  Only take      ${those('takes')}`,
    `  Rules          ${describeRules(group.rules) || 'the usual ones'}`,
    ...exceptions.map(
      (one) => `  Exception      ${visible(one.source)} → ${visible(one.target)}: ${differs(one)}`,
    ),
    ...sharing.map(
      (sites) => `  No route among ${sites.map(visible).join(', ')}: they share their accounts`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function differs({ status, rules }: GroupView['exceptions'][number]): string {
  if (status === 'none') return 'no route';
  const parts = [...(status === 'paused' ? ['paused'] : []), describeRules(rules)];
  return parts.filter((part) => part !== '').join('; ') || 'rules of its own';
}

/** `fields email, first_name; creates no` */
export const describeRules = (rules: SomeRules): string =>
  Object.entries(rules)
    .map(([rule, value]) => `${rule} ${describeValue(value)}`)
    .join('; ');

export function describeValue(value: unknown): string {
  if (Array.isArray(value)) return value.map((item) => describeValue(item)).join(', ') || 'none';
  if (value === null || value === undefined) return 'none';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'string') return visible(value);
  return visible(JSON.stringify(value));
}
