/**
 * The rules one by one, through the real capture, decide and deliver code. Numbers are the
 * invariants of SPEC.md; random histories are in convergence.test.ts.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { siteKey } from '../model/ids.ts';
import type { LogEntry } from '../model/log-entry.ts';
import type { SiteRules } from '../model/route.ts';
import { FUTURE_TOLERANCE_MS } from '../model/stamp.ts';
import { CREATION_LIMIT } from './creation-limit.ts';
import { type Edge, installationOf, World } from './test/world.ts';

const both = (a: number, b: number): Edge[] => [
  { from: a, to: b },
  { from: b, to: a },
];
/** Of the form that phpass makes; of no password. */
const hash = (name: string): string => `$P$B${name.padEnd(30, '.')}`;
const ANNA = { login: 'anna', email: 'anna@x.test' };

/** Anna registered on the first site and is everywhere that it reaches. */
async function withAnna(
  count: number,
  edges: readonly Edge[],
  roles: ConstructorParameters<typeof World>[2] = {},
): Promise<World> {
  const world = new World(count, edges, roles);
  world.site(0).register(ANNA);
  await world.rest();
  for (const site of world.sites) site.applied.length = 0;
  world.store.tables.log.length = 0;
  return world;
}

function edit(world: World, site: number, changes: Record<string, string | boolean | string[]>) {
  world.nowMs += 10;
  const account = world.site(site).byLogin('anna');
  if (account === undefined) throw new Error(`no anna on ${site}`);
  world.site(site).edit(account.id, changes);
}

const value = (world: World, site: number, field: string) => world.site(site).value('anna', field);
const logged = (world: World, want: Partial<LogEntry>): LogEntry[] =>
  world.store.tables.log.filter((entry) => {
    const cells = new Map<string, unknown>(Object.entries(entry));
    return Object.entries(want).every(([name, wanted]) => cells.get(name) === wanted);
  });
const reasons = (world: World, target: number): (string | null)[] =>
  logged(world, {})
    .filter((entry) => entry.target === target + 1)
    .map((entry) => entry.reason);
const pathsTo = (world: World, target: number) =>
  world.store.tables.log
    .filter((entry) => entry.target === target + 1 && entry.status === 'delivered')
    .map((entry) => entry.path);

describe('a chain', () => {
  test('I3: what a site receives it passes on, and the log tells the path', async () => {
    const world = await withAnna(3, [
      { from: 0, to: 1 },
      { from: 1, to: 2 },
    ]);
    edit(world, 0, { first_name: 'Anna' });
    await world.rest();
    expect(value(world, 2, 'first_name')).toBe('Anna');
    expect(pathsTo(world, 1)).toEqual([[1, 2]]);
    expect(pathsTo(world, 2)).toEqual([[1, 2, 3]]);
  });

  test('I3: every row of the log says who made the change, however far it has come', async () => {
    const world = await withAnna(3, [
      { from: 0, to: 1 },
      { from: 1, to: 2 },
    ]);
    edit(world, 0, { first_name: 'Anna' });
    await world.rest();
    expect(
      logged(world, { status: 'delivered' }).map(({ target, actor }) => [target, actor]),
    ).toEqual([
      [2, 'account admin'],
      [3, 'account admin'],
    ]);
  });

  test('I4: what a site refused goes no further from there, and everywhere else it goes', async () => {
    const edges = [
      { from: 0, to: 1 },
      { from: 1, to: 2 },
      { from: 0, to: 3 },
    ];
    const world = await withAnna(4, edges, { 1: ['subscriber'] });
    edit(world, 0, { 'role:author': true, first_name: 'Anna' });
    await world.rest();
    expect([0, 1, 2, 3].map((site) => value(world, site, 'role:author'))).toEqual([
      true,
      undefined,
      undefined,
      true,
    ]);
    expect(value(world, 2, 'first_name')).toBe('Anna');
    const refused = logged(world, { status: 'refused' });
    expect(refused.map(({ target, reason, fields }) => [target, reason, fields])).toEqual([
      [2, 'role.unknown', ['role:author']],
    ]);
  });

  test('I4: a refused value is not sent again with the next edit; a newer one is', async () => {
    const world = await withAnna(2, [{ from: 0, to: 1 }], { 1: ['subscriber'] });
    edit(world, 0, { 'role:author': true });
    await world.rest();
    edit(world, 0, { first_name: 'Anna' });
    await world.rest();
    expect(logged(world, { reason: 'role.unknown' })).toHaveLength(1);
    for (const author of [false, true]) {
      edit(world, 0, { 'role:author': author });
      await world.rest();
    }
    expect(logged(world, { reason: 'role.unknown' })).toHaveLength(2);
  });
});

describe('a mesh of eight', () => {
  const mesh = Array.from({ length: 8 }, (_, from) =>
    Array.from({ length: 8 }, (_, to) => ({ from, to })).filter(({ to }) => to !== from),
  ).flat();

  test('I2: one edit is written exactly once on each other site, and nothing stays pending', async () => {
    const world = await withAnna(8, mesh);
    edit(world, 3, { first_name: 'Anna', 'meta:phone': ['1'] });
    await world.rest();
    expect(world.sites.map((site) => site.applied.length)).toEqual([1, 1, 1, 0, 1, 1, 1, 1]);
    expect(world.sites.map((site) => site.repeated)).toEqual(world.sites.map(() => 0));
    expect(world.isPending()).toBe(false);
    expect(world.sites.map((site) => site.value('anna', 'first_name'))).toEqual(
      world.sites.map(() => 'Anna'),
    );
  });
});

