/**
 * Whatever accounts, states, rules and modes there are: where nothing moves in between, a manual sync
 * does to everybody what its plan said, and nothing to anybody else.
 *
 * `ROLLCALL_SEED=7 npx vitest run --project db preview-equals-run` repeats a run.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SyncRequest, SyncStepRow } from '../api/schemas/sync.ts';
import type { Field, Value } from '../model/field.ts';
import { siteKey } from '../model/ids.ts';
import { Stand } from './test/stand.ts';

/** Pairs of sites, each with rules and a mode of its own; times accounts: so many cases. */
const PAIRS = 10;
const ACCOUNTS = 100;
const SEED = Number(process.env['ROLLCALL_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

const KINDS = [
  'in_step',
  'differs',
  'edited_unheard',
  'only_here',
  'same_email',
  'same_login',
  'privileged_here',
  'privileged_there',
  'stops_outgoing',
  'rejects_incoming',
  'ended_there',
  'vanished_there',
] as const;
type Kind = (typeof KINDS)[number];

const VALUES: Readonly<Record<Field, readonly [Value, Value]>> = {
  first_name: ['of shop', 'of blog'],
  description: ['', 'only the blog says so'],
  url: ['https://shop.test/me', ''],
  password: [`$2y$10$${'s'.repeat(53)}`, `$2y$10$${'b'.repeat(53)}`],
  'meta:phone': [['1', '2'], ['3']],
  'role:author': [true, false],
};
const FIELDS = Object.keys(VALUES);

interface Case {
  readonly kind: Kind;
  readonly fields: readonly Field[];
  readonly named: boolean;
}
const caseArb: fc.Arbitrary<Case> = fc.record({
  kind: fc.constantFrom(...KINDS),
  fields: fc.subarray(FIELDS),
  named: fc.boolean(),
});
const rulesArb = fc.record({
  fields: fc.subarray(['email', 'first_name', 'description', 'url', 'password']),
  meta: fc.subarray(['phone']),
  roles: fc.subarray(['author', 'subscriber']),
  creates: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, fc.constant(false)),
  updates: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, fc.constant(false)),
});
const pairArb = fc.record({
  rules: rulesArb,
  mode: fc.constantFrom<('like_source' | 'only_missing')[]>(
    'like_source',
    'like_source',
    'only_missing',
  ),
  createMissing: fc.boolean(),
  cases: fc.array(caseArb, { minLength: ACCOUNTS, maxLength: ACCOUNTS }),
});
const sampled = fc.sample(pairArb, { seed: SEED, numRuns: PAIRS });
/** In the first of them everything may happen, so that all of it does. */
const EVERYTHING: Omit<(typeof sampled)[number], 'cases'> = {
  rules: {
    fields: ['email', 'first_name', 'description', 'url', 'password'],
    meta: ['phone'],
    roles: ['author', 'subscriber'],
    creates: true,
    updates: true,
  },
  mode: 'like_source',
  createMissing: true,
};
const pairs = sampled.map((pair, index) => (index === 0 ? { ...pair, ...EVERYTHING } : pair));

let stand: Stand;
const shopOf = (pair: number): string => `shop${pair}`;
const blogOf = (pair: number): string => `blog${pair}`;
const mail = (login: string): string => `${login}@x.test`;
const loginOf = (index: number, { kind }: Case): string => `${kind.replaceAll('_', '')}-${index}`;
const otherOf = (login: string): string => `${login}-b`;

/** As it is with values that are older than Rollcall: nobody has edited them. */
function differ(site: string, login: string, { fields }: Case, side: 0 | 1): void {
  const account = stand.site(site).byLogin(login);
  for (const field of fields) {
    const value = VALUES[field]?.[side] ?? null;
    account?.fields.set(field, { value, stamp: [0, siteKey(stand.site(site).key)] });
  }
}

beforeAll(async () => {
  const all = pairs.map((_, pair) => pair);
  stand = await Stand.open(all.flatMap((pair) => [shopOf(pair), blogOf(pair)]));
  for (const pair of all) {
    await settle(pair);
    await stand.connect(shopOf(pair));
    await stand.connect(blogOf(pair));
    await stand.operations.addRoute({
      source: shopOf(pair),
      target: blogOf(pair),
      both: false,
      rules: { meta: ['phone'], roles: ['author', 'subscriber'] },
    });
  }
  all.forEach(register);
  await releaseAll();
  all.forEach(setApart);
  await stand.rest();
  for (const pair of all) await changeRules(pair);
  all.forEach(setApartUnheard);
}, 120_000);
afterAll(() => stand?.close());

