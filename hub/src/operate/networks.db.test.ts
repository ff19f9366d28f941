/** What an operator does with a network: looking, triggers, and runs that are counted first. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { waitUntil } from '#lab/wait-until.ts';
import type { NetworkPeople, NetworkRunView } from '../api/schemas/network.ts';
import { Fault } from '../errors.ts';
import type { FakeNetwork } from './test/fake-network.ts';
import { Stand } from './test/stand.ts';

let stand: Stand;
let network: FakeNetwork;
const ids: Record<string, number> = {};

beforeAll(async () => {
  stand = await Stand.open(['brands', 'alone']);
  network = stand.asNetwork('brands');
  for (const login of ['anna', 'ben', 'cleo', 'dora'])
    ids[login] = stand.site('brands').register({ login, email: `${login}@people.test` });
  await stand.connect('brands');
  await stand.connect('alone');
});
afterAll(() => stand.close());

beforeEach(() => {
  network.reset([]);
  network.superAdmins.clear();
  network.pageSize = Number.MAX_SAFE_INTEGER;
  network.passesBy = true;
  network.asked.length = 0;
});

const AWAY = new Fault('site.unreachable', 'Nobody answers.');
const FILL = { action: 'fill', sites: 'all', people: { by: 'all' } } as const;
const whole = () => network.accounts().length;
const now = (run: NetworkRunView) => stand.operations.networkRun(run.id);
const asked = (what: string) => network.asked.filter((one) => one.what === what);

test('networks are listed by their names, and one that is away is listed with why', async () => {
  const { networks } = await stand.operations.networks();
  expect(networks).toEqual([
    expect.objectContaining({ name: 'brands', sites: 3, accounts: whole(), fault: null }),
  ]);
  network.faults.push({ at: 'show', fault: AWAY });
  const away = await stand.operations.networks();
  expect(away.networks).toMatchObject([
    { name: 'brands', sites: 3, accounts: null, fault: { code: 'site.unreachable' } },
  ]);
});

test('any of its sites names a network; a site of none does not', async () => {
  const view = await stand.operations.network('brands Shop');
  expect(view).toMatchObject({ name: 'brands', title: 'Brands' });
  expect(view.sites.map(({ name }) => name)).toEqual(['brands', 'brands Shop', 'brands Press']);
  await expect(stand.operations.network('alone')).rejects.toMatchObject({
    code: 'network.unknown',
  });
});

test('T975: triggers are switched from the hub, and what would loosen a network is refused', async () => {
  network.settings = { ...network.settings, privileged_roles: ['administrator'] };
  const switched = { newAccount: true, roleSites: 'all' } as const;
  const tightened = { exclude: ['brands Press'], revokeRoles: ['administrator'] };
  const change = { ...switched, ...tightened };
  const { settings } = await stand.operations.changeNetwork('brands', change, 'ann');
  expect(settings).toMatchObject({ ...switched, excluded: ['brands Press'], privilegedRoles: [] });
  await expect(
    stand.operations.changeNetwork('brands', { siteAdmins: true }, 'ann'),
  ).rejects.toMatchObject({ code: 'site.guard_refused' });
  const events = await stand.operations.siteEvents({ site: 'brands', limit: 10 });
  expect(events[0]).toMatchObject({ code: 'network.settings_changed', by: 'operator ann' });
});

test('what is planned is counted and not written; started, it does just that, each page at its own site', async () => {
  network.on(2).set(ids['anna'] ?? 0, ['editor']);
  network.superAdmins.add(ids['ben'] ?? 0);
  const planned = await stand.operations.planNetworkRun('brands', FILL, 'ann');
  await stand.work();
  const plan = await now(planned);
  const people = whole();
  expect(plan.state).toBe('planned');
  expect(plan.preview).toMatchObject({ add: 3 * (people - 1) - 1, change: 0, unchanged: 1 });
  expect(asked('begin')).toEqual([]);

  await stand.operations.startNetworkRun(planned.id, 'ann');
  await expect(stand.operations.startNetworkRun(planned.id, 'ann')).rejects.toMatchObject({
    code: 'network.wrong_state',
  });
  await stand.work();
  const done = await now(planned);
  expect(done).toMatchObject({ state: 'done', done: 3 * people, added: plan.preview?.add });
  expect(done.skipped).toMatchObject([{ reason: 'network.super_admin', count: 3 }]);
  expect(network.on(2).get(ids['anna'] ?? 0)).toEqual(['editor']);
  expect(asked('page').map(({ restUrl }) => restUrl)).toEqual([
    'https://brands.test/1/wp-json/',
    'https://brands.test/2/wp-json/',
    'https://brands.test/3/wp-json/',
  ]);
  const { rows } = await stand.operations.networkRows(planned.id, { limit: 2 });
  expect(rows).toHaveLength(2);
});

test('of a full network nothing is asked but the beginning; an older connector takes a page for each site', async () => {
  for (const members of network.members.values())
    for (const { id } of network.accounts()) members.set(id, ['author']);
  const askedFor = async (passesBy: boolean) => {
    network.passesBy = passesBy;
    const planned = await stand.operations.planNetworkRun('brands', FILL, 'ann');
    await stand.work();
    network.asked.length = 0;
    await stand.operations.startNetworkRun(planned.id, 'ann');
    await stand.work();
    const names = network.asked.map(({ what }) => what);
    const done = { state: 'done', added: 0, unchanged: 3 * whole() };
    expect(await now(planned)).toMatchObject(done);
    return names;
  };
  expect(await askedFor(true)).toEqual(['begin']);
  expect(await askedFor(false)).toEqual(['begin', 'show', 'page', 'page', 'page']);
});

test('people are meant by login, address, a word, a role on a site; who is nobody is said', async () => {
  const plan = (people: NetworkPeople) =>
    stand.operations.planNetworkRun('brands', { ...FILL, people }, 'ann');
  const specFor = async (people: NetworkPeople) => (await plan(people)).people;
  expect(await specFor({ by: 'accounts', logins: ['anna', 'ben'] })).toBe(2);
  expect(await specFor({ by: 'emails', emails: ['CLEO@people.test'] })).toBe(1);
  expect(await specFor({ by: 'search', search: 'dor' })).toBe(1);
  expect(await specFor({ by: 'ids', ids: [3, 3, 2] })).toBe(2);
  await expect(plan({ by: 'accounts', logins: ['anna', 'nobody'] })).rejects.toMatchObject({
    code: 'network.nobody',
    message: expect.stringContaining('nobody'),
  });
  await expect(
    stand.operations.planNetworkRun('brands', { ...FILL, sites: ['elsewhere'] }, 'ann'),
  ).rejects.toMatchObject({ code: 'site.unknown' });
});

/** As a worker is woken again: what failed is tried later. */
async function workAgain(id: string): Promise<void> {
  await stand.work();
  await waitUntil(async () => (await stand.ports.networkRuns.atWork()).includes(id), 20_000);
  await stand.tick();
}

