/**
 * A hub that is killed two hundred times, each time at another point of its road, while people go
 * on: nothing is lost, doubled or forgotten. `ROLLCALL_SEED` repeats a run.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { startHub } from '#hub/main.ts';
import { openStorage } from '#hub/storage/open-storage.ts';
import { startPostgresCluster } from '#hub/storage/test/postgres-cluster.ts';
import { freePort } from '#lab/free-port.ts';
import { nativeMissing } from '#lab/native-programs.ts';
import { type Site, startSite } from '#lab/start-site.ts';
import { DeedChooser } from './soak/choose-deed.ts';
import { everybodyOn, perform } from './soak/deed.ts';
import { DeedsDone, type LoggedRow } from './soak/deeds-done.ts';
import { type Edge, reachOf } from './soak/graph.ts';
import { Random } from './soak/random.ts';
import { CONNECTOR, Hub, prepare } from './stage.ts';
import { Victims } from './test/victim.ts';

const SEED = Number(process.env['ROLLCALL_SEED'] ?? Date.now() % 1_000_000);
/** More, for a longer hunt, or fewer: ROLLCALL_KILLS=2000. */
const KILLS = Number(process.env['ROLLCALL_KILLS'] ?? 200);
/** A store of its own takes longer to open than a connection. */
const ON_POSTGRES = 0.6;
const RULES = { meta: ['phone'], roles: ['subscriber', 'contributor', 'author'] };

/** Where it dies, and the so-manieth time at most. '' is anywhere. */
const POINTS: readonly (readonly [moment: string, within: number])[] = [
  ['before changes', 4],
  ['after changes', 4],
  ['before commit in changes', 4],
  ['after commit in changes', 4],
  ['begin in changes', 4],
  ['before apply', 3],
  ['after apply', 3],
  ['before commit in apply', 3],
  ['after commit in apply', 3],
  ['before labels', 2],
  ['after labels', 2],
  ['after commit in labels', 2],
  ['before settings', 2],
  ['after accounts', 1],
  ['', 120],
  ['', 60],
  ['', 60],
];
/** Who has not come to its point by then is killed where it is. */
const IDLE_MS = 2_500;

const missing = nativeMissing();
if (missing !== null) process.stderr.write(`${missing}\n`);
const cluster = missing === null ? await startPostgresCluster() : null;
const key = process.env['ROLLCALL_SECRET_KEY'];
// Before the first of them is loaded.
process.env['ROLLCALL_SECRET_KEY'] = 'one key for all of these processes';
const victims = new Victims();
const folders: string[] = [];
const sites: Site[] = [];

afterAll(async () => {
  victims.end();
  await Promise.all(sites.map((site) => site.stop()));
  await cluster?.stop();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
  if (key === undefined) delete process.env['ROLLCALL_SECRET_KEY'];
  else process.env['ROLLCALL_SECRET_KEY'] = key;
});

interface Play {
  readonly names: readonly string[];
  readonly edges: readonly Edge[];
  readonly kills: number;
  readonly databaseUrl: string | null;
}

async function startSites(names: readonly string[]): Promise<Map<string, Site>> {
  const started = await Promise.all(
    names.map((name) => startSite({ name, engine: 'native', connector: CONNECTOR })),
  );
  sites.push(...started);
  await Promise.all(started.map((site) => prepare(site)));
  return new Map(started.map((site) => [site.name, site]));
}

/** Everything that is in the Sync Log, by the names of the sites. */
async function wholeLog(hub: Hub): Promise<LoggedRow[]> {
  const all: LoggedRow[] = [];
  for (let after = 0; ; ) {
    const rows = await hub.log(`&after=${after}`);
    const last = rows.at(-1);
    if (last === undefined) return all;
    all.push(...rows.map((row) => ({ ...row, atMs: Date.parse(row.at) })));
    after = last.id;
  }
}

