/** Rows written for people to read: the Sync Log, and links waiting to be proven. */
import { type Kysely, sql } from 'kysely';
import type { IdentityUid, InstallationId, WordPressId } from '../../model/ids.ts';
import type { LogEntry } from '../../model/log-entry.ts';
import type { Tables } from '../tables.ts';
import { keyOf, storable } from './identity-rows.ts';

/** Of a site whose log is off only deletes are kept: the deletion limit counts them. */
export async function appendLog(db: Kysely<Tables>, entries: readonly LogEntry[]): Promise<void> {
  if (entries.length === 0) return;
  const rows = entries.map((entry) => ({
    ...entry,
    login: storable(entry.login),
    login_key: keyOf(entry.login),
    fields: entry.fields.map(storable),
    actor: entry.actor === null ? null : storable(entry.actor),
    duration_ms: entry.durationMs === null ? null : Math.round(entry.durationMs),
  }));
  // Ordered, so that ids follow the order in which the entries were given.
  await sql`
    insert into sync_log (uid, login, login_key, source, target, action, status, reason, fields,
      path, actor, delivery, attempts, duration_ms, unconfirmed)
    select r.uid, r.login, r.login_key, r.source, r.target, r.action, r.status, r.reason, r.fields,
      r.path, r.actor, r.delivery, r.attempts, r.duration_ms,
      coalesce(r.unconfirmed, false)
    from rows from (jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as (uid uuid, login text,
      login_key text, source integer, target integer, action text, status text, reason text,
      fields jsonb, path jsonb, actor text, delivery text, attempts integer, duration_ms bigint,
      unconfirmed boolean))
      with ordinality as r(uid, login, login_key, source, target, action, status, reason, fields,
        path, actor, delivery, attempts, duration_ms, unconfirmed, place)
    where (r.action = 'delete' and r.status = 'delivered')
      or not exists (select 1 from sites s where s.key = r.target and not s.log_on)
    order by r.place`.execute(db);
}

export async function saveLinks(
  db: Kysely<Tables>,
  links: readonly {
    uid: IdentityUid;
    installation: InstallationId;
    wpId: WordPressId;
    by: 'email' | 'login';
  }[],
): Promise<void> {
  if (links.length === 0) return;
  await sql`
    insert into links (uid, installation, wp_id, by)
    select r.uid, r.installation, r."wpId", r.by
    from jsonb_to_recordset(${JSON.stringify(links)}::jsonb)
      as r(uid uuid, installation uuid, "wpId" bigint, by text)
    on conflict do nothing`.execute(db);
}

/** Forgets who was taken for one of these accounts, and queues their own accounts to be read again. */
export async function forgetLinksTo(
  db: Kysely<Tables>,
  installation: InstallationId,
  ids: readonly WordPressId[],
): Promise<void> {
  if (ids.length === 0) return;
  await sql`
    with forgotten as (delete from links where installation = ${installation}
      and wp_id = any(${[...ids]}::bigint[]) returning uid)
    insert into refreshes (installation, wp_id, creates)
    select distinct a.installation, a.wp_id, true from accounts a
      where a.uid in (select uid from forgotten) and a.gone is null
    on conflict (installation, wp_id) do update set creates = true`.execute(db);
}
