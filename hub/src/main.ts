/**
 * Builds everything and starts it. The only file that may import all the others.
 *
 * Always true: what was opened is closed again when the start fails half-way.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { createHubLog, reportErrors } from './api/hub-log.ts';
import { ACCESS, type Caller } from './api/operations.ts';
import { buildServer } from './api/server.ts';
import { buildConnectorZip, CONNECTOR, connectorVersion } from './cli/build-connector-zip.ts';
import type { HubOptions, RunningHub } from './cli/hub-process.ts';
import { Fault } from './errors.ts';
import { deliveryId } from './model/ids.ts';
import { keepingSites } from './operate/keep-sites.ts';
import { workOnRun } from './operate/manual-sync/work-on-run.ts';
import { workOnNetworkRun } from './operate/networks/work-on-network-run.ts';
import { buildOperations } from './operate/operations.ts';
import type { Introductions, OneTimeLogin, OperationPorts } from './operate/ports.ts';
import { settleErasures } from './operate/privacy/settle-erasures.ts';
import { provingInTurns } from './operate/proofs/prove-in-turns.ts';
import { settleProofs } from './operate/proofs/settle-proofs.ts';
import { workOnReconcile } from './operate/reconcile/work-on-reconcile.ts';
import { followSite } from './operate/relocate-site.ts';
import { runUntilIdle } from './operate/status.ts';
import { backUp, lastBackupMs } from './storage/backup/back-up.ts';
import { hubIdentity, startAt, takeOver } from './storage/hub-meta.ts';
import { startJobs } from './storage/jobs.ts';
import { purgeNetworkRuns } from './storage/network-runs.ts';
import { openStorage, type Storage } from './storage/open-storage.ts';
import { purgeReconciles } from './storage/reconciles.ts';
import { purgeKept, purgeRuns } from './storage/runs.ts';
import {
  expireDeliveries,
  purgeChanges,
  purgeEvents,
  purgeLog,
  purgeProofs,
  vacuum,
} from './storage/tidy.ts';
import { creationLimit } from './sync/creation-limit.ts';
import { DELETION_LIMIT } from './sync/deliver/deletion-limit.ts';
import { buildPipeline, type Pipeline, wakeDue } from './sync/pipeline.ts';
import type { Credential, Registry, Store, Wake } from './sync/ports.ts';
import { signalsArrive } from './sync/signals.ts';
import { withErasures } from './sync/with-erasures.ts';
import { withMarks } from './sync/with-marks.ts';
import { withProofs } from './sync/with-proofs.ts';
import { askingSites, type Renewed } from './wordpress/ask-site.ts';
import { connectSite, readStatus, whyRefused } from './wordpress/connect.ts';
import { discoverSite, frontOf } from './wordpress/discover.ts';
import { installConnector } from './wordpress/install-connector.ts';
import { networkClient } from './wordpress/network-client.ts';
import { revokePassword } from './wordpress/revoke-password.ts';
import { makePassword, signIn, signOut } from './wordpress/sign-in.ts';
import { siteClient } from './wordpress/site-client.ts';
import { createWire, WIRE_LIMITS, type Wire, type WireOptions } from './wordpress/wire.ts';

export { restoreHub, withKey } from './storage/backup/restore-hub.ts';
export const VERSION = '0.1.0';
const DEFAULT_PORT = 4700;
const DEFAULT_POLL_SECONDS = 15;
/** Where signals arrive, polling is only the net under them. */
const POLL_SIGNALLING_MS = 300_000;
/** Deletes wait this long so that many can be judged together. */
const DEFAULT_SETTLE_SECONDS = 60;

/**
 * Opens, wires and starts a hub. @throws Fault; nothing stays open then.
 *
 * @param world other names and certificates than the system's; for tests
 */
export async function startHub(options: HubOptions, world: WireOptions = {}): Promise<RunningHub> {
  const source =
    options.databaseUrl === undefined
      ? { dataFolder: options.dataFolder }
      : { databaseUrl: options.databaseUrl };
  const storage = await openStorage(source, {
    secretKey: process.env['ROLLCALL_SECRET_KEY'],
    dataFolder: options.dataFolder,
  });
  const closing: (() => Promise<void>)[] = [() => storage.close()];
  try {
    return await startOn(storage, options, closing, world);
  } catch (error) {
    await closeAll(closing);
    throw error;
  }
}