describe('edits at the same time', () => {
  test('I1: of different fields both survive on both sites', async () => {
    const world = await withAnna(2, both(0, 1));
    edit(world, 0, { first_name: 'Anna' });
    edit(world, 1, { 'meta:phone': ['2'] });
    await world.rest();
    for (const site of [0, 1]) {
      expect([value(world, site, 'first_name'), value(world, site, 'meta:phone')]).toEqual([
        'Anna',
        ['2'],
      ]);
    }
  });

  test('I1: both survive also when both wait for a third site that is down', async () => {
    const world = await withAnna(3, [...both(0, 1), { from: 0, to: 2 }, { from: 1, to: 2 }]);
    world.site(2).down = true;
    edit(world, 0, { first_name: 'Anna' });
    edit(world, 1, { 'meta:phone': ['2'] });
    for (const site of [0, 1]) await world.pull(site);
    await world.send(2);
    expect(value(world, 2, 'first_name')).toBe('');
    await world.rest();
    expect([value(world, 2, 'first_name'), value(world, 2, 'meta:phone')]).toEqual(['Anna', ['2']]);
  });

  test('I1: of one field the later wins on every site, and the loser is in the log', async () => {
    const world = await withAnna(3, [...both(0, 1), ...both(1, 2)]);
    edit(world, 0, { first_name: 'earlier' });
    edit(world, 1, { first_name: 'later' });
    await world.rest();
    expect([0, 1, 2].map((site) => value(world, site, 'first_name'))).toEqual(
      Array(3).fill('later'),
    );
    const lost = logged(world, { status: 'superseded', reason: 'conflict.superseded' });
    expect(lost.map((entry) => entry.fields)).toEqual([['first_name']]);
  });
});

describe('an edit that the hub has not heard of yet', () => {
  test('I1: wins on its own site over an older one that arrives, and the loser is in the log', async () => {
    const world = await withAnna(2, both(0, 1));
    edit(world, 0, { first_name: 'earlier' });
    edit(world, 1, { first_name: 'later' });
    await world.pull(0);
    await world.send(1);
    expect(value(world, 1, 'first_name')).toBe('later');
    expect(logged(world, { reason: 'conflict.superseded' })).toHaveLength(1);
    await world.rest();
    expect(value(world, 0, 'first_name')).toBe('later');
    expect(logged(world, { reason: 'conflict.superseded' })).toHaveLength(1);
  });
});

describe('an older account with the same e-mail', () => {
  async function strangers(): Promise<World> {
    const world = new World(2, both(0, 1));
    world.site(1).settle({ login: 'anna', email: 'ANNA@x.test' });
    await world.census(1);
    world.site(0).register({ ...ANNA, password: hash('old0') });
    await world.rest();
    return world;
  }

  test('I5: nothing crosses to it, and nothing comes from it', async () => {
    const world = await strangers();
    edit(world, 0, { first_name: 'From 0', password: hash('new0') });
    edit(world, 1, { last_name: 'From 1', password: hash('new1') });
    await world.rest();
    expect(world.sites.flatMap((site) => site.applied)).toEqual([]);
    expect(value(world, 1, 'password')).toBe(hash('new1'));
    expect(value(world, 0, 'password')).toBe(hash('new0'));
    expect(new Set([...reasons(world, 0), ...reasons(world, 1)])).toEqual(
      new Set(['link.unproven']),
    );
  });

  test('I5: it stays somebody else, remembered as a candidate', async () => {
    const world = await strangers();
    const { identities, links } = world.store.tables;
    expect([...identities.values()].map((identity) => identity.accounts.size)).toEqual([1, 1]);
    expect([...links.values()].map((link) => link.installation)).toContain(installationOf(1));
  });

  test('I5: neither where the hub does not know of it yet', async () => {
    const world = new World(2, both(0, 1));
    world.site(1).settle(ANNA);
    world.site(0).register(ANNA);
    await world.rest();
    edit(world, 0, { first_name: 'From 0' });
    await world.rest();
    expect(world.sites.flatMap((site) => site.applied)).toEqual([]);
    expect(world.site(1).accountsById.size).toBe(1);
    expect(value(world, 1, 'first_name')).toBe('');
  });

  test('I5: a privileged one is not even a candidate that waits for proof', async () => {
    const world = new World(2, both(0, 1));
    world.site(1).settle({ ...ANNA, role: 'administrator' });
    await world.census(1);
    world.site(0).register(ANNA);
    await world.rest();
    expect(reasons(world, 1)).toEqual(['link.privileged']);
    expect(world.site(1).applied).toEqual([]);
  });
});

describe('a login that another person has', () => {
  async function clash(): Promise<World> {
    const world = new World(2, both(0, 1));
    world.site(1).settle({ login: 'anna', email: 'another@x.test' });
    await world.census(1);
    world.site(0).register(ANNA);
    await world.rest();
    return world;
  }

  test('I5, I11: it is held, and both accounts stay as they were', async () => {
    const world = await clash();
    expect(reasons(world, 1)).toEqual(['identity.login_taken']);
    expect(value(world, 1, 'email')).toBe('another@x.test');
    expect(value(world, 0, 'email')).toBe(ANNA.email);
    expect(world.sites.flatMap((site) => site.applied)).toEqual([]);
  });

  test('I11: other people go on meanwhile, and it goes on when the login is free', async () => {
    const world = await clash();
    world.site(0).register({ login: 'bert', email: 'bert@x.test' });
    await world.rest();
    expect(world.site(1).byLogin('bert')).toBeDefined();
    world.site(1).remove(world.site(1).byLogin('anna')?.id ?? 0);
    await world.rest();
    expect(value(world, 1, 'email')).toBe(ANNA.email);
  });
});

