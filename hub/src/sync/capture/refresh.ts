/**
 * Reads chosen accounts from their site again, whole, and spreads what they hold.
 *
 * Needed where a value must travel that the hub no longer has: an account is created from a
 * part, a delivery outlived its retention, a link was proven.
 * Does not: create anybody where a route came later than the person, unless the account is read for that.
 * Always true: what every target holds already is not sent again (I2), so repeating it is safe;
 * an account stays queued until what was read of it is learned, in one transaction (I7).
 */
import type { Lane } from '../../model/identity.ts';
import { wordPressId } from '../../model/ids.ts';
import type { Refresh } from '../ports.ts';
import { askForLabels } from './ask-for-labels.ts';
import { toRow } from './offer.ts';
import { withoutOldBirth } from './old-birth.ts';
import { keepLessons, learnRows, PAGE_ROWS, type PullInput, type PullPorts } from './pull.ts';

export interface Refreshed {
  readonly rows: number;
  /** The site has looked for so many; of the others it has said nothing yet. */
  readonly looked: number;
  readonly more: boolean;
}

/** One page of them. */
export async function refresh(input: PullInput, ports: PullPorts): Promise<Refreshed> {
  const refreshes = await ports.store.refreshes(input.installation, PAGE_ROWS);
  if (refreshes.length === 0) return { rows: 0, looked: 0, more: false };
  const read = await refreshPage(refreshes, input, ports);
  return { ...read, more: refreshes.length === PAGE_ROWS };
}

async function refreshPage(
  refreshes: readonly Refresh[],
  input: PullInput,
  { site, store, spreadBatch }: PullPorts,
): Promise<Omit<Refreshed, 'more'>> {
  const ids = refreshes.map((refresh) => refresh.wpId);
  const request = { after: 0, limit: PAGE_ROWS, ids, detail: 'state' } as const;
  const { answer: page, labelledBefore } = await askForLabels(
    { store, installation: input.installation },
    () => site.accounts(input.connection, request),
    ({ accounts }) => accounts,
  );
  const rows = page.accounts.map((account) => toRow(account, page.clock));
  // A site that ran out of time has not looked for the rest yet.
  const last = page.next ?? Number.POSITIVE_INFINITY;
  const looked = refreshes.filter((refresh) => refresh.wpId <= last);
  await store.transaction(async (tx) => {
    // First: what is learned may ask for the account once more.
    await tx.clearRefreshes(input.installation, looked);
    const lane: Lane = ids.length > 50 ? 'bulk' : 'people';
    const nowMs = await tx.nowMs();
    const { topology } = input;
    const context = { topology, nowMs, lane, again: true, asNew: false, labelledBefore };
    const before = await tx.lockByAccount(input.installation, ids);
    const creates = new Set<number>(looked.flatMap((one) => (one.creates ? one.wpId : [])));
    const lessons = (await learnRows(tx, rows, input, context)).map((taught) => {
      const account = before.get(wordPressId(taught.id))?.accounts.get(input.installation) ?? null;
      return creates.has(taught.id) ? taught : withoutOldBirth(taught, account);
    });
    await keepLessons(tx, lessons, input, context, spreadBatch);
  });
  return { rows: rows.length, looked: looked.length };
}
