/**
 * Two identities become one.
 *
 * Does: move accounts, deliveries, refusals and found links of `from` to `into`, by the one
 * merge of the model; `from` becomes an alias of `into` for ever.
 * Always true: merging the same two again changes nothing. Nobody stays to be created where they have an
 * account now. Moved accounts are to be labelled
 * anew, and the label they carry is remembered.
 * On failure: throws when both have a living account on one installation: they are two people.
 */
import { sql } from 'kysely';
import { mergeCarried } from '../../model/carried.ts';
import type { Field } from '../../model/field.ts';
import type { Account, Delivery, Identity } from '../../model/identity.ts';
import type { IdentityUid, InstallationId, SiteKey } from '../../model/ids.ts';
import { compareStamps, newerOf, type Stamp } from '../../model/stamp.ts';
import { lockByUid, type People, reload } from './people.ts';
import { save } from './save.ts';

export async function mergeIdentities(
  people: People,
  into: IdentityUid,
  from: IdentityUid,
): Promise<void> {
  const both = await lockByUid(people, [into, from]);
  const kept = both.get(into);
  const ended = both.get(from);
  if (kept === undefined || ended === undefined)
    throw new Error('An identity to merge is unknown.');
  if (kept.uid === ended.uid) return;
  const moved = accountsThatMove(kept, ended);
  await emptyOut(people, kept.uid, ended.uid, moved);
  await moveAccounts(people, kept.uid, ended.uid, moved);
  await moveLinks(people, kept.uid, ended.uid);

  const accounts = new Map(kept.accounts);
  for (const [installation, account] of moved) {
    accounts.set(installation, { ...account, labelled: false });
  }
  people.loaded.delete(ended.uid);
  people.loaded.set(kept.uid, { ...kept, accounts });
  await save(people, [
    {
      uid: kept.uid,
      accounts,
      deliveries: mergeDeliveries(kept.deliveries, ended.deliveries),
      stopped: mergeStopped(kept.stopped, ended.stopped),
    },
  ]);
  await endBirths(people, kept.uid);
}

/** Nobody is to be created where they turned out to have an account, and is in their own way no longer. */
async function endBirths(people: People, uid: IdentityUid): Promise<void> {
  await sql`update deliveries d set birth = null, version = d.version + 1, not_before_ms = 0,
      held = case when d.held in ('identity.email_taken', 'identity.login_taken') then null else d.held end,
      waits_email = null, waits_login = null
    where d.uid = ${uid} and d.birth is not null and exists (
      select 1 from accounts a
      where a.uid = d.uid and a.installation = d.installation and a.gone is null)`.execute(
    people.db,
  );
  await reload(people, [uid]);
}

/** The living account counts; a tombstone gives way, and stays with the alias if it is `from`'s. */
function accountsThatMove(into: Identity, from: Identity): Map<InstallationId, Account> {
  const moved = new Map<InstallationId, Account>();
  for (const [installation, account] of from.accounts) {
    const present = into.accounts.get(installation);
    if (present === undefined) moved.set(installation, account);
    else if (account.gone !== null) continue;
    else if (present.gone !== null) moved.set(installation, account);
    else throw new Error('Both identities have a living account on one installation.');
  }
  return moved;
}

/** What `from` had on its way is kept in memory; its rows go, and so do tombstones that give way. */
async function emptyOut(
  { db }: People,
  into: IdentityUid,
  from: IdentityUid,
  moved: ReadonlyMap<InstallationId, Account>,
): Promise<void> {
  await db.deleteFrom('deliveries').where('uid', '=', from).execute();
  await db.deleteFrom('stopped').where('uid', '=', from).execute();
  await sql`delete from accounts where uid = ${into}
    and installation = any(${[...moved.keys()]}::uuid[])`.execute(db);
  await sql`update identities set alias_of = ${into}
    where uid = ${from} or alias_of = ${from}`.execute(db);
}

async function moveAccounts(
  { db }: People,
  into: IdentityUid,
  from: IdentityUid,
  moved: ReadonlyMap<InstallationId, Account>,
): Promise<void> {
  // The site may carry the label of an earlier merge still: the oldest unreplaced one counts.
  await sql`update accounts set uid = ${into}, was_uid = coalesce(was_uid, uid), labelled = false
    where uid = ${from} and installation = any(${[...moved.keys()]}::uuid[])`.execute(db);
}

async function moveLinks({ db }: People, into: IdentityUid, from: IdentityUid): Promise<void> {
  await sql`insert into links (uid, installation, wp_id, by, at_ms)
    select ${into}::uuid, installation, wp_id, by, at_ms from links where uid = ${from}
    on conflict do nothing`.execute(db);
  await sql`delete from links l where l.uid = ${from} or (l.uid = ${into} and exists (
    select 1 from accounts a where a.uid = l.uid and a.installation = l.installation
      and a.wp_id = l.wp_id))`.execute(db);
}

type Deliveries = Identity['deliveries'];

function mergeDeliveries(a: Deliveries, b: Deliveries): Deliveries {
  const merged = new Map(a);
  for (const [target, delivery] of b) {
    const present = merged.get(target);
    merged.set(target, present === undefined ? delivery : mergeDelivery(present, delivery));
  }
  return merged;
}

const mergeDelivery = (a: Delivery, b: Delivery): Delivery => ({
  id: a.id,
  target: a.target,
  lane: a.lane === 'people' || b.lane === 'people' ? 'people' : 'bulk',
  fields: mergeCarried(a.fields, b.fields),
  birth: a.birth ?? b.birth,
  gone: newerGone(a.gone, b.gone),
  held: a.held ?? b.held,
  actor: a.actor ?? b.actor,
  attempts: Math.max(a.attempts, b.attempts),
  version: Math.max(a.version, b.version) + 1,
  notBeforeMs: Math.max(a.notBeforeMs, b.notBeforeMs),
});

function newerGone(a: Delivery['gone'], b: Delivery['gone']): Delivery['gone'] {
  if (a === null || b === null) return a ?? b;
  return compareStamps(b.stamp, a.stamp) > 0 ? b : a;
}

type Stopped = Identity['stopped'];

function mergeStopped(a: Stopped, b: Stopped): Stopped {
  const merged = new Map<SiteKey, ReadonlyMap<Field, Stamp>>(a);
  for (const [target, fields] of b) {
    const together = new Map(merged.get(target));
    for (const [field, stamp] of fields) {
      together.set(field, newerOf(stamp, together.get(field)));
    }
    merged.set(target, together);
  }
  return merged;
}
