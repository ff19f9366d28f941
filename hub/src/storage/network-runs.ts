/**
 * Runs within networks as they are stored.
 *
 * Always true: a page of a preview counts once; a site speaks of its own runs alone, and of what was asked for here
 * only how far it is.
 */
import { type Kysely, type Selectable, sql } from 'kysely';
import {
  NETWORK_RUNS_AT_WORK,
  type NetworkRunRecord,
  type NetworkRuns,
  NO_COUNTS,
} from '../model/network-run.ts';
import { hubNow } from './hub-clock.ts';
import { refuseInside } from './in-transaction.ts';
import type { Database } from './open-database.ts';
import type { Tables } from './tables.ts';

/** Of those that a site began by itself: a site that makes them up fills no table. */
const HEARD_KEPT = 200;
/** Doubles with every failure. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 600_000;

export function createNetworkRuns({ kysely }: Database): NetworkRuns {
  const outside = (what: string): Kysely<Tables> => {
    refuseInside(`NetworkRuns.${what}`);
    return kysely;
  };
  return {
    add: async ({ spec, startedBy, ...run }) => {
      await outside('add')
        .insertInto('network_runs')
        .values({
          ...run,
          spec: JSON.stringify(spec),
          started_by: startedBy,
          state: 'previewing',
          counts: JSON.stringify(NO_COUNTS),
        })
        .execute();
    },
    find: async (id) => {
      const row = await outside('find')
        .selectFrom('network_runs')
        .selectAll()
        .where(sql`id::text`, '=', id.toLowerCase())
        .executeTakeFirst();
      return row === undefined ? null : toRecord(row);
    },
    list: async ({ installation, network, after, limit }) => {
      let rows = outside('list')
        .selectFrom('network_runs')
        .selectAll()
        .where('installation', '=', installation)
        .where('network', '=', network);
      if (after !== undefined)
        rows = rows.where(sql<boolean>`(at_ms, id::text) < (${after.atMs}::bigint, ${after.id})`);
      const page = rows.orderBy('at_ms', 'desc').orderBy(sql`id::text`, 'desc').limit(limit);
      return (await page.execute()).map(toRecord);
    },
    atWork: async () => {
      const rows = await outside('atWork')
        .selectFrom('network_runs')
        .select('id')
        .where((either) =>
          either.or([
            either('wanted', 'is not', null),
            either.and([either('state', 'in', NETWORK_RUNS_AT_WORK), either('driver', '=', 'hub')]),
          ]),
        )
        .where(sql<boolean>`retry_at_ms <= ${hubNow}`)
        .orderBy('at_ms')
        .execute();
      return rows.map(({ id }) => id);
    },
    change: async (id, from, change) => changeRun(outside('change'), id, from, change),
    previewed: async (id, { from, to, sites }) => {
      await sql`update network_runs set previewed_to = ${to}::integer, failures = 0, fault = null,
        preview = preview || ${JSON.stringify(sites)}::jsonb
        where id::text = ${id} and state = 'previewing' and previewed_to = ${from}::integer`.execute(
        outside('previewed'),
      );
    },
    heard: async (installation, run, worked) => {
      await outside('heard')
        .transaction()
        .execute((tx) => heard(tx, installation, run, worked));
    },
    failed: async (id, fault) => {
      await sql`update network_runs set failures = failures + 1, fault = ${JSON.stringify(fault)}::jsonb,
        retry_at_ms = ${hubNow} + least(${FIRST_WAIT_MS}::bigint * (1 << least(failures, 20)), ${LONGEST_WAIT_MS}::bigint)
        where id::text = ${id}`.execute(outside('failed'));
    },
  };
}

async function changeRun(
  db: Kysely<Tables>,
  id: string,
  from: Parameters<NetworkRuns['change']>[1],
  {
    state,
    starts,
    startedMs,
    endedMs,
    wanted,
    wantedBy,
    fault,
  }: Parameters<NetworkRuns['change']>[2],
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('network_runs')
    .set({
      ...(state === undefined ? {} : { state }),
      ...(starts === undefined ? {} : { starts }),
      ...(startedMs === undefined ? {} : { started_ms: startedMs }),
      ...(endedMs === undefined ? {} : { ended_ms: endedMs }),
      ...(wanted === undefined ? {} : { wanted, retry_at_ms: 0 }),
      ...(wantedBy === undefined ? {} : { wanted_by: wantedBy }),
      ...(fault === undefined ? {} : { fault: fault && JSON.stringify(fault) }),
    })
    .where(sql`id::text`, '=', id)
    .where('state', 'in', from)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

async function heard(
  tx: Kysely<Tables>,
  installation: string,
  run: Parameters<NetworkRuns['heard']>[1],
  worked: Parameters<NetworkRuns['heard']>[2],
): Promise<void> {
  const { ms = 0, pairs = 0, obeyed = null } = worked ?? {};
  const isLook = worked === undefined;
  const { rows } = await sql<{ readonly is_new: boolean }>`
    insert into network_runs (id, installation, network, main, spec, state, driver, started_by, at_ms, started_ms,
      ended_ms, previewed_to, counts, next)
    values (${run.id}::uuid, ${installation}::uuid, ${run.network}, ${run.main}, ${JSON.stringify(run.spec)}::jsonb, ${run.state},
      ${run.driver}, ${run.by}, ${run.beganMs}, ${run.beganMs}, ${run.endedMs}, null,
      ${JSON.stringify(run.counts)}::jsonb, ${run.next})
    on conflict (id) do update set state = excluded.state, driver = excluded.driver, ended_ms = excluded.ended_ms,
      counts = excluded.counts, next = excluded.next, failures = 0, retry_at_ms = 0,
      fault = case when ${isLook}::boolean and network_runs.state = excluded.state then network_runs.fault end,
      worked_ms = network_runs.worked_ms + ${ms}::bigint,
      worked_pairs = network_runs.worked_pairs + ${pairs}::bigint,
      wanted = case when network_runs.wanted = ${obeyed} then null else network_runs.wanted end
      where network_runs.installation = excluded.installation and network_runs.network = excluded.network
        and network_runs.state not in ('previewing', 'planned')
        and not (${isLook}::boolean and network_runs.driver = 'hub' and excluded.driver = 'hub'
          and (network_runs.state in ('running', 'undoing')
            or (network_runs.state = 'failed' and excluded.state in ('running', 'undoing'))))
    returning (xmax = 0) as is_new`.execute(tx);
  if (rows[0]?.is_new !== true) return;
  await sql`delete from network_runs where id in (
    select id from network_runs where installation = ${installation}::uuid and driver <> 'hub'
    order by at_ms desc, id offset ${HEARD_KEPT})`.execute(tx);
}

const toRecord = (row: Selectable<Tables['network_runs']>): NetworkRunRecord => ({
  id: row.id,
  installation: row.installation,
  network: row.network,
  main: row.main,
  spec: row.spec,
  state: row.state,
  starts: row.starts,
  driver: row.driver,
  startedBy: row.started_by,
  atMs: row.at_ms,
  startedMs: row.started_ms,
  endedMs: row.ended_ms,
  previewedTo: row.previewed_to,
  preview: row.preview,
  counts: row.counts,
  next: row.next,
  workedMs: row.worked_ms,
  workedPairs: row.worked_pairs,
  wanted: row.wanted,
  wantedBy: row.wanted_by,
  failures: row.failures,
  retryAtMs: row.retry_at_ms,
  fault: row.fault,
});

/** Runs that ended longer ago than this go; how many went. */
export async function purgeNetworkRuns({ kysely }: Database, olderThanMs: number): Promise<number> {
  const { rows } = await sql`delete from network_runs
    where coalesce(ended_ms, at_ms) < ${hubNow} - ${olderThanMs}::bigint
      and state not in ('running', 'paused', 'undoing') returning 1`.execute(kysely);
  return rows.length;
}
