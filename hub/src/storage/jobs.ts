/**
 * Workers and what wakes them: pg-boss on the store's own database.
 *
 * Does: keep at most one waiting and one running job per key (an installation, or an
 * installation's lane), across all processes; wake the workers at once (LISTEN/NOTIFY, on PGlite
 * within the process); wake at a later time; run a tick as the net under lost hints.
 * Does not: know what is to be done. A job says only "look"; the tables say what there is.
 * Always true: a wake while the work of its key is running leads to one more run after it.
 * On failure: an error of a handler is reported and the key is woken again later. The running
 * job of a killed process blocks its key until its heartbeat is missed (PostgreSQL), or not at
 * all (PGlite: whoever opens the folder is alone). After `startJobs` wake whatever may have work.
 */
import { fromPglite, PgBoss } from 'pg-boss';
import { z } from 'zod';
import type { Lane } from '../model/identity.ts';
import type { InstallationId } from '../model/ids.ts';
import type { Wake } from '../sync/ports.ts';
import { refuseInside } from './in-transaction.ts';
import { type Later, startLater } from './jobs-later.ts';
import type { Database } from './open-database.ts';
import { asStorageFault } from './storage-fault.ts';

export interface JobHandlers {
  readonly onPull: (installation: InstallationId) => Promise<unknown>;
  readonly onDeliver: (installation: InstallationId, lane: Lane) => Promise<unknown>;
  /** A manual sync; it is looked for again at every tick. */
  readonly onRun?: (run: string) => Promise<unknown>;
  /** A time that was asked for has come: see what is due. */
  readonly onDue: () => Promise<unknown>;
  /** Every so often, never twice at once in one process: wake what hints have missed. */
  readonly onTick?: () => Promise<unknown>;
}

export interface WorkOptions {
  readonly tickEverySeconds?: number;
  /** Installations served at the same time by this process, per kind of work. */
  readonly concurrency?: {
    readonly pull?: number;
    readonly people?: number;
    readonly bulk?: number;
  };
}

export interface Jobs {
  readonly wake: Wake;
  /** Starts this process's workers. Without it the process only wakes others. */
  work(handlers: JobHandlers, options?: WorkOptions): Promise<void>;
  /** Takes no new work and waits for what is running. Safe to repeat. */
  stop(): Promise<void>;
}

export interface JobsOptions {
  readonly database: Database;
  /** Errors of handlers and of pg-boss itself. */
  readonly onError: (error: unknown) => void;
}

const PULL = 'pull';
const RUN = 'run';
const DELIVER = { people: 'deliver-people', bulk: 'deliver-bulk' } as const satisfies Record<
  Lane,
  string
>;

const CONCURRENCY = { pull: 4, people: 4, bulk: 2 };
/** A manual sync keeps its sites busy enough. */
const RUNS_AT_ONCE = 2;
const TICK_SECONDS = 15;
/** After an error that no stage expected (the database was away): soon, but not in a loop. */
const AGAIN_AFTER_MS = 5_000;
/** Workers look by themselves this often; NOTIFY wakes them, this is for a lost one. */
const POLL_SECONDS = 10;
/** Where LISTEN isn't possible (a pooler in transaction mode). */
const POLL_WITHOUT_LISTEN_SECONDS = 2;
/** A running job whose process says nothing for so long is dead; pg-boss allows no less than 10. */
const HEARTBEAT_SECONDS = 10;
/** How often such jobs are looked for: with the heartbeat the longest that a dead one stands. */
const LOOK_FOR_DEAD_SECONDS = 5;
/** Clearing a large backlog takes hours; pg-boss allows less than a day. */
const LONGEST_RUN_SECONDS = 23 * 3_600;
/** Done jobs say nothing to anybody. */
const KEEP_DONE_SECONDS = 60;
const STOP_WITHIN_MS = 30_000;

/** An installation, or a manual sync. */
const JobSchema = z.object({ key: z.string() });

export async function startJobs({ database, onError }: JobsOptions): Promise<Jobs> {
  const boss = new PgBoss({ ...connectionOf(database), ...UPKEEP });
  // It has connections of its own, and says what its driver says.
  boss.on('error', (error) =>
    onError(database.kind === 'postgres' ? asStorageFault(error) : error),
  );
  await boss.start();
  for (const name of [PULL, RUN, ...Object.values(DELIVER)])
    await createQueue(boss, database, name);
  const pull = (installation: InstallationId) => send(boss, PULL, installation);
  const later = await startLater(boss, database, { pull, onError });
  let tick: { stop(): Promise<void> } | undefined;
  return {
    wake: wakeOf(boss, later),
    async work(handlers, options = {}) {
      await startWorkers({ boss, later, onError }, handlers, options.concurrency ?? {});
      const everyMs = (options.tickEverySeconds ?? TICK_SECONDS) * 1_000;
      if (handlers.onTick) tick = startTick(handlers.onTick, everyMs, onError);
    },
    async stop() {
      later.stop();
      await tick?.stop();
      await boss.stop({ graceful: true, timeout: STOP_WITHIN_MS });
    },
  };
}