describe('an e-mail address that another person has', () => {
  async function clash(): Promise<World> {
    const world = await withAnna(2, both(0, 1));
    world.site(1).settle({ login: 'zoe', email: 'taken@x.test' });
    await world.census(1);
    edit(world, 0, { email: 'taken@x.test', first_name: 'Anna' });
    await world.rest();
    return world;
  }

  test('I11: only the address is held; the other fields, and later ones, go on', async () => {
    const world = await clash();
    expect(value(world, 1, 'first_name')).toBe('Anna');
    edit(world, 0, { password: hash('later') });
    await world.rest();
    expect(value(world, 1, 'password')).toBe(hash('later'));
    expect(value(world, 1, 'email')).toBe(ANNA.email);
    expect(world.site(1).value('zoe', 'email')).toBe('taken@x.test');
    expect(logged(world, { status: 'held' }).map(({ reason, fields }) => [reason, fields])).toEqual(
      [['identity.email_taken', ['email']]],
    );
  });

  test('I11: what is merged in while the address is being refused goes on', async () => {
    const world = await withAnna(2, both(0, 1));
    world.site(1).settle({ login: 'zoe', email: 'taken@x.test' });
    edit(world, 0, { email: 'taken@x.test' });
    await world.pull(0);
    world.site(1).meanwhile = async () => {
      edit(world, 0, { first_name: 'Anna' });
      await world.pull(0);
    };
    await world.send(1);
    await world.rest();
    expect(value(world, 1, 'first_name')).toBe('Anna');
    expect(value(world, 1, 'email')).toBe(ANNA.email);
  });

  test('I11: it goes on when the address is free', async () => {
    const world = await clash();
    const zoe = world.site(1).byLogin('zoe');
    world.nowMs += 10;
    world.site(1).edit(zoe?.id ?? 0, { email: 'zoe@x.test' });
    await world.rest();
    expect(value(world, 1, 'email')).toBe('taken@x.test');
  });
});

describe('a clock that is ahead', () => {
  test('I8: what it stamped is not learned, and travels once it is stamped again', async () => {
    const world = await withAnna(2, both(0, 1));
    const site = world.site(0);
    site.offsetMs = 2 * FUTURE_TOLERANCE_MS;
    edit(world, 0, { first_name: 'from the future' });
    for (let round = 0; round < 3; round += 1) {
      await world.pull(0);
      await world.send(1);
    }
    expect(value(world, 1, 'first_name')).toBe('');
    expect(reasons(world, 0)).toContain('stamp.in_future');
    for (const identity of world.store.tables.identities.values()) {
      for (const account of identity.accounts.values()) {
        for (const [ms] of account.known.values()) expect(ms).toBeLessThanOrEqual(world.nowMs);
      }
    }
    site.offsetMs = 0;
    await world.rest();
    expect(value(world, 1, 'first_name')).toBe('from the future');
  });
});

describe('a delete', () => {
  const remove = (world: World, site: number) => {
    world.nowMs += 10;
    world.site(site).remove(world.site(site).byLogin('anna')?.id ?? 0);
  };

  test('I9: an older edit that comes later does not revive the account', async () => {
    const world = await withAnna(3, [...both(0, 1), ...both(1, 2)]);
    edit(world, 2, { first_name: 'late' });
    remove(world, 0);
    await world.pull(0);
    await world.pull(2);
    await world.rest();
    expect([0, 1, 2].map((site) => world.site(site).byLogin('anna'))).toEqual(
      Array(3).fill(undefined),
    );
  });

  test('I9: who registers again is somebody new', async () => {
    const world = await withAnna(2, both(0, 1));
    const before = world.site(0).byLogin('anna')?.uid;
    remove(world, 0);
    await world.rest();
    world.nowMs += 10;
    world.site(1).register(ANNA);
    await world.rest();
    const after = world.site(0).byLogin('anna')?.uid;
    expect(after).toBeTypeOf('string');
    expect(after).not.toBe(before);
  });

  test.each(['the hub', 'the target alone'])(
    'I9: an edit newer than it, known to %s, holds it',
    async (who) => {
      const world = await withAnna(2, both(0, 1));
      remove(world, 0);
      edit(world, 1, { first_name: 'newer' });
      if (who === 'the hub') await world.pull(1);
      await world.pull(0);
      world.nowMs += 2_000;
      await world.send(1);
      await world.rest();
      expect(value(world, 1, 'first_name')).toBe('newer');
      expect(world.site(0).byLogin('anna')).toBeUndefined();
      expect(logged(world, { status: 'held' }).map((entry) => entry.reason)).toEqual([
        'delete.newer_edit',
      ]);
    },
  );

  test('what a delete takes with it is not sent before: it settles first', async () => {
    const world = await withAnna(2, both(0, 1));
    remove(world, 0);
    await world.pull(0);
    await world.send(1);
    expect(world.site(1).byLogin('anna')).toBeDefined();
    world.nowMs += 2_000;
    await world.send(1);
    expect(world.site(1).byLogin('anna')).toBeUndefined();
  });
});

describe('an account that is not on the target', () => {
  const old = async (createMissing: boolean): Promise<World> => {
    const world = new World(2, both(0, 1));
    const sites = [...world.topology.sites].map(
      ([key, site]) => [key, { ...site, createMissing }] as const,
    );
    world.topology = { ...world.topology, sites: new Map(sites) };
    world.site(0).settle(ANNA);
    await world.census(0);
    edit(world, 0, { first_name: 'Anna' });
    await world.rest();
    return world;
  };

  test('an update of it is skipped', async () => {
    const world = await old(false);
    expect(world.site(1).byLogin('anna')).toBeUndefined();
    expect(reasons(world, 1)).toEqual(['target.account_missing']);
  });

  test('an update creates it whole where the target asks for that', async () => {
    const world = await old(true);
    expect([value(world, 1, 'first_name'), value(world, 1, 'nickname')]).toEqual(['Anna', 'anna']);
  });
});

