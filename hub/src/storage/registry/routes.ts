/** Routes: who may go where. */
import { type Kysely, sql, type Transaction } from 'kysely';
import { Fault } from '../../errors.ts';
import type { RouteId, SiteKey } from '../../model/ids.ts';
import type { Route } from '../../model/route.ts';
import type { Registry } from '../../sync/ports.ts';
import { hubNow } from '../hub-clock.ts';
import type { Tables } from '../tables.ts';
import { brokenConstraint } from './constraint.ts';

export async function add(
  db: Kysely<Tables>,
  { source, target, rules }: Parameters<Registry['addRoute']>[0],
): Promise<Route> {
  return db.transaction().execute(async (tx) => {
    await checkEnds(tx, source, target);
    const { id } = await tx
      .insertInto('routes')
      .values({ source, target, status: 'active', rules: JSON.stringify(rules) })
      .returning('id')
      .executeTakeFirstOrThrow()
      .catch(routeExists);
    return { id, source, target, status: 'active', rules };
  });
}

async function checkEnds(tx: Transaction<Tables>, source: SiteKey, target: SiteKey): Promise<void> {
  const ends = await tx
    .selectFrom('sites')
    .select(['key', 'installation'])
    .where('key', 'in', [source, target])
    .where('removed', '=', false)
    .execute();
  const installationOf = (key: SiteKey) => {
    const end = ends.find((site) => site.key === key);
    if (end === undefined) throw new Fault('site.unknown', `There is no site ${key}.`);
    return end.installation;
  };
  if (installationOf(source) === installationOf(target)) {
    throw new Fault('route.same_installation', 'Both sites are of one installation.');
  }
}

export async function update(
  db: Kysely<Tables>,
  id: RouteId,
  { status, rules }: Parameters<Registry['updateRoute']>[1],
): Promise<void> {
  const columns = {
    ...(status === undefined ? {} : { status }),
    ...(rules === undefined ? {} : { rules: JSON.stringify(rules) }),
  };
  if (Object.keys(columns).length === 0) return;
  await db.transaction().execute(async (tx) => {
    const route = await tx
      .updateTable('routes')
      .set(columns)
      .where('id', '=', id)
      .returning(['target', 'group_id'])
      .executeTakeFirst();
    if (route === undefined) throw unknown(id);
    if (route.group_id !== null) throw ofGroup(id);
    await lookAgain(tx, [route.target]);
  });
}

/** What waited for it is looked at again, and cancelled where no other route carries it. */
export async function remove(db: Kysely<Tables>, id: RouteId): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const route = await tx
      .deleteFrom('routes')
      .where('id', '=', id)
      .returning(['target', 'group_id'])
      .executeTakeFirst();
    if (route === undefined) throw unknown(id);
    if (route.group_id !== null) throw ofGroup(id);
    await lookAgain(tx, [route.target]);
  });
}

/** A delete that waited for its route is judged together with others once more before it goes. */
const SETTLE_AGAIN_MS = 60_000;

/** Deliveries to these sites that wait for a time are due again. */
export async function lookAgain(
  tx: Transaction<Tables>,
  targets: readonly SiteKey[],
): Promise<void> {
  const which = sql`d.target = any(${[...targets]}::integer[]) and d.not_before_ms > ${hubNow}`;
  // Whoever writes a delivery holds its identity's lock, in uid order.
  await sql`select 1 from identities where uid in (select d.uid from deliveries d where ${which})
    order by uid for update`.execute(tx);
  await sql`update deliveries d set not_before_ms = case when d.gone is null then 0
      else least(d.not_before_ms, ${hubNow} + ${SETTLE_AGAIN_MS}::bigint) end
    where ${which}`.execute(tx);
}

function routeExists(error: unknown): never {
  if (brokenConstraint(error) === 'routes_ends') {
    throw new Fault('route.exists', 'There is a route between these sites already.');
  }
  throw error;
}

const unknown = (id: RouteId): Fault => new Fault('route.unknown', `There is no route ${id}.`);

/** The group would make it again as it was. */
const ofGroup = (id: RouteId): Fault =>
  new Fault('route.of_group', `Route ${id} belongs to a group, which keeps it in step.`);
