/**
 * With each pull of an installation: ends what ran out, links what both halves prove, and tells the
 * installation what it has to ask and to forget.
 *
 * Always true: it never stops a pull. A site that can't be spoken to is left for a later one; whoever
 * backs off or waits for a person is not spoken to.
 */
import { Fault } from '../../errors.ts';
import type { InstallationId } from '../../model/ids.ts';
import type { Proof } from '../../model/proof.ts';
import type { Wake } from '../../sync/ports.ts';
import { endExpired } from './end-proof.ts';
import { finishProof } from './finish-proof.ts';
import { type ProofPorts, tellIfPossible } from './tell-site.ts';

type Ports = ProofPorts & { readonly wake: Wake };

export async function settleProofs(ports: Ports, installation: InstallationId): Promise<void> {
  const found = await ports.proofs.concerning(installation);
  if (found.length === 0) return;
  const nowMs = await ports.store.nowMs();
  await endExpired(ports.store, found, nowMs);
  let settled = false;
  for (const proof of found) {
    if (proof.ended === null && proof.endsMs > nowMs && (await settle(ports, proof, nowMs))) {
      settled = true;
      for (const half of proof.halves) {
        if (half.installation !== installation) await ports.wake.pull(half.installation);
      }
    }
  }
  const open = found.filter(({ endsMs }) => endsMs > nowMs);
  const now = settled ? await ports.proofs.concerning(installation) : open;
  await tellIfPossible(ports, installation, now);
}

/** True: it may have ended. */
async function settle(ports: Ports, proof: Proof, nowMs: number): Promise<boolean> {
  if (proof.halves.some(({ confirmedMs }) => confirmedMs === null)) return false;
  if (!(await bothCanBeAsked(ports, proof, nowMs))) return false;
  try {
    await finishProof(ports, proof);
    return true;
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    return false;
  }
}

async function bothCanBeAsked(
  { registry }: ProofPorts,
  { halves }: Proof,
  nowMs: number,
): Promise<boolean> {
  for (const { installation } of halves) {
    const { state, retryAtMs } = await registry.installation(installation);
    if (state !== 'active' || retryAtMs > nowMs) return false;
  }
  return true;
}
