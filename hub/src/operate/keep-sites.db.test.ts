/** The sites of a network, as they come and go while it is connected, over a real store. On real sites: e2e/networks-and-separate-sites. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AccountState } from '#contract/account-state.ts';
import type { StatusAnswer } from '#contract/messages.ts';
import { installationId } from '../model/ids.ts';
import { Stand } from './test/stand.ts';

type Told = StatusAnswer['sites'][number];
const told = (blog: number, change: Partial<Told> = {}): Told => ({
  blog,
  network: 1,
  closed: null,
  name: `Title ${blog}`,
  url: blog === 1 ? 'https://brand.test' : `https://brand.test/s${blog}`,
  rest_url: blog === 1 ? 'https://brand.test/wp-json/' : `https://brand.test/s${blog}/wp-json/`,
  roles: { subscriber: { name: 'Subscriber', privileged: false } },
  default_role: 'subscriber',
  grantable: ['subscriber'],
  read_only: false,
  ...change,
});

let stand: Stand;
beforeAll(async () => {
  stand = await Stand.open(['apart', 'brand']);
  stand.site('brand').listed = [told(1), told(2, { name: 'Shop' }), told(3, { name: 'Shop' })];
  await stand.connect('apart');
  await stand.connect('brand');
  await stand.rest();
});
afterAll(() => stand.close());

const sites = async () => (await stand.operations.sites()).filter(({ network }) => network === 1);
const named = async (name: string) => (await sites()).find((site) => site.name === name);
const events = async () =>
  (await stand.operations.siteEvents({ site: 'brand', limit: 10 })).map(({ code, message }) => [
    code,
    message,
  ]);

test('of two sites with one title each has a name of its own', async () => {
  expect((await sites()).map(({ name }) => name)).toEqual([
    'brand',
    'brand Shop',
    'brand Shop (brand.test/s3)',
  ]);
});

test('a site that is made later is there with the next pull, under a key and a name of its own, and no route leads there', async () => {
  const brand = stand.site('brand');
  const before = new Set((await sites()).map(({ key }) => key));
  // Its tables are just being made: it is looked at again until it has an address.
  brand.listed = [...brand.listed, told(4, { name: 'Club', url: '' })];
  await stand.rest();
  expect(await named('brand Club')).toBeUndefined();
  brand.listed = brand.listed.map((site) => (site.blog === 4 ? told(4, { name: 'Club' }) : site));
  await stand.rest();
  const club = await named('brand Club');
  expect(club).toMatchObject({ blog: 4, url: 'https://brand.test/s4', closed: null });
  expect(before.has(club?.key ?? 0)).toBe(false);
  expect(await stand.operations.routes()).toEqual([]);
  expect((await events())[0]).toEqual([
    'site.appeared',
    '“brand Club”: came on the network; no route leads there or from there yet.',
  ]);
});

test('a site that moves is spoken to there; what operators have said of it stays', async () => {
  const brand = stand.site('brand');
  await stand.operations.changeSite('brand Club', { name: 'Members', createMissing: true });
  const moved = {
    name: 'Club',
    url: 'https://brand.test/club',
    rest_url: 'https://brand.test/club/wp-json/',
  };
  brand.listed = brand.listed.map((site) => (site.blog === 4 ? told(4, moved) : site));
  await stand.rest();
  expect(await named('Members')).toMatchObject({
    url: 'https://brand.test/club',
    createMissing: true,
  });
  const record = (await stand.storage.registry.sites()).find(({ blog }) => blog === 4);
  expect(record?.restUrl).toBe('https://brand.test/club/wp-json/');
});

test('T981: what goes to a site that is archived waits, and arrives when it is open again', async () => {
  const { operations } = stand;
  const brand = stand.site('brand');
  for (const target of ['brand', 'brand Shop'])
    await operations.addRoute({ source: 'apart', target, both: false });
  brand.listed = brand.listed.map((site) => ({ ...site, closed: 'archived' as const }));
  await stand.rest();
  stand.site('apart').register({ login: 'anna', email: 'anna@people.test' });
  await stand.rest();
  expect(brand.byLogin('anna')).toBeUndefined();
  expect((await operations.doctor()).checks).toContainEqual(
    expect.objectContaining({ code: 'site.closed', level: 'ok' }),
  );
  const { targets } = await operations.explain('apart', 'anna');
  const reasons = targets.map(({ why }) => why[0]?.reason);
  expect(reasons.filter((reason) => reason === 'site.closed')).toHaveLength(2);
  brand.listed = brand.listed.map((site) => ({ ...site, closed: null }));
  await stand.rest();
  expect(brand.byLogin('anna')).toBeDefined();
});

const without = (blog: number) => {
  const brand = stand.site('brand');
  const before = brand.listed;
  brand.listed = before.filter((site) => site.blog !== blog);
  return () => {
    brand.listed = before;
  };
};
async function lookAgain(afterMs: number): Promise<void> {
  const [some] = await sites();
  const connection = await stand.storage.registry.connection(
    installationId(some?.installation ?? ''),
  );
  stand.laterMs += afterMs;
  const status = await stand.site('brand').status(connection);
  await stand.keepSites(connection.installation, status);
}
/** A site in memory has one blog, and refuses what is sent for another: nothing here means that it waits. */
const sentToShop = async (account: string) => {
  const { rows } = await stand.operations.log({ limit: 9, account });
  const there = rows.filter(({ target }) => target === 'brand Shop');
  return there.map(({ status, reason }) => [status, reason]);
};
const SENT = [['refused', 'target.site_missing']];

