/** The configuration as a document, over random arrangements: nothing is lost on the way out and in again. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CONTRACT_VERSION } from '#contract/version.ts';
import { type Config, ConfigSchema } from '../../api/schemas/config.ts';
import { Fault } from '../../errors.ts';
import type { ArrangedSite, Arrangement } from '../../model/arrangement.ts';
import type { Group } from '../../model/group.ts';
import { groupId, installationId, siteKey } from '../../model/ids.ts';
import { type RouteRules, USUAL_SITE_RULES } from '../../model/route.ts';
import { inFull, withGroup } from '../groups/expand.ts';
import { withDefaults } from '../routes.ts';
import { diffConfig } from './diff-config.ts';
import { exportConfig } from './export-config.ts';
import { planConfig } from './plan-config.ts';

const ROLES = {
  administrator: { name: 'Administrator', privileged: true },
  author: { name: 'Author', privileged: false },
  subscriber: { name: 'Subscriber', privileged: false },
};
const NAMES = ['Shop', 'Blog', 'مدرسه', '学校 ２', 'Café', 'no', '1e3'];
/** The last two are sites of one network. */
const INSTALLATIONS = ['a', 'b', 'c', 'd', 'e', 'f', 'f'].map(installationId);

const siteAt = (index: number, change: Partial<ArrangedSite>): ArrangedSite => ({
  contract: CONTRACT_VERSION,
  key: siteKey(index + 1),
  installation: INSTALLATIONS[index] ?? installationId('z'),
  name: NAMES[index] ?? '',
  url: `https://site-${index}.test/`,
  status: 'active',
  createMissing: false,
  rules: USUAL_SITE_RULES,
  roles: ROLES,
  log: { on: true, days: null },
  ...change,
});

const someRules: fc.Arbitrary<Partial<RouteRules>> = fc.record(
  {
    fields: fc.subarray(['email', 'first_name', 'password']),
    meta: fc.subarray(['phone', 'billing_*']),
    roles: fc.subarray(['author', 'subscriber']),
    creates: fc.boolean(),
    onDelete: fc.constantFrom('delete' as const, 'strip' as const, 'ignore' as const),
    reassignTo: fc.constantFrom(null, 'heir'),
    loginTaken: fc.constantFrom('hold' as const, 'suffix' as const),
    leaveWhen: fc.constantFrom(
      [],
      [{ kind: 'role' as const, role: 'author' }],
      [{ kind: 'signed_in' as const }],
    ),
    passwordMail: fc.boolean(),
    unconfirmedEmails: fc.constantFrom('send' as const, 'hold' as const),
    confirmsAddresses: fc.boolean(),
  },
  { requiredKeys: [] },
);
const status = fc.constantFrom('active' as const, 'paused' as const);
const index = fc.nat(NAMES.length - 1);
const siteChange = fc.record({
  status,
  createMissing: fc.boolean(),
  rules: fc.record({
    automatic: fc.boolean(),
    syncRoles: fc.subarray(['author', 'subscriber']),
    onRoleLost: fc.constantFrom('stop' as const, 'delete' as const),
    roleMap: fc.constantFrom({}, { author: ['author'] }, { author: ['subscriber'], x: ['author'] }),
    newAccountsADay: fc.constantFrom(null, 5),
  }),
  log: fc.record({ on: fc.boolean(), days: fc.constantFrom(null, 7) }),
});
const group = fc.record({
  status,
  rules: someRules,
  members: fc.uniqueArray(
    fc.record({ index, way: fc.constantFrom('both' as const, 'gives' as const, 'takes' as const) }),
    { selector: (one) => one.index, maxLength: 5 },
  ),
  exceptions: fc.array(
    fc.record({
      from: index,
      to: index,
      status: fc.constantFrom('active' as const, 'paused' as const, 'none' as const),
      rules: someRules,
    }),
    { maxLength: 3 },
  ),
});
const seeds = fc.record({
  logDays: fc.integer({ min: 1, max: 99 }),
  sites: fc.array(siteChange, { minLength: NAMES.length, maxLength: NAMES.length }),
  routes: fc.array(fc.record({ from: index, to: index, status, rules: someRules }), {
    maxLength: 5,
  }),
  groups: fc.array(group, { maxLength: 3 }),
});
type Seed = typeof seeds extends fc.Arbitrary<infer Value> ? Value : never;

