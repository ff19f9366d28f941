/** Sites whose connector is older than the hub, or newer: what goes on, what is refused, and how a person hears of it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FEATURES } from '#contract/version.ts';
import type { SomeRules } from '../api/schemas/route.ts';
import { Fault } from '../errors.ts';
import { keepSiteSettings } from '../sync/site-settings.ts';
import { OlderSite } from '../sync/test/older-site.ts';
import { Stand } from './test/stand.ts';

const TOO_OLD = { code: 'site.connector_too_old' };
let stand: Stand;
beforeAll(async () => {
  stand = await Stand.open(['old', 'blog', 'next'], ['old']);
  for (const name of ['old', 'blog', 'next']) await stand.connect(name);
  await stand.operations.addRoute({ source: 'old', target: 'blog', both: true });
  await stand.rest();
});
afterAll(() => stand?.close());

/** A rule that asks for something, and the end whose connector can't do it. */
const RULES: [feature: string, rules: SomeRules, end: 'from' | 'to'][] = [
  ['sign_ins', { leaveWhen: [{ kind: 'signed_in' }] }, 'from'],
  ['email_by', { unconfirmedEmails: 'hold' }, 'from'],
  ['patterns', { meta: ['billing_*'] }, 'from'],
  ['patterns', { meta: ['billing_*'] }, 'to'],
  ['ext', { fields: ['email', 'ext:points'] }, 'to'],
  ['login_taken', { loginTaken: 'suffix' }, 'to'],
  ['password_mail', { passwordMail: true }, 'to'],
];
const route = async (source: string) =>
  (await stand.operations.routes()).find((one) => one.source === source);

test('T935: automatic sync, passwords, roles and deletes go on between an older connector and a new one', async () => {
  const [old, blog] = [stand.site('old'), stand.site('blog')];
  const anna = old.register({ login: 'anna', email: 'anna@x.test', role: 'author' });
  const bo = blog.register({ login: 'bo', email: 'bo@x.test' });
  await stand.rest();
  const hash = `$P$B${'a'.repeat(30)}`;
  old.edit(anna, { first_name: 'Anna', password: hash });
  blog.edit(bo, { last_name: 'Berg' });
  await stand.rest();
  const there = (login: string, field: string) => [old, blog].map((at) => at.value(login, field));
  expect(there('anna', 'password')).toEqual([hash, hash]);
  expect(there('anna', 'first_name')).toEqual(['Anna', 'Anna']);
  expect(there('anna', 'role:author')).toEqual([true, true]);
  expect(there('bo', 'last_name')).toEqual(['Berg', 'Berg']);
  old.remove(anna);
  await stand.rest();
  expect(blog.byLogin('anna')).toBeUndefined();
  expect((await stand.storage.registry.installations()).map(({ trouble }) => trouble)).toEqual([
    null,
    null,
    null,
  ]);
});

test('T935: sites, doctor and test say what an older connector can’t do yet', async () => {
  const sites = await stand.operations.sites();
  const all: string[] = Object.keys(FEATURES).sort();
  const lacks = sites.map((site) => site.lacks.map(({ feature }) => feature).sort());
  expect(lacks).toEqual([all, [], []]);
  expect(sites.map(({ updateDue }) => updateDue)).toEqual([true, false, false]);
  const told = {
    code: 'connector.update_due',
    message: expect.stringMatching(/update the connector for: .*billing_\*.*first sign-ins/u),
  };
  expect((await stand.operations.testSite('old')).warnings).toEqual([told]);
  expect((await stand.operations.testSite('blog')).warnings).toEqual([]);
  const { checks, ok } = await stand.operations.doctor();
  expect(ok).toBe(true);
  expect(checks.filter(({ what }) => what === 'connector')).toMatchObject([
    { subject: 'old', ...told, next: expect.stringContaining('Update') },
  ]);
});

test.each(RULES)(
  'T935: a rule that needs %s is refused where it would be kept by nobody',
  async (_, rules, end) => {
    const source = end === 'from' ? 'old' : 'blog';
    const before = await route(source);
    const refused = {
      ...TOO_OLD,
      message: expect.stringContaining('“old” is too old for this rule'),
    };
    const set = { rules };
    await expect(stand.operations.changeRoute(before?.id ?? 0, set)).rejects.toMatchObject(refused);
    expect(await route(source)).toEqual(before);
    const [a, b] = end === 'from' ? ['old', 'next'] : ['next', 'old'];
    const add = { source: a, target: b, both: false, ...set };
    await expect(stand.operations.addRoute(add)).rejects.toMatchObject(refused);
    const members = [a, b].map((site) => ({ site, way: 'both' as const }));
    const group = { name: 'Brands', members, ...set };
    await expect(stand.operations.addGroup(group)).rejects.toMatchObject(refused);
    expect(await stand.operations.routes()).toHaveLength(2);
    // Both ends of it are new.
    if (end === 'to') return;
    const fine = { source: 'blog', target: 'next', both: false, ...set };
    const [made] = await stand.operations.addRoute(fine);
    await stand.operations.removeRoute(made?.id ?? 0);
  },
);

