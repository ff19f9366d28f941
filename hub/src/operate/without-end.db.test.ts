/** A site whose lists never end, among two honest ones, over a real store. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ChangeRow } from '#contract/messages.ts';
import { wordPressId } from '../model/ids.ts';
import { BELIEVED_UNASKED } from '../sync/account-pages.ts';
import { Stand } from './test/stand.ts';

let stand: Stand;
let anna: number;

beforeAll(async () => {
  stand = await Stand.open(['shop', 'blog', 'lair']);
  await stand.connect('shop');
  await stand.connect('blog');
  await stand.operations.addRoute({ source: 'shop', target: 'blog', both: true });
  anna = stand.site('shop').register({ login: 'anna', email: 'anna@x.test' });
  stand.site('lair').settle({ login: 'owner', email: 'owner@x.test' });
  await stand.rest();
});
afterAll(() => stand.close());

/** Every site has a turn to tell, and to be told; if nothing is left to do soon, another one. */
const oneTurn = () => stand.operations.runUntilIdle({ waitMs: 50 });

/** An edit on one honest site is on the other after a turn; the lair has had its own meanwhile. */
async function annaGoesOn(name: string): Promise<void> {
  const [shop, blog] = [stand.site('shop'), stand.site('blog')];
  shop.edit(anna, { first_name: name });
  // On a busy machine the time may be over before the turn began.
  for (let turns = 0; turns < 20 && blog.value('anna', 'first_name') !== name; turns += 1) {
    await oneTurn();
  }
  expect(blog.value('anna', 'first_name')).toBe(name);
}

const lairNow = async () => {
  const { sites } = await stand.operations.status({ look: false });
  const found = sites.find(({ name }) => name === 'lair');
  if (found === undefined) throw new Error('no lair');
  return found;
};
const lairId = async () => {
  const sites = await stand.storage.registry.sites();
  const found = sites.find(({ name }) => name === 'lair');
  if (found === undefined) throw new Error('no lair');
  return found.installation;
};

test('T561: a site whose accounts never end stops until a person has looked, with little of it kept; the others go on', async () => {
  const lair = stand.site('lair');
  const honest = lair.accounts.bind(lair);
  let asked = 0;
  lair.accounts = async (connection, request) => {
    asked += 1;
    const page = await honest(connection, { ...request, after: 0 });
    const accounts = Array.from(
      { length: request.limit },
      (_, at) => request.after + 1 + at,
    ).flatMap((id) =>
      page.accounts.map((owner) =>
        id === owner.id ? owner : { ...owner, id, login: `bot-${id}`, email: `${id}@x.test` },
      ),
    );
    return { ...page, accounts, next: request.after + request.limit };
  };
  await stand.connect('lair');
  expect(await lairNow()).toMatchObject({
    state: 'attention',
    trouble: { code: 'site.endless_accounts' },
  });
  const kept = await stand.storage.views.accountCount(await lairId());
  expect(kept).toBeLessThanOrEqual(BELIEVED_UNASKED + 2);
  const before = asked;
  await annaGoesOn('Anna');
  expect(asked).toBe(before);
  const { checks } = await stand.operations.doctor();
  expect(checks).toContainEqual(
    expect.objectContaining({ subject: 'lair', code: 'site.endless_accounts', level: 'problem' }),
  );
  // Repaired, it is connected again and goes on.
  lair.accounts = honest;
  await stand.connect('lair');
  await stand.rest();
  for (let left = kept; left > 0; left -= 500) {
    await stand.operations.testSite('lair');
    await stand.work();
  }
  expect(await lairNow()).toMatchObject({ state: 'active', trouble: null });
  // Those who never were are let go together.
  const answered = await stand.operations.answerAlarms({ site: 'lair', answer: 'forget' }, 'olga');
  expect(answered).toEqual({ answered: kept - 1, next: null });
  expect(await stand.storage.views.accountCount(await lairId())).toBe(1);
});

