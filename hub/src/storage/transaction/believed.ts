/** What the hub believes of an installation, to be compared with what is really there. */
import { type Kysely, sql } from 'kysely';
import type { IdentityUid, InstallationId, WordPressId } from '../../model/ids.ts';
import type { Ended } from '../../sync/ports.ts';
import type { Tables } from '../tables.ts';

export async function livingAccounts(
  db: Kysely<Tables>,
  installation: InstallationId,
  { after, upTo }: { readonly after: number; readonly upTo: number | null },
): Promise<readonly WordPressId[]> {
  let rows = db
    .selectFrom('accounts')
    .select('wp_id')
    .where('installation', '=', installation)
    .where('gone', 'is', null)
    .where(sql<number>`wp_id`, '>', after)
    .orderBy('wp_id');
  if (upTo !== null) rows = rows.where(sql<number>`wp_id`, '<=', upTo);
  return (await rows.execute()).map((row) => row.wp_id);
}

export async function endedAccounts(
  db: Kysely<Tables>,
  installation: InstallationId,
  ids: readonly WordPressId[],
): Promise<ReadonlyMap<WordPressId, readonly Ended[]>> {
  const found = new Map<WordPressId, Ended[]>();
  if (ids.length === 0) return found;
  const { rows } = await sql<{
    wp_id: WordPressId;
    uid: IdentityUid;
    login: string;
    registered: string;
  }>`
    select wp_id, uid, login, registered from accounts
    where installation = ${installation} and gone is not null
      and wp_id = any(${[...ids]}::bigint[])`.execute(db);
  for (const { wp_id: id, ...ended } of rows) found.set(id, [...(found.get(id) ?? []), ended]);
  return found;
}

export async function forgetOutbox(
  db: Kysely<Tables>,
  installation: InstallationId,
): Promise<void> {
  await db.deleteFrom('changes').where('installation', '=', installation).execute();
  await db.deleteFrom('restamps').where('installation', '=', installation).execute();
}