describe('a site where automatic sync is off', () => {
  test('nothing leaves it, an operator carries over; on again, what was edited meanwhile stays until its next edit', async () => {
    const world = await withAnna(3, [...both(0, 1), { from: 0, to: 2 }]);
    world.rule(0, { automatic: false });
    edit(world, 0, { first_name: 'Anna' });
    world.site(0).register({ login: 'bo', email: 'bo@x.test' });
    await world.rest();
    expect([1, 2].map((site) => value(world, site, 'first_name'))).toEqual(['', '']);
    expect(world.site(1).byLogin('bo')).toBeUndefined();
    expect(new Set(reasons(world, 1))).toEqual(new Set(['source.automatic_off']));
    await world.carry(0, world.site(0).byLogin('anna')?.id ?? 0, 1);
    await world.rest();
    expect([1, 2].map((site) => value(world, site, 'first_name'))).toEqual(['Anna', '']);
    world.rule(0, { automatic: true });
    edit(world, 0, { last_name: 'Smith' });
    await world.rest();
    expect([1, 2].map((site) => value(world, site, 'last_name'))).toEqual(['Smith', 'Smith']);
    expect(value(world, 2, 'first_name')).toBe('');
    edit(world, 0, { first_name: 'Anne' });
    await world.rest();
    expect([1, 2].map((site) => value(world, site, 'first_name'))).toEqual(['Anne', 'Anne']);
  });

  test('what comes in is taken, and goes no further', async () => {
    const world = await withAnna(3, [
      { from: 0, to: 1 },
      { from: 1, to: 2 },
    ]);
    world.rule(1, { automatic: false });
    edit(world, 0, { first_name: 'Anna' });
    await world.rest();
    expect([1, 2].map((site) => value(world, site, 'first_name'))).toEqual(['Anna', '']);
    expect(reasons(world, 2)).toEqual(['source.automatic_off']);
  });
});

describe('a role map', () => {
  const NAMES = [
    ['subscriber', 'contributor', 'author'],
    ['reader', 'helper', 'writer', 'forum'],
    ['subscriber', 'contributor', 'author'],
  ];
  const THERE = { contributor: ['helper'], author: ['writer'] };
  const BACK = { helper: ['contributor'], writer: ['author'] };
  const roles = (world: World, site: number) =>
    (NAMES[site] ?? []).filter((role) => value(world, site, `role:${role}`) === true);

  /** A ring of three with a map there, a map back, and none. */
  async function ring(): Promise<World> {
    const all = { roles: [...new Set(NAMES.flat())] };
    const edges = [...both(0, 1), ...both(1, 2), ...both(0, 2)];
    const world = new World(
      3,
      edges.map((edge) => ({ ...edge, rules: all })),
      Object.fromEntries(NAMES.entries()),
    );
    world.rule(1, { roleMap: THERE });
    world.rule(0, { roleMap: { ...BACK, contributor: ['contributor'], author: ['author'] } });
    world.rule(2, { roleMap: { ...BACK, contributor: ['contributor'], author: ['author'] } });
    return world;
  }

  test('I2: there and back again every role is written once, and roles outside of it are never touched', async () => {
    const world = await ring();
    world.site(0).register({ ...ANNA, role: 'author' });
    await world.rest();
    expect([0, 1, 2].map((site) => roles(world, site))).toEqual([
      ['author'],
      ['writer'],
      ['author'],
    ]);
    edit(world, 1, { 'role:forum': true });
    await world.rest();
    for (const site of world.sites) site.applied.length = 0;
    edit(world, 0, { 'role:author': false, 'role:contributor': true });
    await world.rest();
    expect([0, 1, 2].map((site) => roles(world, site))).toEqual([
      ['contributor'],
      ['helper', 'forum'],
      ['contributor'],
    ]);
    expect(world.sites.map((site) => site.applied.length)).toEqual([0, 1, 1]);
    expect(world.sites.map((site) => site.repeated)).toEqual([0, 0, 0]);
  });

  test('I1: whoever gives and takes roles where, in whatever order, all sites agree in the end', async () => {
    const PAIRS = [
      ['author', 'writer'],
      ['contributor', 'helper'],
    ] as const;
    const deed = fc.record({
      site: fc.nat(2),
      pair: fc.nat(1),
      has: fc.boolean(),
      after: fc.constantFrom('nothing', 'pull', 'rest'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { maxLength: 12 }), async (deeds) => {
        const world = await ring();
        world.site(0).register(ANNA);
        await world.rest();
        for (const { site, pair, has, after } of deeds) {
          const role = PAIRS[pair]?.[site === 1 ? 1 : 0] ?? '';
          edit(world, site, { [`role:${role}`]: has });
          if (after === 'pull') await world.pull(site);
          if (after === 'rest') await world.rest();
        }
        await world.rest();
        for (const [here, there] of PAIRS) {
          const has = [here, there, here].map((role, at) => roles(world, at).includes(role));
          expect(new Set(has).size).toBe(1);
        }
        expect(world.sites.map((site) => site.repeated)).toEqual([0, 0, 0]);
      }),
      { numRuns: 60 },
    );
  });
});

