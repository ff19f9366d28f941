/** What an operator does with a manual sync that is there: start, pause, resume, cancel, take back. */
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SyncRequest, SyncRun } from '../api/schemas/sync.ts';
import { Fault } from '../errors.ts';
import { siteKey } from '../model/ids.ts';
import { purgeKept, purgeRuns } from '../storage/runs.ts';
import { Stand } from './test/stand.ts';

const NAMES = ['anna', 'bert', 'cora', 'dora'];
const ALL: SyncRequest = {
  from: 'shop',
  to: ['blog'],
  accounts: { by: 'accounts', logins: NAMES },
};
/** Were on the shop before Rollcall was. */
const OLDER = ['newton', 'noether'];
/** On both sites from before; whose label stays is left to chance. */
const PAIRS = ['pair1', 'pair2', 'pair3', 'pair4', 'pair5', 'pair6'];
const hash = (letter: string): string => `$2y$10$${letter.repeat(53)}`;

let stand: Stand;

beforeAll(async () => {
  stand = await Stand.open(['shop', 'blog']);
  for (const login of PAIRS) {
    stand.site('shop').settle({ login, email: `${login}@x.test` });
    stand.site('blog').settle({ login: `${login}-b`, email: `${login}@x.test` });
  }
  for (const login of OLDER) stand.site('shop').settle({ login, email: `${login}@x.test` });
  await stand.connect('shop');
  await stand.connect('blog');
  await stand.operations.addRoute({ source: 'shop', target: 'blog', both: true });
  for (const login of NAMES) {
    stand.site('shop').register({ login, email: `${login}@x.test`, password: hash('s') });
  }
  await stand.rest();
});
afterAll(() => stand.close());

const field = (site: string, login: string, name = 'first_name') =>
  stand.site(site).value(login, name);
const edit = (site: string, login: string, changes: Record<string, string>): void => {
  stand.site(site).edit(stand.site(site).byLogin(login)?.id ?? 0, changes);
};
const idOf = (site: string, login: string): number => stand.site(site).byLogin(login)?.id ?? 0;

/** Values that differ as those do that are older than Rollcall: nobody has edited them. */
function differ(site: string, values: Record<string, string>, name = 'first_name'): void {
  for (const [login, value] of Object.entries(values)) {
    const account = stand.site(site).byLogin(login);
    account?.fields.set(name, { value, stamp: [0, siteKey(stand.site(site).key)] });
  }
}

async function plan(request: Partial<SyncRequest> = {}): Promise<SyncRun> {
  const { id } = await stand.operations.planSync({ ...ALL, ...request }, 'olga');
  await stand.work();
  const planned = await stand.operations.sync(id);
  expect(planned).toMatchObject({ state: 'planned', fault: null });
  return planned;
}

async function toItsEnd(id: string): Promise<SyncRun> {
  for (let turns = 0; turns < 20; turns += 1) {
    await stand.work();
    const run = await stand.operations.sync(id);
    if (['done', 'cancelled', 'failed', 'undone'].includes(run.state)) {
      await stand.rest();
      return run;
    }
    await stand.rest();
  }
  throw new Error(`it does not end: ${JSON.stringify(await stand.operations.sync(id))}`);
}

async function carriedOut(request: Partial<SyncRequest> = {}): Promise<SyncRun> {
  const { id } = await plan(request);
  await stand.operations.startPlanned(id, {});
  return toItsEnd(id);
}

const steps = async (id: string) =>
  Object.fromEntries(
    (await stand.operations.syncSteps(id, {})).accounts.map((step) => [
      step.login,
      [step.what, step.state, step.note?.code ?? step.reason],
    ]),
  );

