/**
 * Brings a store up to this version.
 *
 * Does: run the missing migrations in order, all in one transaction, under an advisory lock:
 * processes that start together wait for the first one.
 * Does not: go back, or touch a store that a newer version has used.
 * On failure: nothing is changed; a newer store is `data.newer`.
 */
import { type Kysely, sql, type Transaction } from 'kysely';
import { Fault } from '../errors.ts';
import { MIGRATIONS, type Migration } from './migrations/index.ts';
import type { Tables } from './tables.ts';

/** "roll" in ASCII: any fixed number, shared by all processes on one database. */
const LOCK = 0x726f6c6c;

export async function migrate(
  kysely: Kysely<Tables>,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<void> {
  await kysely.transaction().execute((tx) => migrateWithin(tx, migrations));
}

/** The same as part of something larger. */
export async function migrateWithin(
  tx: Transaction<Tables>,
  migrations: readonly Migration[],
): Promise<void> {
  await sql`select pg_advisory_xact_lock(${sql.lit(LOCK)})`.execute(tx);
  await sql`create table if not exists migrations (
    number integer primary key, name text not null, applied_at_ms bigint not null)`.execute(tx);
  const at = await newestApplied(tx);
  const newest = migrations.at(-1)?.number ?? 0;
  if (at > newest) {
    throw new Fault('data.newer', `The store is at version ${at}, this Rollcall knows ${newest}.`);
  }
  for (const migration of migrations.filter((one) => one.number > at)) await apply(tx, migration);
}

export async function newestApplied(tx: Kysely<Tables>): Promise<number> {
  const { rows } = await sql<{ newest: number | null }>`
    select max(number) as newest from migrations`.execute(tx);
  return rows[0]?.newest ?? 0;
}

async function apply(tx: Transaction<Tables>, migration: Migration): Promise<void> {
  for (const statement of migration.statements) await sql.raw(statement).execute(tx);
  await sql`insert into migrations (number, name, applied_at_ms) values
    (${migration.number}, ${migration.name}, (extract(epoch from clock_timestamp()) * 1000)::bigint)`.execute(
    tx,
  );
}