/** As an operator might have come to it, step by step; a step that is refused is left out. */
function arrangementOf(seed: Seed): Arrangement {
  const sites = seed.sites.map((change, at) => siteAt(at, change));
  let now: Arrangement = { logDays: seed.logDays, sites, groups: [], routes: [] };
  for (const { from, to, status: state, rules } of seed.routes) {
    const [source, target] = [sites[from], sites[to]];
    if (source === undefined || target === undefined) continue;
    const ends = { source: source.key, target: target.key };
    const there = now.routes.some((one) => one.source === source.key && one.target === target.key);
    const full = withDefaults(source, target, rules);
    if (there || source.installation === target.installation || clashes(target, full)) continue;
    if (confirmsNothing(full)) continue;
    now = { ...now, routes: [...now.routes, { ...ends, status: state, rules: full, group: null }] };
  }
  for (const [at, wanted] of seed.groups.entries()) {
    const members = wanted.members.map((one) => ({ site: siteKey(one.index + 1), way: one.way }));
    const exceptions = wanted.exceptions.map(({ from, to, ...rest }) => ({
      source: siteKey(from + 1),
      target: siteKey(to + 1),
      ...rest,
    }));
    const id = groupId(`g-${at}-${Math.random()}`);
    const made: Group = { ...wanted, id, name: `Group ${at}`, members, exceptions };
    now = attempt(() => withGroup(now, made, 'become exceptions')) ?? now;
  }
  return now;
}

const clashes = (target: ArrangedSite, { roles }: RouteRules): boolean =>
  'x' in target.rules.roleMap && roles.length > 1;

const confirmsNothing = ({ confirmsAddresses, leaveWhen = [] }: RouteRules): boolean =>
  confirmsAddresses === true && leaveWhen.every(({ kind }) => kind === 'role');

function attempt(step: () => Arrangement): Arrangement | null {
  try {
    return step();
  } catch (error) {
    if (error instanceof Fault) return null;
    throw error;
  }
}

let made = 0;
const plan = (now: Arrangement, config: Config, remove = false) =>
  planConfig(now, config, { remove, newGroupId: () => groupId(`new-${(made += 1)}`) });
/** With the rules that need not be there, and without ids, which are each hub's own, and in any order. */
const routesIn = ({ routes, groups }: Arrangement) =>
  new Map(
    routes.map(({ group: id, ...route }) => [
      `${route.source}-${route.target}`,
      {
        ...route,
        rules: inFull(route.rules),
        group: groups.find((one) => one.id === id)?.name ?? null,
      },
    ]),
  );
/** As it goes through a file or a request. */
const carried = (config: Config): Config => ConfigSchema.parse(JSON.parse(JSON.stringify(config)));

test('what a hub exports differs in nothing from what it has', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const now = arrangementOf(seed);
      const { next, problems } = plan(now, carried(exportConfig(now)));
      expect(problems).toEqual([]);
      expect(diffConfig(exportConfig(now), exportConfig(next))).toEqual([]);
      expect(routesIn(next)).toEqual(routesIn(now));
      expect(new Set(next.sites)).toEqual(new Set(now.sites));
    }),
    { numRuns: 300 },
  );
});

test('applied to another hub with these sites it makes the same of it, and applied twice no more', () => {
  fc.assert(
    fc.property(seeds, seeds, (one, other) => {
      const from = arrangementOf(one);
      const config = carried(exportConfig(from));
      for (const to of [{ ...arrangementOf(other) }, fresh(from)]) {
        const { next, problems } = plan(to, config);
        expect(problems).toEqual([]);
        expect(exportConfig(next)).toEqual(exportConfig(from));
        expect(routesIn(next)).toEqual(routesIn(from));
        const again = plan(next, config).next;
        expect(routesIn(again)).toEqual(routesIn(next));
        expect(exportConfig(again)).toEqual(exportConfig(next));
      }
    }),
    { numRuns: 200 },
  );
});

test('T933: a route that becomes one of a group declares nothing that it did not declare by itself', () => {
  const sites = NAMES.map((_, at) => siteAt(at, {}));
  const [shop, blog] = sites;
  if (shop === undefined || blog === undefined) throw new Error('no sites');
  const { passwordMail: _, ...older } = withDefaults(shop, blog, {
    leaveWhen: [{ kind: 'meta', key: 'st', values: ['ok'] }],
  });
  const ends = { source: shop.key, target: blog.key };
  const now = {
    ...fresh({ logDays: 1, sites, groups: [], routes: [] }),
    routes: [{ ...ends, status: 'active' as const, rules: older, group: null }],
  };
  const next = withGroup(
    now,
    {
      id: groupId('g'),
      name: 'Brands',
      status: 'active',
      rules: {
        confirmsAddresses: true,
        passwordMail: true,
        unconfirmedEmails: 'hold',
        leaveWhen: [{ kind: 'signed_in' }],
      },
      members: [shop, blog].map(({ key }) => ({ site: key, way: 'both' as const })),
      exceptions: [],
    },
    'become exceptions',
  );
  const rules = next.routes.find(({ source }) => source === shop.key)?.rules;
  expect(rules).toEqual(inFull(older));
  expect(rules).toMatchObject({ confirmsAddresses: false, passwordMail: false });
  expect(next.routes.find(({ source }) => source === blog.key)?.rules.confirmsAddresses).toBe(true);
});

