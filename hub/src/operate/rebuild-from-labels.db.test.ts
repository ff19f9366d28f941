/** A lost hub's labels on sites in memory: who is known again by them, over a real store. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Stand } from './test/stand.ts';

let stand: Stand;
const labels = new Map<string, string>();
/** The label that the lost hub had given a person. */
function labelOf(person: string): string {
  const label = labels.get(person) ?? randomUUID();
  labels.set(person, label);
  return label;
}
interface Someone {
  readonly login: string;
  readonly email?: string;
  readonly label?: string;
  readonly role?: string;
}
function has(site: string, { login, email, label = login, role = 'subscriber' }: Someone): void {
  const where = stand.site(site);
  const id = where.settle({ login, email: email ?? `${login}@people.test`, role });
  const account = where.accountsById.get(id);
  if (account === undefined) throw new Error('it was just settled');
  account.uid = labelOf(label);
}
const uidOn = async (site: string, login: string) =>
  (await stand.operations.explain(site, login).catch(() => null))?.uid ?? null;
const alarms = async () =>
  (await stand.operations.alarms({})).alarms.map(({ site, login }) => `${site} ${login}`).sort();

beforeAll(async () => {
  stand = await Stand.open(['shop', 'blog', 'evil']);
  for (const site of ['shop', 'blog']) {
    has(site, { login: 'anna' });
    has(site, { login: 'bert', email: site === 'shop' ? 'Bert@People.test' : 'bert@people.test' });
    has(site, { login: 'cleo', email: `cleo@${site}.test` });
    has(site, { login: `dora-${site}`, email: 'dora@people.test', label: 'dora' });
    has(site, { login: 'boss', ...(site === 'blog' ? { role: 'administrator' } : {}) });
    has(site, { login: 'gina' });
    has(site, { login: 'ines' });
    has(site, { login: 'kim' });
  }
  has('shop', { login: 'emil' });
  // A site that shows labels of others: on an account of its own, twice, and with the right address alone.
  has('evil', { login: 'eve', label: 'gina' });
  has('evil', { login: 'ines' });
  has('evil', { login: 'ines' });
  for (const site of ['shop', 'blog', 'evil']) await stand.connect(site);
  await stand.rest();
});
afterAll(() => stand?.close());

/** Somebody gets another address between the reading of everybody and the joining. */
function kimMovesOnceRead(): void {
  const blog = stand.site('blog');
  const accounts = blog.accounts.bind(blog);
  Object.assign(blog, {
    accounts: (...asked: Parameters<typeof accounts>) => {
      if (asked[1].ids !== undefined) {
        Object.assign(blog, { accounts });
        blog.edit(blog.byLogin('kim')?.id ?? 0, { email: 'kim@elsewhere.test' });
      }
      return accounts(...asked);
    },
  });
}

test('T191: after a lost store a label counts only where login and e-mail agree on all sites; a site that shows labels of others gets nothing', async () => {
  expect((await alarms()).length).toBe(20);
  const would = await stand.operations.rebuildFromLabels(null);
  expect(would).toEqual({ done: false, persons: 3, accounts: 6, unclear: 14 });
  expect((await alarms()).length).toBe(20);

  kimMovesOnceRead();
  const done = await stand.operations.rebuildFromLabels('olga');
  expect(done).toEqual({ done: true, persons: 2, accounts: 4, unclear: 16 });
  for (const login of ['anna', 'bert']) {
    for (const site of ['shop', 'blog']) expect(await uidOn(site, login)).toBe(labelOf(login));
  }
  const left = await alarms();
  expect(left.length).toBe(16);
  for (const site of ['shop', 'blog']) {
    for (const login of ['cleo', `dora-${site}`, 'boss', 'gina', 'ines', 'kim']) {
      expect(left).toContain(`${site} ${login}`);
    }
  }
  expect(left.filter((entry) => entry.startsWith('evil'))).toHaveLength(3);
  expect(left).toContain('shop emil');

  await stand.operations.addRoute({ source: 'shop', target: 'blog', both: true });
  await stand.operations.addRoute({ source: 'shop', target: 'evil', both: true });
  stand.site('evil').edit(stand.site('evil').byLogin('eve')?.id ?? 0, { first_name: 'Evil' });
  stand.site('shop').edit(stand.site('shop').byLogin('anna')?.id ?? 0, { first_name: 'Anna' });
  stand.site('shop').edit(stand.site('shop').byLogin('gina')?.id ?? 0, { first_name: 'Gina' });
  await stand.rest();
  expect(stand.site('blog').value('anna', 'first_name')).toBe('Anna');
  expect(stand.site('evil').value('eve', 'first_name')).toBe('Evil');
  expect(stand.site('evil').value('ines', 'first_name')).toBe('');
  expect(stand.site('shop').value('gina', 'first_name')).toBe('Gina');
  expect(stand.site('blog').value('gina', 'first_name')).toBe('');
});

test('asking again changes nothing, and says so in the log only once', async () => {
  const again = await stand.operations.rebuildFromLabels('olga');
  expect(again).toEqual({ done: true, persons: 0, accounts: 0, unclear: 16 });
  const { rows } = await stand.operations.log({ limit: 100, action: ['link'] });
  expect(rows.map(({ login, actor }) => [login, actor])).toEqual([
    ['bert', 'operator olga'],
    ['anna', 'operator olga'],
  ]);
});
