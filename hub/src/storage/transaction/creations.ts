/** How many new accounts each installation has brought, for the creation limit. */
import { type Kysely, sql } from 'kysely';
import type { InstallationId } from '../../model/ids.ts';
import { hubNow } from '../hub-clock.ts';
import type { Tables } from '../tables.ts';

const DAY_MS = 86_400_000;

export async function creations(
  db: Kysely<Tables>,
  installation: InstallationId,
  withinMs: number,
): Promise<{ recent: number; today: number }> {
  const { rows } = await sql<{ recent: number; today: number }>`
    select coalesce(sum(count) filter (where at_ms > ${hubNow} - ${withinMs}::bigint), 0)::bigint as recent,
      coalesce(sum(count), 0)::bigint as today
    from creations where installation = ${installation}
      and at_ms > ${hubNow} - ${DAY_MS}::bigint`.execute(db);
  return rows[0] ?? { recent: 0, today: 0 };
}

/** What is older than a day counts for nothing, and goes. */
export async function noteCreations(
  db: Kysely<Tables>,
  installation: InstallationId,
  count: number,
): Promise<void> {
  await sql`delete from creations where installation = ${installation}
    and at_ms <= ${hubNow} - ${DAY_MS}::bigint`.execute(db);
  await db.insertInto('creations').values({ installation, count }).execute();
}
