/**
 * Memberships in a network: WordPress's own loop beside a run through the hub, on native PHP and MariaDB.
 *
 * Does: make accounts and sites by SQL and core's functions, add all of them with `add_user_to_blog()` before the
 * connector is there, take the memberships away again, and have the hub fill them in; then three times more, of which
 * the middle one counts.
 * Always true: what the hub gave is compared with what core gave, row by row. Each way begins with the same tables.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { type NetworkRunView, NetworkRunViewSchema } from '#hub/api/schemas/network.ts';
import { startHub } from '#hub/main.ts';
import { activatePlugin } from '#lab/activate-plugin.ts';
import { nativeMissing, type Site, startSite } from '#lab/start-site.ts';
import { waitUntil } from '#lab/wait-until.ts';
import { coreLoop, MEMBERSHIPS, PEOPLE_AND_SITES, TAKE_AWAY } from './php.ts';

const CONNECTOR = new URL('../../connector', import.meta.url).pathname;
const RUN_MS = 600_000;
const LOOK_MS = 20;
/** A second pass is so short that one request which waits for something else would be all that is seen. */
const SECOND_PASSES = 3;

interface Measured {
  readonly way: string;
  readonly pairs: number;
  readonly seconds: number;
  readonly pairsPerSecond: number;
  /** Of core's loop. */
  readonly times: number;
}

interface Found {
  readonly ways: readonly Measured[];
  /** The time of a second pass, as a share of the first one's. */
  readonly secondOfFirst: number;
}

export async function benchNetwork(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      accounts: { type: 'string', default: '3000' },
      sites: { type: 'string', default: '10' },
      json: { type: 'boolean', default: false },
    },
  });
  const missing = nativeMissing();
  if (missing !== null) throw new Error(`It needs native PHP and MariaDB: ${missing}`);
  const size = { accounts: Number(values.accounts), sites: Number(values.sites) };
  const say = (text: string) => void process.stderr.write(`${text}\n`);
  const site = await startSite({
    engine: 'native',
    name: 'bench',
    multisite: true,
    connector: CONNECTOR,
  });
  try {
    const found = await measure(site, size, say);
    const report = { ...size, pairs: size.accounts * size.sites, ...found };
    process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : textOf(found));
  } finally {
    await site.stop();
  }
}

async function measure(
  site: Site,
  { accounts, sites }: { readonly accounts: number; readonly sites: number },
  say: (text: string) => void,
): Promise<Found> {
  say(`${accounts} accounts and ${sites} sites are made …`);
  await site.php(`$accounts = ${accounts}; $sites = ${sites}; ${PEOPLE_AND_SITES}`);
  say('WordPress’s own loop …');
  const core = z.number().parse(JSON.parse(await site.php(coreLoop(sites))));
  const byCore = await site.php(MEMBERSHIPS);
  await site.php(TAKE_AWAY);
  await activatePlugin(site);
  say('through the hub …');
  const [first, second] = await throughHub(site, byCore);
  const pairs = accounts * sites;
  const rate = (seconds: number) => Math.round(pairs / seconds);
  const row = (way: string, seconds: number): Measured => ({
    way,
    pairs,
    seconds: Math.round(seconds * 100) / 100,
    pairsPerSecond: rate(seconds),
    times: Math.round((core / seconds) * 10) / 10,
  });
  const ways = [
    row('add_user_to_blog() in a loop', core),
    row('a run through the hub', first.wall),
    row('… of it in the pages of the run', first.pages),
    row('a second pass, nothing to do', second.wall),
  ];
  return { ways, secondOfFirst: Math.round((second.wall / first.wall) * 1_000) / 1_000 };
}

const StatusSchema = z.object({ delivered: z.boolean() });

interface Timed {
  /** From the order until the hub says that it is done. */
  readonly wall: number;
  /** As the hub timed the pages. */
  readonly pages: number;
}

async function throughHub(site: Site, byCore: string): Promise<readonly [Timed, Timed]> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'rollcall-bench-'));
  const hub = await startHub({ dataFolder, port: 0, pollSeconds: 3_600 });
  const call = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(`${hub.url}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${hub.token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
    return response.json();
  };
  const until = async (id: string, state: NetworkRunView['state']): Promise<NetworkRunView> => {
    let run: NetworkRunView | null = null;
    await waitUntil(
      async () => {
        run = NetworkRunViewSchema.parse(await call('GET', `/network-runs/${id}`));
        if (run.fault !== null) throw new Error(run.fault.message);
        return run.state === state;
      },
      RUN_MS,
      LOOK_MS,
    );
    return NetworkRunViewSchema.parse(run);
  };
  const timed = async (added: number | null): Promise<Timed> => {
    const body = { action: 'fill', sites: 'all', people: { by: 'all' } };
    const planned = NetworkRunViewSchema.parse(
      await call('POST', '/networks/bench/runs/plan', body),
    );
    await until(planned.id, 'planned');
    const started = performance.now();
    await call('POST', `/network-runs/${planned.id}/start`);
    const done = await until(planned.id, 'done');
    const wall = (performance.now() - started) / 1_000;
    if (added !== null && done.added !== added) throw new Error(`${done.added} were added`);
    return { wall, pages: done.done / (done.perSecond ?? 1) };
  };
  try {
    const appPassword =
      await site.php(`echo WP_Application_Passwords::create_new_application_password(
      get_user_by( 'login', '${site.adminLogin}' )->ID, array( 'name' => 'bench' ) )[0];`);
    const user = site.adminLogin;
    await call('POST', '/sites', { url: site.url, name: 'bench', user, appPassword });
    const first = await timed(null);
    if ((await site.php(MEMBERSHIPS)) !== byCore)
      throw new Error('The hub’s run left other rows than WordPress’s own loop.');
    // The first pass's changes are on their way into the hub; they are no part of the second.
    await waitUntil(
      async () => StatusSchema.parse(await call('GET', '/status?look=true')).delivered,
      RUN_MS,
    );
    const again: Timed[] = [];
    for (let pass = 0; pass < SECOND_PASSES; pass++) again.push(await timed(0));
    const [, second = first] = again.toSorted((a, b) => a.wall - b.wall);
    return [first, second];
  } finally {
    await hub.stop();
    await rm(dataFolder, { recursive: true, force: true });
  }
}

const textOf = ({ ways, secondOfFirst }: Found): string =>
  `${tableOf(ways)}\nA second pass takes ${(secondOfFirst * 100).toFixed(1)} % of the first one’s time.\n`;

function tableOf(found: readonly Measured[]): string {
  const head = ['', 'pairs', 'seconds', 'pairs/s', 'times core'];
  const rows = found.map(({ way, pairs, seconds, pairsPerSecond, times }) =>
    [way, pairs, seconds.toFixed(2), pairsPerSecond, times.toFixed(1)].map(String),
  );
  const all = [head, ...rows];
  const widths = head.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)));
  return all
    .map((row) =>
      row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))),
    )
    .map((row) => `${row.join('  ')}\n`)
    .join('');
}
