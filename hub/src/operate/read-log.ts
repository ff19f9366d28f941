/** The Sync Log as it is shown. */
import type { LogFilter, LogPage, LogQuery, LogRow } from '../api/schemas/log.ts';
import type { SiteKey } from '../model/ids.ts';
import { reasonSentence } from '../reasons.ts';
import type { LogQuery as StoredQuery, LogRow as StoredRow } from '../sync/ports.ts';
import { moment, siteNamed, siteNames } from './names.ts';
import type { OperationPorts } from './ports.ts';

type Ports = Pick<OperationPorts, 'views' | 'registry'>;

export async function readLog(ports: Ports, query: LogQuery): Promise<LogPage> {
  const { after, before, limit } = query;
  const rows = await ports.views.log({
    limit,
    ...(await storedFilter(ports, query)),
    ...(after === undefined ? {} : { afterId: after }),
    ...(before === undefined ? {} : { beforeId: before }),
  });
  const nameOf = await siteNames(ports.registry);
  return { rows: rows.map((row) => viewRow(row, nameOf)) };
}

const EXPORT_PAGE = 1000;

/**
 * All rows that match, oldest first, a page at a time; what is written after it was asked for is left
 * out. Faults are thrown before the first page is given.
 */
export async function exportLog(
  ports: Ports,
  wanted: LogFilter,
): Promise<AsyncIterable<readonly LogRow[]>> {
  const filter = await storedFilter(ports, wanted);
  const nameOf = await siteNames(ports.registry);
  const [newest] = await ports.views.log({ ...filter, limit: 1 });
  const ask = (afterId: number) => ports.views.log({ ...filter, afterId, limit: EXPORT_PAGE });
  return pages(ask, newest?.id ?? 0, nameOf);
}

async function* pages(
  ask: (afterId: number) => Promise<readonly StoredRow[]>,
  lastId: number,
  nameOf: (key: SiteKey) => string,
): AsyncGenerator<readonly LogRow[]> {
  for (let after = 0; after < lastId; ) {
    const rows = await ask(after);
    const asked = rows.filter((row) => row.id <= lastId);
    if (asked.length > 0) yield asked.map((row) => viewRow(row, nameOf));
    after = asked.length < EXPORT_PAGE ? lastId : (asked.at(-1)?.id ?? lastId);
  }
}

const UID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/iu;

async function storedFilter(
  { registry }: Ports,
  { status, action, reason, site, account, since, until }: LogFilter,
): Promise<Omit<StoredQuery, 'limit'>> {
  return {
    ...(status === undefined ? {} : { statuses: status }),
    ...(action === undefined ? {} : { actions: action }),
    ...(reason === undefined ? {} : { reason }),
    ...(site === undefined ? {} : { site: (await siteNamed(registry, site)).key }),
    ...(account === undefined ? {} : UID.test(account) ? { uid: account } : { login: account }),
    ...(since === undefined ? {} : { sinceMs: Date.parse(since) }),
    ...(until === undefined ? {} : { untilMs: Date.parse(until) }),
  };
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
  unconfirmedEmail: row.unconfirmed === true,
});