test('T224: a list that is empty, or lacks the main site, ends nothing; of a partial one what is missing waits', async () => {
  const brand = stand.site('brand');
  const shut = async () => (await sites()).map(({ name, closed }) => [name, closed]);
  const before = await shut();
  const whole = brand.listed;
  for (const listed of [[], whole.filter(({ blog }) => blog !== 1)]) {
    brand.listed = listed;
    for (let looks = 0; looks < 3; looks += 1) await lookAgain(600_000);
    await stand.rest();
    expect(await shut()).toEqual(before);
  }
  brand.listed = whole;
  const restore = without(2);
  await stand.rest();
  await lookAgain(60_000);
  expect((await named('brand Shop'))?.closed).toBe('deleted');
  stand.site('apart').register({ login: 'carla', email: 'carla@people.test' });
  await stand.rest();
  expect(await sentToShop('carla')).toEqual([]);
  restore();
  await lookAgain(600_000);
  await stand.rest();
  expect(await shut()).toEqual(before);
  expect(await sentToShop('carla')).toEqual(SENT);
  // What was missing once is not nearly ended from then on.
  without(2);
  await lookAgain(600_000);
  expect((await named('brand Shop'))?.closed).toBe('deleted');
  restore();
  await lookAgain(0);
});

test('T982: a site that ends stops its routes and takes nothing away, and an operator takes it out alone', async () => {
  const { operations } = stand;
  const brand = stand.site('brand');
  const restore = without(2);
  await stand.rest();
  stand.site('apart').register({ login: 'dora', email: 'dora@people.test' });
  await stand.rest();
  await lookAgain(600_000);
  expect((await named('brand Shop'))?.closed).toBe('ended');
  stand.site('apart').register({ login: 'berta', email: 'berta@people.test' });
  await stand.rest();
  expect(brand.byLogin('anna')).toBeDefined();
  expect(stand.site('apart').byLogin('anna')).toBeDefined();
  const { targets } = await operations.explain('apart', 'berta');
  expect(targets.map(({ why }) => why[0]?.reason)).toContain('site.ended');
  const [check] = (await operations.doctor()).checks.filter(({ code }) => code === 'site.ended');
  expect(check).toMatchObject({ subject: 'brand Shop', level: 'warning' });
  for (const login of ['dora', 'berta']) expect(await sentToShop(login)).toEqual([]);
  // A list that was only short of a site has undone nothing: what came before and after arrives.
  restore();
  await stand.rest();
  expect((await named('brand Shop'))?.closed).toBeNull();
  expect(await operations.routes()).toHaveLength(2);
  for (const login of ['dora', 'berta']) expect(await sentToShop(login)).toEqual(SENT);
  without(2);
  await stand.rest();
  stand.site('apart').register({ login: 'emma', email: 'emma@people.test' });
  await stand.rest();
  await lookAgain(600_000);
  expect(await operations.removeSite('brand Shop', { force: false }, 'ann')).toEqual({
    removed: ['brand Shop'],
    released: true,
  });
  const { rows } = await operations.log({ limit: 9, account: 'emma' });
  expect(rows.map(({ status, reason }) => [status, reason])).toContainEqual([
    'cancelled',
    'site.ended',
  ]);
  expect((await sites()).map(({ blog }) => blog)).toEqual([1, 3, 4]);
  expect(await operations.routes()).toMatchObject([{ target: 'brand' }]);
});