describe('a plan', () => {
  test('chooses by search, and leaves who is there alone when only the missing are to be created', async () => {
    differ('shop', { anna: 'Anna S', bert: 'Bert S' });
    differ('blog', { anna: 'Anna B', bert: 'Bert B' });
    const found = await plan({ accounts: { by: 'search', search: 'ann' } });
    expect(await steps(found.id)).toEqual({ anna: ['update', 'planned', null] });
    expect(found.targets).toEqual([
      { site: 'blog', create: 0, update: 1, link: 0, unchanged: 0, skip: 0, hold: 0 },
    ]);
    const missing = await plan({ mode: 'only_missing' });
    expect((await steps(missing.id))['anna']).toEqual(['skip', 'left', 'run.only_missing']);
    await stand.operations.startPlanned(missing.id, {});
    expect(await toItsEnd(missing.id)).toMatchObject({ state: 'done', delivered: 0, total: 0 });
    expect(field('blog', 'anna')).toBe('Anna B');
  });

  test('comes page by page', async () => {
    const { id } = await plan();
    const logins: string[] = [];
    let after: string | null = '';
    while (after !== null) {
      const page = await stand.operations.syncSteps(id, { limit: 3, ...(after && { after }) });
      logins.push(...page.accounts.map(({ login }) => login));
      expect(page.accounts.length).toBeLessThanOrEqual(3);
      after = page.next;
    }
    expect(logins).toEqual(NAMES);
  });

  test('that nobody started is cancelled, and then starts no more', async () => {
    const { id } = await plan();
    expect(await stand.operations.cancelSync(id)).toMatchObject({ state: 'cancelled' });
    const late = stand.operations.startPlanned(id, {});
    await expect(late).rejects.toMatchObject({ code: 'sync.wrong_state' });
    await expect(stand.operations.sync('nothing')).rejects.toMatchObject({ code: 'sync.unknown' });
    const undo = stand.operations.undoSync(id, {}, 'olga');
    await expect(undo).rejects.toMatchObject({ code: 'sync.wrong_state' });
  });
});

