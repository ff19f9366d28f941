/** What was captured, and what has to be asked of a site again. */
import { type Kysely, sql } from 'kysely';
import type { InstallationId, WordPressId } from '../../model/ids.ts';
import type { CapturedChange, Refresh } from '../../sync/ports.ts';
import { hubNow } from '../hub-clock.ts';
import type { Tables } from '../tables.ts';
import { storable } from './identity-rows.ts';

/**
 * Remembers rows once per (row, rev); the indexes of those not seen before, in order. A row that
 * comes again is to be acknowledged again: the site has not dropped it.
 */
export async function appendChanges(
  db: Kysely<Tables>,
  installation: InstallationId,
  changes: readonly CapturedChange[],
): Promise<readonly number[]> {
  if (changes.length === 0) return [];
  const distinct = new Map(changes.map((change) => [keyOf(change), change]));
  const rows = [...distinct.values()].map((change) => ({
    row: change.row,
    rev: change.rev,
    kind: change.kind,
    wp_id: change.wpId,
    uid: change.uid,
    actor: storable(JSON.stringify(change.actor ?? null)),
    fields: change.fields.map(storable),
    at_ms: change.atMs,
  }));
  // xmax 0: inserted just now; else it was there and was updated.
  const stored = await sql<{ row: string; rev: number; fresh: boolean }>`
    insert into changes (installation, row, rev, kind, wp_id, uid, actor, fields, at_ms)
    select ${installation}::uuid, r.row, r.rev, r.kind, r.wp_id, r.uid, r.actor, r.fields, r.at_ms
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r(row text, rev bigint, kind text,
      wp_id bigint, uid uuid, actor text, fields jsonb, at_ms bigint)
    on conflict (installation, row, rev) do update set acknowledged_at_ms = null
    returning row, rev, xmax = 0 as fresh`.execute(db);
  const fresh = new Set(stored.rows.filter((row) => row.fresh).map(keyOf));
  // `delete`: a row that stands twice in one batch is new once.
  return changes.flatMap((change, index) => (fresh.delete(keyOf(change)) ? [index] : []));
}

const keyOf = ({ row, rev }: { row: string; rev: number }): string => `${rev} ${row}`;

export async function queueRefresh(
  db: Kysely<Tables>,
  installation: InstallationId,
  ids: readonly WordPressId[],
  { creates }: Pick<Refresh, 'creates'> = { creates: false },
): Promise<void> {
  if (ids.length === 0) return;
  await sql`insert into refreshes (installation, wp_id, creates)
    select ${installation}::uuid, id, ${creates}::boolean from unnest(${[...new Set(ids)]}::bigint[]) id
    on conflict (installation, wp_id)
      do update set queued_at_ms = greatest(${hubNow}, refreshes.queued_at_ms + 1),
        creates = refreshes.creates or excluded.creates`.execute(db);
}

/** Only as they were listed: an account that was queued again since then is read again. */
export async function clearRefreshes(
  db: Kysely<Tables>,
  installation: InstallationId,
  refreshes: readonly Refresh[],
): Promise<void> {
  if (refreshes.length === 0) return;
  const rows = refreshes.map(({ wpId, queuedAtMs }) => ({ wp_id: wpId, at: queuedAtMs }));
  await sql`delete from refreshes r using
      jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as done(wp_id bigint, at bigint)
    where r.installation = ${installation} and r.wp_id = done.wp_id
      and r.queued_at_ms = done.at`.execute(db);
}

export async function queueRestamp(
  db: Kysely<Tables>,
  installation: InstallationId,
  ids: readonly WordPressId[],
): Promise<void> {
  if (ids.length === 0) return;
  await sql`insert into restamps (installation, wp_id)
    select ${installation}::uuid, unnest(${[...ids]}::bigint[])
    on conflict do nothing`.execute(db);
}

export async function setCursor(
  db: Kysely<Tables>,
  installation: InstallationId,
  cursor: { epoch: string; head: number },
): Promise<void> {
  await db
    .updateTable('installations')
    .set({ epoch: cursor.epoch, head: cursor.head })
    .where('id', '=', installation)
    .execute();
}
