/**
 * A target says under which WordPress id it created an account. It may not say an id that is
 * somebody else's: the two persons would become one without any proof (I5, I6).
 */
import type { Receipt } from '#contract/messages.ts';
import { type InstallationId, wordPressId } from '../../model/ids.ts';
import type { Transaction } from '../ports.ts';
import type { Answered } from './item.ts';

/** The receipts, those with another person's id as refusals that a person must look at. */
export async function refuseOthersIds(
  tx: Transaction,
  answered: readonly Answered[],
  installation: InstallationId,
): Promise<readonly Answered[]> {
  const ids = answered.flatMap(({ item, receipt }) =>
    item.composed.delivery.birth === null || receipt.id === undefined ? [] : receipt.id,
  );
  if (ids.length === 0) return answered;
  const holders = await tx.lockByAccount(installation, ids.map(wordPressId));
  const taken = new Set<number>();
  return answered.map(({ item, receipt }) => {
    if (item.composed.delivery.birth === null || receipt.id === undefined) return { item, receipt };
    const holder = holders.get(wordPressId(receipt.id));
    const isOthers = holder !== undefined && holder.uid !== item.claimed.identity.uid;
    if (!isOthers && !taken.has(receipt.id)) {
      taken.add(receipt.id);
      return { item, receipt };
    }
    const refusal: Receipt = {
      op: receipt.op,
      result: 'refused',
      reason: 'identity.label_mismatch',
    };
    return { item, receipt: refusal };
  });
}