test('T976: a hub that was killed between two pages goes on where the network is, and adds nobody twice', async () => {
  network.pageSize = 2;
  const run = await stand.operations.runNetwork('brands', FILL, 'ann');
  // Done there, and never heard of here.
  network.faults.push({ at: 'begin', fault: AWAY, done: true });
  network.faults.push({ at: 'page', fault: AWAY, done: true });
  await workAgain(run.id);
  expect(await now(run)).toMatchObject({ state: 'running', fault: { code: 'site.unreachable' } });
  await workAgain(run.id);
  const done = await now(run);
  expect(done).toMatchObject({ state: 'done', added: 3 * whole(), done: 3 * whole(), fault: null });
  expect((await stand.operations.networkRows(run.id, {})).rows).toHaveLength(3 * whole());
  const seen: string[] = [];
  for (let after: string | null | undefined; after !== null; ) {
    const page = await stand.operations.networkRows(run.id, { limit: 5, ...(after && { after }) });
    seen.push(...page.rows.map(({ id, site }) => `${id} ${site}`));
    after = page.next;
  }
  expect(new Set(seen).size).toBe(3 * whole());
  const first = await stand.operations.networkRuns('brands', { limit: 1 });
  const second = await stand.operations.networkRuns('brands', {
    limit: 1,
    after: first.next ?? '',
  });
  expect([first.runs[0]?.id, second.runs.length]).toEqual([run.id, 1]);
  expect(second.runs[0]?.id).not.toBe(run.id);
});

