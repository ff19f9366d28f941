/**
 * Reads chosen accounts from their site again, whole, and spreads what they hold.
 *
 * Needed where a value must travel that the hub no longer has: an account is created from a
 * part, a delivery outlived its retention, a link was proven.
 * Always true: what every target holds already is not sent again (I2), so repeating it is safe.
 */
import type { Lane } from '../../model/identity.ts';
import type { WordPressId } from '../../model/ids.ts';
import { toRow } from './offer.ts';
import { keepLessons, learnRows, PAGE_ROWS, type PullInput, type PullPorts } from './pull.ts';

export async function refresh(input: PullInput, ports: PullPorts): Promise<number> {
  let count = 0;
  for (;;) {
    const ids = await ports.store.transaction((tx) =>
      tx.takeRefreshes(input.installation, PAGE_ROWS),
    );
    if (ids.length === 0) return count;
    try {
      count += await refreshPage(ids, input, ports);
    } catch (fault) {
      await ports.store.transaction((tx) => tx.queueRefresh(input.installation, ids));
      throw fault;
    }
    if (ids.length < PAGE_ROWS) return count;
  }
}

async function refreshPage(
  ids: readonly WordPressId[],
  input: PullInput,
  { site, store, spreadBatch }: PullPorts,
): Promise<number> {
  const page = await site.accounts(input.connection, {
    after: 0,
    limit: PAGE_ROWS,
    ids,
    detail: 'state',
  });
  const rows = page.accounts.map((account) => toRow(account, page.clock));
  await store.transaction(async (tx) => {
    const lane: Lane = ids.length > 50 ? 'bulk' : 'people';
    const nowMs = await tx.nowMs();
    const context = { topology: input.topology, nowMs, lane, again: true, asNew: false };
    const lessons = await learnRows(tx, rows, input, context);
    await keepLessons(tx, lessons, input, context, spreadBatch);
  });
  return rows.length;
}