async function startOn(
  storage: Storage,
  options: HubOptions,
  closing: (() => Promise<void>)[],
  world: WireOptions,
): Promise<RunningHub> {
  const { store, registry, views, logKeeping, marks, proofs, runs, reconciles, tokens, database } =
    storage;
  const alone = options.databaseUrl === undefined;
  const place = {
    host: alone ? hostname() : null,
    folder: alone ? folderNumber(options.dataFolder) : null,
    url: options.publicUrl ?? null,
  };
  const identity = await startAt(database, place, { takeOver: options.takeOver ?? false });
  if (alone) await store.forgetLeases();

  const log = createHubLog({ level: process.env['ROLLCALL_LOG'] ?? 'warn' });
  const totalMs = seconds(options.siteTimeoutSeconds) ?? WIRE_LIMITS.totalMs;
  const wire = createWire({ ...WIRE_LIMITS, totalMs }, world);
  closing.push(() => wire.close());
  const { erasures } = storage;
  const ask = askingSites(wire, renewedIn(registry));
  const marked = withMarks(siteClient(ask), marks);
  const site = withErasures(withProofs(marked, proofs), erasures);
  const introductions: Introductions = {
    discover: (address, publicOnly) => discoverSite(wire, address, publicOnly),
    status: (door) => readStatus(wire, door),
    connect: (door, request) => connectSite(wire, door, request),
    approvePage: async (address) =>
      new URL('wp-admin/authorize-application.php', (await frontOf(wire, address)).wordpressUrl)
        .href,
    signIn: (address, login) => openLogin(wire, address, login),
    whyRefused,
    revoke: (door) => revokePassword(wire, door),
  };
  const late = lateWake();
  const pollMs = seconds(options.pollSeconds) ?? DEFAULT_POLL_SECONDS * 1000;
  const address = { url: options.publicUrl ?? '' };
  const proveBySource = provingInTurns({ store, registry, views, site, wake: late });
  const pipeline = buildPipeline(
    {
      store,
      registry,
      site,
      wake: late,
      signalUrl: (id) => (address.url === '' ? null : `${address.url}/api/v1/signals/${id}`),
      follow: (id) => followSite({ store, registry, site, introductions }, id),
      keepSites: keepingSites({ store, registry, marks, wake: late }),
      settleProofs: async (id) => {
        await settleProofs({ store, registry, site, proofs, wake: late }, id);
        await proveBySource(id);
        const limit = DELETION_LIMIT;
        await settleErasures({ store, registry, site, views, erasures, wake: late, limit }, id);
      },
      report: (event) => log.info(event, event.kind),
    },
    {
      creationLimit: creationLimit(options.newAccounts),
      deletionLimit: DELETION_LIMIT,
      pollMs,
      pollSignallingMs: POLL_SIGNALLING_MS,
      settleDeletesMs: (options.settleDeletesSeconds ?? DEFAULT_SETTLE_SECONDS) * 1000,
      newDeliveryId: () => deliveryId(randomUUID()),
    },
  );
  const ports: OperationPorts = {
    store,
    registry,
    views,
    logKeeping,
    marks,
    proofs,
    runs,
    reconciles,
    networkRuns: storage.networkRuns,
    site,
    network: networkClient(ask),
    pipeline,
    wake: late,
    introductions,
    approvals: storage.approvals,
    arrangements: storage.arrangements,
    erasures,
    hub: {
      id: identity.id,
      name: 'Rollcall',
      term: async () => (await hubIdentity(database)).term,
      takeOver: async () => {
        await takeOver(database);
      },
      verifyToken: async (token) => toCaller(await tokens.verifyToken(token)),
      ready: () => answers(storage),
      backUp: () => backUp(database, storage.secrets, alone ? options.dataFolder : tmpdir()),
      lastBackupMs: () => lastBackupMs(database),
    },
    version: VERSION,
    connectorVersion: connectorVersion(),
    publicUrl: () => address.url,
    newSecret: () => randomBytes(32).toString('base64url'),
    newId: () => randomUUID(),
  };

  // One for each data folder: processes that share a database must not replace each other's.
  const token = await tokens.createToken(
    `local ${hostname()} ${resolve(options.dataFolder)}`,
    'owner',
  );
  let url = '';
  if (options.listen !== false) {
    url = await listen(ports, options, log, closing);
    if (address.url === '') address.url = url;
  }
  const onError = reportErrors(log);
  if (options.workers !== false) {
    const onRun = async (id: string) => {
      await workOnRun(ports, id);
      await workOnReconcile(ports, id);
      await workOnNetworkRun(ports, id);
    };
    await startWorkers({ storage, pipeline, late, pollMs, onRun, onError, closing });
  }
  return {
    url,
    token,
    runUntilIdle: ({ waitMs }) => runUntilIdle(ports, { waitMs }),
    backUp: () => ports.hub.backUp(),
    stop: () => closeAll(closing),
  };
}