test('a run is paused, resumed and taken back: what somebody has touched since stays', async () => {
  network.pageSize = 1;
  const run = await stand.operations.runNetwork('brands', FILL, 'ann');
  const before = network.port.page;
  let pages = 0;
  network.port.page = async (...given) => {
    pages += 1;
    if (pages === 2) await stand.operations.steerNetworkRun(run.id, 'pause', 'ben');
    return before(...given);
  };
  await stand.work();
  network.port.page = before;
  expect(await now(run)).toMatchObject({ state: 'paused', done: 2, wanted: null });
  expect(asked('page')).toHaveLength(2);
  await stand.operations.steerNetworkRun(run.id, 'resume', 'ben');
  await stand.work();
  expect(await now(run)).toMatchObject({ state: 'done', done: 3 * whole() });

  network.on(3).set(ids['dora'] ?? 0, ['author']);
  await stand.operations.steerNetworkRun(run.id, 'undo', 'ben');
  await stand.work();
  expect(await now(run)).toMatchObject({ state: 'undone', removed: 3 * whole() - 1, kept: 1 });
  expect([...network.on(3)]).toEqual([[ids['dora'], ['author']]]);
  await expect(stand.operations.steerNetworkRun(run.id, 'pause', 'ben')).rejects.toMatchObject({
    code: 'network.wrong_state',
  });
});

test('T232: what an undo could not take back is taken back by another one, and nothing is asked for where nothing is left', async () => {
  const run = await stand.operations.runNetwork('brands', FILL, 'ann');
  await stand.work();
  network.settings = { ...network.settings, excluded: [2] };
  network.on(3).set(ids['dora'] ?? 0, ['author']);
  const undo = async () => {
    await stand.operations.steerNetworkRun(run.id, 'undo', 'ben');
    await stand.work();
    return now(run);
  };
  const people = whole();
  const closed = [expect.objectContaining({ reason: 'network.site_closed', count: people })];
  const first = { removed: 2 * people - 1, kept: people + 1, left: closed };
  expect(await undo()).toMatchObject({ state: 'undone', ...first });
  expect(await undo()).toMatchObject({ state: 'undone', ...first });
  network.settings = { ...network.settings, excluded: [] };
  // Somebody in Network Admin is faster: the hub follows the run back, and to its end.
  const site = await stand.ports.registry.connection(await installation());
  await network.port.control(site, run.id, 'undo');
  expect(await now(run)).toMatchObject({ state: 'undoing', kept: 0, left: [] });
  await stand.tick();
  expect(await now(run)).toMatchObject({ state: 'undone', removed: 3 * people - 1, kept: 1 });
  expect([...network.on(3)]).toEqual([[ids['dora'], ['author']]]);
  network.asked.length = 0;
  await expect(undo()).rejects.toMatchObject({ code: 'network.nothing_to_undo' });
  expect(asked('undo')).toEqual([]);
});

test('a look at runs that is late takes nothing back that a worker has heard since', async () => {
  const run = await stand.operations.runNetwork('brands', FILL, 'ann');
  await stand.work();
  const { networkRuns } = stand.ports;
  const done = await networkRuns.find(run.id);
  if (done === null) throw new Error('it was just carried out');
  const told = { ...done, by: 'ann', beganMs: done.atMs };
  await networkRuns.heard(done.installation, { ...told, state: 'undoing' }, { ms: 0, pairs: 0 });
  await networkRuns.heard(done.installation, told);
  expect((await networkRuns.find(run.id))?.state).toBe('undoing');
  // On the network itself somebody else has it by now.
  await networkRuns.heard(done.installation, { ...told, state: 'undone', driver: 'cron' });
  expect(await networkRuns.find(run.id)).toMatchObject({ state: 'undone', driver: 'cron' });
});

