/**
 * Comparisons of two sites as they are stored, and when they are due.
 *
 * Always true: a page counts once, whoever reads it; what is due is begun by one process alone, in the
 * transaction that puts its next time.
 */
import { type Kysely, type Selectable, sql } from 'kysely';
import {
  type Counted,
  type DriftRow,
  type Every,
  RECONCILES_AT_WORK,
  type ReconcileRecord,
  type Reconciles,
} from '../model/reconcile.ts';
import { hubNow, readHubNow } from './hub-clock.ts';
import { refuseInside } from './in-transaction.ts';
import type { Database } from './open-database.ts';
import type { Tables } from './tables.ts';

/** Of two sites so many reports are kept: a month of days. */
export const REPORTS_KEPT = 30;
/** Statements have a bound of parameters. */
const ROWS_AT_ONCE = 500;
const DAY_MS = 86_400_000;
const PERIOD_MS: Readonly<Record<Every, number>> = { daily: DAY_MS, weekly: 7 * DAY_MS };
/** Who starts what is due. */
const SCHEDULE = 'schedule';

export function createReconciles({ kysely }: Database): Reconciles {
  const outside = (what: string): Kysely<Tables> => {
    refuseInside(`Reconciles.${what}`);
    return kysely;
  };
  return {
    add: async (reconcile) => {
      await outside('add')
        .transaction()
        .execute((tx) => add(tx, reconcile));
    },
    find: async (id) => {
      const row = await outside('find')
        .selectFrom('reconciles')
        .selectAll()
        .where(sql`id::text`, '=', id)
        .executeTakeFirst();
      return row === undefined ? null : toRecord(row);
    },
    list: async ({ source, target, after, limit }) => {
      let rows = outside('list').selectFrom('reconciles').selectAll();
      if (source !== undefined) rows = rows.where('source', '=', source);
      if (target !== undefined) rows = rows.where('target', '=', target);
      if (after !== undefined)
        rows = rows.where(sql<boolean>`(at_ms, id::text) < (${after.atMs}::bigint, ${after.id})`);
      const page = rows.orderBy('at_ms', 'desc').orderBy(sql`id::text`, 'desc').limit(limit);
      return (await page.execute()).map(toRecord);
    },
    latest: async () => {
      const rows = await outside('latest')
        .selectFrom('reconciles')
        .selectAll()
        .distinctOn(['source', 'target'])
        .where('state', 'in', ['done', 'failed'])
        .orderBy('source')
        .orderBy('target')
        .orderBy('at_ms', 'desc')
        .execute();
      return rows.map(toRecord);
    },
    atWork: async () => {
      const rows = await outside('atWork')
        .selectFrom('reconciles')
        .select('id')
        .where('state', 'in', RECONCILES_AT_WORK)
        .orderBy('at_ms')
        .execute();
      return rows.map(({ id }) => id);
    },
    change: async (id, from, { state, endedMs, readTo, total, fault }) => {
      const { numUpdatedRows } = await outside('change')
        .updateTable('reconciles')
        .set({
          ...(state === undefined ? {} : { state }),
          ...(endedMs === undefined ? {} : { ended_ms: endedMs }),
          ...(readTo === undefined ? {} : { read_to: readTo }),
          ...(total === undefined ? {} : { total }),
          ...(fault === undefined ? {} : { fault: fault && JSON.stringify(fault) }),
        })
        .where(sql`id::text`, '=', id)
        .where('state', 'in', from)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
    keep: async (id, rows) => keep(outside('keep'), id, rows),
    pageDone: async (id, page) => pageDone(outside('pageDone'), id, page),
    rows: async (id, { what, after, limit }) => {
      let rows = outside('rows').selectFrom('reconcile_rows').selectAll();
      rows = rows.where('reconcile', '=', id);
      if (what !== undefined) rows = rows.where('what', '=', what);
      if (after !== undefined)
        rows = rows.where(
          sql<boolean>`(side, wp_id, reason) > (${after.side}, ${after.wpId}::bigint, ${after.reason})`,
        );
      const page = rows.orderBy('side').orderBy('wp_id').orderBy('reason').limit(limit);
      return (await page.execute()).map(toRow);
    },
    rowCounts: async (id) => {
      const { rows } = await sql<
        Pick<DriftRow, 'what' | 'reason' | 'state'> & { readonly count: number }
      >`select what, reason, state, count(*)::int as count from reconcile_rows
        where reconcile = ${id} group by what, reason, state`.execute(outside('rowCounts'));
      return rows;
    },
    schedules: async () =>
      outside('schedules')
        .selectFrom('reconcile_schedules')
        .select(['route', 'every', 'repair'])
        .execute(),
    schedule: async (route, to) => {
      const db = outside('schedule');
      if (to === null)
        await db.deleteFrom('reconcile_schedules').where('route', '=', route).execute();
      else
        await db
          .insertInto('reconcile_schedules')
          .values({ route, ...to })
          .onConflict((on) => on.column('route').doUpdateSet(to))
          .execute();
    },
    startDue: async (newId) =>
      outside('startDue')
        .transaction()
        .execute((tx) => startDue(tx, newId)),
  };
}

type Asked = Parameters<Reconciles['add']>[0];

async function add(
  db: Kysely<Tables>,
  { id, source, target, repair, extra, startedBy }: Asked,
): Promise<void> {
  const values = { id, source, target, repair, extra, started_by: startedBy };
  await db
    .insertInto('reconciles')
    .values({ ...values, state: 'comparing' })
    .execute();
  await sql`delete from reconciles where id in (
    select id from reconciles where source = ${source} and target = ${target} and ended_ms is not null
    order by at_ms desc, id offset ${REPORTS_KEPT - 1})`.execute(db);
}

async function keep(
  db: Kysely<Tables>,
  id: string,
  rows: Parameters<Reconciles['keep']>[1],
): Promise<void> {
  for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
    const values = rows.slice(from, from + ROWS_AT_ONCE).map(({ wpId, fields, ...row }) => ({
      ...row,
      reconcile: id,
      wp_id: wpId,
      fields: JSON.stringify(fields),
      state: 'found' as const,
    }));
    await db
      .insertInto('reconcile_rows')
      .values(values)
      .onConflict((on) => on.doNothing())
      .execute();
  }
}

