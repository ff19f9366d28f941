/**
 * Puts a backup into an empty store, of either kind.
 *
 * Does: bring the store to the version that the backup was made at, put every row in, then bring it to this
 * Rollcall's version: all of it or nothing.
 * Does not: touch a store that has ever been a hub's. Speak to any site.
 * Always true: names in the file only choose among tables and columns that the store itself has.
 * On failure: `restore.not_empty`, `backup.*`; the store is as it was.
 */
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { type RawBuilder, sql, type Transaction } from 'kysely';
import { z } from 'zod';
import { Fault } from '../../errors.ts';
import { migrateWithin } from '../migrate.ts';
import { MIGRATIONS } from '../migrations/index.ts';
import type { Database } from '../open-database.ts';
import type { Tables } from '../tables.ts';
import { type Keys, type OpenedHead, opened } from './backup-file.ts';
import { type StoredTable, storedTables } from './what-is-stored.ts';

/** Rows, and characters, that go into one statement. */
const BATCH_ROWS = 500;
const BATCH_CHARACTERS = 1_000_000;

const LineSchema = z.union([
  z.array(z.string().nullable()),
  z.object({ table: z.string(), columns: z.array(z.string()) }),
  z.object({ rows: z.int().nonnegative(), sequences: z.record(z.string(), z.int().positive()) }),
]);

export async function restoreStore(
  { kysely }: Database,
  keys: Keys,
  backup: OpenedHead,
): Promise<void> {
  const { store } = backup.head;
  const newest = MIGRATIONS.at(-1)?.number ?? 0;
  if (store > newest) {
    const sentence = `The backup is of version ${store}, this Rollcall knows ${newest}.`;
    throw new Fault('backup.newer', sentence);
  }
  await kysely.transaction().execute(async (tx) => {
    await refuseHub(tx);
    await migrateWithin(
      tx,
      MIGRATIONS.filter(({ number }) => number <= store),
    );
    const constraints = await dropReferences(tx);
    await putIn(tx, linesOf(keys, backup));
    for (const constraint of constraints) await constraint.execute(tx);
    await migrateWithin(tx, MIGRATIONS);
  });
}

async function refuseHub(tx: Transaction<Tables>): Promise<void> {
  const { rows } = await sql<{ there: boolean }>`
    select to_regclass('migrations') is not null as there`.execute(tx);
  if (rows[0]?.there !== true) return;
  const hub = await tx.selectFrom('hub_meta').select('hub_id').executeTakeFirst();
  if (hub === undefined) return;
  const sentence = 'There is a hub in this store already; a backup is never put over one.';
  throw new Fault('restore.not_empty', sentence);
}

/** Rows come table by table. What refers to what is checked in the end, all at once. */
async function dropReferences(tx: Transaction<Tables>): Promise<RawBuilder<unknown>[]> {
  const { rows } = await sql<{ table: string; name: string; definition: string }>`
    select k.conrelid::regclass::text as table, k.conname as name,
      pg_get_constraintdef(k.oid) as definition
    from pg_constraint k
    where k.contype = 'f' and k.connamespace = current_schema()::regnamespace`.execute(tx);
  for (const { table, name } of rows) {
    await sql`alter table ${sql.raw(table)} drop constraint ${sql.ref(name)}`.execute(tx);
  }
  return rows.map(
    ({ table, name, definition }) =>
      sql`alter table ${sql.raw(table)} add constraint ${sql.ref(name)} ${sql.raw(definition)}`,
  );
}

/** Line by line, and never ahead of what is put in: after an error nothing of it goes on. */
async function* linesOf(
  keys: Keys,
  backup: OpenedHead,
): AsyncGenerator<z.infer<typeof LineSchema>> {
  const frames = Readable.from(opened(keys, backup));
  const gunzip = createGunzip();
  frames.once('error', (error) => gunzip.destroy(error));
  frames.pipe(gunzip);
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const bytes of gunzip) {
      const [...lines] = `${rest}${decoder.decode(bytes, { stream: true })}`.split('\n');
      rest = lines.pop() ?? '';
      for (const text of lines) yield LineSchema.parse(JSON.parse(text));
    }
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    throw new Fault('backup.damaged', 'The backup can’t be used: it can’t be read.', { cause });
  } finally {
    frames.destroy();
    gunzip.destroy();
  }
}

async function putIn(
  tx: Transaction<Tables>,
  lines: AsyncIterable<z.infer<typeof LineSchema>>,
): Promise<void> {
  const tables = new Map((await storedTables(tx)).map((table) => [table.name, table]));
  let table: StoredTable | null = null;
  let batch: (string | null)[][] = [];
  let characters = 0;
  let count = 0;
  let end: number | null = null;
  const flush = async (): Promise<void> => {
    if (table !== null && batch.length > 0) await insert(tx, table, batch);
    batch = [];
    characters = 0;
  };
  for await (const line of lines) {
    if (Array.isArray(line)) {
      batch.push(line);
      count += 1;
      characters += line.reduce((sum, value) => sum + (value?.length ?? 0), 0);
      if (batch.length >= BATCH_ROWS || characters >= BATCH_CHARACTERS) await flush();
      continue;
    }
    await flush();
    if ('table' in line) table = chosen(tables.get(line.table), line.columns);
    else {
      end = line.rows;
      await setSequences(tx, line.sequences);
    }
  }
  if (end !== count)
    throw new Fault('backup.damaged', 'The backup can’t be used: rows are missing.');
}

/** The store's own table, with the columns that the file gives, in its order. */
function chosen(table: StoredTable | undefined, names: readonly string[]): StoredTable {
  const columns = names.flatMap((name) => table?.columns.find((own) => own.name === name) ?? []);
  if (table !== undefined && columns.length === names.length) return { name: table.name, columns };
  throw new Fault('backup.damaged', 'The backup can’t be used: it is not of this version.');
}

async function insert(
  tx: Transaction<Tables>,
  { name, columns }: StoredTable,
  rows: readonly (readonly (string | null)[])[],
): Promise<void> {
  const names = sql.join(columns.map((column) => sql.ref(column.name)));
  const values = sql.join(
    columns.map(({ type }, at) => sql`(r ->> ${sql.lit(at)})::${sql.raw(type)}`),
  );
  await sql`insert into ${sql.table(name)} (${names}) overriding system value
    select ${values} from json_array_elements(${JSON.stringify(rows)}::text::json) r`.execute(tx);
}

async function setSequences(
  tx: Transaction<Tables>,
  last: Readonly<Record<string, number>>,
): Promise<void> {
  const { rows } = await sql<{ name: string }>`
    select sequencename as name from pg_sequences where schemaname = current_schema()`.execute(tx);
  for (const { name } of rows) {
    const value = last[name];
    if (value !== undefined)
      await sql`select setval(${name}::text::regclass, ${value})`.execute(tx);
  }
}
