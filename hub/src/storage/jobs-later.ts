/**
 * Wakes for a later time: a deferred pg-boss job per key, and a timer here that makes its worker
 * look at that moment (pg-boss itself would find it with its next poll).
 *
 * Always true: one waiting job per key; of several times asked for the earliest counts.
 */
import type { PgBoss } from 'pg-boss';
import { z } from 'zod';
import type { InstallationId } from '../model/ids.ts';
import { readHubNow } from './hub-clock.ts';
import type { Database } from './open-database.ts';

export interface Later {
  pull(installation: InstallationId, afterMs: number): Promise<void>;
  due(afterMs: number): Promise<void>;
  work(onDue: () => Promise<unknown>): Promise<void>;
  stop(): void;
}

const LATER = 'later';
const DUE = 'due';
/** For wakes that another process asked for and didn't live to see. */
const POLL_SECONDS = 10;
const KEEP_DONE_SECONDS = 60;
/** A timer may fire a little early, and the job's time was set a little after ours. */
const TIMER_SLACK_MS = 5;
/** Longest that a timer can wait. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const LaterSchema = z.object({ pull: z.string().nullable() });

export async function startLater(
  boss: PgBoss,
  database: Database,
  does: {
    readonly pull: (installation: InstallationId) => Promise<unknown>;
    readonly onError: (error: unknown) => void;
  },
): Promise<Later> {
  await boss.createQueue(LATER, {
    policy: 'short',
    retryLimit: 0,
    deleteAfterSeconds: KEEP_DONE_SECONDS,
  });
  if (database.kind === 'pglite') await boss.deleteAllJobs(LATER);
  const armed = new Map<string, { readonly at: number; readonly timer: NodeJS.Timeout }>();
  let worker: string | undefined;
  let stopped = false;

  const arm = (key: string, afterMs: number): void => {
    if (stopped) return;
    clearTimeout(armed.get(key)?.timer);
    const look = (): void => {
      armed.delete(key);
      if (worker !== undefined) boss.notifyWorker(worker);
    };
    const timer = setTimeout(look, Math.min(afterMs + TIMER_SLACK_MS, LONGEST_TIMER_MS));
    armed.set(key, { at: performance.now() + afterMs, timer });
  };

  const wakeAt = async (key: string, data: object, afterMs: number): Promise<void> => {
    const waiting = armed.get(key);
    if (waiting !== undefined && waiting.at <= performance.now() + afterMs) return;
    await sendOrBringForward(boss, database, { key, data, afterMs });
    arm(key, afterMs);
  };

  return {
    pull: (installation, afterMs) =>
      wakeAt(`pull ${installation}`, { pull: installation }, Math.max(0, afterMs)),
    due: (afterMs) => wakeAt(DUE, { pull: null }, Math.max(0, afterMs)),
    async work(onDue) {
      const options = { pollingIntervalSeconds: POLL_SECONDS, batchSize: 100 };
      worker = await boss.work(LATER, options, async (jobs) => {
        for (const job of jobs) {
          const { pull } = LaterSchema.parse(job.data);
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- sent by `pull` above
          const what = pull === null ? onDue() : does.pull(pull as InstallationId);
          await what.catch(does.onError);
        }
      });
    },
    stop() {
      stopped = true;
      for (const { timer } of armed.values()) clearTimeout(timer);
      armed.clear();
    },
  };
}

async function sendOrBringForward(
  boss: PgBoss,
  { kysely }: Database,
  wake: { readonly key: string; readonly data: object; readonly afterMs: number },
): Promise<void> {
  const startAfter = wake.afterMs / 1_000;
  const singletonKey = wake.key;
  const sent = await boss.send(LATER, wake.data, { singletonKey, startAfter });
  if (sent !== null) return;
  const [waiting] = await boss.findJobs(LATER, { key: singletonKey, queued: true });
  if (waiting === undefined) return;
  const wanted = (await readHubNow(kysely)) + wake.afterMs;
  if (waiting.startAfter.getTime() > wanted)
    await boss.update(LATER, undefined, { id: waiting.id, startAfter });
}
