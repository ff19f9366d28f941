/**
 * What an adopt run asks of its own plan and of the accounts that the hub knows, whatever their number.
 *
 * Does: each in one statement over the tables; nothing is brought into memory but the page asked for.
 */
import { type Kysely, sql } from 'kysely';
import type { InstallationId, WordPressId } from '../model/ids.ts';
import type { StepChange } from '../model/sync-run.ts';
import type { OnlyThere } from '../sync/ports.ts';
import type { Tables } from './tables.ts';

interface Between {
  readonly on: InstallationId;
  readonly not: InstallationId;
}

/** Two persons of the source that stand against one account there: at most one of them is right. */
export async function clashTwice(db: Kysely<Tables>, id: string, reason: string): Promise<void> {
  // Counted in one pass: of hundreds of thousands each looked up among all would take hours.
  await inOnePass(db, (tx) =>
    sql`with others as materialized (
      select distinct s.wp_id, s.target, o.value->>'id' as other
      from sync_steps s, jsonb_array_elements(s.sides->'others') o
      where s.run = ${id} and o.value->>'by' = 'email'),
    counted as (
      select wp_id, target, count(*) over (partition by target, other) as persons from others),
    clashing as materialized (
      select distinct wp_id, target from counted where persons > 1)
    update sync_steps s set pair = 'clash', what = 'hold', reason = ${reason}, state = 'left',
      proven = false, other = null, fields = '[]'
    from clashing c
    where s.run = ${id} and s.what = 'link' and s.wp_id = c.wp_id and s.target = c.target`.execute(
      tx,
    ),
  );
}

/** Whoever stands against an account of the source, also in a clash, is not only there. */
const onlyThereOf = (id: string, { on, not }: Between) => sql`
  with named as materialized (
    select distinct (o.value->>'id')::bigint as wp_id
    from sync_steps s, jsonb_array_elements(s.sides->'others') o where s.run = ${id})
  select a.wp_id, a.login, a.email, a.privileged from accounts a
    left join named n on n.wp_id = a.wp_id
    left join accounts twin on twin.uid = a.uid and twin.installation = ${not} and twin.gone is null
  where a.installation = ${on} and a.gone is null and n.wp_id is null and twin.uid is null`;

/**
 * A store that nobody has counted (an embedded one never is) would be joined row by row with all others:
 * twenty thousand accounts took twenty seconds, and ten times as many a hundred times as long.
 */
const inOnePass = <Result>(
  db: Kysely<Tables>,
  work: (tx: Kysely<Tables>) => Promise<Result>,
): Promise<Result> =>
  db.transaction().execute(async (tx) => {
    await sql`set local enable_nestloop = off`.execute(tx);
    return work(tx);
  });

export async function onlyThere(
  db: Kysely<Tables>,
  id: string,
  { after, limit, ...between }: Between & { readonly after?: WordPressId; readonly limit: number },
): Promise<readonly OnlyThere[]> {
  const { rows } = await inOnePass(db, (tx) =>
    sql<{ wp_id: WordPressId; login: string; email: string; privileged: boolean }>`
      select * from (${onlyThereOf(id, between)}) r where r.wp_id > ${after ?? 0}
      order by r.wp_id limit ${limit}`.execute(tx),
  );
  return rows.map(({ wp_id: wpId, ...row }) => ({ wpId, ...row }));
}

export async function countOnlyThere(
  db: Kysely<Tables>,
  id: string,
  between: Between,
): Promise<number> {
  const { rows } = await inOnePass(db, (tx) =>
    sql<{ count: number }>`
      select count(*)::int as count from (${onlyThereOf(id, between)}) r`.execute(tx),
  );
  return rows[0]?.count ?? 0;
}

export async function decide(
  db: Kysely<Tables>,
  id: string,
  changes: readonly StepChange[],
): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    const { rows } = await sql`select 1 from sync_runs
      where id::text = ${id} and state = 'planned' for update`.execute(tx);
    if (rows.length === 0) return false;
    const decided = changes.map((change) => ({
      wp_id: change.wpId,
      target: change.target,
      decision: change.decision ?? null,
      what: change.what ?? null,
      other: change.other ?? null,
      proven: change.proven ?? null,
      reason: change.reason ?? null,
      state: change.state ?? null,
    }));
    await sql`update sync_steps s set decision = d.decision, what = coalesce(d.what, s.what),
        other = coalesce(d.other, s.other), proven = coalesce(d.proven, s.proven),
        reason = d.reason, state = coalesce(d.state, s.state)
      from jsonb_to_recordset(${JSON.stringify(decided)}::jsonb) as d(wp_id bigint, target integer,
        decision text, what text, other text, proven boolean, reason text, state text)
      where s.run = ${id} and s.wp_id = d.wp_id and s.target = d.target`.execute(tx);
    return true;
  });
}