describe('a run', () => {
  test('that is paused does nothing until it is resumed, and cancelled nothing more', async () => {
    const { id } = await plan();
    await stand.operations.startPlanned(id, {});
    await stand.operations.pauseSync(id);
    await stand.work();
    await stand.rest();
    expect(await stand.operations.sync(id)).toMatchObject({ state: 'paused', done: 0, total: 2 });
    expect(field('blog', 'anna')).toBe('Anna B');
    await stand.operations.cancelSync(id);
    expect(await toItsEnd(id)).toMatchObject({ state: 'cancelled', cancelled: 2, delivered: 0 });
    expect(field('blog', 'anna')).toBe('Anna B');
  });

  test('leaves alone what moved since the plan was made, plans it again, and then carries that out', async () => {
    const { id } = await plan();
    edit('blog', 'anna', { first_name: 'Anna by hand' });
    await stand.rest();
    await stand.operations.startPlanned(id, {});
    expect(await toItsEnd(id)).toMatchObject({ state: 'done', changed: 1, delivered: 1 });
    expect(await steps(id)).toMatchObject({
      anna: ['unchanged', 'changed', 'run.changed_meanwhile'],
      bert: ['update', 'arrived', null],
    });
    // Both ways: what she typed went to the shop.
    expect([field('shop', 'anna'), field('blog', 'bert')]).toEqual(['Anna by hand', 'Bert S']);
    await stand.operations.resumeSync(id);
    expect(await toItsEnd(id)).toMatchObject({ state: 'done', changed: 0 });
  });

  test('waits for an account that is busy, and for a site that is away', async () => {
    differ('shop', { cora: 'Cora S' });
    differ('blog', { cora: 'Cora B' });
    const { id } = await plan();
    await stand.operations.startPlanned(id, {});
    stand.site('shop').busy.add(idOf('shop', 'cora'));
    await stand.work();
    const busy = await stand.operations.sync(id);
    expect(busy).toMatchObject({ state: 'running', fault: { code: 'site.refused' } });
    expect((await steps(id))['cora']).toEqual(['update', 'doing', 'account.busy']);
    stand.site('shop').busy.clear();
    stand.site('shop').down = true;
    await stand.tick();
    expect((await stand.operations.sync(id)).fault?.code).toBe('site.unreachable');
    stand.site('shop').down = false;
    await stand.tick();
    expect(await toItsEnd(id)).toMatchObject({ state: 'done', delivered: 1, fault: null });
    expect(field('blog', 'cora')).toBe('Cora S');
  });

  test('I7: that broke off after the source had stamped goes on, and stamps nothing twice', async () => {
    differ('shop', { cora: 'Cora once' });
    differ('blog', { cora: 'Cora never' });
    const { id } = await plan({ accounts: { by: 'accounts', logins: ['cora'] } });
    const before = stand.site('blog').applied.length;
    const { runs } = stand.storage;
    const real = { ...runs };
    let saves = 0;
    // The second one would say that it was asked for.
    Object.assign(runs, {
      save: async (...args: Parameters<typeof real.save>) => {
        saves += 1;
        if (saves === 2) throw new Fault('database.unreachable', 'killed');
        await real.save(...args);
      },
    });
    await stand.operations.startPlanned(id, {});
    await stand.work();
    Object.assign(runs, real);
    const stamp = () => stand.site('shop').byLogin('cora')?.fields.get('first_name')?.stamp;
    const first = stamp();
    expect((await steps(id))['cora']).toEqual(['update', 'doing', null]);
    await stand.tick();
    expect(await toItsEnd(id)).toMatchObject({ state: 'done', delivered: 1, changed: 0 });
    expect(stamp()).toEqual(first);
    expect(stand.site('blog').applied.length - before).toBe(1);
    // What was there before is what was kept, also if the answer had arrived by then.
    await stand.operations.undoSync(id, {}, 'olga');
    expect(await toItsEnd(id)).toMatchObject({ state: 'undone', undone: 1 });
    expect(field('blog', 'cora')).toBe('Cora never');
  });

  test('I7: that linked accounts and could not label them yet waits with the rest of it', async () => {
    const shop = stand.site('shop');
    for (const login of PAIRS) edit('shop', login, { last_name: 'of shop' });
    await stand.rest();
    const { id } = await plan({ accounts: { by: 'accounts', logins: PAIRS } });
    const labels = { labels: shop.labels.bind(shop) };
    const away = () => Promise.reject(new Fault('site.timeout', 'killed'));
    Object.assign(shop, { labels: away });
    await stand.operations.startPlanned(id, { links: 'all' });
    await stand.work();
    Object.assign(shop, labels);
    // The site backs off for a moment.
    for (const end = Date.now() + 20_000; Date.now() < end; ) {
      await stand.tick();
      await stand.rest();
      if ((await stand.operations.sync(id)).state === 'done') break;
    }
    expect(await stand.operations.sync(id)).toMatchObject({
      state: 'done',
      delivered: 6,
      failed: 0,
    });
    expect(PAIRS.map((login) => field('blog', `${login}-b`, 'last_name'))).toEqual(
      PAIRS.map(() => 'of shop'),
    );
  });

  test('stays with the sites of its plan, whatever they are called by then', async () => {
    differ('shop', { cora: 'Cora again' });
    const { id } = await plan({ accounts: { by: 'accounts', logins: ['cora'] } });
    const blog = await stand.operations.sites();
    const key = blog.find(({ name }) => name === 'blog')?.key;
    await stand.storage.registry.updateSite(siteKey(key ?? 0), { name: 'renamed' });
    await stand.operations.startPlanned(id, {});
    const run = await toItsEnd(id);
    await stand.storage.registry.updateSite(siteKey(key ?? 0), { name: 'blog' });
    expect(run).toMatchObject({ state: 'done', delivered: 1, to: ['renamed'] });
  });
});

