/**
 * Sites of a network that came, moved, closed or ended.
 *
 * Does: what the site says of them alone. Has accounts read again where a site had ended
 * and is listed again.
 * Does not: cancel what waits for one that ended: it may be listed again. Nor change what operators have said of a site: its name, its rules, whether it is paused, its routes.
 * Always true: of two processes that saw a site come, one makes it. Repeating it changes nothing.
 */
import { type Kysely, sql, type Transaction } from 'kysely';
import type { InstallationId, SiteKey } from '../../model/ids.ts';
import type { Registry } from '../../sync/ports.ts';
import { hubNow } from '../hub-clock.ts';
import type { Tables } from '../tables.ts';
import { rowOf } from './installations.ts';
import { nameTaken } from './sites.ts';

export async function keepSites(
  db: Kysely<Tables>,
  id: InstallationId,
  { sites, ended }: Parameters<Registry['keepSites']>[1],
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await tx.selectFrom('installations').select('id').where('id', '=', id).forUpdate().execute();
    const there = await tx
      .selectFrom('sites')
      .select(['key', 'blog', 'closed', 'ended_at_ms'])
      .where('installation', '=', id)
      .where('removed', '=', false)
      .execute();
    const keyOf = new Map(there.map(({ blog, key }) => [blog, key]));
    const mine = sites.filter(({ blog, key }) => (keyOf.get(blog) ?? key) === key);
    if (mine.length > 0) {
      await tx
        .insertInto('sites')
        .values(mine.map(rowOf))
        .onConflict((conflict) =>
          conflict.column('key').doUpdateSet((row) => ({
            name: sql<string>`case when sites.removed then excluded.name else sites.name end`,
            url: row.ref('excluded.url'),
            rest_url: row.ref('excluded.rest_url'),
            roles: row.ref('excluded.roles'),
            default_role: row.ref('excluded.default_role'),
            network: row.ref('excluded.network'),
            closed: row.ref('excluded.closed'),
            removed: row.ref('excluded.removed'),
          })),
        )
        .execute()
        .catch(nameTaken);
      await tx.updateTable('installations').set({ multisite: true }).where('id', '=', id).execute();
      const back = there.filter(
        ({ key, closed }) => closed === 'ended' && mine.some((site) => site.key === key),
      );
      await readAgain(tx, id, back);
    }
    if (ended.length > 0) {
      await tx
        .updateTable('sites')
        .set({ closed: 'ended', ended_at_ms: sql<number>`${hubNow}` })
        .where('installation', '=', id)
        .where('key', 'in', [...ended])
        .execute();
    }
  });
}

/**
 * Nothing has left them while they counted as ended, though the hub has learned it: of whom it has learned something
 * since then is read once more. Who came to the site since then (every role that was ever known there is younger)
 * counts as not yet there: coming is what has an account created elsewhere, and older people stay where they are.
 */
async function readAgain(
  tx: Transaction<Tables>,
  id: InstallationId,
  sites: readonly { readonly key: SiteKey; readonly ended_at_ms: number | null }[],
): Promise<void> {
  for (const { key, ended_at_ms: endedAtMs } of sites) {
    if (endedAtMs === null) continue;
    const here = sql`a.installation = ${id} and a.gone is null`;
    const known = sql`jsonb_each(a.known) k`;
    const isSince = sql`(k.value ->> 0)::bigint >= ${endedAtMs}::bigint`;
    const roles = sql`starts_with(k.key, ${`${key}/role:`})`;
    const came = sql`${here} and (select bool_and(${isSince}) from ${known} where ${roles})`;
    // Whoever writes an account holds its identity's lock, in uid order.
    await sql`select 1 from identities where uid in (select a.uid from accounts a where ${came})
      order by uid for update`.execute(tx);
    await sql`update accounts a set roles = jsonb_set(a.roles, array[${String(key)}], '[]')
      where ${came}`.execute(tx);
    await sql`insert into refreshes (installation, wp_id, creates)
      select a.installation, a.wp_id, false from accounts a
      where ${here} and exists (select 1 from ${known} where ${isSince})
      on conflict (installation, wp_id)
        do update set queued_at_ms = greatest(${hubNow}, refreshes.queued_at_ms + 1)`.execute(tx);
  }
}