test('T562: a site that has new changes to tell for ever tells them in turns', async () => {
  const lair = stand.site('lair');
  const honest = lair.changes.bind(lair);
  let asked = 0;
  lair.changes = async (connection, request) => {
    asked += 1;
    const page = await honest(connection, request);
    const row: ChangeRow = {
      row: asked.toString(16).padStart(16, 'a'),
      rev: 1,
      kind: 'error',
      at: page.clock,
      blog: 1,
      actor: { kind: 'cli' },
      error: { code: 'source.account_missing', message: '' },
    };
    return { ...page, rows: [row], more: true };
  };
  await annaGoesOn('Bettina');
  expect(asked).toBeGreaterThan(1);
  // Forty a turn; a fast machine may fit in a second one.
  expect(asked).toBeLessThanOrEqual(80);
  lair.changes = honest;
});

test('T563: a site that is asked for certain accounts and never comes to them keeps nobody waiting', async () => {
  const lair = stand.site('lair');
  const honest = lair.accounts.bind(lair);
  const ids = Array.from({ length: 500 }, (_, at) => wordPressId(at + 2));
  const installation = await lairId();
  await stand.storage.store.transaction((tx) => tx.queueRefresh(installation, ids));
  let asked = 0;
  lair.accounts = async (connection, request) => {
    asked += 1;
    return { ...(await honest(connection, request)), accounts: [], next: 1 };
  };
  await annaGoesOn('Cora');
  expect(asked).toBeGreaterThan(0);
  expect(asked).toBeLessThan(40);
  lair.accounts = honest;
  await stand.rest();
  expect((await stand.operations.status({ look: false })).idle).toBe(true);
});

test('what is held, and who is under an alarm, is shown page by page, and answered whatever its number', async () => {
  const { operations } = stand;
  const [shop, blog, lair] = [stand.site('shop'), stand.site('blog'), stand.site('lair')];
  const logins = ['one', 'two', 'three'];
  for (const login of logins) {
    shop.register({ login, email: `${login}@shop.test` });
    blog.register({ login, email: `${login}@blog.test` });
    lair.register({ login, email: `${login}@lair.test` });
  }
  await stand.rest();
  const { held, next } = await operations.held({ limit: 4 });
  expect(held).toHaveLength(4);
  const rest = await operations.held({ limit: 4, after: next ?? '' });
  expect(rest.next).toBeNull();
  const all = [...held, ...rest.held];
  expect(new Set(all.map(({ delivery }) => delivery)).size).toBe(6);
  await expect(operations.held({ after: 'nowhere' })).rejects.toMatchObject({
    code: 'request.invalid',
  });
  const reason = 'identity.login_taken';
  expect(new Set(all.map((row) => row.reason))).toEqual(new Set([reason]));
  const decision = { reason, decision: 'reject' } as const;
  expect(await operations.decideHeld(decision, 'olga')).toEqual({ decided: 6, next: null });
  expect(await operations.held({})).toEqual({ held: [], next: null });

  for (const login of logins) {
    const account = lair.byLogin(login);
    if (account === undefined) throw new Error(`no ${login}`);
    account.uid = randomUUID();
    lair.edit(account.id, { first_name: 'Somebody' });
  }
  await stand.rest();
  const page = await operations.alarms({ site: 'lair', limit: 2 });
  expect(page.alarms.map(({ login }) => login)).toEqual(['one', 'three']);
  const last = await operations.alarms({ site: 'lair', limit: 2, after: page.next ?? '' });
  expect(last.alarms.map(({ login }) => login)).toEqual(['two']);
  expect(last.next).toBeNull();
  const answer = { site: 'lair', answer: 'forget' } as const;
  expect(await operations.answerAlarms(answer, 'olga')).toEqual({ answered: 3, next: null });
  expect((await operations.alarms({})).alarms).toEqual([]);
});
