/** What failed or was refused is tried again by an operator's word, over a real store. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Stand } from './test/stand.ts';

let stand: Stand;
const shop = () => stand.site('shop');
const blog = () => stand.site('blog');
const idOf = (login: string) => shop().byLogin(login)?.id ?? 0;
const there = (login: string) => {
  const account = blog().byLogin(login);
  if (account === undefined) throw new Error(`no ${login} on the blog`);
  return account;
};
const retry = (wanted: Parameters<Stand['operations']['retry']>[0]) =>
  stand.operations.retry(wanted, 'olga');
const log = async (login: string, status: 'refused' | 'released' | 'delivered' | 'failed') =>
  (await stand.operations.log({ account: login, status: [status], limit: 100 })).rows;

beforeAll(async () => {
  stand = await Stand.open(['shop', 'blog']);
  await stand.connect('shop');
  await stand.connect('blog');
  await stand.operations.addRoute({ source: 'shop', target: 'blog', both: false });
  for (const login of ['anna', 'bo', 'cleo']) {
    shop().register({ login, email: `${login}@x.test` });
  }
  await stand.rest();
});
afterAll(() => stand.close());

/** The edit is refused on the blog, and the blog changes its mind. */
async function refuse(login: string, value: string): Promise<void> {
  there(login).switches.reject_incoming = true;
  shop().edit(idOf(login), { first_name: value });
  await stand.rest();
  expect(blog().value(login, 'first_name')).not.toBe(value);
  there(login).switches.reject_incoming = false;
}

test('what was refused is offered once more, arrives once, and the log says by whom', async () => {
  await refuse('anna', 'Anna');
  const [row] = await log('anna', 'refused');
  expect(row).toMatchObject({ reason: 'account.incoming_rejected', fields: ['first_name'] });
  const before = blog().applied.length;
  expect(await retry({ rows: [row?.id ?? 0] })).toEqual({
    retried: 1,
    unreachable: [],
    next: null,
  });
  expect(await retry({ rows: [row?.id ?? 0] })).toMatchObject({ retried: 0 });
  await stand.work();
  expect(blog().value('anna', 'first_name')).toBe('Anna');
  expect(blog().applied.length).toBe(before + 1);
  expect(blog().repeated).toBe(0);
  expect(await log('anna', 'released')).toMatchObject([
    { actor: 'operator olga', reason: 'account.incoming_rejected', source: 'shop', target: 'blog' },
  ]);
  expect(await retry({ all: true })).toMatchObject({ retried: 0 });
});

test('a value that something newer has overtaken is not sent again', async () => {
  await refuse('bo', 'old');
  shop().edit(idOf('bo'), { first_name: 'new' });
  await stand.rest();
  const [row] = await log('bo', 'refused');
  expect(await retry({ rows: [row?.id ?? 0] })).toMatchObject({ retried: 0 });
  expect(blog().value('bo', 'first_name')).toBe('new');
});

test('all of it: what was refused, and what backs off, goes out at once', async () => {
  await refuse('anna', 'Anna 2');
  await refuse('bo', 'Bo 2');
  blog().busy.add(there('cleo').id);
  shop().edit(idOf('cleo'), { first_name: 'Cleo 2' });
  await stand.operations.runUntilIdle({ waitMs: 100 });
  blog().busy.clear();
  expect(blog().value('cleo', 'first_name')).not.toBe('Cleo 2');
  // However long it took until here.
  const later = { not_before_ms: (await stand.storage.store.nowMs()) + 600_000 };
  await stand.storage.database.kysely.updateTable('deliveries').set(later).execute();
  expect(await retry({ all: true, site: 'blog' })).toMatchObject({ retried: 3, next: null });
  await stand.work();
  const names = ['anna', 'bo', 'cleo'].map((login) => blog().value(login, 'first_name'));
  expect(names).toEqual(['Anna 2', 'Bo 2', 'Cleo 2']);
  expect(blog().repeated).toBe(0);
});

test('a source that is away is named, and the row can be tried later', async () => {
  await refuse('anna', 'Anna 3');
  shop().down = true;
  const [row] = await log('anna', 'refused');
  const released = (await log('anna', 'released')).length;
  const rows = [row?.id ?? 0];
  expect(await retry({ rows })).toEqual({ retried: 0, unreachable: ['shop'], next: null });
  expect((await log('anna', 'released')).length).toBe(released);
  shop().down = false;
  expect(await retry({ rows })).toMatchObject({ retried: 1 });
  await stand.work();
  expect(blog().value('anna', 'first_name')).toBe('Anna 3');
});

test('an account that the target would not create is created once it would', async () => {
  const own = blog().apply.bind(blog());
  blog().apply = async (connection, request) => {
    const answer = await own(connection, { ...request, operations: [] });
    const receipts = request.operations.map(({ op, uid }) => ({
      op,
      uid,
      result: 'refused' as const,
      reason: 'target.site_missing',
    }));
    return { ...answer, receipts };
  };
  shop().register({ login: 'dora', email: 'dora@x.test' });
  await stand.rest();
  blog().apply = own;
  const [row] = await log('dora', 'refused');
  expect(row).toMatchObject({ action: 'create', reason: 'target.site_missing' });
  expect(await retry({ rows: [row?.id ?? 0] })).toMatchObject({ retried: 1 });
  await stand.work();
  expect(there('dora').uid).not.toBeNull();
});

test('a delete that the target refused is tried again, and ends the account there', async () => {
  there('dora').switches.reject_incoming = true;
  shop().remove(idOf('dora'));
  await stand.rest();
  there('dora').switches.reject_incoming = false;
  const [row] = await log('dora', 'refused');
  expect(row).toMatchObject({ action: 'delete' });
  expect(await retry({ rows: [row?.id ?? 0] })).toMatchObject({ retried: 1 });
  expect(await retry({ rows: [row?.id ?? 0] })).toMatchObject({ retried: 0 });
  await stand.work();
  expect(blog().byLogin('dora')).toBeUndefined();
});

test('rows that went well, and ids of no row, are left alone', async () => {
  const [row] = await log('anna', 'delivered');
  expect(await retry({ rows: [row?.id ?? 0, 999_999] })).toMatchObject({ retried: 0 });
  await expect(retry({ all: true, site: 'nowhere' })).rejects.toMatchObject({
    code: 'site.unknown',
  });
});

test('an export gives every row once, oldest first, and no value', async () => {
  const all: number[] = [];
  let text = '';
  for await (const rows of await stand.operations.exportLog({ site: 'blog' })) {
    all.push(...rows.map((row) => row.id));
    text += JSON.stringify(rows);
  }
  const { rows } = await stand.operations.log({ site: 'blog', limit: 1000 });
  expect(all).toEqual(rows.map((row) => row.id).toReversed());
  expect(text).not.toMatch(/Anna 2|@x\.test/u);
});
