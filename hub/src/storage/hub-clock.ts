/** Hub time is the database's clock, nothing else: all processes of a hub agree on it. */
import { type Kysely, sql } from 'kysely';
import type { Tables } from './tables.ts';

/** Milliseconds since 1970. As a sub-select it is read once per statement, not once per row. */
export const hubNow = sql<number>`(select (extract(epoch from clock_timestamp()) * 1000)::bigint)`;

export async function readHubNow(kysely: Kysely<Tables>): Promise<number> {
  const { rows } = await sql<{ now: number }>`select ${hubNow} as now`.execute(kysely);
  const now = rows[0]?.now;
  if (now === undefined) throw new Error('The database did not say what time it is.');
  return now;
}
