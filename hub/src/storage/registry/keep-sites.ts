/**
 * Sites of a network that came, moved, closed or ended.
 *
 * Does: what the site says of them alone.
 * Does not: cancel what waits for one that ended: it may be listed again. Nor change what operators have said of a site: its name, its rules, whether it is paused, its routes.
 * Always true: of two processes that saw a site come, one makes it. Repeating it changes nothing.
 */
import { type Kysely, sql } from 'kysely';
import type { InstallationId } from '../../model/ids.ts';
import type { Registry } from '../../sync/ports.ts';
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
      .select(['key', 'blog'])
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
    }
    if (ended.length > 0) {
      await tx
        .updateTable('sites')
        .set({ closed: 'ended' })
        .where('installation', '=', id)
        .where('key', 'in', [...ended])
        .execute();
    }
  });
}
