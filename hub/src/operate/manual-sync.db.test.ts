/** Manual sync and the proof of links, over a real store. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SyncRequest } from '../api/schemas/sync.ts';
import { Stand } from './test/stand.ts';

const ALL: SyncRequest = { from: 'shop', to: ['blog'], accounts: { by: 'all' } };

let stand: Stand;

const mail = (login: string): string => `${login}@x.test`;
const edit = (site: string, login: string, name: string): void => {
  const account = stand.site(site).byLogin(login);
  stand.site(site).edit(account?.id ?? 0, { first_name: name });
};
const firstName = (site: string, login: string) => stand.site(site).value(login, 'first_name');

/** Two user bases from before, then both sites connected, with a route from shop to blog. */
async function twoUserBases(): Promise<void> {
  stand = await Stand.open(['shop', 'blog']);
  const [shop, blog] = [stand.site('shop'), stand.site('blog')];
  shop.settle({ login: 'onlyshop', email: mail('onlyshop') });
  shop.settle({ login: 'boss', email: mail('boss'), role: 'administrator' });
  shop.settle({ login: 'clash', email: mail('clash') });
  blog.settle({ login: 'clash', email: mail('somebody-else') });
  // Who is older is left to chance: either label may be the one that stays.
  for (const login of PAIRS) {
    shop.settle({ login, email: mail(login) });
    blog.settle({ login: `${login}-b`, email: mail(login) });
  }
  await stand.connect('shop');
  await stand.connect('blog');
  await stand.operations.addRoute({ source: 'shop', target: 'blog', both: false });
  shop.register({ login: 'same', email: mail('same') });
  shop.register({ login: 'drifted', email: mail('drifted') });
  await stand.rest();
  edit('blog', 'drifted', 'edited on blog');
  await stand.rest();
  for (const login of PAIRS) edit('shop', login, `${login} of shop`);
  await stand.rest();
}
const PAIRS = ['pair1', 'pair2', 'pair3', 'pair4', 'pair5', 'pair6'];

async function runToItsEnd(links: NonNullable<SyncRequest['links']> = []) {
  const { id } = await stand.operations.startSync({ ...ALL, links }, 'olga');
  for (let looks = 0; looks < 200; looks += 1) {
    const run = await stand.operations.sync(id);
    if (run.state === 'done' || run.state === 'failed') return run;
    await stand.work();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return stand.operations.sync(id);
}

/** Who would be what, by the plan that is stored. */
async function planned(): Promise<Record<string, string>> {
  const { id } = await stand.operations.planSync(ALL, 'olga');
  await stand.work();
  const { accounts, next } = await stand.operations.syncSteps(id, { limit: 1000 });
  expect(next).toBeNull();
  return Object.fromEntries(accounts.map(({ login, what }) => [login, what]));
}

const LINKS = PAIRS.map((login) => ({ login, target: 'blog', other: `${login}-b` }));

describe('a manual sync', () => {
  beforeAll(twoUserBases);
  afterAll(() => stand.close());

  test('I5: proves no link that was not named, and none that names another account', async () => {
    const before = PAIRS.map((login) => stand.site('blog').byLogin(`${login}-b`)?.uid);
    const [first] = LINKS;
    const run = await runToItsEnd(first === undefined ? [] : [{ ...first, other: 'pair2-b' }]);
    expect(run).toMatchObject({ state: 'done', skipped: 1 + PAIRS.length });
    await stand.rest();
    expect(PAIRS.map((login) => stand.site('blog').byLogin(`${login}-b`)?.uid)).toEqual(before);
    expect(PAIRS.map((login) => firstName('blog', `${login}-b`))).toEqual(PAIRS.map(() => ''));
    await stand.close();
    await twoUserBases();
  });

  test('I10: does what its preview said, to everybody, and a second preview finds nothing to do', async () => {
    const said = await planned();
    expect(stand.site('blog').byLogin('onlyshop')).toBeUndefined();
    expect(said).toEqual({
      same: 'unchanged',
      onlyshop: 'create',
      boss: 'skip',
      clash: 'hold',
      drifted: 'update',
      ...Object.fromEntries(PAIRS.map((login) => [login, 'link'])),
    });

    const run = await runToItsEnd(LINKS);
    expect(run).toMatchObject({ state: 'done', fault: null, skipped: 1, failed: 0, pending: 0 });
    expect(run.held).toBe(1);
    expect(run.delivered).toBe(2 + PAIRS.length);
    expect(stand.site('blog').value('onlyshop', 'email')).toBe(mail('onlyshop'));
    expect(firstName('blog', 'drifted')).toBe('');
    expect(stand.site('blog').value('clash', 'email')).toBe(mail('somebody-else'));
    expect(stand.site('blog').byLogin('boss')).toBeUndefined();
    expect(PAIRS.map((login) => firstName('blog', `${login}-b`))).toEqual(
      PAIRS.map((login) => `${login} of shop`),
    );

    await stand.rest();
    const again = Object.entries(await planned()).filter(([, what]) => what !== 'unchanged');
    expect(Object.fromEntries(again)).toEqual({ boss: 'skip', clash: 'hold' });
  });

  test('T723: leaves each link that it proved in the log, with the name of who started it', async () => {
    const { rows } = await stand.operations.log({ status: ['released'], limit: 100 });
    const links = rows.filter(
      ({ action, actor }) => action === 'link' && actor === 'operator olga',
    );
    expect(links.map(({ login }) => login).sort()).toEqual(PAIRS);
  });
});

describe('a link that an operator proves', () => {
  beforeAll(twoUserBases);
  afterAll(() => stand.close());

  test('I5: lets both sides’ values cross, also when both accounts were edited just before', async () => {
    await stand.operations.addRoute({ source: 'blog', target: 'shop', both: false });
    for (const login of PAIRS) {
      const account = stand.site('blog').byLogin(`${login}-b`);
      stand.site('blog').edit(account?.id ?? 0, { last_name: `${login} of blog` });
      edit('shop', login, `${login} again`);
      await stand.operations.proveLink(
        { site: 'shop', login, otherSite: 'blog', otherLogin: `${login}-b` },
        'olga',
      );
    }
    await stand.work();
    await stand.rest();
    const both = (site: string, login: string) => [
      stand.site(site).value(login, 'first_name'),
      stand.site(site).value(login, 'last_name'),
    ];
    for (const login of PAIRS) {
      const wanted = [`${login} again`, `${login} of blog`];
      expect(both('shop', login)).toEqual(wanted);
      expect(both('blog', `${login}-b`)).toEqual(wanted);
    }
    expect(await stand.operations.held({})).toEqual({ held: [], next: null });
  });

  test('I5: is refused when both have an account on one site', async () => {
    const link = { site: 'shop', login: 'drifted', otherSite: 'blog', otherLogin: 'clash' };
    await expect(stand.operations.proveLink(link, 'olga')).rejects.toMatchObject({
      code: 'link.refused',
    });
  });

  test('T723: is in the log, with the name of who said so', async () => {
    const { rows } = await stand.operations.log({ account: 'pair1', limit: 100 });
    const links = rows.filter(({ action }) => action === 'link');
    expect(links).toMatchObject([
      {
        login: 'pair1',
        source: 'shop',
        target: 'blog',
        status: 'released',
        actor: 'operator olga',
      },
    ]);
  });
});
