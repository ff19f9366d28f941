/** Conformance: groups, and the arrangement as a whole. */
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Arrangement } from '../../model/arrangement.ts';
import type { Group } from '../../model/group.ts';
import { groupId, type SiteKey } from '../../model/ids.ts';
import type { Storage } from '../open-storage.ts';
import {
  account,
  addPlace,
  carried,
  claim,
  delivery,
  identity,
  RULES,
  save,
  type World,
} from './world.ts';

const groupOf = (sites: readonly SiteKey[], change: Partial<Group> = {}): Group => ({
  id: groupId(randomUUID()),
  name: `Group ${randomUUID().slice(0, 8)}`,
  status: 'active',
  rules: { creates: false },
  members: sites.map((site) => ({ site, way: 'both' })),
  exceptions: [],
  ...change,
});

/** A route from each to each. */
const routesOf = ({ id, members }: Group): Arrangement['routes'] =>
  members.flatMap(({ site: source }) =>
    members
      .filter(({ site }) => site !== source)
      .map(({ site: target }) => ({ source, target, status: 'active', rules: RULES, group: id })),
  );

const put =
  (group: Group) =>
  (now: Arrangement): Arrangement => ({
    ...now,
    groups: [...now.groups.filter(({ id }) => id !== group.id), group],
    routes: [...now.routes.filter((route) => route.group !== group.id), ...routesOf(group)],
  });

