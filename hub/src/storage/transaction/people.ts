/**
 * The identities that one transaction has locked, as they were when it read them.
 *
 * Does: lock identities in uid order and load them whole, in a fixed number of statements.
 * Always true: `loaded` says what the tables hold now, for every identity that this transaction
 * has handed out or saved, so that a save can write what differs and nothing else.
 */
import { type Kysely, sql } from 'kysely';
import type { Identity } from '../../model/identity.ts';
import type { IdentityUid, InstallationId, WordPressId } from '../../model/ids.ts';
import type { Secrets } from '../secrets.ts';
import type { Tables } from '../tables.ts';
import { assemble } from './identity-rows.ts';

export interface People {
  readonly db: Kysely<Tables>;
  readonly secrets: Secrets;
  readonly loaded: Map<IdentityUid, Identity>;
}

/** Whole identities by uid, unlocked; a uid without a row in `identities` comes out empty. */
export async function readPeople(
  db: Kysely<Tables>,
  secrets: Secrets,
  uids: readonly IdentityUid[],
): Promise<Map<IdentityUid, Identity>> {
  if (uids.length === 0) return new Map();
  const list = sql<IdentityUid>`any(${[...uids]}::uuid[])`;
  const accounts = await db.selectFrom('accounts').selectAll().where('uid', '=', list).execute();
  const deliveries = await db
    .selectFrom('deliveries')
    .selectAll()
    .where('uid', '=', list)
    .orderBy('queued_at_ms')
    .execute();
  const stopped = await db.selectFrom('stopped').selectAll().where('uid', '=', list).execute();
  return assemble(uids, { accounts, deliveries, stopped }, secrets);
}

/** Loads identities that are locked already and remembers them. */
export async function load(
  people: People,
  uids: readonly IdentityUid[],
): Promise<Map<IdentityUid, Identity>> {
  const identities = await readPeople(people.db, people.secrets, uids);
  for (const [uid, identity] of identities) people.loaded.set(uid, identity);
  return identities;
}

/** After rows were changed by a statement of their own: what was loaded is read again. */
export async function reload(people: People, uids: readonly IdentityUid[]): Promise<void> {
  await load(
    people,
    [...new Set(uids)].filter((uid) => people.loaded.has(uid)),
  );
}

export async function lockByAccount(
  people: People,
  installation: InstallationId,
  ids: readonly WordPressId[],
): Promise<ReadonlyMap<WordPressId, Identity>> {
  const owners = await lockOwners(people, installation, ids);
  const identities = await load(people, [...new Set(owners.values())]);
  const found = new Map<WordPressId, Identity>();
  for (const [id, uid] of owners) {
    const identity = identities.get(uid);
    if (identity !== undefined) found.set(id, identity);
  }
  return found;
}

/** Who has these accounts now. A tombstone has nobody: its WordPress id may come again. */
async function lockOwners(
  people: People,
  installation: InstallationId,
  ids: readonly WordPressId[],
): Promise<Map<WordPressId, IdentityUid>> {
  if (ids.length === 0) return new Map();
  const owners = sql<{ wp_id: WordPressId; uid: IdentityUid }>`
    select a.wp_id, a.uid from accounts a
    where a.installation = ${installation} and a.wp_id = any(${[...ids]}::bigint[])
      and a.gone is null`;
  for (;;) {
    const locked = await sql<{ uid: IdentityUid }>`
      select uid from identities where uid in (select o.uid from (${owners}) o)
      order by uid for update`.execute(people.db);
    const { rows } = await owners.execute(people.db);
    const held = new Set(locked.rows.map((row) => row.uid));
    // While we waited for a lock an account may have come or moved to another identity.
    if (rows.every((row) => held.has(row.uid))) {
      return new Map(rows.map((row) => [row.wp_id, row.uid]));
    }
  }
}

export async function lockByUid(
  people: People,
  uids: readonly IdentityUid[],
): Promise<ReadonlyMap<IdentityUid, Identity>> {
  const now = await lockUids(people.db, uids);
  const identities = await load(people, [...new Set(now.values())]);
  const found = new Map<IdentityUid, Identity>();
  for (const [asked, uid] of now) {
    const identity = identities.get(uid);
    if (identity !== undefined) found.set(asked, identity);
  }
  return found;
}

/** Asked uid → the uid it is today (itself, or what it became), locked. */
async function lockUids(
  db: Kysely<Tables>,
  uids: readonly IdentityUid[],
): Promise<Map<IdentityUid, IdentityUid>> {
  if (uids.length === 0) return new Map();
  const today = sql<{ asked: IdentityUid; uid: IdentityUid }>`
    select uid as asked, coalesce(alias_of, uid) as uid
    from identities where uid = any(${[...uids]}::uuid[])`;
  for (;;) {
    const locked = await sql<{ uid: IdentityUid }>`
      select uid from identities
      where uid in (select t.uid from (${today}) t)
      order by uid for update`.execute(db);
    const { rows } = await today.execute(db);
    const held = new Set(locked.rows.map((row) => row.uid));
    if (rows.every((row) => held.has(row.uid))) {
      return new Map(rows.map((row) => [row.asked, row.uid]));
    }
  }
}

/** Locks identities that exist, in uid order, without loading them. */
export async function lockOnly(db: Kysely<Tables>, uids: readonly IdentityUid[]): Promise<void> {
  if (uids.length === 0) return;
  await sql`select 1 from identities where uid = any(${[...uids]}::uuid[])
    order by uid for update`.execute(db);
}
