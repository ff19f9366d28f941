/** Sites: what a site is called, where it is, whether it takes part. */
import { type Kysely, type Selectable, sql } from 'kysely';
import { Fault } from '../../errors.ts';
import type { SiteKey } from '../../model/ids.ts';
import { type Topology, USUAL_SITE_RULES } from '../../model/route.ts';
import type { Registry, SiteRecord } from '../../sync/ports.ts';
import type { Tables } from '../tables.ts';
import { brokenConstraint } from './constraint.ts';

export const toSite = (row: Selectable<Tables['sites']>): SiteRecord => ({
  key: row.key,
  installation: row.installation,
  blog: row.blog,
  name: row.name,
  url: row.url,
  restUrl: row.rest_url,
  status: row.status,
  createMissing: row.create_missing,
  rules: { ...USUAL_SITE_RULES, ...row.rules },
  roles: row.roles,
  defaultRole: row.default_role,
  network: row.network,
  closed: row.closed,
  powers: Object.keys(row.roles).filter((role) => row.roles[role]?.privileged === true),
  consents: row.consents,
});

export async function list(db: Kysely<Tables>): Promise<readonly SiteRecord[]> {
  const rows = await db
    .selectFrom('sites')
    .selectAll()
    .where('removed', '=', false)
    .orderBy('key')
    .execute();
  return rows.map(toSite);
}

/** Sites and routes of one moment: one snapshot for both reads, and which one it is. */
async function snapshot(
  db: Kysely<Tables>,
): Promise<{ readonly arranged: string; readonly topology: Topology }> {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (tx) => {
      const arranged = await revision(tx);
      const sites = await list(tx);
      const routes = await tx
        .selectFrom('routes')
        .select(['id', 'source', 'target', 'status', 'rules'])
        .orderBy('id')
        .execute();
      return {
        arranged,
        topology: { sites: new Map(sites.map((site) => [site.key, site])), routes },
      };
    });
}

export async function revision(db: Kysely<Tables>): Promise<string> {
  return (await db.selectFrom('arranged').select('revision').executeTakeFirstOrThrow()).revision;
}

/**
 * The topology is asked for before every pull and send, and a group of a hundred sites has 9,900 routes:
 * it is read again only when somebody, in this process or another, has changed any of it.
 */
export function keepTopology(): (db: Kysely<Tables>) => Promise<Topology> {
  let kept: Awaited<ReturnType<typeof snapshot>> | null = null;
  return async (db) => {
    if (kept?.arranged === (await revision(db))) return kept.topology;
    const read = await snapshot(db);
    kept = read;
    return read.topology;
  };
}

export async function reserveKeys(db: Kysely<Tables>, count: number): Promise<readonly SiteKey[]> {
  const { rows } = await sql<{ key: SiteKey }>`
    select nextval('site_keys')::integer as key from generate_series(1, ${count}::integer)`.execute(
    db,
  );
  return rows.map((row) => row.key);
}

export async function update(
  db: Kysely<Tables>,
  key: SiteKey,
  change: Parameters<Registry['updateSite']>[1],
): Promise<void> {
  const { status, createMissing, name, rules, roles, consents } = change;
  const columns = {
    ...(status === undefined ? {} : { status }),
    ...(createMissing === undefined ? {} : { create_missing: createMissing }),
    ...(name === undefined ? {} : { name }),
    ...(roles === undefined ? {} : { roles: JSON.stringify(roles) }),
    ...(consents === undefined ? {} : { consents: JSON.stringify(consents) }),
    ...(rules === undefined
      ? {}
      : { rules: sql<string>`rules || ${JSON.stringify(rules)}::jsonb` }),
  };
  if (Object.keys(columns).length === 0) return;
  const { numUpdatedRows } = await db
    .updateTable('sites')
    .set(columns)
    .where('key', '=', key)
    .where('removed', '=', false)
    .executeTakeFirst()
    .catch(nameTaken);
  if (numUpdatedRows === 0n) throw new Fault('site.unknown', `There is no site ${key}.`);
}

/** Names are compared without case. */
export function nameTaken(error: unknown): never {
  if (brokenConstraint(error) === 'sites_name') {
    throw new Fault('site.name_taken', 'Another site has this name already.');
  }
  throw error;
}