test('T934: a document declares no source to confirm addresses without saying when', () => {
  const sites = ['Shop', 'Blog'].map((name, place) => at(name, place));
  const routes = [{ source: 'Shop', target: 'Blog', rules: { confirmsAddresses: true } }];
  const { problems } = plan(seven, { rollcall: 1, sites, routes });
  expect(problems.map(({ path }) => path)).toEqual(['routes[0]']);
});

const fresh = ({ sites }: Arrangement): Arrangement => ({
  logDays: 30,
  sites: sites.map((_, at) => siteAt(at, {})),
  groups: [],
  routes: [],
});

const seven = fresh({
  logDays: 1,
  sites: NAMES.map((_, at) => siteAt(at, {})),
  groups: [],
  routes: [],
});
const base: Config = { rollcall: 1 };
const at = (name: string, place: number) => ({ name, url: `https://site-${place}.test` });

test.each<[string, Config, boolean]>([
  ['sites[0].url', { ...base, sites: [at('Shop', 1)] }, false],
  ['sites[0].name', { ...base, sites: [at('Another', 0)] }, false],
  ['sites[1].name', { ...base, sites: [at('Shop', 0), at('SHOP', 0)] }, false],
  ['sites[0].syncRoles', { ...base, sites: [{ ...at('Shop', 0), syncRoles: ['wizard'] }] }, false],
  ['sites', { ...base, sites: [at('no', 5)] }, true],
  ['groups[0].members[0]', { ...base, groups: [groupIn('G', 'Nowhere')] }, false],
  ['groups[1].name', { ...base, groups: [groupIn('G', 'Shop'), groupIn('g', 'Blog')] }, false],
  [
    'groups[1]',
    { ...base, groups: [groupIn('G', 'Shop', 'Blog'), groupIn('H', 'Shop', 'Blog')] },
    false,
  ],
  [
    'groups[0].rules',
    { ...base, groups: [{ ...groupIn('G', 'Shop'), rules: { roles: ['x'] } }] },
    false,
  ],
  [
    'groups[0].exceptions[0]',
    { ...base, groups: [{ ...groupIn('G', 'Shop'), exceptions: [except('Shop', 'Blog')] }] },
    false,
  ],
  ['routes[0]', { ...base, routes: [{ source: 'no', target: '1e3' }] }, false],
  ['routes[0].target', { ...base, routes: [{ source: 'Shop', target: 'Nowhere' }] }, false],
  [
    'routes[0]',
    { ...base, routes: [{ source: 'Shop', target: 'Blog', rules: { fields: ['x'] } }] },
    false,
  ],
  [
    'routes[0]',
    {
      ...base,
      groups: [groupIn('G', 'Shop', 'Blog')],
      routes: [{ source: 'Shop', target: 'Blog' }],
    },
    false,
  ],
])('what can’t be meant is said with its place: %s', (path, config, remove) => {
  const { problems } = plan(seven, config, remove);
  expect(problems.map((problem) => problem.path)).toEqual([path]);
  expect(problems.every(({ message, next }) => message !== '' && next !== '')).toBe(true);
});

function groupIn(name: string, ...sites: string[]) {
  return { name, members: sites.map((site) => ({ site, way: 'both' as const })) };
}
function except(source: string, target: string) {
  return { source, target, status: 'none' as const };
}

test('what names a site that is not connected yet is left for when it is', () => {
  const config: Config = {
    ...base,
    sites: [at('Shop', 0), { name: 'Museum', url: 'https://museum.test' }],
    groups: [groupIn('G', 'Shop', 'Blog', 'Museum')],
    routes: [{ source: 'Museum', target: 'Café' }],
  };
  const { next, problems, toConnect, notInFile } = plan(seven, config);
  expect(problems).toEqual([]);
  expect(toConnect).toEqual([{ name: 'Museum', url: 'https://museum.test' }]);
  expect(notInFile).toHaveLength(6);
  expect(next.sites).toHaveLength(7);
  expect(next.routes).toHaveLength(2);
});

test('a list that is left out is left alone, and sites go only when that is said', () => {
  const now = plan(seven, {
    ...base,
    groups: [groupIn('G', 'Shop', 'Blog', 'no')],
    routes: [{ source: 'Shop', target: 'Café' }],
  }).next;
  expect(plan(now, base).next.routes).toHaveLength(7);
  const few = { ...base, sites: [at('Shop', 0), at('Blog', 1)] };
  expect(plan(now, few).next.sites).toHaveLength(7);
  const { next } = plan(now, few, true);
  expect(next.sites.map(({ name }) => name)).toEqual(['Shop', 'Blog']);
  expect(exportConfig(next).routes).toEqual([]);
  expect(exportConfig(next).groups?.[0]?.members).toHaveLength(2);
  expect(next.routes).toHaveLength(2);
});