test('a run of a command line there that the hub lets go on, or takes back, is the hub’s from then on', async () => {
  const spec = { action: 'fill', sites: 'all', people: 'all', add_back: false } as const;
  const { id } = network.begunThere(randomUUID(), spec, 'cli');
  await stand.operations.networkRuns('brands', {});
  const site = await stand.ports.registry.connection(await installation());
  await network.port.control(site, id, 'pause');
  await stand.operations.networkRuns('brands', {});
  await stand.operations.steerNetworkRun(id, 'resume', 'ann');
  await stand.work();
  expect(await stand.operations.networkRun(id)).toMatchObject({
    state: 'done',
    driver: 'hub',
    added: 3 * whole(),
  });
  // Whoever looks again and again asks for no list of all sites.
  network.asked.length = 0;
  await stand.operations.networkRun(id);
  expect(network.asked.map(({ what }) => what)).toEqual(['runs']);
});

const installation = async () => {
  const [first] = await stand.ports.registry.installations();
  if (first === undefined) throw new Error('none is connected');
  return first.id;
};

test('a run that its network was never told of is cancelled all the same', async () => {
  const run = await stand.operations.runNetwork('brands', FILL, 'ann');
  network.faults.push({ at: 'begin', fault: AWAY });
  await stand.work();
  await stand.operations.steerNetworkRun(run.id, 'cancel', 'ann');
  await stand.work();
  expect(await now(run)).toMatchObject({ state: 'cancelled', done: 0, wanted: null });
  expect(network.on(1).size).toBe(0);
});

test('a plan that was cancelled writes nothing; who never started takes nothing back', async () => {
  const planned = await stand.operations.planNetworkRun('brands', FILL, 'ann');
  await stand.work();
  await stand.operations.steerNetworkRun(planned.id, 'cancel', 'ann');
  await stand.work();
  expect(await now(planned)).toMatchObject({ state: 'cancelled', startedAt: null });
  await expect(stand.operations.steerNetworkRun(planned.id, 'undo', 'ann')).rejects.toMatchObject({
    code: 'network.wrong_state',
  });
  expect(asked('begin')).toEqual([]);
});

test('T977: what a network says of runs changes no run of another installation, nor what was asked for here', async () => {
  const mine = randomUUID();
  const spec = { action: 'fill', sites: 'all', people: 'all', add_back: false } as const;
  network.begunThere(mine, spec, 'cron');
  const { runs, fault } = await stand.operations.networkRuns('brands', {});
  expect(fault).toBeNull();
  expect(runs.find(({ id }) => id === mine)).toMatchObject({ driver: 'cron', by: 'trigger' });

  const planned = await stand.operations.planNetworkRun('brands', FILL, 'ann');
  await stand.work();
  const { networkRuns } = stand.ports;
  const record = await networkRuns.find(planned.id);
  if (record === null) throw new Error('it was just planned');
  const another = { ...spec, people: [1] };
  const told = { ...record, spec: another, state: 'done', by: 'x', beganMs: 1 } as const;
  await networkRuns.heard(record.installation, told);
  expect(await now(planned)).toMatchObject({ state: 'planned', people: null });
  await stand.operations.startNetworkRun(planned.id, 'ann');
  await networkRuns.heard(randomUUID(), told);
  expect(await now(planned)).toMatchObject({ state: 'running', people: null });
  await stand.work();
  expect(await now(planned)).toMatchObject({ state: 'done', people: null });
});

test('roles are copied from one site to the others where the person is a member', async () => {
  network.on(1).set(ids['anna'] ?? 0, ['author']);
  network.on(2).set(ids['anna'] ?? 0, ['subscriber']);
  const people = { by: 'accounts' as const, logins: ['anna'] };
  const run = await stand.operations.runNetwork(
    'brands',
    { action: 'copy', from: 'brands', sites: 'all', people },
    'ann',
  );
  await stand.work();
  const done = await now(run);
  expect(done).toMatchObject({ action: 'copy', from: 'brands', changed: 1, added: 0 });
  expect(done.skipped).toMatchObject([{ reason: 'network.not_a_member', count: 1 }]);
  expect(network.on(2).get(ids['anna'] ?? 0)).toEqual(['author']);
});