test('T935: a rule from before the connector was put back is told of, and keeps nobody from changing another', async () => {
  const { registry } = stand.storage;
  const old = stand.site('old');
  if (!(old instanceof OlderSite)) throw new Error('“old” is not old');
  old.contract = 2;
  await stand.operations.testSite('old');
  const id = (await route('old'))?.id ?? 0;
  await stand.operations.changeRoute(id, { rules: { meta: ['billing_*'] } });
  old.contract = 1;
  await stand.operations.testSite('old');
  const spoken = (await registry.installations()).map(({ home, contract }) => [home, contract]);
  expect(spoken).toContainEqual(['old.test', 1]);
  await stand.operations.changeRoute(id, { rules: { updates: false } });
  const { checks } = await stand.operations.doctor();
  expect(checks).toContainEqual(
    expect.objectContaining({
      code: 'connector.update_due',
      message:
        'A rule asks for what the connector on “old” can’t do yet: meta keys by a pattern (“billing_*”).',
    }),
  );
  await stand.operations.changeRoute(id, { rules: { meta: [], updates: true } });
});

test('what a connector overlooked is brought to it once more when it was updated', async () => {
  const { store, registry } = stand.storage;
  const blog = stand.site('blog');
  const brought: unknown[] = [];
  let [nowMs, connector] = [await store.nowMs(), '0.1.0'];
  const topology = await registry.topology();
  const installation = [...topology.sites.values()].find(
    ({ name }) => name === 'blog',
  )?.installation;
  if (installation === undefined) throw new Error('“blog” is not connected');
  const connection = await registry.connection(installation);
  const known = { status: blog.status.bind(blog), settings: blog.settings.bind(blog) };
  const status = await blog.status(connection);
  Object.assign(blog, {
    status: async () => ({ ...status, connector, clock: nowMs }),
    settings: async (_: unknown, told: unknown) => void brought.push(told),
  });
  const clocked = { ...store, nowMs: async () => nowMs };
  const settings = keepSiteSettings({ store: clocked, registry, site: blog });
  const keep = async (): Promise<number> => {
    nowMs += 700_000;
    await settings.keep({ installation, connection, topology });
    return brought.splice(0).length;
  };
  expect([await keep(), await keep()]).toEqual([1, 0]);
  connector = '0.2.0';
  expect([await keep(), await keep()]).toEqual([1, 0]);
  Object.assign(blog, known);
});

test('T936: a connector newer than the hub is not believed, and goes on by itself once the hub speaks its version', async () => {
  const next = stand.site('next');
  await stand.operations.addRoute({ source: 'next', target: 'blog', both: true });
  await stand.rest();
  const known = {
    status: next.status.bind(next),
    changes: next.changes.bind(next),
    apply: next.apply.bind(next),
  };
  const refuse = async (): Promise<never> => {
    throw new Fault('site.connector_too_new', 'The connector on next is newer than this hub.');
  };
  Object.assign(next, { status: refuse, changes: refuse, apply: refuse });
  next.register({ login: 'cleo', email: 'cleo@x.test' });
  const dora = stand.site('blog').register({ login: 'dora', email: 'dora@x.test' });
  await stand.rest();
  await stand.rest();
  expect(stand.site('blog').byLogin('cleo')).toBeUndefined();
  expect(next.byLogin('dora')).toBeUndefined();
  const about = (await stand.operations.sites()).find(({ name }) => name === 'next');
  expect(about).toMatchObject({ state: 'active', trouble: { code: 'site.connector_too_new' } });
  const { store, registry } = stand.storage;
  const there = (await registry.installations()).find(({ home }) => home === 'next.test');
  expect((there?.retryAtMs ?? 0) - (await store.nowMs())).toBeGreaterThan(500_000);
  const events = await stand.operations.siteEvents({ site: 'next', limit: 10 });
  expect(events.filter(({ code }) => code === 'site.connector_too_new')).toHaveLength(1);
  Object.assign(next, known);
  await stand.operations.testSite('next');
  stand.site('blog').edit(dora, { first_name: 'Dora' });
  await stand.rest();
  expect(stand.site('blog').byLogin('cleo')).toBeDefined();
  expect(next.value('dora', 'first_name')).toBe('Dora');
});
