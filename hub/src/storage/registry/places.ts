/** Where an installation is, and what was heard of other places. */
import { type Kysely, sql } from 'kysely';
import { Fault } from '../../errors.ts';
import type { InstallationId } from '../../model/ids.ts';
import type { InstallationNews, Registry } from '../../sync/ports.ts';
import type { Tables } from '../tables.ts';

export async function relocate(
  db: Kysely<Tables>,
  id: InstallationId,
  place: Parameters<Registry['relocate']>[1],
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const { numUpdatedRows } = await tx
      .updateTable('installations')
      .set({ rest_url: place.restUrl, public_only: place.publicOnly, home: place.home })
      .where('id', '=', id)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) throw new Fault('site.unknown', `There is no installation ${id}.`);
    for (const { blog, url, restUrl } of place.sites) {
      await tx
        .updateTable('sites')
        .set({ url, rest_url: restUrl })
        .where('installation', '=', id)
        .where('blog', '=', blog)
        .execute();
    }
  });
}

export async function news(db: Kysely<Tables>, id: InstallationId): Promise<InstallationNews> {
  const row = await db
    .selectFrom('installations')
    .select('news')
    .where('id', '=', id)
    .executeTakeFirst();
  const { copy = null, found = null, rewritten = null, others = null } = row?.news ?? {};
  return { copy, found, rewritten, others };
}

/** What is not named stays. */
export async function note(
  db: Kysely<Tables>,
  id: InstallationId,
  change: Partial<InstallationNews>,
): Promise<void> {
  await db
    .updateTable('installations')
    .set({ news: sql`coalesce(news, '{}'::jsonb) || ${JSON.stringify(change)}::jsonb` })
    .where('id', '=', id)
    .execute();
}
