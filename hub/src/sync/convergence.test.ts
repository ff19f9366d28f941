/**
 * Random graphs and histories through the real capture, decide and deliver code.
 * Numbers are the invariants of SPEC.md.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { knownKey } from '../model/field.ts';
import { siteKey } from '../model/ids.ts';
import { type Edge, installationOf, World } from './test/world.ts';

/** More, for a longer hunt: ROLLCALL_HISTORIES=50000 npx vitest run convergence */
const HISTORIES = Number(process.env['ROLLCALL_HISTORIES'] ?? 1_000);
const LIMIT_MS = 240 * Math.max(1_000, HISTORIES);
const FIELDS = ['first_name', 'meta:phone', 'role:author'] as const;

type Step =
  | { do: 'register'; site: number; person: number }
  | { do: 'edit'; site: number; person: number; field: (typeof FIELDS)[number]; value: number }
  | {
      do: 'pull' | 'send' | 'down' | 'up' | 'loseReceipt' | 'loseChanges' | 'crash' | 'busy';
      site: number;
    }
  /** A send during which somebody edits elsewhere, and that edit is pulled. */
  | {
      do: 'sendMeanwhile';
      site: number;
      other: number;
      person: number;
      field: (typeof FIELDS)[number];
      value: number;
    }
  /** Somebody edits at the so-manieth call from then on, in the middle of whatever goes on. */
  | {
      do: 'editMeanwhile';
      site: number;
      person: number;
      field: (typeof FIELDS)[number];
      value: number;
      after: number;
    }
  /** The process ends at the so-manieth call from then on, and starts again. */
  | { do: 'kill'; after: number }
  | { do: 'wait'; ms: number };

const siteArb = (count: number) => fc.nat({ max: count - 1 });
const stepArb = (count: number): fc.Arbitrary<Step> =>
  fc.oneof(
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('register' as const),
        site: siteArb(count),
        person: fc.nat({ max: 1 }),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('edit' as const),
        site: siteArb(count),
        person: fc.nat({ max: 1 }),
        field: fc.constantFrom(...FIELDS),
        value: fc.nat({ max: 99 }),
      }),
    },
    {
      weight: 9,
      arbitrary: fc.record({
        do: fc.constantFrom('pull' as const, 'send' as const),
        site: siteArb(count),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('sendMeanwhile' as const),
        site: siteArb(count),
        other: siteArb(count),
        person: fc.nat({ max: 1 }),
        field: fc.constantFrom(...FIELDS),
        value: fc.nat({ max: 99 }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('editMeanwhile' as const),
        site: siteArb(count),
        person: fc.nat({ max: 1 }),
        field: fc.constantFrom(...FIELDS),
        value: fc.nat({ max: 99 }),
        after: fc.nat({ max: 20 }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constantFrom(
          'down' as const,
          'up' as const,
          'loseReceipt' as const,
          'loseChanges' as const,
          'crash' as const,
          'busy' as const,
        ),
        site: siteArb(count),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('kill' as const), after: fc.nat({ max: 20 }) }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat({ max: 5_000 }) }),
    },
  );

const graphArb = fc.integer({ min: 2, max: 5 }).chain((count) =>
  fc.record({
    count: fc.constant(count),
    edges: fc.uniqueArray(
      fc.record({ from: siteArb(count), to: siteArb(count) }).filter(({ from, to }) => from !== to),
      { minLength: 1, maxLength: count * (count - 1), selector: ({ from, to }) => `${from}>${to}` },
    ),
    steps: fc.array(stepArb(count), { minLength: 5, maxLength: 40 }),
  }),
);

const login = (person: number) => `person${person}`;

async function play(world: World, step: Step): Promise<void> {
  if (step.do === 'wait') {
    world.nowMs += step.ms;
    return;
  }
  if (step.do === 'kill') {
    world.killAfter = step.after;
    return;
  }
  // Two edits never carry the very same moment and site.
  world.nowMs += 1;
  const site = world.site(step.site);
  const account = 'person' in step ? site.byLogin(login(step.person)) : undefined;
  switch (step.do) {
    case 'register':
      if (world.sites.every((other) => other.byLogin(login(step.person)) === undefined)) {
        site.register({ login: login(step.person), email: `${login(step.person)}@x.test` });
      }
      return;
    case 'edit':
      if (account !== undefined)
        site.edit(account.id, { [step.field]: valueOf(step.field, step.value) });
      return;
    case 'editMeanwhile': {
      const { after, field, value, person } = step;
      const act = () => {
        const there = site.byLogin(login(person));
        if (there !== undefined) site.edit(there.id, { [field]: valueOf(field, value) });
      };
      world.meanwhile = { after, act };
      return;
    }
    case 'pull':
      await world.pull(step.site);
      return;
    case 'send':
      await world.send(step.site);
      return;
    case 'sendMeanwhile': {
      const { other, field, value } = step;
      site.meanwhile = async () => {
        world.nowMs += 1;
        const there = world.site(other).byLogin(login(step.person));
        if (there !== undefined)
          world.site(other).edit(there.id, { [field]: valueOf(field, value) });
        await world.pull(other);
      };
      await world.send(step.site);
      site.meanwhile = null;
      return;
    }
    case 'down':
    case 'up':
      site.down = step.do === 'down';
      return;
    case 'loseReceipt':
      site.loseReceipts += 1;
      return;
    case 'loseChanges':
      site.loseChanges += 1;
      return;
    case 'crash':
      world.store.crashes += 1;
      return;
    case 'busy':
      for (const id of site.accountsById.keys()) site.busy.add(id);
  }
}

