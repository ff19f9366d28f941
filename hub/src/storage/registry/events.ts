/** What happened to installations, and what people said about it. */
import { type Kysely, sql } from 'kysely';
import type { InstallationId } from '../../model/ids.ts';
import type { SiteEvent, SiteEventRow, Views } from '../../sync/ports.ts';
import { hubNow } from '../hub-clock.ts';
import type { Tables } from '../tables.ts';

/** Of one kind: what says something else each minute must not fill the store, nor hide anything. */
const MOST_AN_HOUR = 10;
const HOUR_MS = 3_600_000;

export async function note(
  db: Kysely<Tables>,
  id: InstallationId,
  { code, message, actor }: SiteEvent,
): Promise<void> {
  await sql`insert into site_events (installation, code, message, actor)
    select ${id}::uuid, ${code}::text, ${message}::text, ${actor}::text
    where (select count(*) from site_events where installation = ${id}::uuid
      and code = ${code} and at_ms > ${hubNow} - ${HOUR_MS}) < ${MOST_AN_HOUR}`.execute(db);
}

export async function newest(
  db: Kysely<Tables>,
  { installation, limit }: Parameters<Views['siteEvents']>[0],
): Promise<readonly SiteEventRow[]> {
  let rows = db.selectFrom('site_events').selectAll().orderBy('id', 'desc').limit(limit);
  if (installation !== undefined) rows = rows.where('installation', '=', installation);
  return (await rows.execute()).map(({ at_ms: atMs, ...event }) => ({ ...event, atMs }));
}