/** Another process, or another request, may have renewed the credential since the connection was read. */
const renewedIn =
  (registry: Registry): Renewed =>
  async (connection) => {
    const now = await registry.connection(connection.installation);
    return now.credential.password === connection.credential.password
      ? null
      : { ...connection, credential: now.credential };
  };

/** The zip is made when somebody wants it. */
async function openLogin(wire: Wire, address: string, login: Credential): Promise<OneTimeLogin> {
  const signedIn = await signIn(wire, await frontOf(wire, address), login);
  return {
    installConnector: () => installConnector(wire, signedIn, buildConnectorZip(CONNECTOR)),
    makePassword: () => makePassword(wire, signedIn),
    end: () => signOut(wire, signedIn),
  };
}

const seconds = (count: number | undefined): number | undefined =>
  count === undefined ? undefined : count * 1000;

/** Stays the same for a folder wherever it is mounted; a copy of it gets another one. */
const folderNumber = (folder: string): string => String(statSync(folder, { bigint: true }).ino);

async function listen(
  ports: OperationPorts,
  options: HubOptions,
  log: ReturnType<typeof createHubLog>,
  closing: (() => Promise<void>)[],
): Promise<string> {
  const operations = buildOperations(ports);
  const hosts = hostsOf(options);
  const server = await buildServer({ operations, log, version: VERSION, hosts });
  closing.push(() => server.close());
  const port = options.port ?? DEFAULT_PORT;
  try {
    return await server.listen({ host: options.host ?? '127.0.0.1', port });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error;
    throw new Fault('port.in_use', `Port ${port} is used by another program.`, { cause: error });
  }
}

/** Listening on this machine alone, the hub knows its names; on a network it may have any. */
function hostsOf({ host = '127.0.0.1', publicUrl }: HubOptions): readonly string[] | null {
  if (!['127.0.0.1', '::1', 'localhost'].includes(host)) return null;
  return publicUrl === undefined ? [] : [new URL(publicUrl).hostname];
}

/** Workers on the database's queue; every installation is asked once at the start. */
async function startWorkers({
  storage: { database, store, registry, runs, reconciles, networkRuns },
  pipeline,
  late,
  pollMs,
  onRun,
  onError,
  closing,
}: {
  readonly storage: Storage;
  readonly pipeline: Pipeline;
  readonly late: LateWake;
  readonly pollMs: number;
  readonly onRun: (id: string) => Promise<unknown>;
  readonly onError: (error: unknown) => void;
  readonly closing: (() => Promise<void>)[];
}): Promise<void> {
  const jobs = await startJobs({ database, onError });
  closing.push(() => jobs.stop());
  late.use(jobs.wake);
  const upkeep = hourly(store, () => tidy(database));
  const wakeAll = () => wakeDue({ store, wake: jobs.wake });
  const wakeRuns = async () => {
    await reconciles.startDue(() => randomUUID());
    const all = [await runs.atWork(), await reconciles.atWork(), await networkRuns.atWork()];
    for (const id of all.flat()) await jobs.wake.run(id);
  };
  await jobs.work({
    onPull: (installation) => pipeline.pull(installation),
    onDeliver: (installation, lane) => pipeline.send(installation, lane),
    onRun,
    onDue: wakeAll,
    onTick: async () => {
      await wakeOverdue({ registry, store }, pollMs, jobs.wake);
      await wakeAll();
      await wakeRuns();
      await upkeep();
    },
  });
  for (const { id, state } of await registry.installations()) {
    if (state === 'active') await jobs.wake.pull(id);
  }
  await wakeAll();
  await wakeRuns();
}

