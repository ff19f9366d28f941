/**
 * Takes an installation out of the hub.
 *
 * Does: forget its credential, remove its routes, cancel what is on its way there (logged as
 * `site.removed`), and free its sites' names.
 * Does not: touch identities, accounts or tombstones, or speak to the site. What had come from
 * its sites is cancelled by the next look at it, as no route carries it any more.
 * Always true: repeating it changes nothing.
 */
import { type Kysely, sql, type Transaction } from 'kysely';
import { Fault } from '../../errors.ts';
import type { InstallationId, SiteKey } from '../../model/ids.ts';
import type { Tables } from '../tables.ts';
import { lookAgain } from './routes.ts';

export async function removeInstallation(db: Kysely<Tables>, id: InstallationId): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const { numUpdatedRows } = await tx
      .updateTable('installations')
      .set({
        state: 'removed',
        credential: null,
        signal_secret: null,
        trouble: null,
        // Who comes back is read anew.
        last_pulled_ms: null,
      })
      .where('id', '=', id)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) throw new Fault('site.unknown', `There is no installation ${id}.`);
    await removeRoutes(tx, id);
    await leaveGroups(tx, id);
    await cancelDeliveries(tx, id);
    await tx.updateTable('sites').set({ removed: true }).where('installation', '=', id).execute();
    await tx.deleteFrom('changes').where('installation', '=', id).execute();
    await tx.deleteFrom('refreshes').where('installation', '=', id).execute();
    await tx.deleteFrom('restamps').where('installation', '=', id).execute();
    await tx.deleteFrom('links').where('installation', '=', id).execute();
    await endProofs(tx, id);
    await endErasures(tx, id);
  });
}

async function endErasures(tx: Transaction<Tables>, id: InstallationId): Promise<void> {
  await tx
    .updateTable('erasure_steps')
    .set({ state: 'refused', reason: 'site.removed' })
    .where('installation', '=', id)
    .where('state', 'in', ['waiting', 'held'])
    .execute();
}

/** The other site is told with its next pull; this one forgets its halves with the hub. */
async function endProofs(tx: Transaction<Tables>, id: InstallationId): Promise<void> {
  const its = sql`(select proof from proof_halves where installation = ${id})`;
  await sql`update proof_halves set verifier = null, forgotten = forgotten or installation = ${id}
    where proof in ${its}`.execute(tx);
  await sql`update proofs set ended = 'site.removed' where ended is null and id in ${its}`.execute(
    tx,
  );
}

async function leaveGroups(tx: Transaction<Tables>, id: InstallationId): Promise<void> {
  const its = sql<SiteKey>`(select key from sites where installation = ${id})`;
  await tx
    .deleteFrom('group_exceptions')
    .where((where) => where.or([where('source', 'in', its), where('target', 'in', its)]))
    .execute();
  await tx.deleteFrom('group_members').where('site', 'in', its).execute();
}

async function removeRoutes(tx: Transaction<Tables>, id: InstallationId): Promise<void> {
  const its = sql<SiteKey>`(select key from sites where installation = ${id})`;
  const routes = await tx
    .deleteFrom('routes')
    .where((where) => where.or([where('source', 'in', its), where('target', 'in', its)]))
    .returning('target')
    .execute();
  await lookAgain(
    tx,
    routes.map((route) => route.target),
  );
}

async function cancelDeliveries(tx: Transaction<Tables>, id: InstallationId): Promise<void> {
  await sql`select 1 from identities
    where uid in (select d.uid from deliveries d where d.installation = ${id})
    order by uid for update`.execute(tx);
  await sql`
    with cancelled as (delete from deliveries where installation = ${id} returning *)
    insert into sync_log (uid, login, login_key, source, target, action, status, reason, fields,
      path, delivery, attempts, unconfirmed)
    select c.uid, coalesce(who.login, ''), coalesce(who.login_key, ''), null, c.target,
      case when c.gone is not null then 'delete' when c.birth is not null then 'create'
        else 'update' end,
      'cancelled', 'site.removed',
      (select coalesce(jsonb_agg(key), '[]') from jsonb_object_keys(c.fields) key),
      '[]', c.id, c.attempts, coalesce(c.fields->'email' ? 'u', false)
    from cancelled c left join lateral (
      select a.login, a.login_key from accounts a where a.uid = c.uid limit 1) who on true`.execute(
    tx,
  );
}