async function play({ names, edges, kills, databaseUrl }: Play, seed: number): Promise<void> {
  const random = new Random(seed);
  const stage = await startSites(names);
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-killed-'));
  folders.push(folder);
  const place = { dataFolder: folder, ...(databaseUrl === null ? {} : { databaseUrl }) };
  const port = await freePort();
  const order = { dataFolder: folder, databaseUrl, port };
  const site = (name: string): Site => {
    const found = stage.get(name);
    if (found === undefined) throw new Error(`no site ${name}`);
    return found;
  };

  // Killed while a site is being connected, too: the next one is asked again.
  const connect = async (moment: string): Promise<void> =>
    victims.run({ ...order, moment, time: 1 }, IDLE_MS, async (hub) => {
      for (const name of names) await hub.connect(site(name));
      for (const { from, to, both } of edges) await hub.route(from, to, { both, rules: RULES });
    });
  for (const name of names) {
    await site(name).php(`for ( $i = 0; $i < 10; $i++ ) {
      wp_insert_user( array( 'user_login' => "old-${name}-$i", 'user_email' => "old-${name}-$i@people.test", 'user_pass' => 'x' ) ); }`);
  }
  for (const moment of ['before connect', 'before accounts', 'after accounts', 'before labels'])
    await connect(moment);
  const first = await startHub({ ...place, port, pollSeconds: 1 });
  for (const name of names) await new Hub(first).connect(site(name)).catch(() => {});
  for (const { from, to, both } of edges)
    await new Hub(first).route(from, to, { both, rules: RULES }).catch(() => {});
  await first.stop();

  const reach = (name: string) => reachOf(edges, name);
  const chooser = new DeedChooser(random.branch(), names, reach);
  const done = new DeedsDone(edges);
  const act = async (chosen: ReturnType<DeedChooser['next']>): Promise<void> => {
    const fromMs = Date.now();
    if (await perform(site(chosen.site), chosen.deed))
      done.all.push({ ...chosen, fromMs, untilMs: Date.now() });
  };
  for (const name of names)
    for (let count = 0; count < 3; count += 1) await act(chooser.register(name));
  for (let kill = 0; kill < kills; kill += 1) {
    const [moment, within] = POINTS[kill % POINTS.length] ?? ['', 60];
    const time = 1 + random.below(within);
    const chosen = chooser.next({ removes: kill % 4 === 0, kills: false });
    const others = kill % 10 === 5 ? chooser.sameField() : [];
    await Promise.all([
      victims.run({ ...order, moment, time }, IDLE_MS),
      ...[chosen, ...others].map(act),
    ]);
  }

  const hub = await startHub({ ...place, port, pollSeconds: 1, settleDeletesSeconds: 1 });
  try {
    await new Hub(hub).rest(90_000);
    const found = new Map<string, Awaited<ReturnType<typeof everybodyOn>>>();
    for (const name of names) found.set(name, await everybodyOn(site(name)));
    const status = await new Hub(hub).status();
    const log = await wholeLog(new Hub(hub));
    expect({
      seed,
      wrong: done.wrongIn(found),
      unaccounted: done.unaccounted(log),
      idle: status.idle,
      held: status.held,
      trouble: status.sites.map((entry) => entry.trouble),
    }).toEqual({
      seed,
      wrong: [],
      unaccounted: [],
      idle: true,
      held: 0,
      trouble: names.map(() => null),
    });
  } finally {
    await hub.stop();
  }
  // It opens once more, whatever was done to it.
  const again = await openStorage(databaseUrl === null ? { dataFolder: folder } : { databaseUrl }, {
    dataFolder: folder,
    secretKey: process.env['ROLLCALL_SECRET_KEY'],
  });
  expect((await again.registry.installations()).length).toBe(names.length);
  await again.close();
}

describe.skipIf(missing !== null)(`killed at any point (seed ${SEED})`, () => {
  const onPostgres = cluster === null ? 0 : Math.round(KILLS * ON_POSTGRES);

  test('T202: the hub with its own store dies at every point of the road', async () => {
    const edges = [
      { from: 'shop', to: 'blog', both: true },
      { from: 'blog', to: 'academy', both: true },
    ];
    const names = ['shop', 'blog', 'academy'];
    await play({ names, edges, kills: KILLS - onPostgres, databaseUrl: null }, SEED);
  }, 600_000);

  test.skipIf(cluster === null)(
    'T203: a hub on PostgreSQL dies at every point of the road',
    async () => {
      const databaseUrl = (await cluster?.createDatabase()) ?? '';
      const edges = [{ from: 'club', to: 'forum', both: true }];
      await play({ names: ['club', 'forum'], edges, kills: onPostgres, databaseUrl }, SEED + 1);
    },
    600_000,
  );

  test('T202: there were enough of them, and everywhere', () => {
    const deaths = Object.fromEntries(victims.deaths);
    process.stderr.write(`deaths: ${JSON.stringify(deaths)}\n`);
    const count = [...victims.deaths.values()].reduce((sum, each) => sum + each, 0);
    expect(count).toBeGreaterThanOrEqual(KILLS);
  });
});