function valueOf(field: (typeof FIELDS)[number], value: number) {
  if (field === 'role:author') return value % 2 === 0;
  return field === 'meta:phone' ? [String(value)] : String(value);
}

/** Sites that can each reach the other: there, everybody must agree. */
function reach(count: number, edges: readonly Edge[], from: number): Set<number> {
  const seen = new Set([from]);
  for (const site of seen) {
    for (const edge of edges) if (edge.from === site && edge.to < count) seen.add(edge.to);
  }
  return seen;
}

function stateOf(world: World, index: number, person: number) {
  const account = world.site(index).byLogin(login(person));
  if (account === undefined) return undefined;
  return Object.fromEntries(
    [...account.fields]
      .filter(([field]) => (FIELDS as readonly string[]).includes(field))
      .filter(([, entry]) => entry.stamp[0] > 0)
      .map(([field, entry]) => [field, { value: entry.value, stamp: entry.stamp }]),
  );
}

/** One person is everywhere that site 0 reaches; the second may register during the history. */
async function worldWithPeople(count: number, edges: readonly Edge[]): Promise<World> {
  const world = new World(count, edges);
  world.site(0).register({ login: login(0), email: `${login(0)}@x.test` });
  await world.rest();
  return world;
}

describe('random graphs and histories', () => {
  test(
    'I1, I3, I7: sites that reach each other converge, nothing is lost, deliveries end',
    async () => {
      await fc.assert(
        fc.asyncProperty(graphArb, async ({ count, edges, steps }) => {
          const world = await worldWithPeople(count, edges);
          for (const step of steps) await play(world, step);
          await world.rest();
          expectConvergence(world, edges);
          expectTruth(world);
        }),
        { numRuns: HISTORIES },
      );
    },
    LIMIT_MS,
  );

  test(
    'I2: without lost answers, no field is ever sent to a site that holds it',
    async () => {
      const faults = new Set(['loseReceipt', 'loseChanges', 'crash', 'kill']);
      await fc.assert(
        fc.asyncProperty(graphArb, async ({ count, edges, steps }) => {
          const world = await worldWithPeople(count, edges);
          for (const step of steps) if (!faults.has(step.do)) await play(world, step);
          await world.rest();
          expect(world.sites.map((site) => site.repeated)).toEqual(world.sites.map(() => 0));
        }),
        { numRuns: HISTORIES },
      );
    },
    LIMIT_MS,
  );

  test(
    'I1, I2, I3: a site that is restored and read anew gets its own values back, and nothing twice',
    async () => {
      const lost = new Set(['loseReceipt', 'loseChanges', 'crash', 'kill', 'register']);
      await fc.assert(
        fc.asyncProperty(graphArb, fc.nat(), fc.nat(), async ({ count, edges, steps }, at, who) => {
          const world = await worldWithPeople(count, edges);
          const history = steps.filter((step) => !lost.has(step.do));
          const backup = at % (history.length + 1);
          const putBackAt = backup + Math.ceil((history.length - backup) / 2);
          for (const step of history.slice(0, backup)) await play(world, step);
          const putBack = world.site(who % count).backUp();
          for (const step of history.slice(backup, putBackAt)) await play(world, step);
          putBack();
          await world.restored(who % count);
          for (const step of history.slice(putBackAt)) await play(world, step);
          await world.rest();
          expectConvergence(world, edges);
          expectTruth(world);
          expect(world.sites.map((site) => site.repeated)).toEqual(world.sites.map(() => 0));
        }),
        { numRuns: HISTORIES },
      );
    },
    LIMIT_MS,
  );
});

describe('random histories with ends', () => {
  test(
    'I13: the log accounts for every registration, edit and end that a route carries',
    async () => {
      await fc.assert(
        fc.asyncProperty(graphArb, fc.array(endArb, { maxLength: 3 }), async (graph, ends) => {
          const { count, edges, steps } = graph;
          const world = await worldWithPeople(count, edges);
          const acts: Act[] = [];
          for (const [index, step] of steps.entries()) {
            acts.push(...(await playAndNote(world, step)));
            for (const { at, after, site, person } of ends) {
              if (at !== index) continue;
              const act = () => acts.push(...end(world, site % count, person));
              if (after === null) act();
              else world.meanwhile = { after, act };
            }
          }
          await world.rest();
          const untold = acts.flatMap((act) => untoldTargets(world, edges, acts, act));
          expect(untold).toEqual([]);
          expect(outlived(world, edges)).toEqual([]);
        }),
        { numRuns: HISTORIES },
      );
    },
    LIMIT_MS,
  );
});

