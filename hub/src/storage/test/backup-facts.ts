/** A backup holds all that is stored, and gives it back on either kind of store. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Kysely, sql } from 'kysely';
import { expect, test } from 'vitest';
import { backUp, lastBackupMs } from '../backup/back-up.ts';
import { readHead } from '../backup/backup-file.ts';
import { restoreStore } from '../backup/restore-store.ts';
import { storedSequences, storedTables } from '../backup/what-is-stored.ts';
import { type Database, openDatabase } from '../open-database.ts';
import { type Storage, storageOn } from '../open-storage.ts';
import type { Tables } from '../tables.ts';
import {
  account,
  addPlace,
  carried,
  delivery,
  identity,
  logEntry,
  save,
  type World,
} from './world.ts';

const AWKWARD = 'Zoë 😀 “\\u0000” \\ \' "\n\t日本 آرش $1 %s ;--';
/** What the backup must hold without having it told table by table. */
const FEWEST_TABLES = 15;

/** @param anotherStore an empty PostgreSQL; null: there is none */
export function backupFacts(
  world: () => World,
  anotherStore: (() => Promise<string>) | null,
): void {
  test('when a backup was last given out whole is known, and one that broke off does not count', async () => {
    const { database, secrets } = world().storage;
    await sql`update hub_meta set last_backup_ms = null`.execute(database.kysely);
    const made = async () => (await backUp(database, secrets, tmpdir())).content;
    for await (const part of await made()) {
      expect(part.length).toBeGreaterThan(0);
      break;
    }
    expect(await lastBackupMs(database)).toBeNull();
    for await (const part of await made()) expect(part.length).toBeGreaterThan(0);
    const age = (await world().storage.store.nowMs()) - ((await lastBackupMs(database)) ?? 0);
    expect(Math.abs(age)).toBeLessThan(60_000);
    await sql`update hub_meta set last_backup_ms = null`.execute(database.kysely);
  });

  test('a backup that is restored on the other kind of store, and back, holds every row as it was', async () => {
    const { storage } = world();
    await fill(storage);
    const before = await everything(storage.database.kysely);
    expect(Object.keys(before).length).toBeGreaterThan(FEWEST_TABLES);
    const folder = mkdtempSync(join(tmpdir(), 'rollcall-backup-'));
    const opened: Database[] = [];
    const open = async (source: Parameters<typeof openDatabase>[0]): Promise<Database> => {
      const database = await openDatabase(source, { migrates: false });
      opened.push(database);
      return database;
    };
    try {
      const lite = await open({ dataFolder: folder });
      await carryOver(storage, lite);
      expect(await everything(lite.kysely)).toEqual(before);
      if (anotherStore === null) return;
      const postgres = await open({ databaseUrl: await anotherStore() });
      await carryOver(storageOn(lite, storage.secrets), postgres);
      expect(await everything(postgres.kysely)).toEqual(before);
      // The next of everything that is numbered is a new one.
      const { site: next } = await addPlace(storageOn(postgres, storage.secrets));
      expect(next).toBe((await addPlace(storage)).site);
    } finally {
      for (const database of opened) await database.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  // On PGlite everything waits for the transaction that reads.
  if (anotherStore === null) return;
  test('a backup is of one moment: what is written while it is made is in it wholly or not at all', async () => {
    const { storage } = world();
    const folder = mkdtempSync(join(tmpdir(), 'rollcall-backup-'));
    const backup = { isMade: false };
    let count = 0;
    const writer = (async () => {
      for (; !backup.isMade; count += 1) {
        const place = await addPlace(storage);
        const person = identity([account(place.installation, { login: 'of-one-moment' })]);
        await storage.store.transaction(async (tx) => {
          await tx.save([person]);
          await tx.appendLog([logEntry(place, { uid: person.uid, login: 'of-one-moment' })]);
        });
        // PGlite answers without leaving the thread; the file gets its turn.
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    try {
      const { content } = await backUp(storage.database, storage.secrets, folder);
      backup.isMade = true;
      await writer;
      const lite = await openDatabase({ dataFolder: folder }, { migrates: false });
      await restoreStore(lite, storage.secrets, await readHead(content));
      const { rows } = await sql<{ accounts: number; told: number }>`select
        (select count(*) from accounts where login = 'of-one-moment') as accounts,
        (select count(*) from sync_log where login = 'of-one-moment') as told`.execute(lite.kysely);
      await lite.close();
      expect(count).toBeGreaterThan(0);
      expect(rows[0]?.told).toBe(rows[0]?.accounts);
    } finally {
      backup.isMade = true;
      await writer;
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

async function fill(storage: Storage): Promise<void> {
  const [here, there] = [await addPlace(storage), await addPlace(storage)];
  const name = carried(AWKWARD, there.site);
  const password = carried('$wp$2y$10$a-hash-on-its-way', there.site);
  const person = identity(
    [
      account(here.installation, { login: AWKWARD, email: 'zoë@example.test' }),
      account(there.installation, { alarm: 'account.vanished' }),
    ],
    [delivery(here.site, { first_name: name, password, 'meta:empty': carried(null, there.site) })],
  );
  const merged = identity([]);
  await save(storage, person, merged);
  const { kysely } = storage.database;
  await kysely
    .updateTable('identities')
    .set({ alias_of: person.uid })
    .where('uid', '=', merged.uid)
    .execute();
  await storage.store.transaction((tx) => tx.appendLog([logEntry(here, { login: AWKWARD })]));
}

async function carryOver(from: Storage, to: Database): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-backup-'));
  try {
    const { content } = await backUp(from.database, from.secrets, folder);
    await restoreStore(to, from.secrets, await readHead(content));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Every row of every table as text, in an order of its own, and the numbers given last. */
async function everything(db: Kysely<Tables>): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {
    sequences: Object.fromEntries(await storedSequences(db)),
  };
  for (const { name, columns } of await storedTables(db)) {
    const row = sql.join(columns.map((column) => sql`${sql.ref(column.name)}::text`));
    const { rows } = await sql<{ row: unknown }>`
      select array[${row}] as row from ${sql.table(name)} order by 1`.execute(db);
    found[name] = rows.map(({ row: values }) => JSON.stringify(values)).sort();
  }
  return found;
}
