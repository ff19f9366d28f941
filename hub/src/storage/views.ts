/**
 * Reads for people.
 *
 * Does not: lock, or open a secret except to give back a whole identity.
 */
import { type Kysely, type NotNull, type Selectable, type SqlBool, sql } from 'kysely';
import type { Identity } from '../model/identity.ts';
import type { IdentityUid, InstallationId, SiteKey } from '../model/ids.ts';
import type {
  AlarmedAccount,
  AlarmQuery,
  Backlog,
  HeldDelivery,
  HeldQuery,
  UnprovenLink,
  Views,
} from '../sync/ports.ts';
import { LAST_SITE, readHeldParties } from './held-parties.ts';
import { hubNow } from './hub-clock.ts';
import { refuseInside } from './in-transaction.ts';
import type { Database } from './open-database.ts';
import { readLog } from './read-log.ts';
import { newest } from './registry/events.ts';
import type { Secrets } from './secrets.ts';
import type { Tables } from './tables.ts';
import { candidates } from './transaction/candidates.ts';
import { decodeRoles, keyOf } from './transaction/identity-rows.ts';
import { readPeople } from './transaction/people.ts';

export function createViews({ kysely }: Database, secrets: Secrets): Views {
  const outside = (what: string): Kysely<Tables> => {
    refuseInside(`Views.${what}`);
    return kysely;
  };
  return {
    log: async (query) => readLog(outside('log'), query),
    backlog: async () => readBacklog(outside('backlog')),
    held: async (query) => readHeld(outside('held'), query),
    heldParties: async (ids) => readHeldParties(outside('heldParties'), ids),
    backingOff: async (query) => readBackingOff(outside('backingOff'), query),
    heldByReason: async () => readHeldByReason(outside('heldByReason')),
    identityByLogin: async (installation, login) =>
      identityByLogin(outside('identityByLogin'), secrets, installation, login),
    candidatesOf: async (identity, from, installations) =>
      candidatesOf(outside('candidatesOf'), identity, from, installations),
    links: async (uid) => readLinks(outside('links'), uid),
    linksFrom: async (installation) => readLinksFrom(outside('linksFrom'), installation),
    linkCount: async () => linkCount(outside('linkCount')),
    accountCount: async (installation) => accountCount(outside('accountCount'), installation),
    siteEvents: async (query) => newest(outside('siteEvents'), query),
    alarms: async (query) => readAlarms(outside('alarms'), query),
    alarmsByKind: async () => readAlarmsByKind(outside('alarmsByKind')),
  };
}

/** Less is nothing that a person need know: somebody was saving the account, a server restarted. */
const MANY_ATTEMPTS = 4;

/** A delivery of which some fields are held and some can go counts as both. */
async function readBacklog(db: Kysely<Tables>): Promise<readonly Backlog[]> {
  const { rows } = await sql<Backlog>`
    select i.id as installation, coalesce(d.pending, 0) as pending, coalesce(d.held, 0) as held,
      coalesce(d.failing, 0) as failing, d.oldest as "oldestPendingMs",
      (select count(*) from changes c where c.installation = i.id
        and c.acknowledged_at_ms is null) as unacknowledged,
      (select count(*) from accounts a where a.installation = i.id and not a.labelled
        and a.gone is null and a.alarm is null) as unlabelled,
      (select count(*) from refreshes r where r.installation = i.id) as refreshes
    from installations i left join (
      select installation, count(*) filter (where sendable) as pending,
        count(*) filter (where waiting) as held,
        count(*) filter (where sendable and attempts >= ${MANY_ATTEMPTS}) as failing,
        min(queued_at_ms) filter (where sendable) as oldest
      from deliveries group by installation) d on d.installation = i.id
    where i.state <> 'removed' order by i.home`.execute(db);
  return rows;
}

