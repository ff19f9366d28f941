/** A proof that comes to nothing: it ends once, and the Sync Log says why. */
import type { Identity } from '../../model/identity.ts';
import type { LogStatus } from '../../model/log-entry.ts';
import { type Proof, type ProofHalf, proofActor } from '../../model/proof.ts';
import type { Reason } from '../../reasons.ts';
import type { Store, Transaction } from '../../sync/ports.ts';
import { linkRow } from '../prove-link.ts';

/** Nobody said no: it ran out, or was taken back. */
const CANCELLED: ReadonlySet<Reason> = new Set<Reason>([
  'proof.expired',
  'proof.withdrawn',
  'proof.account_changed',
]);

/** Nothing counts for them any more since their time was over; now the log says so, too. */
export async function endExpired(
  store: Store,
  among: readonly Proof[],
  nowMs: number,
): Promise<void> {
  for (const proof of among) {
    if (proof.ended !== null || proof.endsMs > nowMs) continue;
    await endWith(store, proof, 'proof.expired', proofActor(proof));
  }
}

/** False: it had ended before. */
export const endWith = (
  store: Store,
  proof: Proof,
  reason: Reason,
  actor: string,
): Promise<boolean> => store.transaction((tx) => endIn(tx, proof, reason, actor));

export async function endIn(
  tx: Transaction,
  proof: Proof,
  reason: Reason,
  actor: string,
): Promise<boolean> {
  if (!(await tx.endProof(proof.id, reason))) return false;
  const [one, two] = proof.halves;
  const found = await tx.lockByAccount(one.installation, [one.wpId]);
  const identity = found.get(one.wpId);
  // Whom nobody knows any more has no row; “rollcall proof list” says it all the same.
  if (identity === undefined) return true;
  const status: LogStatus = CANCELLED.has(reason) ? 'cancelled' : 'refused';
  const row = linkRow(identity.uid, one.login, [one.site, two.site], actor);
  await tx.appendLog([{ ...row, status, reason }]);
  return true;
}

/** The living account that the half was made for, and nobody is in doubt about it. */
export function isStill(identity: Identity | undefined, half: ProofHalf): identity is Identity {
  const account = identity?.accounts.get(half.installation);
  return (
    account !== undefined &&
    account.wpId === half.wpId &&
    account.login === half.login &&
    account.registered === half.registered &&
    account.gone === null &&
    account.alarm === null
  );
}