/** A site in memory has one blog: whoever is an author there is taken to be one in the club. */
function authorsAreInTheClub(): void {
  const brand = stand.site('brand');
  const both = (account: AccountState): AccountState => {
    const author = account.roles?.['1']?.['author'];
    return author === undefined
      ? account
      : { ...account, roles: { ...account.roles, '4': { author } } };
  };
  const changes = brand.changes.bind(brand);
  const accounts = brand.accounts.bind(brand);
  brand.changes = async (...asked) => {
    const answer = await changes(...asked);
    const rows = answer.rows.map((row) =>
      row.account === undefined ? row : { ...row, account: both(row.account) },
    );
    return { ...answer, rows };
  };
  brand.accounts = async (...asked) => {
    const answer = await accounts(...asked);
    return { ...answer, accounts: answer.accounts.map(both) };
  };
}

test('T233: what happens on a site that wrongly counts as ended leaves it once it is listed again, and nothing else does', async () => {
  const brand = stand.site('brand');
  const apart = stand.site('apart');
  const there = (login: string) => apart.byLogin(login);
  authorsAreInTheClub();
  const old = brand.register({ login: 'otto', email: 'otto@people.test', role: 'author' });
  await stand.rest();
  await stand.operations.addRoute({ source: 'Members', target: 'apart', both: false });
  const gina = brand.register({ login: 'gina', email: 'gina@people.test', role: 'author' });
  await stand.rest();
  expect([there('otto'), there('gina')?.login]).toEqual([undefined, 'gina']);
  const restore = without(4);
  await stand.rest();
  await lookAgain(600_000);
  expect((await named('Members'))?.closed).toBe('ended');
  brand.edit(gina, { first_name: 'Gina', last_name: 'Here' });
  brand.edit(old, { first_name: 'Otto' });
  brand.register({ login: 'hans', email: 'hans@people.test', role: 'author' });
  brand.register({ login: 'ines', email: 'ines@people.test', role: 'subscriber' });
  await stand.rest();
  expect([there('hans'), apart.value('gina', 'first_name')]).toEqual([undefined, '']);
  // Somebody on the other end is later than what waits here.
  apart.edit(there('gina')?.id ?? 0, { last_name: 'There' });
  restore();
  await stand.rest();
  expect((await named('Members'))?.closed).toBeNull();
  const names = ['first_name', 'last_name'].map((field) => apart.value('gina', field));
  expect(names).toEqual(['Gina', 'There']);
  expect(apart.value('hans', 'email')).toBe('hans@people.test');
  expect([there('otto'), there('ines')]).toEqual([undefined, undefined]);
});

test('a list that comes from a copy, or from before a backup, is not believed', async () => {
  const brand = stand.site('brand');
  const before = await sites();
  const id = installationId(before[0]?.installation ?? '');
  const connection = await stand.storage.registry.connection(id);
  const status = await brand.status(connection);
  const short = { ...status, sites: status.sites.slice(0, 1) };
  const copies = [
    { ...short, store: 'another' },
    { ...short, bound: { hub: 'h', term: 1, home_matches: false } },
    { ...short, mark: { n: 900, id: '0123456789abcdef' } },
  ];
  for (const copy of copies) {
    await stand.keepSites(id, copy);
    expect(await sites()).toEqual(before);
  }
});