/** From before. */
async function settle(pair: number): Promise<void> {
  const [shop, blog] = [stand.site(shopOf(pair)), stand.site(blogOf(pair))];
  for (const [index, one] of pairs[pair]?.cases.entries() ?? []) {
    const login = loginOf(index, one);
    if (one.kind === 'only_here') shop.settle({ login, email: mail(login) });
    if (one.kind === 'privileged_here')
      shop.settle({ login, email: mail(login), role: 'administrator' });
    if (one.kind === 'same_email') {
      shop.settle({ login, email: mail(login) });
      blog.settle({ login: otherOf(login), email: mail(login) });
    }
    if (one.kind === 'same_login') {
      shop.settle({ login, email: mail(login) });
      blog.settle({ login, email: mail(otherOf(login)) });
    }
  }
}

const IN_BOTH: ReadonlySet<Kind> = new Set<Kind>([
  'in_step',
  'differs',
  'edited_unheard',
  'privileged_there',
  'stops_outgoing',
  'rejects_incoming',
  'ended_there',
  'vanished_there',
]);

function register(pair: number): void {
  for (const [index, one] of pairs[pair]?.cases.entries() ?? []) {
    const login = loginOf(index, one);
    if (IN_BOTH.has(one.kind)) stand.site(shopOf(pair)).register({ login, email: mail(login) });
  }
}

/** So many at once are held for a person. */
async function releaseAll(): Promise<void> {
  await stand.rest();
  await stand.operations.decideHeld(
    { reason: 'source.creation_limit', decision: 'release' },
    'olga',
  );
  await stand.rest();
}

function setApart(pair: number): void {
  const [shop, blog] = [stand.site(shopOf(pair)), stand.site(blogOf(pair))];
  for (const [index, one] of pairs[pair]?.cases.entries() ?? []) {
    const login = loginOf(index, one);
    const here = shop.byLogin(login)?.id ?? 0;
    const there = blog.byLogin(login)?.id ?? 0;
    if (one.kind === 'stops_outgoing') shop.stopOutgoing(here, true);
    if (one.kind === 'rejects_incoming') blog.rejectIncoming(there);
    if (one.kind === 'ended_there') blog.remove(there);
    if (one.kind === 'privileged_there') blog.edit(there, { 'role:administrator': true });
  }
}

function setApartUnheard(pair: number): void {
  const [shop, blog] = [stand.site(shopOf(pair)), stand.site(blogOf(pair))];
  for (const [index, one] of pairs[pair]?.cases.entries() ?? []) {
    const login = loginOf(index, one);
    const isLinkable = one.kind === 'same_email';
    if (one.kind === 'vanished_there') blog.accountsById.delete(blog.byLogin(login)?.id ?? 0);
    if (one.kind !== 'in_step') {
      differ(shopOf(pair), login, one, 0);
      differ(blogOf(pair), isLinkable ? otherOf(login) : login, one, 1);
    }
    // An edit that travels by itself would be no deed of a run that only creates.
    if (one.kind === 'edited_unheard' && pairs[pair]?.mode === 'like_source')
      shop.edit(shop.byLogin(login)?.id ?? 0, { first_name: 'typed just now' });
  }
}

async function changeRules(pair: number): Promise<void> {
  const { rules, createMissing } = pairs[pair] ?? {};
  const routes = await stand.operations.routes();
  const route = routes.find(({ source }) => source === shopOf(pair));
  await stand.operations.changeRoute(route?.id ?? 0, { rules });
  await stand.operations.changeSite(blogOf(pair), { createMissing });
}

type Person = Readonly<Record<Field, unknown>>;

/** Everybody on the site, with the values of every field. */
function everybody(site: string): ReadonlyMap<string, Person> {
  return new Map(
    [...stand.site(site).accountsById.values()].map((account) => {
      const values = [...account.fields].map(([field, { value }]): [string, unknown] => [
        field,
        value,
      ]);
      return [account.login, { uid: account.uid, ...Object.fromEntries(values) }];
    }),
  );
}

