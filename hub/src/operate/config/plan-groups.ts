/** The groups of a document, and their routes. A group of which nothing changes keeps its routes as they are. */
import { isDeepStrictEqual } from 'node:util';
import type { Config, ConfigGroup } from '../../api/schemas/config.ts';
import type { Arrangement } from '../../model/arrangement.ts';
import type { Group, GroupException, GroupMember } from '../../model/group.ts';
import type { GroupId } from '../../model/ids.ts';
import { refuseGroupRules } from '../groups/change-groups.ts';
import { pairOf, withGroup } from '../groups/expand.ts';
import { named, refuseRules } from '../routes.ts';
import type { Findings, SiteNamed } from './findings.ts';

interface Means {
  readonly newGroupId: () => GroupId;
  readonly site: SiteNamed;
  readonly findings: Findings;
}

/** With the groups' routes alone. */
export function planGroups(now: Arrangement, { groups }: Config, means: Means): Arrangement {
  const { findings } = means;
  findings.twice((groups ?? []).map(({ name }, at) => ({ path: `groups[${at}].name`, name })));
  const left = (group: Group): Group => withoutRemoved(now, group);
  const wanted =
    groups?.map((group, at) => ({
      path: `groups[${at}]`,
      group: groupIn(now, group, `groups[${at}]`, means),
    })) ?? now.groups.map((group) => ({ path: `groups “${group.name}”`, group: left(group) }));
  const was = new Map(now.groups.map((group) => [group.id, group]));
  const isAsWas = (group: Group) => isDeepStrictEqual(plain(group), plain(was.get(group.id)));
  const same = wanted.filter(({ group }) => isAsWas(group));
  const ids = new Set(same.map(({ group }) => group.id));
  let next: Arrangement = {
    ...now,
    groups: same.map(({ group }) => group),
    routes: now.routes.filter(({ group }) => group !== null && ids.has(group)),
  };
  for (const { path, group } of wanted.filter((one) => !isAsWas(one.group))) {
    findings.attempt(`${path}.rules`, () => refuseGroupRules(now, group.members, group.rules));
    const arranged = next;
    next =
      findings.attempt(path, () => withGroup(arranged, group, 'become like the group')) ?? next;
  }
  return next;
}

/** The order of members and exceptions means nothing. */
const plain = (group: Group | undefined) =>
  group && {
    ...group,
    members: new Map(group.members.map(({ site, way }) => [site, way])),
    exceptions: new Map(group.exceptions.map((one) => [pairOf(one), one])),
  };

function withoutRemoved({ sites }: Arrangement, group: Group): Group {
  const keys = new Set(sites.map(({ key }) => key));
  return {
    ...group,
    members: group.members.filter(({ site }) => keys.has(site)),
    exceptions: group.exceptions.filter(
      ({ source, target }) => keys.has(source) && keys.has(target),
    ),
  };
}

function groupIn(now: Arrangement, wanted: ConfigGroup, path: string, means: Means): Group {
  const { findings, newGroupId } = means;
  const here = now.groups.find(({ name }) => name.toLowerCase() === wanted.name.toLowerCase());
  findings.twice(
    wanted.members.map(({ site }, at) => ({ path: `${path}.members[${at}]`, name: site })),
  );
  return {
    id: here?.id ?? newGroupId(),
    name: here?.name ?? wanted.name,
    status: wanted.status ?? here?.status ?? 'active',
    rules: named(wanted.rules ?? {}),
    members: membersIn(wanted, path, means),
    exceptions: exceptionsIn(wanted, path, means),
  };
}

const membersIn = ({ members }: ConfigGroup, path: string, { site }: Means): GroupMember[] =>
  members
    .flatMap(({ site: name, way }, at) => {
      const found = site(`${path}.members[${at}]`, name);
      return found === null || found === 'later' ? [] : [{ site: found.key, way }];
    })
    .sort((a, b) => a.site - b.site);

function exceptionsIn(
  { name: group, exceptions = [], members }: ConfigGroup,
  path: string,
  { site, findings }: Means,
): GroupException[] {
  const wayOf = new Map(members.map((one) => [one.site.toLowerCase(), one.way]));
  const ends = exceptions.map(({ source, target }) => `${source} → ${target}`);
  findings.twice(ends.map((name, at) => ({ path: `${path}.exceptions[${at}]`, name })));
  return exceptions.flatMap(({ source, target, status, rules = {} }, at) => {
    const here = `${path}.exceptions[${at}]`;
    const from = site(`${here}.source`, source);
    const to = site(`${here}.target`, target);
    if (from === null || to === null || from === 'later' || to === 'later') return [];
    const [gives, takes] = [wayOf.get(source.toLowerCase()), wayOf.get(target.toLowerCase())];
    const isPair =
      (gives === 'both' || gives === 'gives') &&
      (takes === 'both' || takes === 'takes') &&
      from.installation !== to.installation;
    if (!isPair) {
      const sentence = `“${group}” has no route from “${source}” to “${target}”.`;
      findings.say(here, sentence, 'Take the exception out, or make both members of the group.');
      return [];
    }
    findings.attempt(`${here}.rules`, () => refuseRules(from, rules));
    return [{ source: from.key, target: to.key, status, rules: named(rules) }];
  });
}
