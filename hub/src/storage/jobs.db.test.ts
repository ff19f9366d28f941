import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type InstallationId, installationId } from '../model/ids.ts';
import { type JobHandlers, type Jobs, startJobs } from './jobs.ts';
import { type Database, openDatabase } from './open-database.ts';
import {
  INSTALL_POSTGRES,
  type PostgresCluster,
  startPostgresCluster,
} from './test/postgres-cluster.ts';
import { newUid, until } from './test/world.ts';

const newId = (): InstallationId => installationId(newUid());

/** Handlers that write down what they are asked for and wait at a gate where one is set. */
function recorder() {
  const runs: { what: string; from: number; to: number | null }[] = [];
  const gates = new Map<string, { wait: Promise<void>; open: () => void }>();
  const run = async (what: string): Promise<void> => {
    const entry: (typeof runs)[number] = { what, from: performance.now(), to: null };
    runs.push(entry);
    await gates.get(what)?.wait;
    entry.to = performance.now();
  };
  return {
    of: (what: string) => runs.filter((entry) => entry.what === what),
    close: (what: string): { open: () => void } => {
      let open = (): void => {};
      const wait = new Promise<void>((resolve) => {
        open = resolve;
      });
      gates.set(what, { wait, open });
      return { open };
    },
    handlers: {
      onPull: run,
      onDeliver: (id, lane) => run(`${id} ${lane}`),
      onDue: () => run('due'),
    } satisfies JobHandlers,
  };
}

function jobFacts(database: () => Database): void {
  const started: Jobs[] = [];
  const errors: unknown[] = [];
  const start = async (): Promise<Jobs> => {
    const jobs = await startJobs({ database: database(), onError: (error) => errors.push(error) });
    started.push(jobs);
    return jobs;
  };
  const work = async () => {
    const jobs = await start();
    const record = recorder();
    await jobs.work(record.handlers, { tickEverySeconds: 3_600 });
    return { jobs, wake: jobs.wake, ...record };
  };
  afterEach(async () => {
    for (const jobs of started.splice(0)) await jobs.stop();
    expect(errors.splice(0)).toEqual([]);
  });

  test('a wake runs its work within a moment, per installation and lane', async () => {
    const { wake, of } = await work();
    const id = newId();
    const asked = performance.now();
    await wake.pull(id);
    await until(() => of(id).length === 1);
    // Far below any poll: it was woken.
    expect(performance.now() - asked).toBeLessThan(1_000);
    await wake.deliver(id, 'people');
    await wake.deliver(id, 'bulk');
    await until(() => of(`${id} people`).length === 1 && of(`${id} bulk`).length === 1);
    expect(of(id).length).toBe(1);
  });

  test('wakes while the work is running lead to one more run, after it', async () => {
    const { wake, of, close } = await work();
    const id = newId();
    const gate = close(id);
    await wake.pull(id);
    await until(() => of(id).length === 1);
    for (let count = 0; count < 5; count += 1) await wake.pull(id);
    const other = newId();
    await wake.pull(other);
    await until(() => of(other).length === 1);
    expect(of(id).length).toBe(1);
    gate.open();
    await until(() => of(id).length === 2);
    await wake.pull(other);
    await until(() => of(other).length === 2);
    expect(of(id).length).toBe(2);
    expect(of(id)[1]?.from).toBeGreaterThanOrEqual(of(id)[0]?.to ?? Number.POSITIVE_INFINITY);
  });

  test('many keys whose work is running hold up nobody else', async () => {
    const { wake, of, close } = await work();
    const busy = [newId(), newId()];
    const gates = busy.map((id) => close(id));
    for (const id of busy) await wake.pull(id);
    await until(() => busy.every((id) => of(id).length === 1));
    for (const id of busy) await wake.pull(id);
    const free = [newId(), newId(), newId()];
    for (const id of free) await wake.pull(id);
    await until(() => free.every((id) => of(id).length === 1));
    for (const gate of gates) gate.open();
    await until(() => busy.every((id) => of(id).length === 2));
  });

  test('a later wake comes at its time, the earliest one asked for', async () => {
    const { wake, of } = await work();
    const id = newId();
    const asked = performance.now();
    await wake.due({ afterMs: 60_000 });
    await wake.due({ afterMs: 300 });
    await wake.due({ afterMs: 5_000 });
    await wake.pull(id, { afterMs: 60_000 });
    await wake.pull(id, { afterMs: 200 });
    await wake.pull(id);
    await until(() => of('due').length === 1 && of(id).length === 2);
    const [now, later] = of(id);
    expect((later?.from ?? 0) - asked).toBeGreaterThanOrEqual(200);
    expect((of('due')[0]?.from ?? 0) - asked).toBeGreaterThanOrEqual(300);
    expect((of('due')[0]?.from ?? 0) - asked).toBeLessThan(4_000);
    expect(now?.from).toBeLessThan(later?.from ?? 0);
  });

  test('work that fails is reported and does not end the worker', async () => {
    const jobs = await start();
    const { handlers, of } = recorder();
    const bad = newId();
    const onPull = async (id: InstallationId) => {
      if (id === bad) throw new Error('the database was away');
      await handlers.onPull(id);
    };
    await jobs.work({ ...handlers, onPull });
    await jobs.wake.pull(bad);
    await until(() => errors.length === 1);
    expect(String(errors.splice(0)[0])).toContain('the database was away');
    const good = newId();
    await jobs.wake.pull(good);
    await until(() => of(good).length === 1);
  });

  test('the tick runs again and again, never twice at once', async () => {
    const jobs = await start();
    const { handlers } = recorder();
    let [running, most, count] = [0, 0, 0];
    const onTick = async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 30));
      running -= 1;
      count += 1;
    };
    await jobs.work({ ...handlers, onTick }, { tickEverySeconds: 0.01 });
    await until(() => count >= 3);
    expect(most).toBe(1);
  });

  test('stopping waits for what is running and takes nothing new', async () => {
    const { jobs, wake, of, close } = await work();
    const id = newId();
    const gate = close(id);
    await wake.pull(id);
    await until(() => of(id).length === 1);
    const stopped = jobs.stop();
    gate.open();
    await stopped;
    expect(of(id)[0]?.to).not.toBeNull();
    await jobs.stop();
  });
}

