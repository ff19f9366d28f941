/**
 * Makes a backup of the store while the hub works.
 *
 * Does: read all tables as they are at one moment, seal them into a file beside the store, and give it out from
 * there.
 * Does not: hold the store up for a reader that is slow: on PGlite everything waits for a transaction.
 * Always true: the file on the way has no name and is gone when this process is.
 */
import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { type Kysely, sql } from 'kysely';
import { hubNow, readHubNow } from '../hub-clock.ts';
import { newestApplied } from '../migrate.ts';
import type { Database } from '../open-database.ts';
import type { Secrets } from '../secrets.ts';
import type { Tables } from '../tables.ts';
import { sealed } from './backup-file.ts';
import { type StoredTable, storedSequences, storedTables } from './what-is-stored.ts';

/** Rows held in memory at once. */
const FETCH_ROWS = 1_000;

export interface Backup {
  readonly bytes: number;
  /** To be read once, to its end or not. */
  readonly content: AsyncIterable<Uint8Array>;
}

/** @param folder where the file lies until it was given out */
export async function backUp(
  { kysely }: Database,
  secrets: Secrets,
  folder: string,
): Promise<Backup> {
  const file = await openNameless(folder);
  try {
    await kysely
      .transaction()
      .setIsolationLevel('repeatable read')
      .execute(async (tx) => {
        const made = new Date(await readHubNow(tx)).toISOString();
        const about = { made, store: await newestApplied(tx) };
        await pipeline(
          linesOf(tx),
          createGzip(),
          (bytes: AsyncIterable<Buffer>) => sealed(secrets, about, bytes),
          async (parts: AsyncIterable<Buffer>) => {
            // Unlike `write`, it goes on until all of it is there, or says why not.
            for await (const part of parts) await file.appendFile(part);
          },
        );
      });
    const { size } = await file.stat();
    return { bytes: size, content: givenOut(file, () => noteBackup(kysely)) };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function openNameless(folder: string): Promise<FileHandle> {
  const path = join(folder, `backup.${randomUUID()}`);
  const file = await open(path, 'wx+', 0o600);
  await rm(path);
  return file;
}

const noteBackup = async (kysely: Database['kysely']): Promise<void> => {
  await kysely.updateTable('hub_meta').set({ last_backup_ms: hubNow }).execute();
};

/** Hub ms; null: never one. It counts once all of it was given out. */
export async function lastBackupMs({ kysely }: Database): Promise<number | null> {
  const row = await kysely.selectFrom('hub_meta').select('last_backup_ms').executeTakeFirst();
  return row?.last_backup_ms ?? null;
}

async function* givenOut(file: FileHandle, whole: () => Promise<void>): AsyncGenerator<Buffer> {
  try {
    for (let at = 0; ; ) {
      const { bytesRead, buffer } = await file.read({ buffer: Buffer.alloc(65_536), position: at });
      if (bytesRead === 0) {
        await whole();
        return;
      }
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** A table's head, its rows as lists of text or null, the sequences, and how much it was. */
async function* linesOf(tx: Kysely<Tables>): AsyncGenerator<string> {
  let count = 0;
  for (const table of await storedTables(tx)) {
    yield line({ table: table.name, columns: table.columns.map(({ name }) => name) });
    for await (const rows of rowsOf(tx, table)) {
      count += rows.length;
      yield rows.map(line).join('');
    }
  }
  const sequences = Object.fromEntries(await storedSequences(tx));
  yield line({ rows: count, sequences });
}

async function* rowsOf(
  tx: Kysely<Tables>,
  { name, columns }: StoredTable,
): AsyncGenerator<readonly (string | null)[][]> {
  const values = sql.join(columns.map((column) => sql`${sql.ref(column.name)}::text`));
  const cursor = sql.ref('of_a_backup');
  await sql`declare ${cursor} cursor for select array[${values}] as values from ${sql.table(name)}`.execute(
    tx,
  );
  for (;;) {
    const { rows } = await sql<{ values: (string | null)[] }>`
      fetch ${sql.lit(FETCH_ROWS)} from ${cursor}`.execute(tx);
    if (rows.length > 0) yield rows.map(({ values: row }) => row);
    if (rows.length < FETCH_ROWS) break;
  }
  await sql`close ${cursor}`.execute(tx);
}

const line = (value: unknown): string => `${JSON.stringify(value)}\n`;
