/**
 * Manual syncs as they are stored.
 *
 * Always true: what was before and after is sealed; a page of a plan is stored once, together with how
 * far the plan has read.
 */
import { type Kysely, type Selectable, sql } from 'kysely';
import { type Kept, RUNS_AT_WORK, type SyncRunRecord, type SyncStep } from '../model/sync-run.ts';
import type { Runs } from '../sync/ports.ts';
import * as adoptRows from './adopt-rows.ts';
import { hubNow } from './hub-clock.ts';
import { refuseInside } from './in-transaction.ts';
import type { Database } from './open-database.ts';
import type { Secrets } from './secrets.ts';
import type { Tables } from './tables.ts';

const purposeOf = (run: string): string => `run.kept:${run}`;
/** Statements have a bound of parameters. */
const ROWS_AT_ONCE = 500;

export function createRuns({ kysely }: Database, secrets: Secrets): Runs {
  const outside = (what: string): Kysely<Tables> => {
    refuseInside(`Runs.${what}`);
    return kysely;
  };
  return {
    add: async ({ id, source, request, startedBy, starts }) => {
      await outside('add')
        .insertInto('sync_runs')
        .values({
          id,
          state: 'planning',
          source,
          request: JSON.stringify(request),
          started_by: startedBy,
          starts,
          read_to: 0,
        })
        .execute();
    },
    find: async (id) => {
      const row = await outside('find')
        .selectFrom('sync_runs')
        .selectAll()
        .where(sql`id::text`, '=', id)
        .executeTakeFirst();
      return row === undefined ? null : toRun(row);
    },
    list: async ({ after, limit }) => {
      let rows = outside('list').selectFrom('sync_runs').selectAll();
      if (after !== undefined)
        rows = rows.where(sql<boolean>`(at_ms, id::text) < (${after.atMs}::bigint, ${after.id})`);
      const page = rows.orderBy('at_ms', 'desc').orderBy(sql`id::text`, 'desc').limit(limit);
      return (await page.execute()).map(toRun);
    },
    atWork: async () => {
      const rows = await outside('atWork')
        .selectFrom('sync_runs')
        .select('id')
        .where('state', 'in', RUNS_AT_WORK)
        .orderBy('at_ms')
        .execute();
      return rows.map(({ id }) => id);
    },
    change: async (id, from, { state, fault, starts, removesCreated, undoneBy, ...moments }) => {
      const set = {
        ...(state === undefined ? {} : { state }),
        ...(fault === undefined ? {} : { fault: fault && JSON.stringify(fault) }),
        ...(starts === undefined ? {} : { starts }),
        ...(removesCreated === undefined ? {} : { removes_created: removesCreated }),
        ...(undoneBy === undefined ? {} : { undone_by: undoneBy }),
        ...(moments.startedMs === undefined ? {} : { started_ms: moments.startedMs }),
        ...(moments.pausedMs === undefined ? {} : { paused_ms: moments.pausedMs }),
        ...(moments.pausedForMs === undefined ? {} : { paused_for_ms: moments.pausedForMs }),
        ...(moments.endedMs === undefined ? {} : { ended_ms: moments.endedMs }),
        ...(moments.onlyThere === undefined ? {} : { only_there: moments.onlyThere }),
      };
      const { numUpdatedRows } = await outside('change')
        .updateTable('sync_runs')
        .set(set)
        .where(sql`id::text`, '=', id)
        .where('state', 'in', from)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
    plan: async (id, page) => plan(outside('plan'), id, page),
    steps: async (id, { states, what, pair, after, limit }) => {
      let rows = outside('steps').selectFrom('sync_steps').selectAll().where('run', '=', id);
      if (states !== undefined) rows = rows.where('state', 'in', states);
      if (what !== undefined) rows = rows.where('what', '=', what);
      if (pair !== undefined) rows = rows.where('pair', '=', pair);
      if (after !== undefined)
        rows = rows.where(
          sql<boolean>`(wp_id, target) > (${after.wpId}::bigint, ${after.target}::bigint)`,
        );
      const page = rows.orderBy('wp_id').orderBy('target').limit(limit);
      return (await page.execute()).map((row) => toStep(row, secrets));
    },
    save: async (id, changes) => {
      await outside('save')
        .transaction()
        .execute(async (tx) => {
          for (const { wpId, target, ...change } of changes) {
            await tx
              .updateTable('sync_steps')
              .set(setOf(id, change, secrets))
              .where('run', '=', id)
              .where('wp_id', '=', wpId)
              .where('target', '=', target)
              .execute();
          }
        });
    },
    moveAll: async (id, from, to, note = null) => {
      const { numUpdatedRows } = await outside('moveAll')
        .updateTable('sync_steps')
        .set({ state: to, note })
        .where('run', '=', id)
        .where('state', 'in', from)
        .executeTakeFirst();
      return Number(numUpdatedRows);
    },
    counts: async (id) => {
      const { rows } = await sql<{
        target: SyncStep['target'];
        what: SyncStep['what'];
        state: SyncStep['state'];
        pair: SyncStep['pair'];
        decision: SyncStep['decision'];
        count: number;
      }>`select target, what, state, pair, decision, count(*)::int as count from sync_steps
        where run = ${id} group by target, what, state, pair, decision`.execute(outside('counts'));
      return rows;
    },
    clashTwice: async (id, reason) => adoptRows.clashTwice(outside('clashTwice'), id, reason),
    onlyThere: async (id, query) => adoptRows.onlyThere(outside('onlyThere'), id, query),
    countOnlyThere: async (id, between) =>
      adoptRows.countOnlyThere(outside('countOnlyThere'), id, between),
    stepsOf: async (id, accounts) => {
      const rows = outside('stepsOf').selectFrom('sync_steps').selectAll().where('run', '=', id);
      const theirs = rows.where(sql<boolean>`wp_id = any(${[...accounts]}::bigint[])`);
      return (await theirs.orderBy('wp_id').orderBy('target').execute()).map((row) =>
        toStep(row, secrets),
      );
    },
    decide: async (id, changes) => adoptRows.decide(outside('decide'), id, changes),
  };
}

async function plan(
  db: Kysely<Tables>,
  id: string,
  { readFrom, readTo, accounts, steps }: Parameters<Runs['plan']>[1],
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const { rows } = await sql`update sync_runs set read_to = ${readTo}::bigint,
      accounts = accounts + ${accounts} where id = ${id} and state = 'planning'
      and read_to = ${readFrom}::bigint returning 1`.execute(tx);
    // Another process has read this page.
    if (rows.length === 0) return;
    for (let from = 0; from < steps.length; from += ROWS_AT_ONCE) {
      const values = steps.slice(from, from + ROWS_AT_ONCE).map((step) => ({
        run: id,
        wp_id: step.wpId,
        target: step.target,
        uid: step.uid,
        login: step.login,
        what: step.what,
        other: step.other,
        proven: step.proven,
        fields: JSON.stringify(step.fields),
        reason: step.reason,
        seen: step.seen,
        state: step.state,
        at_least_ms: step.atLeastMs,
        pair: step.pair,
        sides: step.sides && JSON.stringify(step.sides),
      }));
      await tx
        .insertInto('sync_steps')
        .values(values)
        .onConflict((on) => on.doNothing())
        .execute();
    }
  });
}

