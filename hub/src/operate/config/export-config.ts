/**
 * An arrangement as a document. Always true: the same arrangement gives the same document, sorted by
 * names; it holds what operators have set, by the names that people use, and no secret.
 */
import type { Config, ConfigGroup, ConfigRoute, ConfigSite } from '../../api/schemas/config.ts';
import type { ArrangedSite, Arrangement } from '../../model/arrangement.ts';
import type { Group } from '../../model/group.ts';
import type { SiteKey } from '../../model/ids.ts';
import { inFull } from '../groups/expand.ts';
import { shownRules } from '../groups/view-groups.ts';

export function exportConfig(now: Arrangement): Config {
  const names = new Map(now.sites.map(({ key, name }) => [key, name]));
  const nameOf = (key: SiteKey): string => names.get(key) ?? `#${key}`;
  return {
    rollcall: 1,
    hub: { logDays: now.logDays },
    sites: sorted(now.sites.map(siteOf), ({ name }) => name),
    groups: sorted(
      now.groups.map((group) => groupOf(group, nameOf)),
      ({ name }) => name,
    ),
    routes: sorted(
      now.routes
        .filter(({ group }) => group === null)
        .map(
          ({ source, target, status, rules }): ConfigRoute => ({
            source: nameOf(source),
            target: nameOf(target),
            status,
            rules: shownRules(inFull(rules)),
          }),
        ),
      endsOf,
    ),
  };
}

export const endsOf = ({ source, target }: { source: string; target: string }): string =>
  `${source} → ${target}`;

const siteOf = ({ name, url, status, createMissing, rules, log }: ArrangedSite): ConfigSite => ({
  name,
  url,
  status,
  ...rules,
  syncRoles: [...rules.syncRoles],
  roleMap: Object.fromEntries(
    Object.entries(rules.roleMap).map(([role, given]) => [role, [...given]]),
  ),
  createMissing,
  log: { ...log },
});

const groupOf = (group: Group, nameOf: (key: SiteKey) => string): ConfigGroup => ({
  name: group.name,
  status: group.status,
  members: sorted(
    group.members.map(({ site, way }) => ({ site: nameOf(site), way })),
    ({ site }) => site,
  ),
  rules: shownRules(group.rules),
  exceptions: sorted(
    group.exceptions.map(({ source, target, status, rules }) => ({
      source: nameOf(source),
      target: nameOf(target),
      status,
      rules: shownRules(rules),
    })),
    endsOf,
  ),
});

function sorted<Item>(items: Item[], by: (item: Item) => string): Item[] {
  const keyed = items.map((item) => ({ item, key: by(item) }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return keyed.map(({ item }) => item);
}
