/**
 * A hub that is killed two hundred times, each time at another point of its road, while people go
 * on: nothing is lost, doubled or forgotten. `ROLLCALL_SEED` repeats a run.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startHub } from '#hub/main.ts';
import { openStorage } from '#hub/storage/open-storage.ts';
import { startPostgresCluster } from '#hub/storage/test/postgres-cluster.ts';
import { freePort } from '#lab/free-port.ts';
import { nativeMissing } from '#lab/native-programs.ts';
import { type Site, startSite } from '#lab/start-site.ts';
import { type Chosen, DeedChooser } from './soak/choose-deed.ts';
import { everybodyOn, perform } from './soak/deed.ts';
import { DeedsDone, type LoggedRow, rowsOf } from './soak/deeds-done.ts';
import { type Edge, reachOf } from './soak/graph.ts';
import { Random } from './soak/random.ts';
import { CONNECTOR, Hub, prepare } from './stage.ts';
import { bundleHub } from './test/bundle-hub.ts';
import { DEEDS_BY_WEB, phpByWeb } from './test/deeds-by-web.ts';
import { halfAMinutePasses } from './test/half-a-minute-passes.ts';
import { Victims } from './test/victim.ts';

const SEED = Number(process.env['ROLLCALL_SEED'] ?? Date.now() % 1_000_000);
/** More, for a longer hunt, or fewer: ROLLCALL_KILLS=2000. */
const KILLS = Number(process.env['ROLLCALL_KILLS'] ?? 200);
/** Fewer than so many don't come by every point. */
const EVERYWHERE_FROM = 200;
const ON_POSTGRES = 0.3;
const RULES = { meta: ['phone'], roles: ['subscriber', 'contributor', 'author'] };

interface Point {
  /** Where it dies: a moment's name begins like this (hub-to-kill.ts). '' is anywhere. */
  readonly moment: string;
  /** The so-manieth time at most. */
  readonly within: number;
  /** Only somebody new leads there. */
  readonly newcomer?: true;
}

/** While a site is being connected. */
const FIRST_POINTS = ['before connect', 'before accounts', 'after accounts', 'before labels'];
const POINTS: readonly Point[] = [
  { moment: 'before changes', within: 4 },
  { moment: 'after changes', within: 4 },
  { moment: 'before commit in changes', within: 4 },
  { moment: 'after commit in changes', within: 4 },
  { moment: 'begin in changes', within: 4 },
  { moment: 'before apply', within: 2 },
  { moment: 'after apply', within: 2 },
  { moment: 'before commit in apply', within: 2 },
  { moment: 'after commit in apply', within: 2 },
  { moment: 'before labels', within: 1, newcomer: true },
  { moment: 'after labels', within: 1, newcomer: true },
  { moment: 'after commit in labels', within: 1, newcomer: true },
  { moment: '', within: 120 },
  { moment: '', within: 60 },
  { moment: '', within: 30 },
];
/** How long a hub that was not killed at its point may take to come to rest. */
const REST_MS = 15_000;
const LOOK_MS = 100;
/** In the end: what a dead process holds is free after half a minute, and then everything is to be done. */
const LAST_REST_MS = 240_000;
/** The last ones on PostgreSQL: nothing passes for them but time. */
const REALLY_WAITING = 5;
/** For a machine that does ten other things. */
const PATIENCE_MS = 1_800_000;

const missing = nativeMissing();
if (missing !== null) process.stderr.write(`${missing}\n`);
const cluster = missing === null ? await startPostgresCluster() : null;
const key = process.env['ROLLCALL_SECRET_KEY'];
// Before the first of them is loaded.
process.env['ROLLCALL_SECRET_KEY'] = 'one key for all of these processes';
const folders: string[] = [];
let victims: Victims;
const sites: Site[] = [];

