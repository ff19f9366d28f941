/** The present arrangement, as the transaction sees it. */
import type { Transaction } from 'kysely';
import type { ArrangedRoute, ArrangedSite, Arrangement } from '../../model/arrangement.ts';
import type { Group } from '../../model/group.ts';
import { USUAL_SITE_RULES } from '../../model/route.ts';
import type { Tables } from '../tables.ts';

export async function readArrangement(tx: Transaction<Tables>): Promise<Arrangement> {
  const { log_days: logDays } = await tx
    .selectFrom('hub_meta')
    .select('log_days')
    .executeTakeFirstOrThrow();
  return {
    logDays,
    sites: await readSites(tx),
    routes: await readRoutes(tx),
    groups: await readGroups(tx),
  };
}

async function readSites(tx: Transaction<Tables>): Promise<ArrangedSite[]> {
  const rows = await tx
    .selectFrom('sites')
    .innerJoin('installations', 'installations.id', 'sites.installation')
    .selectAll('sites')
    .select('installations.contract')
    .where('sites.removed', '=', false)
    .orderBy('key')
    .execute();
  return rows.map((row) => ({
    key: row.key,
    installation: row.installation,
    name: row.name,
    url: row.url,
    status: row.status,
    createMissing: row.create_missing,
    rules: { ...USUAL_SITE_RULES, ...row.rules },
    contract: row.contract,
    roles: row.roles,
    log: { on: row.log_on, days: row.log_days },
  }));
}

async function readRoutes(tx: Transaction<Tables>): Promise<ArrangedRoute[]> {
  return tx
    .selectFrom('routes')
    .select(['source', 'target', 'status', 'rules', 'group_id as group'])
    .orderBy('id')
    .execute();
}

async function readGroups(tx: Transaction<Tables>): Promise<Group[]> {
  const groups = await tx.selectFrom('groups').selectAll().orderBy('name').execute();
  const members = await tx.selectFrom('group_members').selectAll().orderBy('site').execute();
  const exceptions = await tx
    .selectFrom('group_exceptions')
    .selectAll()
    .orderBy('source')
    .orderBy('target')
    .execute();
  return groups.map((group) => ({
    ...group,
    members: members
      .filter(({ group_id }) => group_id === group.id)
      .map(({ site, way }) => ({ site, way })),
    exceptions: exceptions
      .filter(({ group_id }) => group_id === group.id)
      .map(({ source, target, status, rules }) => ({ source, target, status, rules })),
  }));
}