describe('an undo', () => {
  const applied = (): number => stand.site('shop').applied.length;

  test('puts back what nobody has touched since, on the target alone, and leaves the rest', async () => {
    differ('shop', { anna: 'A of shop', bert: 'B of shop', dora: 'D of shop' });
    differ('blog', { anna: 'A of blog', bert: 'B of blog', dora: 'D of blog' });
    differ('blog', { anna: hash('b') }, 'password');
    const before = applied();
    const { id } = await carriedOut();
    expect(['anna', 'bert', 'dora'].map((login) => field('blog', login))).toEqual([
      'A of shop',
      'B of shop',
      'D of shop',
    ]);
    expect(field('blog', 'anna', 'password')).toBe(hash('s'));
    edit('blog', 'bert', { first_name: 'B by hand' });
    // Nobody has heard of this one when the undo comes.
    await stand.rest();
    edit('blog', 'dora', { first_name: 'D unheard' });
    await stand.operations.undoSync(id, {}, 'olga');
    expect(await toItsEnd(id)).toMatchObject({ state: 'undone', undone: 1, stays: 2 });
    await stand.rest();
    expect(['anna', 'bert', 'dora'].map((login) => field('blog', login))).toEqual([
      'A of blog',
      'B by hand',
      'D unheard',
    ]);
    expect(field('blog', 'anna', 'password')).toBe(hash('b'));
    expect((await steps(id))['bert']).toEqual(['update', 'stays', 'run.undo_moved']);
    // The way back is open, and yet nothing of the undo went there; what people typed did.
    expect(['anna', 'bert', 'dora'].map((login) => field('shop', login))).toEqual([
      'A of shop',
      'B by hand',
      'D unheard',
    ]);
    expect(applied() - before).toBe(2);
  });

  test('does not keep later edits from either side', async () => {
    edit('shop', 'anna', { first_name: 'Anna later' });
    await stand.rest();
    expect([field('shop', 'anna'), field('blog', 'anna')]).toEqual(['Anna later', 'Anna later']);
    edit('blog', 'anna', { first_name: 'Anna last' });
    await stand.rest();
    expect([field('shop', 'anna'), field('blog', 'anna')]).toEqual(['Anna last', 'Anna last']);
  });

  test('removes a created account only when asked, and only one that holds nothing of its own', async () => {
    const { operations } = stand;
    const { id } = await carriedOut({ accounts: { by: 'accounts', logins: OLDER } });
    expect(await steps(id)).toMatchObject({
      newton: ['create', 'arrived', null],
      noether: ['create', 'arrived', null],
    });
    await operations.undoSync(id, {}, 'olga');
    expect(await toItsEnd(id)).toMatchObject({ state: 'undone', undone: 0, stays: 2 });
    expect((await steps(id))['newton']).toEqual(['create', 'stays', 'run.undo_created']);
    edit('blog', 'noether', { description: 'I live here.' });
    await stand.rest();
    await operations.undoSync(id, { removeCreated: true }, 'olga');
    await toItsEnd(id);
    expect(stand.site('blog').byLogin('newton')).toBeUndefined();
    expect(stand.site('blog').byLogin('noether')).toBeDefined();
    expect((await steps(id))['noether']).toEqual(['create', 'stays', 'run.undo_in_use']);
    // Also on a route both ways the source keeps everybody.
    expect(stand.site('shop').byLogin('newton')).toBeDefined();
    expect((await operations.held({})).held).toEqual([]);
  });

  test('keeps values sealed, for 14 days, and a run for 30', async () => {
    differ('shop', { anna: 'Sealed one' });
    differ('blog', { anna: 'Sealed two' });
    const { id } = await carriedOut();
    const { kysely } = stand.storage.database;
    const kept = sql<{
      kept: string;
    }>`select kept from sync_steps where run = ${id} and kept is not null`;
    const { rows } = await kept.execute(kysely);
    expect(rows).toHaveLength(1);
    expect(rows[0]?.kept).toMatch(/^v1\./u);
    const age = (days: number) =>
      sql`update sync_runs set ended_ms = ended_ms - ${days * 86_400_000}::bigint`.execute(kysely);
    const DAY_MS = 86_400_000;
    await age(13.9);
    expect(await purgeKept(stand.storage.database, 14 * DAY_MS)).toBe(0);
    await age(0.2);
    expect(await purgeKept(stand.storage.database, 14 * DAY_MS)).toBeGreaterThan(0);
    expect((await kept.execute(kysely)).rows).toEqual([]);
    await stand.operations.undoSync(id, {}, 'olga');
    expect(await toItsEnd(id)).toMatchObject({ undone: 0, stays: 1 });
    expect((await steps(id))['anna']).toEqual(['update', 'stays', 'run.undo_expired']);
    expect(field('blog', 'anna')).toBe('Sealed one');
    await age(17);
    const { syncs } = await stand.operations.syncs({ limit: 50 });
    expect(await purgeRuns(stand.storage.database, 30 * DAY_MS)).toBeGreaterThan(0);
    expect((await stand.operations.syncs({ limit: 50 })).syncs.length).toBeLessThan(syncs.length);
  });
});
