/** What differs between two documents, as a person would say it. Both are exported ones, so whole. */
import { isDeepStrictEqual } from 'node:util';
import type { Config, ConfigChange, ConfigDiff, ConfigGroup } from '../../api/schemas/config.ts';
import type { Arrangement } from '../../model/arrangement.ts';
import { pairOf } from '../groups/expand.ts';
import { endsOf } from './export-config.ts';

type Part = Readonly<Record<string, unknown>>;

export function diffConfig(before: Config, after: Config): ConfigChange[] {
  const hub = details(before.hub ?? {}, after.hub ?? {});
  return [
    ...(hub.length === 0
      ? []
      : [{ act: 'changed' as const, what: 'hub' as const, name: 'hub', details: hub }]),
    ...listed('site', before.sites ?? [], after.sites ?? [], ({ name }) => name),
    ...groups(before.groups ?? [], after.groups ?? []),
    ...listed('route', before.routes ?? [], after.routes ?? [], endsOf),
  ];
}

/** Counted as they are kept: a group's are routes, too. */
export function diffRoutes(before: Arrangement, after: Arrangement): ConfigDiff['routes'] {
  const was = new Map(before.routes.map((route) => [pairOf(route), route]));
  const is = new Set(after.routes.map(pairOf));
  const there = after.routes.filter((route) => was.has(pairOf(route)));
  return {
    added: after.routes.length - there.length,
    changed: there.filter((route) => !isDeepStrictEqual(was.get(pairOf(route)), route)).length,
    removed: before.routes.filter((route) => !is.has(pairOf(route))).length,
  };
}

function groups(before: readonly ConfigGroup[], after: readonly ConfigGroup[]): ConfigChange[] {
  const own = ({ name, status, rules }: ConfigGroup) => ({ name, status, rules });
  const nameOf = ({ name }: { name: string }) => name;
  const inner = [...new Set([...before, ...after].map(nameOf))].flatMap((name) => {
    const was = before.find((group) => group.name === name);
    const is = after.find((group) => group.name === name);
    // What goes with a group is not told of each.
    if (is === undefined) return [];
    const named = <Item>(by: (item: Item) => string) => {
      return (item: Item): string => `${name}: ${by(item)}`;
    };
    return [
      ...listed(
        'member',
        was?.members ?? [],
        is.members,
        named(({ site }) => site),
      ),
      ...listed('exception', was?.exceptions ?? [], is.exceptions ?? [], named(endsOf)),
    ];
  });
  return [...listed('group', before.map(own), after.map(own), nameOf), ...inner];
}

function listed<Item extends Part>(
  what: ConfigChange['what'],
  before: readonly Item[],
  after: readonly Item[],
  nameOf: (item: Item) => string,
): ConfigChange[] {
  const was = new Map(before.map((item) => [nameOf(item), item]));
  const is = new Map(after.map((item) => [nameOf(item), item]));
  const changes: ConfigChange[] = [];
  for (const [name, item] of is) {
    const old = was.get(name);
    const differing = details(old ?? {}, item);
    if (old === undefined) changes.push({ act: 'added', what, name, details: differing });
    else if (differing.length > 0) changes.push({ act: 'changed', what, name, details: differing });
  }
  for (const name of was.keys()) {
    if (!is.has(name)) changes.push({ act: 'removed', what, name, details: [] });
  }
  return changes;
}

/** Rules and the like are told of one by one. */
function details(before: Part, after: Part): ConfigChange['details'] {
  const was = flat(before);
  const is = flat(after);
  return [...new Set([...was.keys(), ...is.keys()])].flatMap((field) => {
    const from = was.get(field) ?? null;
    const to = is.get(field) ?? null;
    return isDeepStrictEqual(from, to) ? [] : [{ field, from, to }];
  });
}

const NESTED: ReadonlySet<string> = new Set(['rules', 'log']);
const NAMES: ReadonlySet<string> = new Set(['name', 'source', 'target', 'site']);

function flat(part: Part): Map<string, unknown> {
  const entries = Object.entries(part).flatMap(([key, value]): [string, unknown][] => {
    if (NAMES.has(key) || value === undefined) return [];
    if (!NESTED.has(key) || typeof value !== 'object' || value === null) return [[key, value]];
    return Object.entries(value).map(([inner, one]) => [`${key}.${inner}`, one]);
  });
  return new Map(entries);
}
