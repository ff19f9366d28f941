import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogEvent } from 'kysely';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { storageConformance } from './conformance.ts';
import { openStorage, type Storage } from './open-storage.ts';
import {
  INSTALL_POSTGRES,
  type PostgresCluster,
  startPostgresCluster,
} from './test/postgres-cluster.ts';
import type { World } from './test/world.ts';

function counter() {
  let count = 0;
  const log = (event: LogEvent): void => {
    // Errors come as their own event; both were sent to the database.
    if (event.level === 'query' || event.level === 'error') count += 1;
  };
  return { log, statements: () => count };
}

describe('PGlite', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-storage-'));
  const { log, statements } = counter();
  let storage: Storage;
  beforeAll(async () => {
    storage = await openStorage({ dataFolder: folder }, { dataFolder: folder }, { log });
  });
  afterAll(async () => {
    await storage.close();
    rmSync(folder, { recursive: true, force: true });
  });
  storageConformance((): World => ({ storage, second: null, statements }), { together: false });
});

const cluster: PostgresCluster | null = await startPostgresCluster();

if (cluster === null) test.skip(`PostgreSQL is missing: ${INSTALL_POSTGRES}`);
else {
  describe('PostgreSQL', () => {
    const { log, statements } = counter();
    const key = { secretKey: 'a key for this test alone' };
    let storage: Storage;
    let second: Storage;
    beforeAll(async () => {
      const databaseUrl = await cluster.createDatabase();
      // At once: two processes that start on an empty database.
      [storage, second] = await Promise.all([
        openStorage({ databaseUrl }, key, { log }),
        openStorage({ databaseUrl }, key),
      ]);
    });
    afterAll(async () => {
      await storage.close();
      await second.close();
      await cluster.stop();
    });
    storageConformance((): World => ({ storage, second, statements }), {
      together: true,
      anotherStore: () => cluster.createDatabase(),
    });
  });
}