describe('roles that sync', () => {
  const chosen = async (rules: Partial<SiteRules> = {}): Promise<World> => {
    const world = new World(3, [...both(0, 1), { from: 1, to: 2 }]);
    world.rule(0, { syncRoles: ['author'], ...rules });
    world.site(0).register(ANNA);
    await world.rest();
    return world;
  };

  test('who has none stays at home; who gets one is created whole, and who loses it is updated no more', async () => {
    const world = await chosen();
    expect(world.site(1).byLogin('anna')).toBeUndefined();
    edit(world, 0, { first_name: 'Anna' });
    await world.rest();
    expect(world.site(1).byLogin('anna')).toBeUndefined();
    expect(reasons(world, 1)).toEqual(['source.role_not_selected', 'source.role_not_selected']);
    edit(world, 0, { 'role:author': true });
    await world.rest();
    for (const site of [1, 2]) {
      expect([value(world, site, 'first_name'), value(world, site, 'role:author')]).toEqual([
        'Anna',
        true,
      ]);
    }
    edit(world, 0, { 'role:author': false });
    edit(world, 0, { first_name: 'Anne' });
    await world.rest();
    expect([value(world, 1, 'first_name'), value(world, 1, 'role:author')]).toEqual(['Anna', true]);
    edit(world, 0, { 'role:author': true });
    await world.rest();
    expect([1, 2].map((site) => value(world, site, 'first_name'))).toEqual(['Anne', 'Anne']);
  });

  test('I9: such a delete is held, and told as one, when the target was edited after it', async () => {
    const world = await chosen({ onRoleLost: 'delete' });
    edit(world, 0, { 'role:author': true });
    await world.rest();
    edit(world, 0, { 'role:author': false });
    edit(world, 1, { first_name: 'later' });
    await world.pull(1);
    await world.rest();
    expect(world.site(1).byLogin('anna')).toBeDefined();
    const held = logged(world, { status: 'held', target: siteKey(2) });
    expect(held.map(({ reason, action }) => [reason, action])).toEqual([
      ['delete.newer_edit', 'delete'],
    ]);
  });

  test('so it is where the role comes and goes by another site, too', async () => {
    const world = new World(3, [
      { from: 0, to: 1 },
      { from: 1, to: 2 },
    ]);
    world.rule(1, { syncRoles: ['author'], onRoleLost: 'delete' });
    world.site(0).register(ANNA);
    await world.rest();
    expect(world.site(2).byLogin('anna')).toBeUndefined();
    edit(world, 0, { 'role:author': true, first_name: 'Anna' });
    await world.rest();
    const whole = ['first_name', 'nickname', 'role:author'].map((field) => value(world, 2, field));
    expect(whole).toEqual(['Anna', 'anna', true]);
    edit(world, 0, { 'role:author': false });
    await world.rest();
    expect(world.site(2).byLogin('anna')).toBeUndefined();
    expect(world.site(1).byLogin('anna')).toBeDefined();
  });

  test('a site that was restored to before somebody had the role deletes nobody', async () => {
    const world = await withAnna(2, [{ from: 0, to: 1 }]);
    edit(world, 0, { 'role:author': true });
    edit(world, 0, { 'role:author': false });
    const putBack = world.site(0).backUp();
    edit(world, 0, { 'role:author': true });
    await world.rest();
    world.rule(0, { syncRoles: ['author'], onRoleLost: 'delete' });
    putBack();
    await world.restored(0);
    await world.rest();
    expect(world.site(1).byLogin('anna')).toBeDefined();
  });

  test('a site that was restored to when somebody still had the role creates nobody', async () => {
    const world = await withAnna(3, [{ from: 0, to: 1 }]);
    edit(world, 0, { 'role:author': true });
    await world.rest();
    const putBack = world.site(0).backUp();
    edit(world, 0, { 'role:author': false });
    await world.rest();
    world.topology = new World(3, [
      { from: 0, to: 1 },
      { from: 0, to: 2 },
    ]).topology;
    world.rule(0, { syncRoles: ['author'] });
    putBack();
    await world.restored(0);
    await world.rest();
    expect(world.site(2).byLogin('anna')).toBeUndefined();
  });

  test('who has none takes nobody along who is elsewhere', async () => {
    const world = await withAnna(2, [{ from: 0, to: 1 }]);
    world.rule(0, { syncRoles: ['author'] });
    world.site(0).remove(world.site(0).byLogin('anna')?.id ?? 0);
    await world.rest();
    expect(world.site(1).byLogin('anna')).toBeDefined();
    expect(reasons(world, 1)).toEqual(['source.role_not_selected']);
  });

  test('losing the last one is a delete where the site says so', async () => {
    const world = await chosen({ onRoleLost: 'delete' });
    edit(world, 0, { 'role:author': true });
    await world.rest();
    expect(world.site(2).byLogin('anna')).toBeDefined();
    edit(world, 0, { 'role:author': false });
    await world.rest();
    expect([1, 2].map((site) => world.site(site).byLogin('anna'))).toEqual([undefined, undefined]);
    expect(world.site(0).byLogin('anna')).toBeDefined();
  });
});

describe('a label that disagrees', () => {
  test('I6: raises an alarm, attaches nothing, and nothing travels from or to the account', async () => {
    const world = await withAnna(2, both(0, 1));
    const theirs = world.site(1).byLogin('anna');
    if (theirs !== undefined) theirs.uid = '99999999-9999-4999-8999-999999999999';
    edit(world, 1, { first_name: 'not me' });
    await world.rest();
    expect(value(world, 0, 'first_name')).toBe('');
    expect(reasons(world, 1)).toEqual(['identity.label_mismatch']);
    edit(world, 0, { first_name: 'me' });
    await world.rest();
    expect(value(world, 1, 'first_name')).toBe('not me');
    expect(world.store.tables.identities.size).toBe(1);
  });

  test('I6: a label that is put while the site answers is not missed', async () => {
    const world = new World(2, both(0, 1));
    const id = world.site(0).register(ANNA);
    const unlabelled = world.site(0).readAsRow(id);
    await world.rest();
    world.site(0).tellFirst = [unlabelled];
    edit(world, 0, { first_name: 'Anna' });
    await world.rest();
    expect(value(world, 1, 'first_name')).toBe('Anna');
    expect(reasons(world, 0)).not.toContain('identity.label_mismatch');
  });

  test('I6: a known account that comes without its label is an alarm, too', async () => {
    const world = await withAnna(2, both(0, 1));
    const theirs = world.site(1).byLogin('anna');
    if (theirs !== undefined) theirs.uid = null;
    edit(world, 1, { first_name: 'not me' });
    await world.rest();
    expect(value(world, 0, 'first_name')).toBe('');
    expect(reasons(world, 1)).toEqual(['identity.label_mismatch']);
  });
});

