/**
 * What a restored hub did not know travels on, once everybody on every site is known again.
 *
 * Does: read those that were noted, and spread what they hold. Somebody who is new since the backup is
 * offered as if just registered; all others were, long ago, and are created nowhere by this.
 * Always true: an account stays noted until what was read of it is learned, in one transaction (I7);
 * what every target holds already is not sent again (I2).
 */
import { Fault } from '../../errors.ts';
import { wordPressId } from '../../model/ids.ts';
import { toRow } from './offer.ts';
import { withoutOldBirth } from './old-birth.ts';
import { keepLessons, learnRows, PAGE_ROWS, type PullInput, type PullPorts } from './pull.ts';

/** Asked again and again for the same ones, a site looks for at least one of them. */
const MOST_IDLE = 3;

export async function spreadRecovered(
  input: PullInput,
  { site, store, spreadBatch }: PullPorts,
): Promise<void> {
  const { installation, topology } = input;
  for (let idle = 0; ; ) {
    const waiting = await store.refreshes(installation, PAGE_ROWS);
    if (waiting.length === 0) return;
    const ids = waiting.map(({ wpId }) => wpId);
    const request = { after: 0, limit: PAGE_ROWS, ids, detail: 'state' } as const;
    const page = await site.accounts(input.connection, request);
    // A site that ran out of time has not looked for the rest yet.
    const last = page.next ?? Number.POSITIVE_INFINITY;
    const looked = waiting.filter(({ wpId }) => wpId <= last);
    idle = looked.length > 0 ? 0 : idle + 1;
    if (idle === MOST_IDLE)
      throw new Fault('site.bad_answer', 'The site reads nobody it is asked for.');
    await store.transaction(async (tx) => {
      await tx.clearRefreshes(installation, looked);
      const nowMs = await tx.nowMs();
      const context = { topology, nowMs, lane: 'bulk', again: true, asNew: false } as const;
      const rows = page.accounts.map((account) => toRow(account, page.clock));
      const before = await tx.lockByAccount(installation, ids);
      const lessons = await learnRows(tx, rows, input, context);
      const told = lessons.map((taught) => {
        const account = before.get(wordPressId(taught.id))?.accounts.get(installation);
        return withoutOldBirth(taught, account ?? null);
      });
      await keepLessons(tx, told, input, context, spreadBatch);
    });
    if (waiting.length < PAGE_ROWS) return;
  }
}
