/** Two sites compared, what is drift and what is not, and what the repair does about it. */
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { DriftView, ReconcileRequest, ReconcileView } from '../api/schemas/reconcile.ts';
import { Fault } from '../errors.ts';
import { type Field, type Value } from '../model/field.ts';
import { siteKey } from '../model/ids.ts';
import { Stand } from './test/stand.ts';

let stand: Stand;

beforeAll(async () => {
  stand = await Stand.open(['shop', 'blog']);
  for (const login of ['elder', 'eldest'])
    stand.site('shop').settle({ login, email: `${login}@x.test` });
  stand.site('shop').settle({ login: 'boss', email: 'boss@x.test', role: 'administrator' });
  stand.site('blog').settle({ login: 'twin', email: 'eldest@x.test' });
  stand.site('blog').settle({ login: 'guest', email: 'guest@x.test' });
  await stand.connect('shop');
  await stand.connect('blog');
  await stand.operations.addRoute({ source: 'shop', target: 'blog', both: false });
  for (const login of NAMES) register(login);
  await stand.rest();
});
afterAll(() => stand.close());

const NAMES = ['anna', 'bert', 'cora', 'dora', 'emil', 'finn'];

const register = (login: string): number =>
  stand
    .site('shop')
    .register({ login, email: `${login}@x.test`, password: `$P$B${'a'.repeat(30)}` });
const account = (site: string, login: string) => {
  const found = stand.site(site).byLogin(login);
  if (found === undefined) throw new Error(`nobody is called ${login} on ${site}`);
  return found;
};
const value = (site: string, login: string, field: Field = 'first_name') =>
  stand.site(site).value(login, field);
const edit = (site: string, login: string, changes: Record<Field, Value>): void =>
  stand.site(site).edit(account(site, login).id, changes);

/** Rows put back in the database: neither the hooks nor the hub have seen it. */
function putBack(site: string, login: string, field: Field, to: Value, ms: number): void {
  account(site, login).fields.set(field, {
    value: to,
    stamp: [ms, siteKey(stand.site(site).key)],
  });
}

async function compare(request: Partial<ReconcileRequest> = {}): Promise<ReconcileView> {
  const { id } = await stand.operations.startReconcile(
    { source: 'shop', target: 'blog', ...request },
    'olga',
  );
  await stand.work();
  const view = await stand.operations.reconcile(id);
  expect(view).toMatchObject({ state: 'done', fault: null });
  return view;
}

async function rowsOf({ id }: ReconcileView): Promise<readonly DriftView[]> {
  return (await stand.operations.driftRows(id, {})).accounts;
}
const told = (rows: readonly DriftView[]): string[] =>
  rows.map(({ login, site, what, reason, fields }) =>
    [login, site, what, reason, ...fields].join(' '),
  );
const countOf = ({ found }: ReconcileView, reason: string): number =>
  found.find((one) => one.reason === reason)?.count ?? 0;

