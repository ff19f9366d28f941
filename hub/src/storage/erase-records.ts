/**
 * Takes a person's names out of what the hub keeps for people to read.
 *
 * Does: empty names in the Sync Log, in the rows of changes and in runs that ended; drop values that an undo would
 * have put back, and addresses of accounts that ended.
 * Does not: touch who is who, tombstones, or what is still on its way: without them the living account would fall
 * out of step, and a removed one could come back.
 */
import { sql, type Transaction } from 'kysely';
import type { ErasedRecords } from '../model/erasure.ts';
import type { IdentityUid } from '../model/ids.ts';
import type { Tables } from './tables.ts';

export async function eraseRecords(
  tx: Transaction<Tables>,
  uid: IdentityUid,
): Promise<ErasedRecords> {
  const same = sql`(select i.uid from identities i where i.uid = ${uid} or i.alias_of = ${uid})`;
  const log =
    await sql`update sync_log set login = '', login_key = '', actor = split_part(actor, ' ', 1)
    where uid in ${same} and login <> ''`.execute(tx);
  // Also where this person was the one who did it, on their own sites.
  await sql`update sync_log l set actor = split_part(l.actor, ' ', 1) from accounts a, sites s
    where a.uid in ${same} and s.installation = a.installation and l.source = s.key
    and l.actor in ('account ' || a.login, 'rest ' || a.login, 'cli ' || a.login, 'cron ' || a.login)`.execute(
    tx,
  );
  await sql`update changes c set actor = null where c.uid in ${same}
    or exists (select 1 from accounts a where a.uid in ${same} and a.installation = c.installation
      and position('"login":' || to_json(a.login)::text in replace(c.actor::text, '": "', '":"')) > 0)`.execute(
    tx,
  );
  const steps =
    await sql`update sync_steps set login = '', other = null, kept = null where uid in ${same}
    and run in (select r.id from sync_runs r where r.ended_ms is not null) and (login <> '' or kept is not null)`.execute(
      tx,
    );
  // An adopt run keeps both sides of a pair: also where somebody else's account stood against this one.
  await sql`update sync_steps s set sides = null, seen = '', other = null
    where s.sides is not null and s.run in (select r.id from sync_runs r where r.ended_ms is not null)
      and (s.uid in ${same} or exists (select 1 from jsonb_array_elements(s.sides->'others') o
        where (o.value->>'uid')::uuid in ${same}))`.execute(tx);
  await sql`update accounts set email = '', email_key = '' where uid in ${same} and gone is not null`.execute(
    tx,
  );
  return {
    logRows: Number(log.numAffectedRows ?? 0),
    runSteps: Number(steps.numAffectedRows ?? 0),
  };
}