describe('a flood of new accounts', () => {
  const flood = (world: World, from: number, count: number) => {
    for (let n = from; n < from + count; n += 1) {
      world.site(0).register({ login: `robot${n}`, email: `robot${n}@x.test` });
    }
  };
  const there = (world: World, site: number) => world.site(site).accountsById.size;

  test('I11: is held beyond the limit, on every target, and who passes through is not counted again', async () => {
    const edges = [
      { from: 0, to: 1 },
      { from: 1, to: 2 },
    ];
    const world = new World(3, edges);
    flood(world, 0, CREATION_LIMIT.count + 5);
    await world.rest();
    expect([there(world, 1), there(world, 2)]).toEqual([
      CREATION_LIMIT.count,
      CREATION_LIMIT.count,
    ]);
    expect(logged(world, { reason: 'source.creation_limit', status: 'held' })).toHaveLength(5);
    world.nowMs += CREATION_LIMIT.withinMs;
    flood(world, 1_000, 3);
    await world.rest();
    expect(there(world, 2)).toBe(CREATION_LIMIT.count + 3);
  });

  test('I11: what is held stays held when it is edited, and other people’s edits go on', async () => {
    const world = await withAnna(2, [{ from: 0, to: 1 }]);
    flood(world, 0, CREATION_LIMIT.count + 1);
    await world.rest();
    const last = `robot${CREATION_LIMIT.count}`;
    world.site(0).edit(world.site(0).byLogin(last)?.id ?? 0, { first_name: 'Robot' });
    edit(world, 0, { first_name: 'Anna' });
    await world.rest();
    expect(world.site(1).byLogin(last)).toBeUndefined();
    expect(value(world, 1, 'first_name')).toBe('Anna');
  });
});

describe('several rows of one account in one page', () => {
  test('I7: are learned one after the other, and nothing of them is lost', async () => {
    const world = await withAnna(2, [{ from: 0, to: 1 }]);
    const { id = 0 } = world.site(0).byLogin('anna') ?? {};
    edit(world, 0, { first_name: 'Anna' });
    const earlier = world.site(0).readAsRow(id);
    edit(world, 0, { last_name: 'Later' });
    world.site(0).tellFirst = [earlier];
    await world.rest();
    expect([value(world, 1, 'first_name'), value(world, 1, 'last_name')]).toEqual([
      'Anna',
      'Later',
    ]);
  });
});

describe('an account that was kept on its own site', () => {
  test('I3: what changed while it was privileged is spread once it may leave again', async () => {
    const world = await withAnna(2, [{ from: 0, to: 1 }]);
    edit(world, 0, { 'role:editor': true, first_name: 'Anna' });
    await world.rest();
    expect(value(world, 1, 'first_name')).toBe('');
    expect(new Set(reasons(world, 1))).toEqual(new Set(['account.privileged']));
    edit(world, 0, { 'role:editor': false });
    await world.rest();
    expect(value(world, 1, 'first_name')).toBe('Anna');
    expect(world.site(1).applied.map(({ fields }) => fields)).toEqual([['first_name']]);
  });

  test('I3: what changed while its outgoing sync was stopped is spread once it may leave again', async () => {
    const world = await withAnna(2, [{ from: 0, to: 1 }]);
    const id = world.site(0).byLogin('anna')?.id ?? 0;
    world.site(0).stopOutgoing(id, true);
    edit(world, 0, { first_name: 'Anna' });
    await world.rest();
    expect(value(world, 1, 'first_name')).toBe('');
    expect(new Set(reasons(world, 1))).toEqual(new Set(['account.outgoing_stopped']));
    world.site(0).stopOutgoing(id, false);
    await world.rest();
    expect(value(world, 1, 'first_name')).toBe('Anna');
    expect(world.site(1).applied.map(({ fields }) => fields)).toEqual([['first_name']]);
  });

  test('I4: what somebody did whose deeds stay at home goes nowhere, and holds up nobody else’s edit', async () => {
    const world = await withAnna(2, [{ from: 0, to: 1 }]);
    const [shop] = world.sites;
    const anna = shop?.byLogin('anna')?.id ?? 0;
    const boss = shop?.settle({ login: 'boss', email: 'boss@x.test', role: 'administrator' }) ?? 0;
    shop?.keepDeeds(boss);
    const deed = (changes: Record<string, string>, by?: number) => {
      world.nowMs += 10;
      shop?.edit(anna, changes, by);
    };
    deed({ first_name: 'By the boss' }, boss);
    await world.rest();
    expect(value(world, 1, 'first_name')).toBe('');
    expect(reasons(world, 1)).toContain('account.maker_stopped');
    deed({ last_name: 'By another' });
    await world.rest();
    expect([value(world, 1, 'first_name'), value(world, 1, 'last_name')]).toEqual([
      '',
      'By another',
    ]);
    // Both wait in one row: what another did must not be lost, so all of it goes.
    deed({ first_name: 'By another' });
    deed({ nickname: 'By the boss' }, boss);
    await world.rest();
    expect([value(world, 1, 'first_name'), value(world, 1, 'nickname')]).toEqual([
      'By another',
      'By the boss',
    ]);
    // Whoever lets an account go does not keep what others changed meanwhile.
    shop?.stopOutgoing(anna, true);
    deed({ url: 'https://kept.test' });
    await world.rest();
    expect(value(world, 1, 'url')).toBe('');
    shop?.stopOutgoing(anna, false, boss);
    await world.rest();
    expect(value(world, 1, 'url')).toBe('https://kept.test');
  });
});