describe('what is found', () => {
  test('I14: who is in step is only counted, and a rule that says no is no drift', async () => {
    const view = await compare();
    expect(told(await rowsOf(view))).toEqual(['guest blog extra drift.extra']);
    expect(view).toMatchObject({ drift: 1, inStep: NAMES.length, accounts: 17, total: 17 });
    expect(view.found.map(({ what, reason, count }) => [what, reason, count])).toEqual(
      expect.arrayContaining([
        ['by_rule', 'account.privileged', 1],
        ['by_rule', 'target.account_missing', 1],
        // Once on either site.
        ['by_rule', 'link.unproven', 2],
      ]),
    );
    expect((await compare({ extra: false })).drift).toBe(0);
  });

  test('I14: what waits, is held or was refused explains a difference', async () => {
    edit('shop', 'anna', { first_name: 'Waits' });
    stand.site('blog').down = true;
    await stand.operations.runUntilIdle({ waitMs: 50 });
    stand.site('blog').down = false;
    const waits = await compare({ extra: false });
    expect([waits.drift, countOf(waits, 'drift.on_its_way')]).toEqual([0, 1]);
    await sql`update installations set retry_at_ms = 0`.execute(stand.storage.database.kysely);
    await stand.rest();
    const again = await compare({ extra: false });
    expect([again.drift, again.inStep]).toEqual([0, NAMES.length]);
  });

  test('I14: what arrives while it is compared is no drift', async () => {
    const [shop, blog] = [stand.site('shop'), stand.site('blog')];
    const [digests, changes] = [shop.digests.bind(shop), blog.changes.bind(blog)];
    let isEdited = false;
    Object.assign(shop, {
      digests: (...asked: Parameters<typeof digests>) => {
        if (!isEdited) edit('shop', 'anna', { first_name: 'Arrives' });
        isEdited = true;
        return digests(...asked);
      },
    });
    // The source has told of it by now; the target is asked after it.
    Object.assign(blog, {
      changes: async (...asked: Parameters<typeof changes>) => {
        if (isEdited) await stand.work();
        return changes(...asked);
      },
    });
    const view = await compare({ extra: false });
    Object.assign(shop, { digests });
    Object.assign(blog, { changes });
    expect(value('blog', 'anna')).toBe('Arrives');
    expect([view.drift, view.inStep]).toEqual([0, NAMES.length]);
    await stand.rest();
  });

  test('values older than Rollcall, newer there, and altered there are told apart', async () => {
    putBack('shop', 'bert', 'url', 'https://old.test', 0);
    putBack('blog', 'bert', 'url', 'https://other.test', 0);
    await stand.operations.changeRoute(1, { rules: { updates: true } });
    edit('blog', 'cora', { first_name: 'There' });
    const dora = account('blog', 'dora').fields.get('last_name');
    if (dora !== undefined) dora.value = 'Altered';
    const view = await compare({ extra: false, repair: true });
    await stand.rest();
    expect(told(await rowsOf(view)).sort()).toEqual([
      'bert shop different drift.from_before url',
      'cora shop different drift.newer_there first_name',
      'dora shop different drift.altered last_name',
    ]);
    expect([view.drift, view.raised]).toEqual([3, 0]);
    expect(value('blog', 'cora')).toBe('There');
    expect(value('blog', 'bert', 'url')).toBe('https://other.test');
    for (const login of ['bert', 'cora', 'dora']) account('blog', login).fields.delete('url');
    putBack('shop', 'bert', 'url', '', 0);
    edit('shop', 'cora', { first_name: 'Here' });
    edit('shop', 'dora', { last_name: 'Back' });
    await stand.rest();
    expect((await compare({ extra: false })).drift).toBe(0);
  });
});

