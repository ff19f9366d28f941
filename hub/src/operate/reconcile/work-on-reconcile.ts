/**
 * A worker's turn at a comparison of two sites.
 *
 * Does: read the source page by page beside the target, then the target for who is there alone; keep what was
 * found, and raise changes for it where the repair was asked for.
 * Always true: all that matters is stored, with how far it has read; any process may take any turn, and a page
 * that was cut short is done again. What was found before it was raised stays in the report.
 * On failure: what may pass (a site that is away) is noted and tried again; anything else ends the comparison
 * as `failed`, and what was found stands.
 */
import { Fault } from '../../errors.ts';
import {
  type Counted,
  isListed,
  RECONCILES_AT_WORK,
  type ReconcileRecord,
  type ReconcileState,
} from '../../model/reconcile.ts';
import { accountPages } from '../../sync/account-pages.ts';
import { isRepaired, REPAIRS } from '../../sync/reconcile/classify.ts';
import type { OperationPorts } from '../ports.ts';
import { comparePage, type FoundOne, pullBoth } from './compare-page.ts';
import { type Comparison, comparedFields, comparisonOf } from './comparison.ts';
import { digestPages, PAGE } from './digest-pages.ts';
import { lookForExtra } from './look-for-extra.ts';
import { repairPage } from './repair-page.ts';

export async function workOnReconcile(ports: OperationPorts, id: string): Promise<void> {
  const record = await ports.reconciles.find(id);
  if (record === null || !RECONCILES_AT_WORK.includes(record.state)) return;
  try {
    await turn(ports, record);
  } catch (error) {
    await noteFault(ports, id, error);
  }
}

async function turn(ports: OperationPorts, record: ReconcileRecord): Promise<void> {
  const { reconciles, store } = ports;
  const { id, extra } = record;
  const comparison = await comparisonOf(ports, record);
  if (record.total === null) await countAll(ports, record, comparison);
  await pullBoth(ports, comparison);
  if (record.state === 'comparing') {
    if (!(await compareAll(ports, record, comparison))) return;
    if (extra) await reconciles.change(id, ['comparing'], { state: 'looking', readTo: 0 });
  }
  if (extra) {
    const now = await reconciles.find(id);
    if (now?.state !== 'looking') return;
    if (!(await lookAll(ports, now, comparison))) return;
  }
  const endedMs = await store.nowMs();
  await reconciles.change(id, RECONCILES_AT_WORK, { state: 'done', endedMs, fault: null });
}

async function countAll(
  { registry, site, reconciles }: OperationPorts,
  { id, extra }: ReconcileRecord,
  { source, target }: Comparison,
): Promise<void> {
  let total = 0;
  for (const { installation } of extra ? [source, target] : [source]) {
    total += (await site.status(await registry.connection(installation))).accounts;
  }
  await reconciles.change(id, RECONCILES_AT_WORK, { total });
}

/** False: somebody has ended it meanwhile. */
async function compareAll(
  ports: OperationPorts,
  record: ReconcileRecord,
  comparison: Comparison,
): Promise<boolean> {
  const fields = comparedFields(comparison);
  for await (const page of digestPages(ports, comparison.source, fields, record.readTo)) {
    const found = await comparePage(ports, comparison, page.rows);
    const read = { state: 'comparing', from: page.after, to: page.next } as const;
    if (!(await finish(ports, record, comparison, read, page.rows.length, found))) return false;
  }
  return true;
}

async function lookAll(
  ports: OperationPorts,
  record: ReconcileRecord,
  comparison: Comparison,
): Promise<boolean> {
  const connection = await ports.registry.connection(comparison.target.installation);
  const asked = { limit: PAGE, detail: 'who' } as const;
  for await (const page of accountPages(ports.site, connection, asked, record.readTo)) {
    const found = await lookForExtra(ports, comparison, page.accounts);
    const read = { state: 'looking', from: page.after, to: page.next } as const;
    if (!(await finish(ports, record, comparison, read, page.accounts.length, found))) return false;
  }
  return true;
}

/** Behind every account that there is. */
const THE_END = Number.MAX_SAFE_INTEGER;

interface Read {
  readonly state: ReconcileState & ('comparing' | 'looking');
  readonly from: number;
  readonly to: number | null;
}

/** What was found is kept first, then raised, then counted: a page that is done again loses nothing. */
async function finish(
  ports: OperationPorts,
  { id, repair }: ReconcileRecord,
  comparison: Comparison,
  { state, from, to }: Read,
  accounts: number,
  found: readonly FoundOne[],
): Promise<boolean> {
  const { reconciles } = ports;
  await reconciles.keep(id, found.flatMap(asRow));
  if (repair) await repairPage(ports, comparison, found);
  await reconciles.pageDone(id, {
    state,
    side: state === 'comparing' ? 'source' : 'target',
    readFrom: from,
    readTo: to ?? THE_END,
    accounts,
    counts: countsOf(found, state === 'comparing' ? accounts : 0),
    raised: repair ? Object.keys(REPAIRS).filter(isRepaired) : [],
  });
  return (await reconciles.find(id))?.state === state;
}

const asRow = ({ what, side, wpId, reason, uid, login, fields }: FoundOne) =>
  isListed(what) ? [{ what, side, wpId, reason, uid, login, fields }] : [];

/** @param compared accounts of the source on this page; 0: it is a page of the target */
function countsOf(found: readonly FoundOne[], compared: number): readonly Counted[] {
  const counts = new Map<string, Counted>();
  for (const { what, reason } of found) {
    if (isListed(what)) continue;
    const count = (counts.get(`${what} ${reason}`)?.count ?? 0) + 1;
    counts.set(`${what} ${reason}`, { what, reason, count });
  }
  const differing = new Set(found.map(({ wpId }) => wpId)).size;
  const inStep = Math.max(0, compared - differing);
  return [...counts.values(), { what: 'in_step', reason: null, count: inStep }];
}

async function noteFault({ reconciles, store }: OperationPorts, id: string, error: unknown) {
  const known = error instanceof Fault;
  const { code, message, next } = known
    ? error
    : new Fault('internal.fault', 'The comparison broke off.', { cause: error });
  const fault = { code, message, next };
  if (known && error.retryable) await reconciles.change(id, RECONCILES_AT_WORK, { fault });
  else {
    const endedMs = await store.nowMs();
    await reconciles.change(id, RECONCILES_AT_WORK, { fault, state: 'failed', endedMs });
  }
  if (!known) throw error;
}
