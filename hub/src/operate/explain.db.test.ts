/** `explain` names the first rule that says no, for each route of an account, over a real store. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Stand } from './test/stand.ts';

let stand: Stand;
const shop = () => stand.site('shop');
const blog = () => stand.site('blog');
const idOf = (login: string, site = shop()) => site.byLogin(login)?.id ?? 0;
const explained = async (login: string) => {
  const { targets } = await stand.operations.explain('shop', login);
  const why = targets.find(({ site }) => site === 'blog')?.why ?? [];
  return why.map(({ verdict, reason, fields }) => [verdict, reason, fields.join()]);
};
const ROUTE = 1;

beforeAll(async () => {
  stand = await Stand.open(['shop', 'blog', 'academy']);
  shop().settle({ login: 'older', email: 'older@x.test' });
  blog().settle({ login: 'elder', email: 'older@x.test' });
  blog().settle({ login: 'taken', email: 'somebody@x.test' });
  for (const name of ['shop', 'blog', 'academy']) await stand.connect(name);
  const [route] = await stand.operations.addRoute({ source: 'shop', target: 'blog', both: false });
  expect(route?.id).toBe(ROUTE);
  for (const login of ['anna', 'taken', 'quiet', 'calm']) {
    shop().register({ login, email: `${login}@x.test` });
  }
  await stand.rest();
});
afterAll(() => stand?.close());

test('in step, and no route', async () => {
  const why = await explained('anna');
  expect(why).toEqual([['in_step', null, expect.stringContaining('email')]]);
  const { targets } = await stand.operations.explain('shop', 'anna');
  expect(targets.find(({ site }) => site === 'academy')).toMatchObject({ route: null, why: [] });
});

test('held, and unproven', async () => {
  expect(await explained('taken')).toContainEqual([
    'held',
    'identity.login_taken',
    expect.stringContaining('email'),
  ]);
  shop().edit(idOf('older'), { first_name: 'Older' });
  await stand.rest();
  expect(await explained('older')).toEqual([['skipped', 'link.unproven', '']]);
});

test('stopped, with the reason that the target gave', async () => {
  const there = blog().byLogin('anna');
  if (there === undefined) throw new Error('no anna');
  blog().rejectIncoming(there.id);
  shop().edit(idOf('anna'), { first_name: 'Anna' });
  await stand.rest();
  const why = await explained('anna');
  expect(why[0]).toEqual(['skipped', 'account.incoming_rejected', '']);
  expect(why).toContainEqual(['stopped', 'account.incoming_rejected', 'first_name']);
  there.switches.reject_incoming = false;
});

test('kept at home, not among those who leave, and paused', async () => {
  shop().stopOutgoing(idOf('quiet'), true);
  await stand.rest();
  expect(await explained('quiet')).toEqual([['skipped', 'account.outgoing_stopped', '']]);
  shop().stopOutgoing(idOf('quiet'), false);
  await stand.rest();
  await stand.operations.changeSite('shop', { syncRoles: ['author'] });
  expect(await explained('quiet')).toEqual([['skipped', 'source.role_not_selected', '']]);
  await stand.operations.changeSite('shop', { syncRoles: [], automatic: false });
  expect(await explained('quiet')).toEqual([['skipped', 'source.automatic_off', '']]);
  await stand.operations.changeSite('shop', { automatic: true });
  await stand.operations.changeRoute(ROUTE, { status: 'paused' });
  expect(await explained('quiet')).toEqual([['skipped', 'route.paused', '']]);
  await stand.operations.changeRoute(ROUTE, { status: 'active' });
  await stand.operations.changeSite('blog', { status: 'paused' });
  expect(await explained('quiet')).toEqual([['skipped', 'site.paused', '']]);
  await stand.operations.changeSite('blog', { status: 'active' });
});

test('not selected by the route, and an account that an edit would not create', async () => {
  await stand.operations.changeRoute(ROUTE, { rules: { creates: false } });
  shop().register({ login: 'late', email: 'late@x.test' });
  await stand.rest();
  await stand.operations.changeRoute(ROUTE, { rules: { creates: true } });
  // No edit creates it; an operator does.
  expect(await explained('late')).toEqual([['skipped', 'target.account_missing', '']]);
  const rules = (await stand.operations.routes())[0]?.rules;
  const fields = rules?.fields.filter((field) => field !== 'first_name') ?? [];
  await stand.operations.changeRoute(ROUTE, { rules: { fields } });
  shop().edit(idOf('quiet'), { first_name: 'Quiet' });
  await stand.rest();
  const why = await explained('quiet');
  expect(why).toContainEqual([
    'skipped',
    'field.not_selected',
    expect.stringContaining('first_name'),
  ]);
  await stand.operations.changeRoute(ROUTE, { rules: { fields: [...fields, 'first_name'] } });
});

test('an account under an alarm, and one that ended', async () => {
  const account = shop().byLogin('quiet');
  if (account === undefined) throw new Error('no quiet');
  const { uid } = account;
  account.uid = null;
  shop().edit(account.id, { first_name: 'Unlabelled' });
  await stand.rest();
  expect(await explained('quiet')).toEqual([['skipped', 'identity.label_mismatch', '']]);
  account.uid = uid;
  blog().remove(idOf('anna', blog()));
  await stand.rest();
  expect((await explained('anna')).map(([, reason]) => reason)).toContain('identity.deleted');
});

test('a site that is away, and one that a person must look at', async () => {
  blog().down = true;
  shop().edit(idOf('calm'), { last_name: 'Away' });
  await stand.operations.runUntilIdle({ waitMs: 100 });
  const [away, ...rest] = await explained('calm');
  expect(away).toEqual(['pending', expect.stringMatching(/^site\./u), '']);
  expect(rest).toContainEqual(['pending', null, expect.stringContaining('last_name')]);
  blog().down = false;
  await stand.operations.testSite('blog');
  await stand.rest();
  shop().epoch = 'another';
  await stand.operations.runUntilIdle({ waitMs: 100 });
  expect(await explained('calm')).toEqual([['skipped', 'source.rewound', '']]);
});
