/**
 * What chosen accounts hold goes to one target, by an operator's word (what the site lets leave by
 * itself does not matter), or because a comparison found the target behind (then it does).
 *
 * Always true: it takes the same road as any change; what the target holds already is not sent again
 * (I2), so repeating it is safe.
 */
import type { SiteKey, WordPressId } from '../../model/ids.ts';
import { accountPages } from '../account-pages.ts';
import { type OfferOptions, offer } from './offer.ts';
import { PAGE_ROWS, type PullInput, type PullPorts } from './pull.ts';

export async function carry(
  ids: readonly WordPressId[],
  target: SiteKey,
  input: PullInput,
  ports: PullPorts,
  options: OfferOptions = { asNew: false, asked: true },
): Promise<void> {
  const asked = { ids: [...ids], limit: PAGE_ROWS, detail: 'state' } as const;
  for await (const { accounts } of accountPages(ports.site, input.connection, asked)) {
    await offer(accounts, target, input, ports, options);
  }
}