describe('a crash', () => {
  test('I7: between an apply and its receipt repeats the apply, and it changes nothing twice', async () => {
    const world = await withAnna(3, [
      { from: 0, to: 1 },
      { from: 1, to: 2 },
    ]);
    edit(world, 0, { first_name: 'Anna' });
    await world.pull(0);
    world.site(1).loseReceipts = 1;
    await world.send(1);
    expect(value(world, 1, 'first_name')).toBe('Anna');
    await world.rest();
    expect(value(world, 2, 'first_name')).toBe('Anna');
    expect(world.sites.map((site) => site.applied.length)).toEqual([0, 1, 1]);
  });

  test('I7: between an apply and its receipt is made good by what the site itself tells, and the log has it', async () => {
    const world = await withAnna(2, both(0, 1));
    world.site(0).register({ login: 'bert', email: 'bert@x.test' });
    edit(world, 0, { first_name: 'Anna' });
    await world.pull(0);
    world.site(1).loseReceipts = 1;
    await world.send(1);
    // Before it is asked again, somebody edits both there, and all that they hold is told.
    edit(world, 1, { last_name: 'There' });
    world.site(1).edit(world.site(1).byLogin('bert')?.id ?? 0, { last_name: 'There' });
    await world.pull(1);
    await world.rest();
    expect(world.site(1).applied).toHaveLength(2);
    const there = logged(world, { status: 'delivered' }).filter((entry) => entry.target === 1 + 1);
    const told = there.map(({ login, action, fields }) => [
      login,
      action,
      fields.includes('first_name'),
    ]);
    expect(told).toHaveLength(2);
    expect(told).toContainEqual(['anna', 'update', true]);
    expect(told).toContainEqual(['bert', 'create', expect.any(Boolean)]);
  });

  test('I7: between a create and its receipt, and a census before it is asked again, make nobody a stranger', async () => {
    const world = new World(2, both(0, 1));
    world.site(0).register(ANNA);
    await world.pull(0);
    world.site(1).loseReceipts = 1;
    await world.send(1);
    await world.census(1);
    await world.rest();
    edit(world, 1, { first_name: 'There' });
    await world.rest();
    expect(value(world, 0, 'first_name')).toBe('There');
    expect(reasons(world, 1)).not.toContain('identity.label_mismatch');
  });

  test('I6, I7: between a create and its receipt, and a site that is read anew meanwhile, make nobody a stranger', async () => {
    const world = new World(2, both(0, 1));
    world.site(0).register(ANNA);
    await world.pull(0);
    world.site(1).loseReceipts = 1;
    await world.send(1);
    expect(await world.restored(1)).toMatchObject({ accounts: 1, reappeared: 0, mismatched: 0 });
    await world.rest();
    edit(world, 1, { first_name: 'There' });
    await world.rest();
    expect(value(world, 0, 'first_name')).toBe('There');
    expect(world.site(1).byLogin('anna')?.uid).toBe(world.site(0).byLogin('anna')?.uid);
    expect(reasons(world, 1)).not.toContain('identity.label_mismatch');
  });

  test('I7: before a page of changes was stored leaves nothing, and the page comes again', async () => {
    const world = await withAnna(2, [{ from: 0, to: 1 }]);
    edit(world, 0, { first_name: 'Anna' });
    world.store.crashes = 1;
    await world.pull(0);
    expect(world.isPending()).toBe(false);
    await world.rest();
    expect(value(world, 1, 'first_name')).toBe('Anna');
    expect(world.site(1).applied).toHaveLength(1);
  });
});

describe('a site that was restored', () => {
  test('I3: creates nobody where a route came later than the person, and who registers then goes along', async () => {
    const world = await withAnna(3, [{ from: 0, to: 1 }]);
    world.topology = new World(3, [
      { from: 0, to: 1 },
      { from: 0, to: 2 },
    ]).topology;
    await world.restored(0);
    world.site(0).register({ login: 'bert', email: 'bert@x.test' });
    await world.rest();
    expect(world.site(2).byLogin('anna')).toBeUndefined();
    expect(world.site(2).byLogin('bert')).toBeDefined();
  });
});

describe('an account that is read again', () => {
  test('I3: is created nowhere where the route came later than the person', async () => {
    const world = await withAnna(3, both(0, 1));
    world.topology = new World(3, [...both(0, 1), { from: 0, to: 2 }]).topology;
    // What Blog lost comes back from Shop, whose account is read for that.
    const putBack = world.site(1).backUp();
    edit(world, 0, { first_name: 'Anna' });
    await world.rest();
    putBack();
    expect(await world.restored(1)).toMatchObject({ wentBack: 1 });
    await world.rest();
    expect(value(world, 1, 'first_name')).toBe('Anna');
    expect(world.site(2).byLogin('anna')).toBeUndefined();
  });

  test('I3: is created where somebody was taken for it until now', async () => {
    const world = new World(2, [{ from: 0, to: 1 }]);
    const older = world.site(1).settle({ login: 'older', email: ANNA.email });
    await world.census(1);
    world.site(0).register(ANNA);
    await world.rest();
    expect(world.site(1).byLogin('anna')).toBeUndefined();
    world.site(1).edit(older, { email: 'older@x.test' });
    await world.rest();
    expect(world.site(1).byLogin('anna')?.uid).toBe(world.site(0).byLogin('anna')?.uid);
  });
});