/** When somebody is deleted: after a step, or in the middle of what comes after it. */
const endArb = fc.record({
  at: fc.nat({ max: 39 }),
  after: fc.option(fc.nat({ max: 20 })),
  site: fc.nat({ max: 4 }),
  person: fc.nat({ max: 1 }),
});

/** Who ended on one site, and is on the next although nothing waits there for an operator. */
function outlived(world: World, edges: readonly Edge[]): string[] {
  return [...world.store.tables.identities.values()].flatMap((identity) =>
    edges.flatMap(({ from, to }) => {
      const [here, there] = [from, to].map((site) => identity.accounts.get(installationOf(site)));
      if (here?.gone == null || there === undefined || there.gone !== null) return [];
      if (identity.deliveries.get(siteKey(to + 1))?.held != null) return [];
      return [`${here.login} ended on ${from} and is on ${to}`];
    }),
  );
}

interface Act {
  readonly site: number;
  readonly login: string;
  readonly kind: 'register' | 'edit' | 'end';
  /** Edited field; null: the account began or ended. */
  readonly field: string | null;
  /** Rows of the log before it. */
  readonly after: number;
}

/** Plays a step and says what people did in it, if anything came of it. */
async function playAndNote(world: World, step: Step): Promise<Act[]> {
  const before = world.sites.map(stampsOn);
  const after = world.store.tables.log.length;
  await play(world, step);
  if (step.do !== 'edit' && step.do !== 'register') return [];
  const [old, now] = [before[step.site], stampsOn(world.site(step.site))];
  const field = step.do === 'edit' ? step.field : null;
  const key = `${login(step.person)} ${field}`;
  if (old?.get(key) === now.get(key)) return [];
  return [{ site: step.site, kind: step.do, login: login(step.person), field, after }];
}

const stampsOn = (site: World['sites'][number]): Map<string, string> =>
  new Map(
    [...site.accountsById.values()].flatMap((account) => [
      [`${account.login} null`, 'there'] as const,
      ...[...account.fields].map(
        ([field, { stamp }]) => [`${account.login} ${field}`, stamp.join()] as const,
      ),
    ]),
  );

function end(world: World, site: number, person: number): Act[] {
  world.nowMs += 1;
  const account = world.site(site).byLogin(login(person));
  if (account === undefined) return [];
  const after = world.store.tables.log.length;
  world.site(site).remove(account.id);
  return [{ site, kind: 'end', login: login(person), field: null, after }];
}

/** Targets of which the log doesn't say what became of an act there. */
function untoldTargets(
  world: World,
  edges: readonly Edge[],
  acts: readonly Act[],
  act: Act,
): string[] {
  const rows = world.store.tables.log.slice(act.after).filter((row) => row.login === act.login);
  const isTold = (target: number) =>
    rows.some((row) => {
      if (row.action === 'delete' && [act.site + 1, target + 1].includes(row.target)) return true;
      const touches =
        act.field === null || row.action === 'create' || row.fields.includes(act.field);
      if (row.target === act.site + 1) return row.status === 'superseded' && touches;
      return row.target === target + 1 && touches;
    });
  // What waits for an operator is in the list of what is held.
  const waits = (target: number) =>
    [...world.store.tables.identities.values()].some(({ deliveries }) => {
      const delivery = deliveries.get(siteKey(target + 1));
      return delivery?.held != null && act.field !== null && delivery.fields.has(act.field);
    });
  // Ended there by itself, or by an earlier end elsewhere: nothing was left to be done.
  const ended = (target: number) =>
    acts.some(
      ({ kind, site, login: who }) => kind === 'end' && site === target && who === act.login,
    ) ||
    (act.kind === 'end' &&
      world.store.tables.log.some(
        (row) => row.login === act.login && row.action === 'delete' && row.target === target + 1,
      ));
  return edges
    .filter(({ from, to }) => from === act.site && !isTold(to) && !waits(to) && !ended(to))
    .map(({ to }) => `${act.login} ${act.field} on ${act.site}: nothing of ${to}`);
}

function expectConvergence(world: World, edges: readonly Edge[]): void {
  const count = world.sites.length;
  for (let a = 0; a < count; a += 1) {
    for (const b of reach(count, edges, a)) {
      if (a === b || !reach(count, edges, b).has(a)) continue;
      for (let person = 0; person < 2; person += 1) {
        expect(stateOf(world, b, person)).toEqual(stateOf(world, a, person));
      }
    }
  }
}

/** What the hub believes of a site is what the site holds. */
function expectTruth(world: World): void {
  for (const [index, site] of world.sites.entries()) {
    for (const identity of world.store.tables.identities.values()) {
      const account = identity.accounts.get(installationOf(index));
      if (account === undefined) continue;
      for (const [field, entry] of site.accountsById.get(account.wpId)?.fields ?? []) {
        const key = knownKey(field, siteKey(site.key));
        expect(account.known.get(key)).toEqual(entry.stamp);
      }
    }
  }
}