/** A flood may have left a hundred thousand of them: what is shown of each is looked up for the page alone. */
async function readHeld(
  db: Kysely<Tables>,
  { deliveries, reason, targets, source, queuedUntilMs, after, limit }: HeldQuery,
): Promise<readonly HeldDelivery[]> {
  const conditions = [
    sql`d.waiting`,
    ...(deliveries === undefined ? [] : [sql`d.id = any(${[...deliveries]}::text[])`]),
    ...(targets === undefined ? [] : [sql`d.target = any(${[...targets]}::integer[])`]),
    ...(source === undefined ? [] : [sql`${LAST_SITE} = ${source}`]),
    ...(reason === undefined ? [] : [sql`${HELD_REASON} = ${reason}`]),
    ...(queuedUntilMs === undefined ? [] : [sql`d.queued_at_ms <= ${queuedUntilMs}::bigint`]),
    ...(after === undefined
      ? []
      : [sql`(d.queued_at_ms, d.id) > (${after.queuedAtMs}::bigint, ${after.delivery}::text)`]),
  ];
  const { rows } = await sql<HeldDelivery>`
    select d.id as delivery, d.uid, d.target, d.queued_at_ms as "queuedAtMs", d.reason,
      coalesce(d.birth ->> 'login', who.login, '') as login,
      coalesce((select jsonb_agg(f.key order by f.key) from jsonb_each(d.fields) f
        where d.held is not null or f.value ? 'held'), '[]') as fields
    from (
      select d.*, ${HELD_REASON} as reason from deliveries d
      where ${sql.join(conditions, sql` and `)}
      order by d.queued_at_ms, d.id limit ${limit}) d
    left join lateral (
      select a.login from accounts a where a.uid = d.uid
      order by a.installation = d.installation desc, a.gone is null desc limit 1) who on true
    order by d.queued_at_ms, d.id`.execute(db);
  return rows;
}

/** Of the whole delivery, or of its fields: whichever comes first by name. */
const HELD_REASON = sql`coalesce(d.held,
  (select min(f.value ->> 'held') from jsonb_each(d.fields) f))`;

async function readBackingOff(
  db: Kysely<Tables>,
  { target, limit }: Parameters<Views['backingOff']>[0],
): ReturnType<Views['backingOff']> {
  const there = target === undefined ? sql`true` : sql`target = ${target}`;
  const { rows } = await sql<{ uid: IdentityUid; target: SiteKey }>`
    select uid, target from deliveries
    where sendable and not_before_ms > ${hubNow} and attempts > 0 and held is null and ${there}
    order by queued_at_ms, id limit ${limit}`.execute(db);
  return rows;
}

async function readHeldByReason(db: Kysely<Tables>): ReturnType<Views['heldByReason']> {
  const { rows } = await sql<{ reason: string; count: number }>`
    select reason, count(*) as count from (
      select ${HELD_REASON} as reason from deliveries d where d.waiting) held
    group by reason order by reason`.execute(db);
  return rows;
}

/** The living account first; after that one that ended. */
async function identityByLogin(
  db: Kysely<Tables>,
  secrets: Secrets,
  installation: InstallationId,
  login: string,
): Promise<Identity | null> {
  const row = await db
    .selectFrom('accounts as a')
    .innerJoin('identities as p', 'p.uid', 'a.uid')
    .select('a.uid')
    .where('a.installation', '=', installation)
    .where('a.login_key', '=', keyOf(login))
    .where('p.alias_of', 'is', null)
    .orderBy(sql`a.gone is null`, 'desc')
    .orderBy('a.wp_id', 'desc')
    .executeTakeFirst();
  if (row === undefined) return null;
  return (await readPeople(db, secrets, [row.uid])).get(row.uid) ?? null;
}

/** As whom the identity would arrive: with e-mail and login of its account on `from`. */
async function candidatesOf(
  db: Kysely<Tables>,
  identity: Identity,
  from: InstallationId,
  installations: readonly InstallationId[],
): ReturnType<Views['candidatesOf']> {
  const account = identity.accounts.get(from);
  if (account === undefined) return () => [];
  const living = [...identity.accounts].filter(([, { gone }]) => gone === null);
  const { uid } = identity;
  const { email, login } = account;
  const asked = { uid, email, login, on: living.map(([installation]) => installation) };
  const found = await candidates(db, [asked], installations);
  return (installation) => found(uid, installation);
}

