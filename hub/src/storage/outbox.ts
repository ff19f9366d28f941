/**
 * What a site must still be told or asked: acknowledgements, labels, stamps to be made anew,
 * accounts to be read again.
 * Every call is safe to repeat.
 */
import { type Kysely, sql } from 'kysely';
import type { Label } from '#contract/messages.ts';
import type { IdentityUid, InstallationId, WordPressId } from '../model/ids.ts';
import type { Refresh, RowRef } from '../sync/ports.ts';
import { hubNow } from './hub-clock.ts';
import type { Tables } from './tables.ts';

export async function unacknowledged(
  db: Kysely<Tables>,
  installation: InstallationId,
): Promise<readonly RowRef[]> {
  const rows = await db
    .selectFrom('changes')
    .select(['row', 'rev'])
    .where('installation', '=', installation)
    .where('acknowledged_at_ms', 'is', null)
    .orderBy('captured_at_ms')
    .execute();
  return rows.map(({ row, rev }) => [row, rev]);
}

export async function markAcknowledged(
  db: Kysely<Tables>,
  installation: InstallationId,
  refs: readonly RowRef[],
): Promise<void> {
  if (refs.length === 0) return;
  const rows = refs.map(([row, rev]) => ({ row, rev }));
  await sql`update changes c set acknowledged_at_ms = ${hubNow}
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r(row text, rev bigint)
    where c.installation = ${installation} and c.row = r.row and c.rev = r.rev
      and c.acknowledged_at_ms is null`.execute(db);
}

/** Accounts under an alarm are left out: nothing is attached to them until a person has looked. */
export async function unlabelled(
  db: Kysely<Tables>,
  installation: InstallationId,
  limit: number,
): Promise<readonly Label[]> {
  const { rows } = await sql<{
    wp_id: WordPressId;
    uid: IdentityUid;
    login: string;
    was_uid: IdentityUid | null;
  }>`
    select wp_id, uid, login, was_uid from accounts
    where installation = ${installation} and not labelled and gone is null and alarm is null
    order by wp_id limit ${limit}`.execute(db);
  return rows.map(({ wp_id: id, uid, login, was_uid: was }) =>
    was === null ? { id, uid, login } : { id, uid, login, was },
  );
}

export async function markLabelled(
  db: Kysely<Tables>,
  installation: InstallationId,
  labels: readonly Pick<Label, 'id' | 'uid'>[],
): Promise<void> {
  if (labels.length === 0) return;
  const told = labels.map(({ id, uid }) => ({ id, uid }));
  // Two identities may have become one while the label was on its way: the new uid is still untold.
  await sql`update accounts a set labelled = true, was_uid = null
    from jsonb_to_recordset(${JSON.stringify(told)}::jsonb) as t(id bigint, uid uuid)
    where a.installation = ${installation} and a.wp_id = t.id and a.uid = t.uid
      and a.gone is null`.execute(db);
}

export async function refreshes(
  db: Kysely<Tables>,
  installation: InstallationId,
  limit: number,
): Promise<readonly Refresh[]> {
  const rows = await db
    .selectFrom('refreshes')
    .select(['wp_id', 'queued_at_ms', 'creates'])
    .where('installation', '=', installation)
    .orderBy('queued_at_ms')
    .orderBy('wp_id')
    .limit(limit)
    .execute();
  return rows.map(({ wp_id: wpId, queued_at_ms: queuedAtMs, creates }) => ({
    wpId,
    queuedAtMs,
    creates,
  }));
}

export async function restamps(
  db: Kysely<Tables>,
  installation: InstallationId,
): Promise<readonly WordPressId[]> {
  const rows = await db
    .selectFrom('restamps')
    .select('wp_id')
    .where('installation', '=', installation)
    .orderBy('queued_at_ms')
    .execute();
  return rows.map((row) => row.wp_id);
}

export async function clearRestamps(
  db: Kysely<Tables>,
  installation: InstallationId,
  ids: readonly WordPressId[],
): Promise<void> {
  if (ids.length === 0) return;
  await sql`delete from restamps where installation = ${installation}
    and wp_id = any(${[...ids]}::bigint[])`.execute(db);
}
