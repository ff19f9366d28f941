/**
 * Who is concerned by what is held: the account that it comes from, the person's own account where it
 * goes, and somebody else's account there that is in the way.
 */
import { type Kysely, sql } from 'kysely';
import type { DeliveryId } from '../model/ids.ts';
import type { HeldParties } from '../sync/ports.ts';
import type { Tables } from './tables.ts';

/** Of a row `d` of deliveries: the site that it comes from last. */
export const LAST_SITE = sql`(coalesce(d.birth -> 'path', d.gone -> 'path',
  (select f.value -> 'p' from jsonb_each(d.fields) f
    order by f.value ? 'held' desc, f.key limit 1)) ->> -1)::integer`;

export async function readHeldParties(
  db: Kysely<Tables>,
  deliveries: readonly DeliveryId[],
): Promise<ReadonlyMap<DeliveryId, HeldParties>> {
  if (deliveries.length === 0) return new Map();
  const { rows } = await sql<HeldParties & { id: DeliveryId }>`
    select d.id, source.key as source, ${party('here')} as here, ${party('there')} as there,
      ${party('way')} as "inTheWay"
    from deliveries d
    left join sites source on source.key = ${LAST_SITE}
    left join accounts here on here.uid = d.uid and here.installation = source.installation
    left join accounts there on there.uid = d.uid and there.installation = d.installation
    left join lateral (
      select * from (
        (select 1 as place, a.* from accounts a where a.installation = d.installation
          and a.email_key = d.waits_email and a.email_key <> '' and a.gone is null
          and a.uid <> d.uid limit 1)
        union all
        (select 2 as place, a.* from accounts a where a.installation = d.installation
          and a.login_key = d.waits_login and a.login_key <> '' and a.gone is null
          and a.uid <> d.uid limit 1)) found
      order by place limit 1) way on true
    where d.id = any(${[...deliveries]}::text[])`.execute(db);
  return new Map(rows.map(({ id, ...parties }) => [id, parties]));
}

const party = (table: 'here' | 'there' | 'way') => {
  const column = (name: string) => sql.ref(`${table}.${name}`);
  return sql`case when ${column('uid')} is null then null else jsonb_build_object(
    'uid', ${column('uid')}, 'installation', ${column('installation')}, 'wpId', ${column('wp_id')},
    'login', ${column('login')}, 'email', ${column('email')},
    'registered', ${column('registered')}, 'privileged', ${column('privileged')},
    'gone', ${column('gone')} is not null, 'roles', ${column('roles')}) end`;
};