const send = (boss: PgBoss, name: string, key: string): Promise<unknown> =>
  boss.send(name, { key }, { singletonKey: key, group: { id: key } });

const wakeOf = (boss: PgBoss, later: Later): Wake => ({
  async pull(installation, when) {
    refuseInside('Wake.pull');
    if (when === undefined) await send(boss, PULL, installation);
    else await later.pull(installation, when.afterMs);
  },
  async deliver(installation, lane) {
    refuseInside('Wake.deliver');
    await send(boss, DELIVER[lane], installation);
  },
  async run(id) {
    refuseInside('Wake.run');
    await send(boss, RUN, id);
  },
  async due({ afterMs }) {
    refuseInside('Wake.due');
    await later.due(afterMs);
  },
});

const connectionOf = (database: Database) =>
  database.kind === 'pglite'
    ? { db: fromPglite(database.lite), backend: 'pglite' as const }
    : { connectionString: database.url, max: 4 };

/** What pg-boss does beside running jobs; the idle hub must be idle. */
const UPKEEP = {
  schema: 'pgboss',
  useListenNotify: true,
  // Nothing is scheduled and no job depends on another.
  schedule: false,
  flowIntervalSeconds: 3_600,
  bamIntervalSeconds: 3_600,
  superviseIntervalSeconds: LOOK_FOR_DEAD_SECONDS,
  monitorIntervalSeconds: LOOK_FOR_DEAD_SECONDS,
  maintenanceIntervalSeconds: 600,
  monitorVacuum: false,
  reindex: false,
};

/**
 * `short`: one waiting job per singleton key. With one running job per group (see the workers)
 * that is all the order there has to be. `stately` and `singleton` would do the same, but while
 * the oldest job waits for its running namesake they give other keys' jobs to nobody.
 */
async function createQueue(boss: PgBoss, database: Database, name: string): Promise<void> {
  await boss.createQueue(name, {
    policy: 'short',
    notify: true,
    // The tables say what is still to be done: a job that died is not repeated, its key is woken.
    retryLimit: 0,
    heartbeatSeconds: HEARTBEAT_SECONDS,
    expireInSeconds: LONGEST_RUN_SECONDS,
    deleteAfterSeconds: KEEP_DONE_SECONDS,
  });
  // One process has the data folder to itself: whatever runs there belongs to a dead one.
  if (database.kind === 'pglite') await boss.deleteAllJobs(name);
}

interface Running {
  readonly boss: PgBoss;
  readonly later: Later;
  readonly onError: (error: unknown) => void;
}

async function startWorkers(
  running: Running,
  handlers: JobHandlers,
  concurrency: NonNullable<WorkOptions['concurrency']>,
): Promise<void> {
  const { later } = running;
  const many = { ...CONCURRENCY, ...concurrency };
  // oxlint-disable typescript/no-unsafe-type-assertion -- sent by `wake` alone
  await startWorker(
    running,
    PULL,
    many.pull,
    (key) => handlers.onPull(key as InstallationId),
    (key) => later.pull(key as InstallationId, AGAIN_AFTER_MS),
  );
  for (const lane of ['people', 'bulk'] as const) {
    const deliver = (key: string) => handlers.onDeliver(key as InstallationId, lane);
    await startWorker(running, DELIVER[lane], many[lane], deliver, () => later.due(AGAIN_AFTER_MS));
  }
  // oxlint-enable typescript/no-unsafe-type-assertion
  const { onRun } = handlers;
  // The next tick looks again.
  if (onRun) await startWorker(running, RUN, RUNS_AT_ONCE, onRun, async () => {});
  await later.work(handlers.onDue);
}

async function startWorker(
  { boss, onError }: Running,
  name: string,
  localConcurrency: number,
  handler: (key: string) => Promise<unknown>,
  again: (key: string) => Promise<void>,
): Promise<void> {
  const options = {
    localConcurrency,
    groupConcurrency: 1,
    pollingIntervalSeconds: POLL_WITHOUT_LISTEN_SECONDS,
    notifyPollingIntervalSeconds: POLL_SECONDS,
  };
  await boss.work(name, options, async ([job]) => {
    const { key } = JobSchema.parse(job?.data);
    try {
      await handler(key);
    } catch (error) {
      onError(error);
      await again(key);
    }
  });
}

function startTick(
  onTick: () => Promise<unknown>,
  everyMs: number,
  onError: (error: unknown) => void,
): { stop(): Promise<void> } {
  let running: Promise<unknown> | undefined;
  const timer = setInterval(() => {
    running ??= onTick()
      .catch(onError)
      .finally(() => {
        running = undefined;
      });
  }, everyMs);
  return {
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}