async function readLinks(db: Kysely<Tables>, uid: IdentityUid): ReturnType<Views['links']> {
  return db
    .selectFrom('links as l')
    .innerJoin('accounts as a', (join) =>
      join
        .onRef('a.installation', '=', 'l.installation')
        .onRef('a.wp_id', '=', 'l.wp_id')
        .on('a.gone', 'is', null),
    )
    .select(['l.installation', 'l.wp_id as wpId', 'a.login', 'l.by', 'a.privileged'])
    .where('l.uid', '=', uid)
    .orderBy('l.at_ms')
    .execute();
}

async function readLinksFrom(
  db: Kysely<Tables>,
  installation: InstallationId,
): ReturnType<Views['linksFrom']> {
  const { rows } = await sql<
    Omit<UnprovenLink, 'told'> & Pick<Selectable<Tables['accounts']>, 'roles' | 'standing'>
  >`
    select l.uid, l.installation, l.wp_id as "wpId", a.roles, a.standing from links l
    join accounts a on a.uid = l.uid and a.installation = ${installation} and ${free('a')}
      and a.standing ->> 'emailBy' in ('registration', 'confirmation')
    join accounts b on b.installation = l.installation and b.wp_id = l.wp_id and ${free('b')}
      and b.uid <> l.uid and b.email_key = a.email_key and b.email_key <> ''
      and b.standing is not null and coalesce(b.standing ->> 'emailBy', '') <> 'other'
    where l.by = 'email' order by l.at_ms, l.uid`.execute(db);
  return rows.map(({ uid, installation: on, wpId, roles, standing }) => ({
    uid,
    installation: on,
    wpId,
    told: { roles: decodeRoles(roles), ...(standing === null ? {} : { standing }) },
  }));
}

/** Nothing stands against linking the account, as far as its own row says. */
function free(alias: 'a' | 'b') {
  const of = (column: string) => sql.ref(`${alias}.${column}`);
  return sql`${of('gone')} is null and ${of('alarm')} is null and not ${of('privileged')}
    and not ${of('outgoing_stopped')} and not ${of('incoming_rejected')}`;
}

async function linkCount(db: Kysely<Tables>): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*) as count from links l
    join accounts a on a.installation = l.installation and a.wp_id = l.wp_id and a.gone is null
      and not a.privileged
    join installations i on i.id = l.installation and i.state <> 'removed'`.execute(db);
  return rows[0]?.count ?? 0;
}

async function accountCount(db: Kysely<Tables>, installation: InstallationId): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*) as count from accounts
    where installation = ${installation} and gone is null`.execute(db);
  return rows[0]?.count ?? 0;
}

/** Without those of removed installations: nobody can look at them. */
async function readAlarms(
  db: Kysely<Tables>,
  { installation, alarms, logins, after, limit }: AlarmQuery,
): Promise<readonly AlarmedAccount[]> {
  let rows = alarmed(db)
    .select(['a.uid', 'a.installation', 'a.wp_id as wpId', 'a.login', 'a.alarm'])
    .$narrowType<{ alarm: NotNull }>();
  if (installation !== undefined) rows = rows.where('a.installation', '=', installation);
  if (alarms !== undefined) rows = rows.where('a.alarm', 'in', [...alarms]);
  if (logins !== undefined) rows = rows.where('a.login_key', 'in', logins.map(keyOf));
  if (after !== undefined) {
    rows = rows.where(
      sql<SqlBool>`(a.login_key, a.wp_id, a.installation)
        > (${keyOf(after.login)}::text, ${after.wpId}::bigint, ${after.installation}::uuid)`,
    );
  }
  return rows
    .orderBy('a.login_key')
    .orderBy('a.wp_id')
    .orderBy('a.installation')
    .limit(limit)
    .execute();
}

async function readAlarmsByKind(db: Kysely<Tables>): ReturnType<Views['alarmsByKind']> {
  return alarmed(db)
    .select((row) => ['a.installation', 'a.alarm', row.fn.countAll<number>().as('count')])
    .$narrowType<{ alarm: NotNull }>()
    .groupBy(['a.installation', 'a.alarm'])
    .orderBy('a.installation')
    .orderBy('a.alarm')
    .execute();
}

const alarmed = (db: Kysely<Tables>) =>
  db
    .selectFrom('accounts as a')
    .innerJoin('installations as i', 'i.id', 'a.installation')
    .where('i.state', '<>', 'removed')
    .where('a.alarm', 'is not', null)
    .where('a.gone', 'is', null);