export function groupFacts(world: () => World): void {
  const places = async (count: number) => {
    const added = [];
    for (let at = 0; at < count; at += 1) added.push(await addPlace(world().storage));
    return added;
  };
  const groupNamed = async ({ arrangements }: Storage, { id }: Group) =>
    (await arrangements.read()).now.groups.find((group) => group.id === id);

  test('a group comes back as it was put, with its routes, and goes with them', async () => {
    const { storage } = world();
    const { arrangements, registry } = storage;
    const [a, b, c] = (await places(3)).map(({ site }) => site);
    if (a === undefined || b === undefined || c === undefined) throw new Error('no sites');
    const group = groupOf([a, b, c], {
      name: 'Läden ☕',
      exceptions: [{ source: a, target: b, status: 'none', rules: { meta: ['x'] } }],
    });
    await arrangements.change(put(group));
    expect(await groupNamed(storage, group)).toEqual(group);
    const { routes } = await registry.topology();
    expect(routes).toHaveLength(6);
    expect([...(await arrangements.groupNames()).values()]).toEqual(Array(6).fill('Läden ☕'));
    for (const { id } of routes) {
      await expect(registry.removeRoute(id)).rejects.toMatchObject({ code: 'route.of_group' });
      await expect(registry.updateRoute(id, { status: 'paused' })).rejects.toMatchObject({
        code: 'route.of_group',
      });
    }
    const smaller = { ...group, members: group.members.slice(0, 2), exceptions: [] };
    const done = await arrangements.change(put(smaller));
    expect(new Set(done.touched)).toEqual(new Set([a, b, c]));
    expect((await registry.topology()).routes).toHaveLength(2);
    await arrangements.change((now) => ({
      ...now,
      groups: now.groups.filter(({ id }) => id !== group.id),
      routes: now.routes.filter((route) => route.group !== group.id),
    }));
    expect(await groupNamed(storage, group)).toBeUndefined();
    expect((await registry.topology()).routes).toEqual([]);
  });

  test('where nothing differs nothing is written, and a plan that throws changes nothing', async () => {
    const { arrangements } = world().storage;
    const sites = (await places(2)).map(({ site }) => site);
    await arrangements.change(put(groupOf(sites)));
    const before = await arrangements.read();
    expect((await arrangements.change((now) => structuredClone(now))).touched).toEqual([]);
    await expect(
      arrangements.change(() => {
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(await arrangements.read()).toEqual(before);
  });

  test('every change of what is arranged is another revision, and is seen in the topology', async () => {
    const { arrangements, registry, logKeeping } = world().storage;
    const other = world().second?.registry ?? registry;
    const [a, b] = await places(2);
    if (a === undefined || b === undefined) throw new Error('no places');
    const seen = new Set<string>();
    const next = async (deed: () => Promise<unknown>) => {
      await deed();
      const { revision } = await arrangements.read();
      expect(seen).not.toContain(revision);
      seen.add(revision);
      return other.topology();
    };
    await next(() => logKeeping.setDays(31));
    await next(() => logKeeping.setSite(a.site, { days: 7 }));
    const renamed = await next(() => registry.updateSite(a.site, { name: `New ${a.site}` }));
    expect(renamed.sites.get(a.site)?.name).toBe(`New ${a.site}`);
    const ends = { source: a.site, target: b.site };
    const route = await registry.addRoute({ ...ends, rules: RULES });
    expect((await next(async () => {})).routes.map(({ id }) => id)).toEqual([route.id]);
    const paused = await next(() => registry.updateRoute(route.id, { status: 'paused' }));
    expect(paused.routes[0]?.status).toBe('paused');
    const moved = await next(() =>
      registry.relocate(a.installation, {
        restUrl: 'https://moved.test/wp-json/',
        publicOnly: true,
        home: 'moved.test',
        sites: [{ blog: 1, url: 'https://moved.test', restUrl: 'https://moved.test/wp-json/' }],
      }),
    );
    expect(moved.sites.get(a.site)?.url).toBe('https://moved.test');
    expect((await next(() => registry.removeRoute(route.id))).routes).toEqual([]);
    const gone = await next(() => registry.removeInstallation(a.installation));
    expect(gone.sites.has(a.site)).toBe(false);
  });

  test('the topology is read once, until somebody changes any of it', async () => {
    const { storage, statements } = world();
    await places(2);
    await storage.registry.topology();
    const before = statements();
    const topology = await storage.registry.topology();
    expect(statements() - before).toBe(1);
    expect(await storage.registry.topology()).toBe(topology);
  });

  test('changes of the arrangement come one after another', async () => {
    const { storage, second } = world();
    const sites = (await places(2)).map(({ site }) => site);
    const groups = Array.from({ length: 6 }, () => groupOf(sites.slice(0, 1)));
    const at = (turn: number) => (turn % 2 === 0 ? storage : (second ?? storage)).arrangements;
    await Promise.all(groups.map((group, turn) => at(turn).change(put(group))));
    const kept = (await storage.arrangements.read()).now.groups.map(({ id }) => id);
    expect(kept).toEqual(expect.arrayContaining(groups.map(({ id }) => id)));
  });

  test('a removed site leaves its groups, and what waits for a changed route is due again', async () => {
    const { storage } = world();
    const [a, b, c] = await places(3);
    if (a === undefined || b === undefined || c === undefined) throw new Error('no places');
    const group = groupOf([a.site, b.site, c.site], {
      exceptions: [{ source: c.site, target: b.site, status: 'paused', rules: {} }],
    });
    await storage.arrangements.change(put(group));
    const waits = { notBeforeMs: (await storage.store.nowMs()) + 3_600_000 };
    const fields = { email: carried('x@y.test', a.site) };
    await save(storage, identity([account(a.installation)], [delivery(b.site, fields, waits)]));
    expect(await claim(storage, b)).toEqual([]);
    await storage.registry.removeInstallation(c.installation);
    expect(await groupNamed(storage, group)).toMatchObject({
      members: group.members.slice(0, 2),
      exceptions: [],
    });
    await storage.arrangements.change((now) => ({
      ...now,
      routes: now.routes.map((route) => ({ ...route, status: 'paused' })),
    }));
    expect(await claim(storage, b)).toHaveLength(1);
  });

  test('what is set of a site is changed; one that is left out stays', async () => {
    const { storage } = world();
    const [a, b] = await places(2);
    if (a === undefined || b === undefined) throw new Error('no places');
    const left = (await storage.arrangements.read()).now.sites.find(({ key }) => key === b.site);
    const { after } = await storage.arrangements.change((now) => ({
      ...now,
      sites: now.sites
        .filter(({ key }) => key !== b.site)
        .map((site) => ({ ...site, createMissing: false, log: { on: false, days: 3 } })),
    }));
    const { sites } = (await storage.arrangements.read()).now;
    expect(sites).toEqual([...after.sites, left]);
  });

  test('a hundred members, 9,900 routes: made, changed and removed in seconds', async () => {
    const { storage, statements } = world();
    const sites = (await places(100)).map(({ site }) => site);
    const group = groupOf(sites);
    const before = statements();
    await storage.arrangements.change(put(group));
    expect(statements() - before).toBeLessThan(20);
    expect((await storage.registry.topology()).routes).toHaveLength(9_900);
    await storage.arrangements.change((now) => ({
      ...now,
      routes: now.routes.map((route) => ({ ...route, status: 'paused' })),
    }));
    const { routes } = await storage.registry.topology();
    expect(routes.every(({ status }) => status === 'paused')).toBe(true);
    await storage.arrangements.change((now) => ({ ...now, groups: [], routes: [] }));
  }, 60_000);
}
