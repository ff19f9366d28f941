/** What is on its way to a site that is no longer there is cancelled, and the log says so. */
import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { Reason } from '../../reasons.ts';
import type { Tables } from '../tables.ts';

/** @param which of the rows `d` of deliveries */
export async function cancelDeliveries(
  tx: Transaction<Tables>,
  which: RawBuilder<unknown>,
  reason: Reason,
): Promise<void> {
  await sql`select 1 from identities
    where uid in (select d.uid from deliveries d where ${which})
    order by uid for update`.execute(tx);
  await sql`
    with cancelled as (delete from deliveries d where ${which} returning d.*)
    insert into sync_log (uid, login, login_key, source, target, action, status, reason, fields,
      path, delivery, attempts, unconfirmed)
    select c.uid, coalesce(who.login, ''), coalesce(who.login_key, ''), null, c.target,
      case when c.gone is not null then 'delete' when c.birth is not null then 'create'
        else 'update' end,
      'cancelled', ${reason}::text,
      (select coalesce(jsonb_agg(key), '[]') from jsonb_object_keys(c.fields) key),
      '[]', c.id, c.attempts, coalesce(c.fields->'email' ? 'u', false)
    from cancelled c left join lateral (
      select a.login, a.login_key from accounts a where a.uid = c.uid limit 1) who on true`.execute(
    tx,
  );
}
