/**
 * Deliveries that are due, and the leases on them.
 *
 * Always true: whoever writes a delivery holds the lock of its identity; a claim takes that lock
 * first and skips identities that another process holds, so it never waits and no two processes
 * get one delivery.
 */
import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Lane } from '../../model/identity.ts';
import type { DeliveryId, IdentityUid, InstallationId, SiteKey } from '../../model/ids.ts';
import type { ClaimedDelivery } from '../../sync/ports.ts';
import { hubNow } from '../hub-clock.ts';
import type { Tables } from '../tables.ts';
import { load, lockOnly, type People, reload } from './people.ts';

/**
 * May it be sent at `at`? Rows `d` of deliveries; `sendable` (not held as a whole, and something
 * to send) is kept by the table. Site and installation are asked for separately.
 */
export const isDueAt = (at: RawBuilder<number>): RawBuilder<boolean> =>
  sql`d.sendable and d.not_before_ms <= ${at}
    and (d.lease_until_ms is null or d.lease_until_ms <= ${at})`;

/** Sites that take deliveries: live, not paused and not closed on their network, of installations that may be spoken to. */
const OPEN_SITES = sql`select s.key from sites s join installations i on i.id = s.installation
  where s.status = 'active' and not s.removed and s.closed is null and i.state = 'active' and i.retry_at_ms <= ${hubNow}`;

export async function claim(
  people: People,
  installation: InstallationId,
  lane: Lane,
  options: { limit: number; leaseMs: number },
): Promise<readonly ClaimedDelivery[]> {
  const due = sql`d.installation = ${installation} and d.lane = ${lane} and ${isDueAt(hubNow)}
    and d.target in (${OPEN_SITES} and s.installation = ${installation})`;
  const free = await sql<{ id: DeliveryId }>`
    select d.id from deliveries d join identities p on p.uid = d.uid
    where ${due} order by d.queued_at_ms, d.id limit ${options.limit}
    for update of p skip locked`.execute(people.db);
  if (free.rows.length === 0) return [];
  // Another process may have claimed them between our reading and our locking: ask again.
  const leased = await sql<{ uid: IdentityUid; target: SiteKey }>`
    with mine as (
      update deliveries d set lease_until_ms = ${hubNow} + ${options.leaseMs}::bigint,
        attempts = d.attempts + 1
      where d.id = any(${free.rows.map((row) => row.id)}::text[]) and ${due}
      returning d.uid, d.target, d.queued_at_ms, d.id)
    select uid, target from mine order by queued_at_ms, id`.execute(people.db);
  return withIdentities(people, leased.rows);
}

async function withIdentities(
  people: People,
  rows: readonly { uid: IdentityUid; target: SiteKey }[],
): Promise<ClaimedDelivery[]> {
  const identities = await load(people, [...new Set(rows.map((row) => row.uid))]);
  return rows.flatMap(({ uid, target }) => {
    const identity = identities.get(uid);
    const delivery = identity?.deliveries.get(target);
    return identity === undefined || delivery === undefined ? [] : [{ identity, delivery }];
  });
}

export async function releaseClaims(
  people: People,
  deliveries: readonly DeliveryId[],
  unanswered: readonly DeliveryId[],
): Promise<void> {
  if (deliveries.length === 0) return;
  const which = sql`d.id = any(${[...deliveries]}::text[])`;
  await lockOnly(people.db, await ownersOf(people.db, which));
  await sql`update deliveries d set lease_until_ms = null,
    attempts = case when d.id = any(${[...unanswered]}::text[])
      then greatest(1, d.attempts - 1) else d.attempts end
    where ${which}`.execute(people.db);
}

/** What was tried and backs off is due at once. */
export async function retryNow(people: People, installation: InstallationId): Promise<void> {
  const which = sql`d.installation = ${installation} and d.sendable and d.attempts > 0
    and d.not_before_ms > ${hubNow}`;
  await lockOnly(people.db, await ownersOf(people.db, which));
  await sql`update deliveries d set not_before_ms = 0 where ${which}`.execute(people.db);
}

/** Deletes and strips that wait, for the deletion limit. "Today" is the last 24 hours. */
export async function deletesDue(
  { db }: People,
  installation: InstallationId,
): Promise<{ due: number; accounts: number; doneToday: number }> {
  const { rows } = await sql<{ due: number; accounts: number; doneToday: number }>`
    select
      (select count(*) from deliveries d where d.installation = ${installation}
        and d.gone is not null and ${isDueAt(hubNow)}) as due,
      (select count(*) from accounts a where a.installation = ${installation}
        and a.gone is null) as accounts,
      (select count(*) from sync_log l where l.action = 'delete' and l.status = 'delivered'
        and l.at_ms > ${hubNow} - 86400000
        and l.target in (select key from sites where installation = ${installation}))
        as "doneToday"`.execute(db);
  return rows[0] ?? { due: 0, accounts: 0, doneToday: 0 };
}

/** Holds every delete that isn't held or out on a lease, those still settling too: they are judged together. */
export async function holdDeletes(
  people: People,
  installation: InstallationId,
  reason: string,
): Promise<number> {
  const which = sql`d.installation = ${installation} and d.gone is not null and d.held is null
    and (d.lease_until_ms is null or d.lease_until_ms <= ${hubNow})`;
  await lockOnly(people.db, await ownersOf(people.db, which));
  const { rows } = await sql<{ uid: IdentityUid }>`
    update deliveries d set held = ${reason}, version = d.version + 1
    where ${which} returning d.uid`.execute(people.db);
  await reload(
    people,
    rows.map((row) => row.uid),
  );
  return rows.length;
}

/** A field or a delivery that waited for an address or a login is tried again at once. */
export async function releaseHeld(
  people: People,
  installation: InstallationId,
  freed: { emails: readonly string[]; logins: readonly string[] },
  keyOf: (text: string) => string,
): Promise<number> {
  const byEmail = sql<boolean>`d.waits_email = any(${freed.emails.map(keyOf)}::text[])`;
  const byLogin = sql<boolean>`d.waits_login = any(${freed.logins.map(keyOf)}::text[])`;
  const which = sql`d.installation = ${installation} and (${byEmail} or ${byLogin})`;
  const owners = await ownersOf(people.db, which);
  if (owners.length === 0) return 0;
  await lockOnly(people.db, owners);
  const { rows } = await sql<{ uid: IdentityUid }>`
    update deliveries d set
      held = case when (d.held = 'identity.email_taken' and ${byEmail})
        or (d.held = 'identity.login_taken' and ${byLogin}) then null else d.held end,
      fields = case when ${byEmail} then d.fields #- '{email,held}' else d.fields end,
      waits_email = case when ${byEmail} then null else d.waits_email end,
      waits_login = case when ${byLogin} then null else d.waits_login end,
      not_before_ms = 0, version = d.version + 1
    where ${which} returning d.uid`.execute(people.db);
  await reload(
    people,
    rows.map((row) => row.uid),
  );
  return rows.length;
}

/** Whose deliveries these are. */
async function ownersOf(
  db: Kysely<Tables>,
  which: RawBuilder<unknown>,
): Promise<readonly IdentityUid[]> {
  const { rows } = await sql<{ uid: IdentityUid }>`
    select distinct d.uid from deliveries d where ${which}`.execute(db);
  return rows.map((row) => row.uid);
}