describe('what the repair does', () => {
  test('T182: a target whose rows were put back gets its values again, and nobody else is touched', async () => {
    edit('shop', 'anna', { first_name: 'Anna', last_name: 'Newest' });
    await stand.rest();
    putBack('blog', 'anna', 'first_name', 'Put back', 5);
    edit('blog', 'anna', { last_name: 'Newer there' });
    const found = await compare();
    expect(told(await rowsOf(found))).toEqual([
      'anna shop different drift.believed first_name',
      'anna shop different drift.newer_there last_name',
      'guest blog extra drift.extra',
    ]);
    await stand.rest();
    expect(value('blog', 'anna')).toBe('Put back');
    const repaired = await compare({ repair: true });
    expect(repaired).toMatchObject({ drift: 3, raised: 1 });
    await stand.rest();
    expect(value('blog', 'anna')).toBe('Anna');
    expect(value('blog', 'anna', 'last_name')).toBe('Newer there');
    expect(stand.site('blog').byLogin('guest')).toBeDefined();
    expect(told(await rowsOf(await compare({ extra: false })))).toEqual([
      'anna shop different drift.newer_there last_name',
    ]);
    edit('shop', 'anna', { last_name: 'In step' });
    await stand.rest();
  });

  test('what a rule had kept back goes when the rule allows it, and a missing account is offered', async () => {
    await stand.operations.changeRoute(1, { rules: { creates: false, updates: false } });
    register('gert');
    edit('shop', 'bert', { first_name: 'Kept back' });
    await stand.rest();
    const byRule = await compare({ repair: true, extra: false });
    expect([
      byRule.drift,
      countOf(byRule, 'route.creates_off'),
      countOf(byRule, 'route.updates_off'),
    ]).toEqual([0, 1, 1]);
    await stand.operations.changeRoute(1, { rules: { creates: true, updates: true } });
    const repaired = await compare({ repair: true, extra: false });
    expect(told(await rowsOf(repaired)).sort()).toEqual([
      'bert shop different drift.behind first_name',
      'gert shop missing drift.missing',
    ]);
    await stand.rest();
    expect([value('blog', 'bert'), value('blog', 'gert', 'email')]).toEqual([
      'Kept back',
      'gert@x.test',
    ]);
    expect((await compare({ extra: false })).drift).toBe(0);
  });

  test('T183: an account that vanished on the target is an alarm, neither a delete nor created again', async () => {
    stand.site('blog').accountsById.delete(account('blog', 'finn').id);
    const found = await compare({ extra: false });
    expect(told(await rowsOf(found))).toEqual(['finn shop missing account.vanished']);
    const repaired = await compare({ repair: true, extra: false });
    expect(repaired).toMatchObject({ drift: 1, raised: 1 });
    await stand.rest();
    expect(stand.site('blog').byLogin('finn')).toBeUndefined();
    expect(stand.site('shop').byLogin('finn')).toBeDefined();
    const after = await compare({ extra: false });
    expect([after.drift, told(await rowsOf(after))]).toEqual([
      0,
      ['finn shop held account.vanished'],
    ]);
    const { alarms } = await stand.operations.alarms({});
    expect(alarms.map(({ login, reason }) => [login, reason.code])).toEqual([
      ['finn', 'account.vanished'],
    ]);
  });

  test('what was refused stays refused, and who was deleted at home and lives there is only listed', async () => {
    await stand.operations.changeRoute(1, { rules: { onDelete: 'ignore' } });
    stand.site('shop').remove(account('shop', 'emil').id);
    await stand.rest();
    await stand.operations.changeRoute(1, { rules: { onDelete: 'delete' } });
    const view = await compare({ repair: true });
    expect(told(await rowsOf(view))).toContain('emil blog extra identity.deleted');
    await stand.rest();
    expect(stand.site('blog').byLogin('emil')).toBeDefined();
  });
});