describe('a target that was away for longer than values are kept', () => {
  test('I3: gets them as they are by then, read afresh from their source', async () => {
    const world = await withAnna(3, [...both(0, 1), { from: 1, to: 2 }]);
    world.site(2).down = true;
    edit(world, 0, { first_name: 'Old' });
    for (let round = 0; round < 3; round += 1)
      for (const site of [0, 1]) await world.pull(site).then(() => world.send(site));
    edit(world, 1, { last_name: 'Later' });
    await world.pull(1);
    world.expire();
    edit(world, 0, { first_name: 'New' });
    await world.rest();
    expect(value(world, 2, 'first_name')).toBe('New');
    expect(value(world, 2, 'last_name')).toBe('Later');
    expect(reasons(world, 2)).toContain('delivery.expired');
  });

  test('I3: gets an account that it never had', async () => {
    const world = new World(2, [{ from: 0, to: 1 }]);
    world.site(1).down = true;
    world.site(0).register(ANNA);
    await world.pull(0);
    await world.send(1);
    world.expire();
    await world.rest();
    expect(value(world, 1, 'email')).toBe(ANNA.email);
  });
});

describe('who registers again before the delete of the account before has arrived', () => {
  test('I9, I11: is created there once the old account has ended', async () => {
    const world = await withAnna(2, both(0, 1));
    const first = world.site(0).byLogin('anna');
    world.nowMs += 10;
    world.site(0).remove(first?.id ?? 0);
    world.nowMs += 10;
    world.site(0).register(ANNA);
    await world.pull(0);
    await world.send(1);
    expect(world.site(1).byLogin('anna')?.uid).toBe(first?.uid);
    await world.rest();
    const again = world.site(0).byLogin('anna')?.uid;
    expect(again).not.toBe(first?.uid);
    expect(world.site(1).byLogin('anna')?.uid).toBe(again);
  });
});

describe('what came to nothing at home', () => {
  test('I13: an edit that was overwritten before the hub heard of it is in the log', async () => {
    const world = await withAnna(2, both(0, 1));
    edit(world, 1, { first_name: 'Mine', last_name: 'Kept' });
    edit(world, 0, { first_name: 'Theirs' });
    // The first site is heard first: its edit is applied before the other's is told of.
    await world.pull(0);
    await world.send(1);
    expect(logged(world, { status: 'superseded' })).toEqual([]);
    await world.rest();
    expect(value(world, 1, 'first_name')).toBe('Theirs');
    expect(
      logged(world, { status: 'superseded' }).map(({ target, fields, reason }) => [
        target,
        fields,
        reason,
      ]),
    ).toEqual([[2, ['first_name'], 'conflict.superseded']]);
    expect(value(world, 0, 'last_name')).toBe('Kept');
  });

  test('I13: it is there once, also when answers are lost on the way', async () => {
    const world = await withAnna(2, both(0, 1));
    edit(world, 1, { first_name: 'Mine' });
    edit(world, 0, { first_name: 'Theirs' });
    world.site(1).loseReceipts = 1;
    await world.pull(0);
    await world.send(1);
    world.site(1).loseChanges = 1;
    await world.pull(1);
    await world.rest();
    expect(logged(world, { status: 'superseded' }).map(({ fields }) => fields)).toEqual([
      ['first_name'],
    ]);
  });

  test('I13: what the hub had heard of before is no lost edit', async () => {
    const world = await withAnna(2, both(0, 1));
    edit(world, 1, { first_name: 'First' });
    await world.rest();
    edit(world, 1, { last_name: 'Waits' });
    edit(world, 0, { first_name: 'Second' });
    await world.pull(0);
    await world.send(1);
    await world.rest();
    expect(value(world, 1, 'first_name')).toBe('Second');
    expect(logged(world, { status: 'superseded' })).toEqual([]);
  });

  test('I13: somebody who came and went between two pulls is in the log, and nowhere else', async () => {
    const world = new World(2, both(0, 1));
    await world.rest();
    world.store.tables.log.length = 0;
    world.site(0).remove(world.site(0).register(ANNA));
    await world.rest();
    expect(
      logged(world, {}).map(({ login, target, status, reason }) => [login, target, status, reason]),
    ).toEqual([['anna', 1, 'skipped', 'account.ended_unheard']]);
    expect(world.site(1).byLogin('anna')).toBeUndefined();
  });

  test('I13: and also when the site was asked once more before it told of the end', async () => {
    const world = new World(2, both(0, 1));
    await world.rest();
    world.site(0).register(ANNA);
    await world.pull(0);
    world.site(1).loseReceipts = 1;
    await world.send(1);
    world.site(1).remove(world.site(1).byLogin('anna')?.id ?? 0);
    world.nowMs += 700_000;
    await world.send(1);
    expect(reasons(world, 1).at(-1)).toBe('identity.deleted');
    await world.rest();
    expect(world.sites.map((site) => site.byLogin('anna'))).toEqual([undefined, undefined]);
  });

  test('I13: who was created by the hub and deleted there before it was answered is deleted elsewhere, too', async () => {
    const world = new World(2, both(0, 1));
    await world.rest();
    world.site(0).register(ANNA);
    await world.pull(0);
    world.site(1).loseReceipts = 1;
    await world.send(1);
    world.site(1).remove(world.site(1).byLogin('anna')?.id ?? 0);
    await world.rest();
    expect(world.sites.map((site) => site.byLogin('anna'))).toEqual([undefined, undefined]);
    expect(logged(world, { action: 'delete', status: 'delivered' })).toHaveLength(1);
  });
});
