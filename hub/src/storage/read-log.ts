/**
 * The Sync Log, page by page.
 *
 * Always true: a page costs what a page costs, however many rows there are. Each of the parts that a
 * page is made of walks along one index in the order of ids and stops when the page is full.
 */
import { type Kysely, type RawBuilder, type Selectable, sql } from 'kysely';
import type { LogQuery, LogRow } from '../sync/ports.ts';
import type { Tables } from './tables.ts';
import { keyOf } from './transaction/identity-rows.ts';

type Condition = RawBuilder<unknown>;

export async function readLog(db: Kysely<Tables>, query: LogQuery): Promise<readonly LogRow[]> {
  const select = await selectLog(db, query);
  return select === null ? [] : (await select.execute(db)).rows.map(toLogRow);
}

type Row = Selectable<Tables['sync_log']>;

/** Null: there is nothing. */
export async function selectLog(
  db: Kysely<Tables>,
  query: LogQuery,
): Promise<RawBuilder<Row> | null> {
  const span = await spanOf(db, query);
  const { by, parts } = await partsOf(db, query);
  if (span === null || parts.length === 0) return null;
  const every = [...span, ...narrowed({ ...query, [by]: undefined })];
  const order = query.afterId === undefined ? sql`desc` : sql`asc`;
  const page = sql`order by id ${order} limit ${query.limit}`;
  const selects = parts.map(
    (part) => sql`(select * from sync_log where ${sql.join([part, ...every], sql` and `)} ${page})`,
  );
  return sql<Row>`select * from (${sql.join(selects, sql` union all `)}) found ${page}`;
}

interface Parts {
  /** What all parts have asked for. */
  readonly by: keyof LogQuery;
  readonly parts: readonly Condition[];
}

/** What finds the fewest rows first, each with an index of its own; an “or” would have none. */
async function partsOf(db: Kysely<Tables>, query: LogQuery): Promise<Parts> {
  const { uid, login, reason, site, statuses, actions, ids } = query;
  if (ids !== undefined) return { by: 'ids', parts: [sql`id = any(${[...ids]}::bigint[])`] };
  if (uid !== undefined) {
    const uids = await samePerson(db, uid);
    return { by: 'uid', parts: uids.map((one) => sql`uid = ${one}::uuid`) };
  }
  if (login !== undefined) return { by: 'login', parts: [sql`login_key = ${keyOf(login)}`] };
  if (reason !== undefined) return { by: 'reason', parts: [sql`reason = ${reason}`] };
  if (site !== undefined) {
    const asSource = sql`source = ${site} and source <> target`;
    return { by: 'site', parts: [sql`target = ${site}`, asSource] };
  }
  if (statuses !== undefined) {
    return { by: 'statuses', parts: statuses.map((status) => sql`status = ${status}`) };
  }
  if (actions !== undefined) {
    return { by: 'actions', parts: actions.map((action) => sql`action = ${action}`) };
  }
  return { by: 'limit', parts: [sql`true`] };
}

type Narrowed = { readonly [Filter in keyof LogQuery]?: LogQuery[Filter] | undefined };

function narrowed({ login, reason, site, statuses, actions }: Narrowed): Condition[] {
  return [
    ...(login === undefined ? [] : [sql`login_key = ${keyOf(login)}`]),
    ...(reason === undefined ? [] : [sql`reason = ${reason}`]),
    ...(site === undefined ? [] : [sql`(target = ${site} or source = ${site})`]),
    ...(statuses === undefined ? [] : [sql`status = any(${[...statuses]}::text[])`]),
    ...(actions === undefined ? [] : [sql`action = any(${[...actions]}::text[])`]),
  ];
}

/** Rows keep the uid that they were written with. */
async function samePerson(db: Kysely<Tables>, uid: string): Promise<readonly string[]> {
  const { rows } = await sql<{ uid: string }>`
    with person as (select coalesce(alias_of, uid) as uid from identities where uid = ${uid}::uuid)
    select i.uid from identities i, person p where i.uid = p.uid or i.alias_of = p.uid`.execute(db);
  return rows.map((row) => row.uid);
}

/** Ids follow time, but for processes that write at once, and a clock that is set. */
const CLOCK_MS = 3_600_000;
const IDS = 10_000;

/** Between which ids and times; null: there is nothing. */
async function spanOf(db: Kysely<Tables>, query: LogQuery): Promise<readonly Condition[] | null> {
  const { sinceMs, untilMs, afterId, beforeId } = query;
  const span: Condition[] = [];
  if (afterId !== undefined) {
    // A row with a smaller id may still be uncommitted: nothing after it is shown before it.
    span.push(sql`id > ${afterId}`, sql`written_by < pg_snapshot_xmin(pg_current_snapshot())`);
  }
  if (beforeId !== undefined) span.push(sql`id < ${beforeId}`);
  if (sinceMs !== undefined) {
    const from = Math.ceil(sinceMs);
    const first = await idAt(db, sql`at_ms >= ${from - CLOCK_MS} order by at_ms`);
    if (first === null) return null;
    span.push(sql`at_ms >= ${from}`, sql`id >= ${first - IDS}`);
  }
  if (untilMs !== undefined) {
    const to = Math.floor(untilMs);
    const last = await idAt(db, sql`at_ms <= ${to + CLOCK_MS} order by at_ms desc`);
    if (last === null) return null;
    span.push(sql`at_ms <= ${to}`, sql`id <= ${last + IDS}`);
  }
  return span;
}

async function idAt(db: Kysely<Tables>, place: Condition): Promise<number | null> {
  const { rows } = await sql<{
    id: number;
  }>`select id from sync_log where ${place} limit 1`.execute(db);
  return rows[0]?.id ?? null;
}

const toLogRow = (row: Row): LogRow => ({
  id: row.id,
  atMs: row.at_ms,
  uid: row.uid,
  login: row.login,
  source: row.source,
  target: row.target,
  action: row.action,
  status: row.status,
  reason: row.reason,
  fields: row.fields,
  path: row.path,
  actor: row.actor,
  delivery: row.delivery,
  attempts: row.attempts,
  durationMs: row.duration_ms,
  ...(row.unconfirmed ? { unconfirmed: true } : {}),
});
