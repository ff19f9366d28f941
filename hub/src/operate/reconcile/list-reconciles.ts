/** Comparisons as they are shown. */
import { z } from 'zod';
import type {
  DriftQuery,
  DriftRows,
  ReconcileList,
  ReconcileListQuery,
  ReconcileView,
} from '../../api/schemas/reconcile.ts';
import { MOST_ROWS_SHOWN } from '../../api/schemas/words.ts';
import { Fault } from '../../errors.ts';
import { wordPressId } from '../../model/ids.ts';
import { FOUND, type Found, isDrift, type ReconcileRecord } from '../../model/reconcile.ts';
import { reasonSentence } from '../../reasons.ts';
import { isRepaired, REPAIRS } from '../../sync/reconcile/classify.ts';
import { moment, momentOrNull, siteNamed, siteNames } from '../names.ts';
import { placeOf, placeText } from '../place.ts';
import type { OperationPorts } from '../ports.ts';

/** @throws Fault `reconcile.unknown` */
export async function reconcileCalled(
  { reconciles }: Pick<OperationPorts, 'reconciles'>,
  id: string,
): Promise<ReconcileRecord> {
  const found = await reconciles.find(id);
  if (found === null) throw new Fault('reconcile.unknown', `There is no comparison “${id}”.`);
  return found;
}

export async function viewReconcile(ports: OperationPorts, id: string): Promise<ReconcileView> {
  return viewOf(ports, await reconcileCalled(ports, id));
}

/** A page is looked at one by one. */
const SHOWN = 50;
const PlaceSchema = z.tuple([z.int().nonnegative(), z.string()]);

export async function listReconciles(
  ports: OperationPorts,
  { source, target, after, limit = SHOWN }: ReconcileListQuery,
): Promise<ReconcileList> {
  const size = Math.min(limit, SHOWN);
  const keyOf = async (name: string) => (await siteNamed(ports.registry, name)).key;
  const [atMs, id] = after === undefined ? [] : placeOf(after, PlaceSchema);
  const records = await ports.reconciles.list({
    ...(source === undefined ? {} : { source: await keyOf(source) }),
    ...(target === undefined ? {} : { target: await keyOf(target) }),
    ...(atMs === undefined || id === undefined ? {} : { after: { atMs, id } }),
    limit: size,
  });
  const reconciles: ReconcileView[] = [];
  for (const record of records) reconciles.push(await viewOf(ports, record));
  const last = records.at(-1);
  const isAll = records.length < size || last === undefined;
  return { reconciles, next: isAll ? null : placeText([last.atMs, last.id]) };
}

export async function viewOf(
  ports: OperationPorts,
  record: ReconcileRecord,
): Promise<ReconcileView> {
  const nameOf = await siteNames(ports.registry);
  const rows = await ports.reconciles.rowCounts(record.id);
  const found = new Map<string, ReconcileView['found'][number]>();
  const add = (what: Found, reason: string, count: number, raised: number): void => {
    const key = `${what} ${reason}`;
    const one = found.get(key) ?? {
      what,
      reason,
      message: reasonSentence(reason),
      count: 0,
      raised: 0,
    };
    found.set(key, { ...one, count: one.count + count, raised: one.raised + raised });
  };
  for (const { what, reason, state, count } of rows)
    add(what, reason, count, state === 'raised' ? count : 0);
  for (const { what, reason, count } of record.counts)
    if (reason !== null) add(what, reason, count, 0);
  const all = [...found.values()].toSorted(
    (a, b) => FOUND.indexOf(a.what) - FOUND.indexOf(b.what) || b.count - a.count,
  );
  const drift = all.filter(({ what }) => isDrift(what));
  return {
    id: record.id,
    state: record.state,
    source: nameOf(record.source),
    target: nameOf(record.target),
    repair: record.repair,
    extra: record.extra,
    by: record.startedBy,
    accounts: record.accounts,
    total: record.total,
    drift: drift.reduce((sum, { count }) => sum + count, 0),
    raised: drift.reduce((sum, { raised }) => sum + raised, 0),
    inStep: record.counts.find(({ what }) => what === 'in_step')?.count ?? 0,
    found: all,
    askedAt: moment(record.atMs),
    endedAt: momentOrNull(record.endedMs),
    fault: record.fault,
  };
}

const RowPlaceSchema = z.tuple([z.enum(['source', 'target']), z.int().nonnegative(), z.string()]);

export async function listDrift(
  ports: OperationPorts,
  id: string,
  { what, after, limit = MOST_ROWS_SHOWN }: DriftQuery,
): Promise<DriftRows> {
  const record = await reconcileCalled(ports, id);
  const nameOf = await siteNames(ports.registry);
  const [side, wpId, reason] = after === undefined ? [] : placeOf(after, RowPlaceSchema);
  const rows = await ports.reconciles.rows(record.id, {
    ...(what === undefined ? {} : { what }),
    ...(side === undefined || wpId === undefined || reason === undefined
      ? {}
      : { after: { side, wpId: wordPressId(wpId), reason } }),
    limit,
  });
  const accounts = rows.map((row) => ({
    login: row.login,
    site: nameOf(record[row.side]),
    wpId: row.wpId,
    uid: row.uid,
    what: row.what,
    fields: [...row.fields],
    reason: row.reason,
    message: reasonSentence(row.reason),
    next: nextStep(row.reason),
    raised: row.state === 'raised',
  }));
  const last = rows.at(-1);
  const isAll = rows.length < limit || last === undefined;
  return { accounts, next: isAll ? null : placeText([last.side, last.wpId, last.reason]) };
}

const NEXT: Readonly<Record<string, string>> = {
  'drift.altered': 'Look at the plugins of the target; sending it again would end the same way.',
  'drift.extra': 'Link it to its person, delete it on its site, or leave it where it belongs.',
  'drift.from_before':
    'A manual sync makes the target like the source; the repair leaves it alone.',
  'drift.newer_there': 'A route back brings it here; the repair never overwrites what is newer.',
  'identity.deleted': 'Delete it on its site if it is to go; the repair deletes nobody.',
};
const BY_REPAIR = {
  send: 'The repair sends it.',
  reread: 'The repair learns what the target holds, and sends it again.',
  alarm: 'The repair reports it as an alarm; “rollcall alarm answer” says what becomes of it.',
} as const;

const nextStep = (reason: string): string =>
  isRepaired(reason)
    ? BY_REPAIR[REPAIRS[reason]]
    : (NEXT[reason] ??
      'It waits for a person; “rollcall held list” and “rollcall alarm list” show it.');