describe('the job', () => {
  test('a page that was cut short is done again, and its rows stay as they were found', async () => {
    edit('shop', 'dora', { first_name: 'Before' });
    await stand.rest();
    putBack('blog', 'dora', 'first_name', 'Put back', 7);
    const { reconciles } = stand.storage;
    const pageDone = vi
      .spyOn(reconciles, 'pageDone')
      .mockRejectedValue(new Fault('site.timeout', 'killed'));
    const { id } = await stand.operations.startReconcile(
      { source: 'shop', target: 'blog', repair: true, extra: false },
      'olga',
    );
    await stand.work();
    expect(await stand.operations.reconcile(id)).toMatchObject({
      state: 'comparing',
      fault: { code: 'site.timeout' },
      accounts: 0,
    });
    pageDone.mockRestore();
    await stand.rest();
    expect(value('blog', 'dora')).toBe('Before');
    await stand.tick();
    const view = await stand.operations.reconcile(id);
    expect(view).toMatchObject({ state: 'done', drift: 1, raised: 1, fault: null });
  });

  test('a site that is away is asked again, one that is no longer there ends it', async () => {
    stand.site('shop').down = true;
    const { id } = await stand.operations.startReconcile({ source: 'shop', target: 'blog' }, 'o');
    await stand.work();
    expect((await stand.operations.reconcile(id)).fault?.code).toBe('site.unreachable');
    stand.site('shop').down = false;
    const ended = await stand.operations.cancelReconcile(id);
    expect(ended).toMatchObject({ state: 'cancelled' });
    await expect(stand.operations.cancelReconcile(id)).rejects.toMatchObject({
      code: 'reconcile.ended',
    });
    await sql`update installations set retry_at_ms = 0, failures = 0, trouble = null`.execute(
      stand.storage.database.kysely,
    );
    await stand.tick();
    expect((await stand.operations.reconcile(id)).state).toBe('cancelled');
    for (const [source, target, code] of [
      ['blog', 'shop', 'route.unknown'],
      ['shop', 'shop', 'route.same_installation'],
      ['shop', 'nowhere', 'site.unknown'],
    ] as const)
      await expect(stand.operations.startReconcile({ source, target }, 'o')).rejects.toMatchObject({
        code,
      });
    await expect(stand.operations.reconcile("no id'; --")).rejects.toMatchObject({
      code: 'reconcile.unknown',
    });
  });

  test('T181: a site that gives accounts without end ends the comparison', async () => {
    const shop = stand.site('shop');
    const row = (id: number) => ({ id, uid: null, digest: '0'.repeat(32) });
    const page = { clock: 1, epoch: 'e' };
    const lies = [
      async () => ({ ...page, digests: [], next: 7 }),
      async (_: unknown, { after }: { readonly after: number }) => ({
        ...page,
        digests: Array.from({ length: 500 }, (__, at) => row(after + at + 1)),
        next: after + 500,
      }),
    ];
    for (const lie of lies) {
      const digests = vi.spyOn(shop, 'digests').mockImplementation(lie);
      const { id } = await stand.operations.startReconcile({ source: 'shop', target: 'blog' }, '');
      await stand.work();
      digests.mockRestore();
      expect(await stand.operations.reconcile(id)).toMatchObject({
        state: 'failed',
        drift: 0,
        fault: { code: 'site.endless_accounts' },
      });
    }
  });

  test('T184: a route is compared by itself when its time has come, once, whoever looks', async () => {
    const { database, reconciles } = stand.storage;
    await expect(
      stand.operations.changeRoute(1, { reconcile: { repair: true } }),
    ).rejects.toMatchObject({ code: 'request.invalid' });
    const route = await stand.operations.changeRoute(1, { reconcile: { every: 'daily' } });
    expect(route.reconcile).toEqual({ every: 'daily', repair: false });
    let given = 0;
    const newId = () => `00000000-0000-4000-8000-${String((given += 1)).padStart(12, '0')}`;
    const begun = await Promise.all([1, 2, 3].map(() => reconciles.startDue(newId)));
    expect(begun.flat()).toHaveLength(1);
    expect(await reconciles.startDue(newId)).toEqual([]);
    await stand.tick();
    const { reconciles: list } = await stand.operations.reconciles({ source: 'shop' });
    expect(list[0]).toMatchObject({ by: 'schedule', state: 'done', repair: false });
    // Three days and a bit went by without a hub: it is made up for once, and the hour stays.
    const due = sql<{ next: number }>`select next_ms as next from reconcile_schedules`;
    const before = (await due.execute(database.kysely)).rows[0]?.next ?? 0;
    await sql`update reconcile_schedules set next_ms = next_ms - 4 * 86400000::bigint`.execute(
      database.kysely,
    );
    expect(await reconciles.startDue(newId)).toHaveLength(1);
    expect(await reconciles.startDue(newId)).toEqual([]);
    expect((await due.execute(database.kysely)).rows[0]?.next).toBe(before);
    const { reconciles: last } = await stand.operations.status({ look: false });
    expect(last).toMatchObject([{ source: 'shop', target: 'blog', state: 'done' }]);
    const off = await stand.operations.changeRoute(1, { reconcile: { every: 'off' } });
    expect(off.reconcile).toBeNull();
  });
});