function setOf(
  id: string,
  {
    uid,
    fields,
    kept,
    stamps,
    atLeastMs,
    sides,
    ...plain
  }: Parameters<Runs['save']>[1][number] extends infer Change
    ? Omit<Change, 'wpId' | 'target'>
    : never,
  secrets: Secrets,
) {
  return {
    ...plain,
    ...(uid === undefined ? {} : { uid }),
    ...(fields === undefined ? {} : { fields: JSON.stringify(fields) }),
    ...(atLeastMs === undefined ? {} : { at_least_ms: atLeastMs }),
    ...(sides === undefined ? {} : { sides: sides && JSON.stringify(sides) }),
    ...(stamps === undefined ? {} : { stamps: stamps && JSON.stringify(stamps) }),
    ...(kept === undefined
      ? {}
      : { kept: kept && secrets.seal(purposeOf(id), JSON.stringify(kept)) }),
  };
}

const toRun = (row: Selectable<Tables['sync_runs']>): SyncRunRecord => ({
  id: row.id,
  state: row.state,
  source: row.source,
  request: row.request,
  startedBy: row.started_by,
  atMs: row.at_ms,
  startedMs: row.started_ms,
  pausedMs: row.paused_ms,
  pausedForMs: row.paused_for_ms,
  endedMs: row.ended_ms,
  readTo: row.read_to,
  accounts: row.accounts,
  onlyThere: row.only_there,
  starts: row.starts,
  removesCreated: row.removes_created,
  undoneBy: row.undone_by,
  fault: row.fault,
});

const toStep = (row: Selectable<Tables['sync_steps']>, secrets: Secrets): SyncStep => ({
  wpId: row.wp_id,
  target: row.target,
  uid: row.uid,
  login: row.login,
  what: row.what,
  other: row.other,
  proven: row.proven,
  fields: row.fields,
  reason: row.reason,
  seen: row.seen,
  state: row.state,
  note: row.note,
  atLeastMs: row.at_least_ms,
  kept: row.kept === null ? null : keptIn(secrets.open(purposeOf(row.run), row.kept)),
  stamps: row.stamps,
  pair: row.pair,
  sides: row.sides,
  decision: row.decision,
});

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- sealed by `save` alone
const keptIn = (text: string): Kept => JSON.parse(text) as Kept;

/** What an undo needs goes after this time, and what was planned and never started; how many rows did. */
export async function purgeKept({ kysely }: Database, olderThanMs: number): Promise<number> {
  const old = sql`(select id from sync_runs
    where coalesce(ended_ms, started_ms, at_ms) < ${hubNow} - ${olderThanMs}::bigint)`;
  const { rows } = await sql`update sync_steps set kept = null
    where kept is not null and run in ${old} returning 1`.execute(kysely);
  return rows.length;
}

/** Runs that ended longer ago than this, and plans that nobody started, go; how many went. */
export async function purgeRuns({ kysely }: Database, olderThanMs: number): Promise<number> {
  const { rows } = await sql`delete from sync_runs where
    coalesce(ended_ms, case when state = 'planned' then at_ms end) < ${hubNow} - ${olderThanMs}::bigint
    returning 1`.execute(kysely);
  return rows.length;
}