/**
 * A lost hint must not silence a site, nor the death of the process that would have asked it next:
 * whoever was not asked for this much longer than usual is asked.
 */
const OVERDUE_MS = 30_000;

async function wakeOverdue(
  { registry, store }: Pick<Storage, 'registry' | 'store'>,
  pollMs: number,
  wake: Wake,
): Promise<void> {
  const nowMs = await store.nowMs();
  for (const installation of await registry.installations()) {
    const asked = Math.max(installation.lastPulledMs ?? 0, installation.retryAtMs);
    const isWell = installation.failures === 0;
    const usual = isWell && signalsArrive(installation) ? POLL_SIGNALLING_MS : pollMs;
    const isOverdue = nowMs - asked > usual + OVERDUE_MS;
    if (installation.state === 'active' && isOverdue) await wake.pull(installation.id);
  }
}

const DAY_MS = 86_400_000;
/** Proofs that ended are kept for this long. How long the Sync Log is kept people say. */
const PROOFS_RETENTION_MS = 30 * DAY_MS;
/** Of routes that are compared no more, or weekly. Of each two sites the newest are kept, and no more. */
const REPORTS_RETENTION_MS = 365 * DAY_MS;
/** A site is restored or moved seldom; what happened last time is asked for months later. */
const EVENTS_RETENTION_MS = 365 * DAY_MS;
/** Acknowledged changes only serve to recognise a row that comes again. */
const CHANGES_RETENTION_MS = 7 * DAY_MS;
/**
 * Values wait for a target that is away for no longer than this; then they are read afresh. And for so long
 * a manual sync can be undone.
 */
const VALUES_RETENTION_MS = 14 * DAY_MS;

async function tidy(database: Storage['database']): Promise<void> {
  await purgeLog(database);
  await purgeProofs(database, PROOFS_RETENTION_MS);
  await purgeKept(database, VALUES_RETENTION_MS);
  await purgeRuns(database, PROOFS_RETENTION_MS);
  await purgeReconciles(database, REPORTS_RETENTION_MS);
  await purgeNetworkRuns(database, PROOFS_RETENTION_MS);
  await purgeEvents(database, EVENTS_RETENTION_MS);
  await purgeChanges(database, CHANGES_RETENTION_MS);
  await expireDeliveries(database, VALUES_RETENTION_MS);
  await vacuum(database);
}

function hourly(store: Store, work: () => Promise<void>): () => Promise<void> {
  let lastMs: number | null = null;
  return async () => {
    const nowMs = await store.nowMs();
    lastMs ??= nowMs;
    if (nowMs - lastMs < DAY_MS / 24) return;
    lastMs = nowMs;
    await work();
  };
}

interface LateWake extends Wake {
  use(wake: Wake): void;
}

/** The pipeline wakes workers that are started after it; without workers a wake says nothing. */
function lateWake(): LateWake {
  let real: Wake | null = null;
  return {
    use: (wake) => {
      real = wake;
    },
    pull: async (installation, when) => real?.pull(installation, when),
    deliver: async (installation, lane) => real?.deliver(installation, lane),
    run: async (id) => real?.run(id),
    due: async (when) => real?.due(when),
  };
}

function toCaller(found: { name: string; role: string } | null): Caller | null {
  const role = ACCESS.find((entry) => entry === found?.role);
  return found === null || role === undefined ? null : { name: found.name, role };
}

async function answers(storage: Storage): Promise<boolean> {
  try {
    await storage.store.nowMs();
    return true;
  } catch {
    return false;
  }
}

/** Last opened, first closed; repeating it closes nothing twice. */
async function closeAll(closing: (() => Promise<void>)[]): Promise<void> {
  for (let close = closing.pop(); close !== undefined; close = closing.pop()) await close();
}
