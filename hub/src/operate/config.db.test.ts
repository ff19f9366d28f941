/** The configuration as a document, compared and applied over a real store with sites in memory. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Config } from '../api/schemas/config.ts';
import { Stand } from './test/stand.ts';

const NAMES = ['shop', 'blog', 'academy'];
let stand: Stand;

beforeAll(async () => {
  stand = await Stand.open(NAMES);
  for (const name of NAMES) await stand.connect(name);
});
afterAll(() => stand?.close());

const apply = async (config: Config, remove = false) => {
  const { revision, problems } = await stand.operations.diffConfig({ config, remove });
  expect(problems).toEqual([]);
  return stand.operations.applyConfig({ config, remove, revision }, 'olga');
};
const everything = async () => ({
  config: await stand.operations.config(),
  routes: await stand.operations.routes(),
  sites: await stand.operations.sites(),
});
const BRANDS = {
  name: 'Brands',
  members: NAMES.map((site) => ({ site, way: 'both' as const })),
  rules: { creates: false },
  exceptions: [{ source: 'shop', target: 'blog', status: 'none' as const }],
};

test('what was set by hand is taken back and set again by the document that was exported', async () => {
  await stand.operations.changeSite('blog', { automatic: false, roleMap: { author: ['author'] } });
  await stand.operations.addGroup({ name: 'Brands', members: BRANDS.members });
  await stand.operations.changeLogSettings({ days: 12 });
  await stand.operations.changeSiteLog('shop', { on: false }, 'olga');
  const first = await everything();
  const usual = { automatic: true, roleMap: {}, log: { on: true } };
  const sites = NAMES.map((name) => ({ name, url: `https://${name}.test`, ...usual }));
  const done = await apply({ rollcall: 1, hub: { logDays: 30 }, sites, groups: [], routes: [] });
  expect(done.routes).toEqual({ added: 0, changed: 0, removed: 6 });
  expect(done.changes.map(({ act, what, name }) => `${act} ${what} ${name}`)).toEqual([
    'changed hub hub',
    'changed site blog',
    'changed site shop',
    'removed group Brands',
  ]);
  expect(await stand.operations.routes()).toEqual([]);
  const { code, by } = (await stand.operations.siteEvents({ site: 'shop', limit: 1 }))[0] ?? {};
  expect([code, by]).toEqual(['log.switched', 'operator olga']);

  await apply(first.config.config);
  const again = await everything();
  expect(again.config.config).toEqual(first.config.config);
  expect(again.sites).toEqual(first.sites);
  const noId = (route: object) => ({ ...route, id: 0 });
  expect(new Set(again.routes.map(noId))).toEqual(new Set(first.routes.map(noId)));
});

test('applied twice it changes nothing, not even the revision', async () => {
  await apply({ rollcall: 1, groups: [BRANDS], routes: [] });
  const before = await everything();
  expect(before.routes).toHaveLength(5);
  const { changes, routes } = await apply({ rollcall: 1, groups: [BRANDS], routes: [] });
  expect(changes).toEqual([]);
  expect(routes).toEqual({ added: 0, changed: 0, removed: 0 });
  expect(await everything()).toEqual(before);
});

test('T186: what was changed since the differences were shown is not overwritten', async () => {
  await apply({ rollcall: 1, groups: [BRANDS], routes: [] });
  const config: Config = { rollcall: 1, groups: [] };
  for (const change of [
    () => stand.operations.changeSite('shop', { automatic: false }),
    () => stand.operations.changeGroup('Brands', { rules: { updates: false } }),
    () => stand.operations.changeLogSettings({ days: 13 }),
  ]) {
    const { revision } = await stand.operations.diffConfig({ config, remove: false });
    await change();
    const before = await everything();
    const late = stand.operations.applyConfig({ config, remove: false, revision }, 'olga');
    await expect(late).rejects.toMatchObject({ code: 'config.changed' });
    expect(await everything()).toEqual(before);
  }
  await stand.operations.changeSite('shop', { automatic: true });
});

test('T187: a document of which one thing can’t be meant changes nothing, and says where', async () => {
  const before = await everything();
  const config: Config = {
    rollcall: 1,
    hub: { logDays: 99 },
    sites: ['shop', 'blog'].map((name) => ({
      name,
      url: `https://${name}.test`,
      automatic: false,
    })),
    groups: [],
    routes: [
      { source: 'shop', target: 'blog' },
      { source: 'blog', target: 'shop', rules: { roles: ['wizard'] } },
    ],
  };
  const { revision, problems } = await stand.operations.diffConfig({ config, remove: true });
  expect(problems.map(({ path }) => path)).toEqual(['routes[1]']);
  await expect(
    stand.operations.applyConfig({ config, remove: true, revision }, 'olga'),
  ).rejects.toMatchObject({
    code: 'config.refused',
    message: 'routes[1]: “blog” has no role “wizard”.',
  });
  expect(await everything()).toEqual(before);
});

test('a site that is not in the file is removed only when that is said; its users stay', async () => {
  stand.site('academy').register({ login: 'anna', email: 'anna@x.test' });
  await stand.rest();
  const { config } = await stand.operations.config();
  const sites = config.sites?.filter(({ name }) => name !== 'academy') ?? [];
  const groups = (config.groups ?? []).map((group) => ({
    ...group,
    members: group.members.filter(({ site }) => site !== 'academy'),
  }));
  const kept = await apply({ rollcall: 1, sites, groups });
  expect(kept.notInFile).toEqual(['academy']);
  expect(await stand.operations.sites()).toHaveLength(3);
  const gone = await apply({ rollcall: 1, sites, groups }, true);
  expect(gone.changes).toMatchObject([{ act: 'removed', what: 'site', name: 'academy' }]);
  expect(gone.notRemoved).toEqual([]);
  expect((await stand.operations.sites()).map(({ name }) => name)).toEqual(['shop', 'blog']);
  expect(stand.site('academy').byLogin('anna')).toBeDefined();
});