async function pageDone(
  db: Kysely<Tables>,
  id: string,
  {
    state,
    side,
    readFrom,
    readTo,
    accounts,
    counts,
    raised,
  }: Parameters<Reconciles['pageDone']>[1],
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const row = await tx
      .selectFrom('reconciles')
      .select('counts')
      .where('id', '=', id)
      .where('state', '=', state)
      .where('read_to', '=', readFrom)
      .forUpdate()
      .executeTakeFirst();
    // Another process has read this page, or it was cancelled.
    if (row === undefined) return;
    await sql`update reconciles set read_to = ${readTo}, accounts = accounts + ${accounts},
      counts = ${JSON.stringify(sumOf(row.counts, counts))}::jsonb, fault = null
      where id = ${id}`.execute(tx);
    if (raised.length === 0) return;
    await sql`update reconcile_rows set state = 'raised' where reconcile = ${id} and side = ${side}
      and wp_id > ${readFrom}::bigint and wp_id <= ${readTo}::bigint
      and reason = any(${[...raised]}::text[])`.execute(tx);
  });
}

function sumOf(before: readonly Counted[], more: readonly Counted[]): readonly Counted[] {
  const sums = new Map<string, Counted>();
  for (const one of [...before, ...more]) {
    const key = `${one.what} ${one.reason ?? ''}`;
    sums.set(key, { ...one, count: (sums.get(key)?.count ?? 0) + one.count });
  }
  return [...sums.values()];
}

/** A route that is being compared stays due until that is over; a paused one waits for its next time. */
async function startDue(tx: Kysely<Tables>, newId: () => string): Promise<readonly string[]> {
  const now = await readHubNow(tx);
  const due = await tx
    .selectFrom('reconcile_schedules as s')
    .innerJoin('routes as r', 'r.id', 's.route')
    .select(['s.route', 's.every', 's.repair', 's.next_ms', 'r.source', 'r.target', 'r.status'])
    .where('s.next_ms', '<=', now)
    .forUpdate('s')
    .skipLocked()
    .execute();
  const started: string[] = [];
  for (const { route, every, repair, next_ms: wasDue, source, target, status } of due) {
    const running = await tx
      .selectFrom('reconciles')
      .select('id')
      .where('source', '=', source)
      .where('target', '=', target)
      .where('state', 'in', RECONCILES_AT_WORK)
      .executeTakeFirst();
    if (running !== undefined) continue;
    const period = PERIOD_MS[every];
    const missed = Math.floor((now - wasDue) / period);
    await tx
      .updateTable('reconcile_schedules')
      .set({ next_ms: wasDue + (missed + 1) * period })
      .where('route', '=', route)
      .execute();
    if (status === 'paused') continue;
    const id = newId();
    await add(tx, { id, source, target, repair, extra: true, startedBy: SCHEDULE });
    started.push(id);
  }
  return started;
}

const toRecord = (row: Selectable<Tables['reconciles']>): ReconcileRecord => ({
  id: row.id,
  source: row.source,
  target: row.target,
  state: row.state,
  repair: row.repair,
  extra: row.extra,
  startedBy: row.started_by,
  atMs: row.at_ms,
  endedMs: row.ended_ms,
  readTo: row.read_to,
  accounts: row.accounts,
  total: row.total,
  counts: row.counts,
  fault: row.fault,
});

const toRow = (row: Selectable<Tables['reconcile_rows']>): DriftRow => ({
  side: row.side,
  wpId: row.wp_id,
  what: row.what,
  reason: row.reason,
  uid: row.uid,
  login: row.login,
  fields: row.fields,
  state: row.state,
});

/** Reports that ended longer ago than this go, whatever the sites are; how many went. */
export async function purgeReconciles({ kysely }: Database, olderThanMs: number): Promise<number> {
  const { rows } = await sql`delete from reconciles
    where ended_ms < ${hubNow} - ${olderThanMs}::bigint returning 1`.execute(kysely);
  return rows.length;
}
