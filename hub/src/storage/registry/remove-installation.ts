/**
 * Takes an installation out of the hub.
 *
 * Does: forget its credential, remove its routes, cancel what is on its way there (logged as
 * `site.removed`), and free its sites' names.
 * Does not: touch identities, accounts or tombstones, or speak to the site. What had come from
 * its sites is cancelled by the next look at it, as no route carries it any more.
 * Always true: repeating it changes nothing.
 */
import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely';
import { Fault } from '../../errors.ts';
import type { InstallationId, SiteKey } from '../../model/ids.ts';
import type { Tables } from '../tables.ts';
import { cancelDeliveries } from './cancel-deliveries.ts';
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
    const its = sql<SiteKey>`(select key from sites where installation = ${id})`;
    await removeRoutes(tx, its);
    await leaveGroups(tx, its);
    await cancelDeliveries(tx, sql`d.installation = ${id}`, 'site.removed');
    await tx.updateTable('sites').set({ removed: true }).where('installation', '=', id).execute();
    await tx.deleteFrom('changes').where('installation', '=', id).execute();
    await tx.deleteFrom('refreshes').where('installation', '=', id).execute();
    await tx.deleteFrom('restamps').where('installation', '=', id).execute();
    await tx.deleteFrom('links').where('installation', '=', id).execute();
    await endProofs(tx, id);
    await endErasures(tx, id);
  });
}

/** A site that no longer exists on its network; the others of its installation stay. */
export async function removeEnded(db: Kysely<Tables>, key: SiteKey): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const { numUpdatedRows } = await tx
      .updateTable('sites')
      .set({ removed: true })
      .where('key', '=', key)
      .where('closed', '=', 'ended')
      .where('removed', '=', false)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) throw new Fault('site.unknown', `No site ${key} has ended.`);
    const its = sql<SiteKey>`(${key}::integer)`;
    await removeRoutes(tx, its);
    await leaveGroups(tx, its);
    await cancelDeliveries(tx, sql`d.target = ${key}::integer`, 'site.ended');
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

async function leaveGroups(tx: Transaction<Tables>, its: RawBuilder<SiteKey>): Promise<void> {
  await tx
    .deleteFrom('group_exceptions')
    .where((where) => where.or([where('source', 'in', its), where('target', 'in', its)]))
    .execute();
  await tx.deleteFrom('group_members').where('site', 'in', its).execute();
}

async function removeRoutes(tx: Transaction<Tables>, its: RawBuilder<SiteKey>): Promise<void> {
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
