/**
 * Keeps the store small.
 *
 * Does: forget log rows, events of sites, proofs and acknowledged changes after their time; on PGlite, which has no
 * autovacuum, give the space of dead rows back and keep the planner's statistics.
 * Always true: safe to repeat and to run beside the workers; what is still needed is never touched.
 */
import { type RawBuilder, sql } from 'kysely';
import { readHubNow } from './hub-clock.ts';
import type { Database } from './open-database.ts';

const DAY_MS = 86_400_000;
/** Rows that go in one go: other writers of the log need not wait for a whole year of it. */
const PURGE_BATCH = 5_000;

/** Sync Log rows go when their target's time is over, or the hub's; how many went. */
export async function purgeLog(database: Database, nowMs?: number): Promise<number> {
  const { kysely } = database;
  const now = nowMs ?? (await readHubNow(kysely));
  const { log_days } = await kysely
    .selectFrom('hub_meta')
    .select('log_days')
    .executeTakeFirstOrThrow();
  const own = await kysely
    .selectFrom('sites')
    .select(['key', 'log_days'])
    .where('log_days', 'is not', null)
    .execute();
  const keys = sql`${own.map(({ key }) => key)}::integer[]`;
  let count = await purgeOlder(database, now - log_days * DAY_MS, sql`target <> all(${keys})`);
  for (const { key, log_days: days } of own) {
    const before = now - (days ?? log_days) * DAY_MS;
    count += await purgeOlder(database, before, sql`target = ${key}`);
  }
  return count;
}

/** Oldest first. Each batch begins where the last one ended: what is kept is not looked at again. */
async function purgeOlder(
  { kysely }: Database,
  beforeMs: number,
  which: RawBuilder<unknown>,
): Promise<number> {
  let count = 0;
  for (let fromMs = 0; ; ) {
    const { rows } = await sql<{ found: number; last: number | null }>`
      with old as materialized (
        select id, at_ms from sync_log
        where at_ms >= ${fromMs}::bigint and at_ms < ${beforeMs}::bigint and ${which}
        order by at_ms limit ${PURGE_BATCH}),
      gone as (delete from sync_log l using old where l.id = old.id)
      select count(*) as found, max(at_ms) as last from old`.execute(kysely);
    const { found = 0, last = null } = rows[0] ?? {};
    count += found;
    if (found < PURGE_BATCH || last === null) return count;
    fromMs = last;
  }
}

/** Proofs whose time ended longer ago than this go; how many went. */
export async function purgeProofs(database: Database, olderThanMs: number): Promise<number> {
  const before = (await readHubNow(database.kysely)) - olderThanMs;
  const { numDeletedRows } = await database.kysely
    .deleteFrom('proofs')
    .where('ends_ms', '<', before)
    .executeTakeFirst();
  return Number(numDeletedRows);
}

/** What happened to sites longer ago than this goes; how many rows went. */
export async function purgeEvents(database: Database, olderThanMs: number): Promise<number> {
  const before = (await readHubNow(database.kysely)) - olderThanMs;
  const { numDeletedRows } = await database.kysely
    .deleteFrom('site_events')
    .where('at_ms', '<', before)
    .executeTakeFirst();
  return Number(numDeletedRows);
}

/** Changes acknowledged longer ago than this go; how many went. */
export async function purgeChanges(database: Database, olderThanMs: number): Promise<number> {
  const before = (await readHubNow(database.kysely)) - olderThanMs;
  const { numDeletedRows } = await database.kysely
    .deleteFrom('changes')
    .where('acknowledged_at_ms', '<', before)
    .executeTakeFirst();
  return Number(numDeletedRows);
}

/** Deliveries whose values are dropped in one go: their identities are locked meanwhile. */
const EXPIRE_BATCH = 1_000;

/**
 * Drops the values of what has waited for longer than this; the mark stays, so that they are read
 * afresh from their source when the target returns. Returns how many deliveries were emptied.
 */
export async function expireDeliveries(database: Database, olderThanMs: number): Promise<number> {
  const before = (await readHubNow(database.kysely)) - olderThanMs;
  let count = 0;
  for (;;) {
    const emptied = await database.kysely.transaction().execute(async (tx) => {
      const old = sql`d.queued_at_ms < ${before} and d.lease_until_ms is null
        and jsonb_path_exists(d.fields, '$.* ? (!exists(@.x))')`;
      const owners = await sql<{ uid: string }>`
        select i.uid from identities i where i.uid in (
          select d.uid from deliveries d where ${old} limit ${EXPIRE_BATCH})
        order by i.uid for update skip locked`.execute(tx);
      const { rows } = await sql`
        update deliveries d set version = d.version + 1, fields = (
          select jsonb_object_agg(key, (value - 'v' - 'z') || '{"x": true}') from jsonb_each(d.fields))
        where ${old} and d.uid = any(${owners.rows.map((row) => row.uid)}::uuid[])
        returning 1`.execute(tx);
      return rows.length;
    });
    count += emptied;
    if (emptied === 0) return count;
  }
}

/** Some ten ms on a small store; hourly is often enough. PostgreSQL does it by itself. */
export async function vacuum(database: Database): Promise<void> {
  if (database.kind === 'pglite') await sql`vacuum (analyze)`.execute(database.kysely);
}
