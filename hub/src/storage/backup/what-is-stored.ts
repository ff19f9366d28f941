/**
 * What a backup holds of a database: every table of Rollcall's own, as the database describes it.
 *
 * Always true: the queue of jobs (a schema of its own) is not in it; a hub that starts asks every site anyway.
 * Nor are columns that the database fills itself: what is computed of others, and numbers of transactions.
 */
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../tables.ts';

export interface StoredTable {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
}

/** Says itself how far the store is, or that what is arranged in it is not what it was elsewhere. */
const NOT_KEPT = ['migrations', 'arranged'];

export async function storedTables(db: Kysely<Tables>): Promise<StoredTable[]> {
  const { rows } = await sql<{ table: string; column: string; type: string }>`
    select c.relname as table, a.attname as column, format_type(a.atttypid, a.atttypmod) as type
    from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p')
      and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
      and a.atttypid <> 'xid8'::regtype and not c.relname = any(${NOT_KEPT}::text[])
    order by c.relname, a.attnum`.execute(db);
  const tables = new Map<string, { name: string; type: string }[]>();
  for (const { table, column, type } of rows) {
    const columns = tables.get(table) ?? [];
    tables.set(table, [...columns, { name: column, type }]);
  }
  return [...tables].map(([name, columns]) => ({ name, columns }));
}

/** Name → the last number given; what has given none is left out. */
export async function storedSequences(db: Kysely<Tables>): Promise<Map<string, number>> {
  const { rows } = await sql<{ name: string; last: number }>`
    select sequencename as name, last_value as last from pg_sequences
    where schemaname = current_schema() and last_value is not null`.execute(db);
  return new Map(rows.map(({ name, last }) => [name, last]));
}