async function stepsOf(id: string): Promise<readonly SyncStepRow[]> {
  const { accounts, next } = await stand.operations.syncSteps(id, { limit: 1_000 });
  expect(next).toBeNull();
  return accounts;
}

const PRESENT = (value: unknown): unknown =>
  value === undefined || value === false || value === '' || JSON.stringify(value) === '[]'
    ? null
    : value;

/** Fields of which the two persons differ. */
const differing = (one: Person, other: Person): string[] =>
  [...new Set([...Object.keys(one), ...Object.keys(other)])]
    .filter(
      (field) => JSON.stringify(PRESENT(one[field])) !== JSON.stringify(PRESENT(other[field])),
    )
    .toSorted();

test('I10: a thousand accounts in all states, under all rules, get what the plan said', async () => {
  const wrong: unknown[] = [];
  const seen = new Set<string>();
  let cases = 0;
  for (const [pair, { mode, cases: given }] of pairs.entries()) {
    const [from, to] = [shopOf(pair), blogOf(pair)];
    const request: SyncRequest = { from, to: [to], accounts: { by: 'all' }, mode };
    const { id } = await stand.operations.planSync(request, 'olga');
    await stand.work();
    const said = await stepsOf(id);
    const links = said.flatMap(({ login, target, other, what }, index) =>
      what === 'link' && other !== null && given[index]?.named === true
        ? [{ login, target, other }]
        : [],
    );
    const before = everybody(to);
    await stand.operations.startPlanned(id, { links });
    await untilDone(id);
    const after = everybody(to);
    const became = new Map((await stepsOf(id)).map((step) => [step.login, step]));
    const expected = new Set(before.keys());
    for (const step of said) {
      cases += 1;
      seen.add(`${step.what} ${step.reason ?? ''}`);
      const isNamed = links.some(({ login }) => login === step.login);
      const what = step.what === 'link' && !isNamed ? 'skip' : step.what;
      const there = step.other ?? step.login;
      if (what === 'create') expected.add(there);
      const was = before.get(there);
      const is = after.get(there);
      const changed = was === undefined || is === undefined ? null : differing(was, is);
      const outcome = {
        what,
        state: became.get(step.login)?.state,
        there: [was !== undefined, is !== undefined],
        changed: changed?.filter((field) => field !== 'uid') ?? null,
      };
      const wanted = wantedOf(step, what, was !== undefined);
      if (JSON.stringify(outcome) !== JSON.stringify(wanted)) {
        wrong.push({ pair, mode, rules: pairs[pair]?.rules, login: step.login, wanted, outcome });
      }
    }
    const extra = [...after.keys()].filter((login) => !expected.has(login));
    const gone = [...expected].filter((login) => !after.has(login));
    if (extra.length + gone.length > 0) wrong.push({ pair, extra, gone });
  }
  expect(wrong, `seed ${SEED}`).toEqual([]);
  expect(cases).toBeGreaterThan((PAIRS * ACCOUNTS * 9) / 10);
  // A plan in which nothing happens would be right, too.
  for (const what of [
    'create ',
    'update ',
    'link link.unproven',
    'unchanged ',
    'hold identity.login_taken',
  ])
    expect([...seen]).toContain(what);
}, 240_000);

function wantedOf({ fields }: SyncStepRow, what: string, wasThere: boolean) {
  if (what === 'create') return { what, state: 'arrived', there: [false, true], changed: null };
  const isDone = what === 'update' || what === 'link';
  return {
    what,
    state: isDone ? 'arrived' : 'left',
    there: [wasThere, wasThere],
    changed: wasThere ? (isDone ? [...fields].toSorted() : []) : null,
  };
}

async function untilDone(id: string): Promise<void> {
  for (let turns = 0; turns < 20; turns += 1) {
    await stand.work();
    await stand.rest();
    const { state } = await stand.operations.sync(id);
    if (state === 'done') return;
    await stand.tick();
  }
  throw new Error(
    `it does not end (seed ${SEED}): ${JSON.stringify(await stand.operations.sync(id))}`,
  );
}
