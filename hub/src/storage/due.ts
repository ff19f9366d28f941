/**
 * What is due now, and when something becomes due next.
 *
 * Always true: reads index fronts only, one per installation and lane, so it costs the same with
 * ten deliveries waiting or a million. An installation that backs off is due when it is tried
 * again, not before; one that isn't active, or a site that is paused or closed, is never due.
 */
import { type Kysely, sql } from 'kysely';
import type { Lane } from '../model/identity.ts';
import type { InstallationId } from '../model/ids.ts';
import type { Store } from '../sync/ports.ts';
import { hubNow } from './hub-clock.ts';
import type { Tables } from './tables.ts';
import { isDueAt } from './transaction/claims.ts';

interface LaneRow {
  installation: InstallationId;
  lane: Lane;
  now: number;
  /** The earliest time at which the installation may be spoken to: now, or `retry_at`. */
  open_at: number;
  ready: boolean;
  /** The earliest time after `open_at` at which a delivery that waits becomes due. */
  later: number | null;
}

export async function due(db: Kysely<Tables>): ReturnType<Store['due']> {
  const open = sql<number>`t.open_at`;
  const here = sql`d.installation = t.id and d.lane = t.lane
    and d.target in (select key from sites where installation = t.id and status = 'active' and not removed and closed is null)`;
  const { rows } = await sql<LaneRow>`
    with clock as materialized (select ${hubNow} as now),
    t as materialized (
      select i.id, l.lane, c.now, greatest(c.now, i.retry_at_ms) as open_at
      from clock c cross join installations i cross join (values ('people'), ('bulk')) l(lane)
      where i.state = 'active')
    select t.id as installation, t.lane, t.now, t.open_at,
      exists (select 1 from deliveries d where ${here} and ${isDueAt(open)}) as ready,
      least(
        (select min(greatest(d.not_before_ms, coalesce(d.lease_until_ms, 0))) from deliveries d
          where ${here} and d.sendable and d.not_before_ms > 0 and d.not_before_ms > t.open_at),
        (select min(greatest(d.not_before_ms, d.lease_until_ms)) from deliveries d
          where ${here} and d.sendable and d.lease_until_ms > t.open_at)) as later
    from t order by t.lane desc, t.id`.execute(db);
  const now = rows.filter((row) => row.ready && row.open_at <= row.now);
  const times = rows.flatMap((row) => [
    ...(row.ready && row.open_at > row.now ? [row.open_at] : []),
    ...(row.later === null ? [] : [row.later]),
  ]);
  const toRead = await sql<{ installation: InstallationId }>`
    select i.id as installation from installations i where i.state = 'active'
      and exists (select 1 from refreshes r where r.installation = i.id)`.execute(db);
  return {
    toRead: toRead.rows.map((row) => row.installation),
    now: now.map(({ installation, lane }) => ({ installation, lane })),
    nextMs: times.length === 0 ? null : Math.min(...times),
  };
}

/** Ends all leases; for a process that has the store to itself and is just starting. */
export async function forgetLeases(db: Kysely<Tables>): Promise<void> {
  await sql`update deliveries set lease_until_ms = null where lease_until_ms is not null`.execute(
    db,
  );
}
