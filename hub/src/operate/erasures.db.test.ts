/** A site that tells of erasures takes names out of the hub's records within a day's share alone. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { wordPressId } from '../model/ids.ts';
import { settleErasures } from './privacy/settle-erasures.ts';
import { Stand } from './test/stand.ts';

const LIMIT = { count: 3, part: 0, partAtLeast: 3 };
const MANY = ['one', 'two', 'three', 'four'];
let stand: Stand;

beforeAll(async () => {
  stand = await Stand.open(['shop', 'blog']);
  await stand.connect('shop');
  await stand.connect('blog');
  await stand.operations.addRoute({ source: 'shop', target: 'blog', both: true });
  await stand.rest();
  for (const login of ['anna', 'boss', ...MANY]) {
    stand.site('shop').register({ login, email: `${login}@shop.test`, role: 'subscriber' });
  }
  await stand.rest();
  const id = stand.site('blog').byLogin('boss')?.id ?? 0;
  stand.site('blog').edit(id, { 'role:administrator': true });
  await stand.rest();
});
afterAll(() => stand?.close());

/** @param unsettled told beside them, and not looked at yet */
async function tell(logins: readonly string[], unsettled: readonly string[] = []): Promise<void> {
  const installation = await home();
  const told = [...logins, ...unsettled].map((login) => ({
    row: randomUUID(),
    wpId: wordPressId(stand.site('shop').byLogin(login)?.id ?? 0),
    login,
    of: null,
  }));
  await stand.storage.erasures.note(installation, told);
  if (unsettled.length === 0) await settle();
}
const settle = async () => settleErasures({ ...stand.ports, limit: LIMIT }, await home());
async function home() {
  const [shop] = (await stand.storage.registry.sites()).filter(({ name }) => name === 'shop');
  if (shop === undefined) throw new Error('no shop');
  return shop.installation;
}
const named = async (login: string) =>
  (await stand.storage.views.log({ limit: 500 })).some((row) => row.login === login);
const held = async () =>
  (await stand.operations.erasures()).erasures.filter(
    ({ state, source, target }) => state === 'held' && source === target,
  );

test('T945: names leave the hub’s records within a day’s share; beyond it they wait for an operator', async () => {
  await tell(['anna']);
  expect(await named('anna')).toBe(false);
  await tell(MANY);
  expect(await Promise.all(MANY.map(named))).toEqual(MANY.map(() => true));
  const waiting = await held();
  expect(waiting.map(({ reason }) => reason)).toEqual(MANY.map(() => 'erasure.over_limit'));
  const [first, ...others] = waiting.map(({ id }) => id);
  await stand.operations.decideErasures({ erasures: [first ?? 0], decision: 'release' }, 'olga');
  await stand.operations.decideErasures({ erasures: others, decision: 'reject' }, 'olga');
  await settle();
  expect((await Promise.all(MANY.map(named))).filter((one) => !one).length).toBe(1);
  expect(await held()).toEqual([]);
});

test('T946: a site that tells of one person again and again has their records erased once a day', async () => {
  const shop = stand.site('shop');
  const id = shop.byLogin('anna')?.id ?? 0;
  shop.edit(id, { first_name: 'Anna' });
  await stand.rest();
  expect(await named('anna')).toBe(true);
  await tell(['anna']);
  await tell(['anna', 'anna']);
  expect(await named('anna')).toBe(true);
  const uid = (await stand.storage.views.identityByLogin(await home(), 'anna'))?.uid;
  const own = (await stand.operations.erasures()).erasures.filter(
    (step) => step.uid === uid && step.source === step.target,
  );
  expect(own.map(({ state }) => state)).toEqual(['waiting', 'erased']);
});

test('T947: who can administer a site anywhere stays named until an operator says so', async () => {
  const views = await stand.storage.views.identityByLogin(await home(), 'boss');
  expect([...(views?.accounts.values() ?? [])].some(({ privileged }) => privileged)).toBe(true);
  await tell(['boss']);
  expect(await named('boss')).toBe(true);
  const [step] = await held();
  expect(step?.reason).toBe('erasure.privileged');
  expect((await stand.operations.doctor()).checks.map(({ code }) => code)).toContain(
    'erasure.privileged',
  );
  await stand.operations.decideErasures({ erasures: [step?.id ?? 0], decision: 'release' }, 'olga');
  await settle();
  expect(await named('boss')).toBe(false);
});

test('T939: a site that tells of erasures without end fills neither the store nor the history, and loses none that is meant', async () => {
  const { erasures, registry } = stand.storage;
  const rows = async () => (await erasures.list(1_000)).length;
  const before = await rows();
  await tell(['two', 'two', 'two']);
  // Once at the other site and once here, at most.
  expect((await rows()) - before).toBeLessThanOrEqual(2);
  for (const login of ['kim', 'lou', 'max']) {
    stand.site('shop').register({ login, email: `${login}@shop.test`, role: 'subscriber' });
  }
  await stand.rest();
  const made = await rows();
  const toldADay = (await erasures.stepsToday(await home())) + 1;
  const capped = async () =>
    settleErasures({ ...stand.ports, limit: { ...LIMIT, toldADay } }, await home());
  await tell([], ['kim', 'lou', 'max']);
  for (let turn = 0; turn < 5; turn += 1) await capped();
  expect((await rows()) - made).toBe(2);
  const unsettled = await erasures.unsettled(await home());
  expect(unsettled.map(({ login }) => login)).toEqual(['lou', 'max']);
  const events = await stand.operations.siteEvents({ site: 'shop', limit: 100 });
  const told = events.filter(({ code }) => code === 'erasure.too_many');
  expect(told.length).toBeGreaterThan(0);
  expect(told.length).toBeLessThanOrEqual(10);
  expect((await registry.installation(await home())).state).toBe('active');
  await settle();
  expect(await erasures.unsettled(await home())).toEqual([]);
});