describe('jobs on PGlite', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-jobs-'));
  let database: Database;
  beforeAll(async () => {
    database = await openDatabase({ dataFolder: folder });
  });
  afterAll(async () => {
    await database.close();
    rmSync(folder, { recursive: true, force: true });
  });
  jobFacts(() => database);
});

const cluster: PostgresCluster | null = await startPostgresCluster();

if (cluster === null) test.skip(`PostgreSQL is missing: ${INSTALL_POSTGRES}`);
else {
  describe('jobs on PostgreSQL', () => {
    let database: Database;
    let second: Database;
    beforeAll(async () => {
      const databaseUrl = await cluster.createDatabase();
      database = await openDatabase({ databaseUrl });
      second = await openDatabase({ databaseUrl });
    });
    afterAll(async () => {
      await database.close();
      await second.close();
      await cluster.stop();
    });
    jobFacts(() => database);

    test('a wake in one process runs at once in another, one at a time for both', async () => {
      const fail = (error: unknown) => {
        throw error;
      };
      const caller = await startJobs({ database, onError: fail });
      const worker = await startJobs({ database: second, onError: fail });
      const { handlers, of, close } = recorder();
      await worker.work(handlers);
      const id = newId();
      const gate = close(id);
      const asked = performance.now();
      await caller.wake.pull(id);
      await until(() => of(id).length === 1);
      expect(performance.now() - asked).toBeLessThan(1_000);
      await caller.work(handlers);
      await caller.wake.pull(id);
      await caller.wake.deliver(id, 'people');
      await until(() => of(`${id} people`).length === 1);
      expect(of(id).length).toBe(1);
      gate.open();
      await until(() => of(id).length === 2);
      await caller.stop();
      await worker.stop();
    });
  });
}