beforeAll(async () => {
  if (missing !== null) return;
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-victim-'));
  folders.push(folder);
  await bundleHub(join(folder, 'hub.mjs'));
  victims = new Victims(join(folder, 'hub.mjs'));
});
afterAll(async () => {
  victims?.end();
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
    names.map((name) =>
      startSite({ name, engine: 'native', connector: CONNECTOR, muPlugins: DEEDS_BY_WEB }),
    ),
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

  const reach = (name: string) => reachOf(edges, name);
  const chooser = new DeedChooser(random.branch(), names, reach);
  const done = new DeedsDone(edges);
  for (const name of names) {
    await site(name).php(`for ( $i = 0; $i < 10; $i++ ) {
      wp_insert_user( array( 'user_login' => "old-${name}-$i", 'user_email' => "old-${name}-$i@people.test", 'user_pass' => 'x' ) ); }`);
    done.wereThere(name, await everybodyOn(site(name)));
  }

  // Killed while a site is being connected, too: the next one is asked again.
  const connect = async (hub: Hub): Promise<void> => {
    const { sites: there } = await hub.status(false);
    for (const name of names)
      if (there.every((entry) => entry.name !== name)) await hub.connect(site(name));
  };
  for (const moment of FIRST_POINTS) await victims.run({ ...order, moment, time: 1 }, connect);
  const first = await startHub({ ...place, port, pollSeconds: 1 });
  await connect(new Hub(first));
  for (const { from, to, both } of edges)
    await new Hub(first).route(from, to, { both, rules: RULES });
  await first.stop();

  const act = async (chosen: Chosen): Promise<void> => {
    const at = site(chosen.site);
    const fromMs = Date.now();
    if (await perform(at, chosen.deed, (code) => phpByWeb(at, code)))
      done.all.push({ ...chosen, fromMs, untilMs: Date.now() });
  };
  for (const name of names)
    for (let count = 0; count < 3; count += 1) await act(chooser.register(name));
  for (let kill = FIRST_POINTS.length; kill < kills; kill += 1) {
    const { moment, within, newcomer } = POINTS[kill % POINTS.length] ?? { moment: '', within: 60 };
    const time = 1 + random.below(within);
    const chosen = newcomer
      ? chooser.register()
      : chooser.next({ removes: kill % 4 === 0, kills: false });
    const others = kill % 10 === 5 ? chooser.sameField() : [];
    const acted = Promise.all([chosen, ...others].map(act));
    await victims.run({ ...order, moment, time }, async (hub) => {
      await acted;
      await hub.rest(REST_MS, LOOK_MS);
    });
    await acted;
    if (databaseUrl !== null && kill < kills - REALLY_WAITING) await halfAMinutePasses(databaseUrl);
  }

  const hub = await startHub({ ...place, port, pollSeconds: 1, settleDeletesSeconds: 1 });
  try {
    await new Hub(hub).rest(LAST_REST_MS);
    const found = new Map<string, Awaited<ReturnType<typeof everybodyOn>>>();
    for (const name of names) found.set(name, await everybodyOn(site(name)));
    const status = await new Hub(hub).status();
    const log = await wholeLog(new Hub(hub));
    const wrong = [...done.wrongIn(found), ...done.unaccounted(log)];
    expect({
      seed,
      wrong,
      log: rowsOf(wrong, log),
      idle: status.idle,
      held: status.held,
      trouble: status.sites.map((entry) => entry.trouble),
    }).toEqual({
      seed,
      wrong: [],
      log: [],
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

  test(
    'T202: the hub with its own store dies at every point of the road',
    async () => {
      const edges = [
        { from: 'shop', to: 'blog', both: true },
        { from: 'blog', to: 'academy', both: true },
      ];
      const names = ['shop', 'blog', 'academy'];
      await play({ names, edges, kills: KILLS - onPostgres, databaseUrl: null }, SEED);
    },
    PATIENCE_MS,
  );

  test.skipIf(cluster === null)(
    'T203: a hub on PostgreSQL dies at every point of the road',
    async () => {
      const databaseUrl = (await cluster?.createDatabase()) ?? '';
      const edges = [{ from: 'club', to: 'forum', both: true }];
      await play({ names: ['club', 'forum'], edges, kills: onPostgres, databaseUrl }, SEED + 1);
    },
    PATIENCE_MS,
  );

  test('T202: there were enough of them, and everywhere', () => {
    process.stderr.write(`deaths: ${JSON.stringify(Object.fromEntries(victims.deaths))}\n`);
    expect(victims.diedAt('')).toBeGreaterThanOrEqual(KILLS);
    if (KILLS < EVERYWHERE_FROM) return;
    const points = [...FIRST_POINTS, ...POINTS.map(({ moment }) => moment)];
    expect(points.filter((point) => victims.diedAt(point) === 0)).toEqual([]);
  });
});
