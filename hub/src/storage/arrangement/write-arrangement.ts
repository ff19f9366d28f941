/**
 * Makes the store's arrangement the wanted one.
 *
 * Always true: only rows that differ are written, a kind of row by one statement; where nothing differs
 * nothing is. Sites are neither added nor removed: that takes a word with them.
 */
import { isDeepStrictEqual } from 'node:util';
import { sql, type Transaction } from 'kysely';
import type {
  ArrangedRoute,
  ArrangedSite,
  Arrangement,
  Rearranged,
} from '../../model/arrangement.ts';
import type { Group } from '../../model/group.ts';
import type { GroupId } from '../../model/ids.ts';
import { setLogDays } from '../log-keeping.ts';
import { lookAgain } from '../registry/routes.ts';
import { nameTaken } from '../registry/sites.ts';
import type { Tables } from '../tables.ts';

export async function writeArrangement(
  tx: Transaction<Tables>,
  before: Arrangement,
  after: Arrangement,
): Promise<Rearranged> {
  if (before.logDays !== after.logDays) {
    await setLogDays(tx, after.logDays);
  }
  await writeSites(
    tx,
    differing(before.sites, after.sites, ({ key }) => key),
  );
  const groups = differing(before.groups, after.groups, ({ id }) => id);
  await writeGroups(tx, groups);
  const routes = await writeRoutes(tx, before.routes, after.routes);
  const gone = missing(before.groups, after.groups, ({ id }) => id);
  await removeGroups(
    tx,
    gone.map(({ id }) => id),
  );
  const touched = [...new Set(routes.flatMap(({ source, target }) => [source, target]))];
  return { before, after, touched };
}

/** New ones and those that are not as they were. */
function differing<Row>(
  before: readonly Row[],
  after: readonly Row[],
  keyOf: (row: Row) => string | number,
): Row[] {
  const was = new Map(before.map((row) => [keyOf(row), row]));
  return after.filter((row) => !isDeepStrictEqual(was.get(keyOf(row)), row));
}

function missing<Row>(
  before: readonly Row[],
  after: readonly Row[],
  keyOf: (row: Row) => string | number,
): Row[] {
  const is = new Set(after.map(keyOf));
  return before.filter((row) => !is.has(keyOf(row)));
}

async function writeSites(tx: Transaction<Tables>, sites: readonly ArrangedSite[]): Promise<void> {
  if (sites.length === 0) return;
  const rows = sites.map(({ key, name, status, createMissing, rules, log }) => ({
    key,
    name,
    status,
    create_missing: createMissing,
    rules,
    log_on: log.on,
    log_days: log.days,
  }));
  await sql`update sites s set name = x.name, status = x.status, create_missing = x.create_missing,
      rules = s.rules || x.rules, log_on = x.log_on, log_days = x.log_days
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as x(key integer, name text, status text,
      create_missing boolean, rules jsonb, log_on boolean, log_days integer)
    where s.key = x.key and not s.removed`
    .execute(tx)
    .catch(nameTaken);
}

async function writeGroups(tx: Transaction<Tables>, groups: readonly Group[]): Promise<void> {
  if (groups.length === 0) return;
  const ids = groups.map(({ id }) => id);
  const rows = groups.map(({ id, name, status, rules }) => ({ id, name, status, rules }));
  await sql`insert into groups (id, name, status, rules)
    select id, name, status, rules from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as x(id uuid, name text, status text, rules jsonb)
    on conflict (id) do update set name = excluded.name, status = excluded.status,
      rules = excluded.rules`.execute(tx);
  await tx.deleteFrom('group_members').where('group_id', 'in', ids).execute();
  await tx.deleteFrom('group_exceptions').where('group_id', 'in', ids).execute();
  const members = groups.flatMap((group) =>
    group.members.map((member) => ({ ...member, group_id: group.id })),
  );
  await sql`insert into group_members (group_id, site, way)
    select group_id, site, way from jsonb_to_recordset(${JSON.stringify(members)}::jsonb)
      as x(group_id uuid, site integer, way text)`.execute(tx);
  const exceptions = groups.flatMap((group) =>
    group.exceptions.map((exception) => ({ ...exception, group_id: group.id })),
  );
  await sql`insert into group_exceptions (group_id, source, target, status, rules)
    select group_id, source, target, status, rules
      from jsonb_to_recordset(${JSON.stringify(exceptions)}::jsonb)
      as x(group_id uuid, source integer, target integer, status text, rules jsonb)`.execute(tx);
}

const ends = ({ source, target }: ArrangedRoute): string => `${source}-${target}`;

/** Returns those that were added, changed or removed. */
async function writeRoutes(
  tx: Transaction<Tables>,
  before: readonly ArrangedRoute[],
  after: readonly ArrangedRoute[],
): Promise<readonly ArrangedRoute[]> {
  const gone = missing(before, after, ends);
  const changed = differing(before, after, ends);
  if (gone.length > 0) {
    await sql`delete from routes r using jsonb_to_recordset(${JSON.stringify(
      gone.map(({ source, target }) => ({ source, target })),
    )}::jsonb) as x(source integer, target integer)
      where r.source = x.source and r.target = x.target`.execute(tx);
  }
  if (changed.length > 0) {
    await sql`insert into routes (source, target, status, rules, group_id)
      select source, target, status, rules, "group"
        from jsonb_to_recordset(${JSON.stringify(changed)}::jsonb)
        as x(source integer, target integer, status text, rules jsonb, "group" uuid)
      on conflict on constraint routes_ends do update set status = excluded.status,
        rules = excluded.rules, group_id = excluded.group_id`.execute(tx);
  }
  const known = new Set(before.map(ends));
  const waitedFor = [...gone, ...changed.filter((route) => known.has(ends(route)))];
  if (waitedFor.length > 0) {
    await lookAgain(tx, [...new Set(waitedFor.map(({ target }) => target))]);
  }
  return [...gone, ...changed];
}

async function removeGroups(tx: Transaction<Tables>, ids: readonly GroupId[]): Promise<void> {
  if (ids.length > 0) await tx.deleteFrom('groups').where('id', 'in', ids).execute();
}
