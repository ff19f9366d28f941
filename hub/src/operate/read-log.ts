/** The Sync Log as it is shown. */
import type { LogPage, LogQuery, LogRow } from '../api/schemas/log.ts';
import type { SiteKey } from '../model/ids.ts';
import { reasonSentence } from '../reasons.ts';
import type { LogRow as StoredRow } from '../sync/ports.ts';
import { moment, siteNamed, siteNames } from './names.ts';
import type { OperationPorts } from './ports.ts';

export async function readLog(
  { views, registry }: Pick<OperationPorts, 'views' | 'registry'>,
  query: LogQuery,
): Promise<LogPage> {
  const site = query.site === undefined ? undefined : await siteNamed(registry, query.site);
  const rows = await views.log({
    limit: query.limit,
    ...(query.status === undefined ? {} : { status: query.status }),
    ...(site === undefined ? {} : { site: site.key }),
    ...(query.account === undefined ? {} : { login: query.account }),
    ...(query.since === undefined ? {} : { sinceMs: Date.parse(query.since) }),
    ...(query.after === undefined ? {} : { afterId: query.after }),
    ...(query.before === undefined ? {} : { beforeId: query.before }),
  });
  const nameOf = await siteNames(registry);
  return { rows: rows.map((row) => viewRow(row, nameOf)) };
}

export const viewRow = (row: StoredRow, nameOf: (key: SiteKey) => string): LogRow => ({
  id: row.id,
  at: moment(row.atMs),
  uid: row.uid,
  login: row.login,
  source: row.source === null ? null : nameOf(row.source),
  target: nameOf(row.target),
  action: row.action,
  status: row.status,
  reason: row.reason,
  message: row.reason === null ? null : reasonSentence(row.reason),
  fields: [...row.fields],
  path: row.path.map(nameOf),
  actor: row.actor,
  attempts: row.attempts,
  durationMs: row.durationMs,
});
