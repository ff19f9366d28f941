/** What people were asked to prove and what came of it, and taking it back. */
import type { AskedProof } from '../../api/schemas/proof.ts';
import { Fault } from '../../errors.ts';
import type { Proof, ProofHalf } from '../../model/proof.ts';
import { reasonSentence } from '../../reasons.ts';
import { moment, momentOrNull, operatorNamed, siteNames } from '../names.ts';
import type { OperationPorts } from '../ports.ts';
import { endWith } from './end-proof.ts';
import { tellIfPossible } from './tell-site.ts';

export const listProofs = async (ports: OperationPorts): Promise<readonly AskedProof[]> =>
  viewsOf(ports, await ports.proofs.list());

/** @throws Fault `proof.unknown` */
export async function withdrawProof(
  ports: OperationPorts,
  id: string,
  by: string,
): Promise<AskedProof> {
  const { proofs, store } = ports;
  const found = await proofs.find(id);
  if (found === null) throw unknown(id);
  await endWith(store, found, 'proof.withdrawn', operatorNamed(by));
  await takeBack(ports, id);
  const [view] = await viewsOf(ports, [(await proofs.find(id)) ?? found]);
  if (view === undefined) throw unknown(id);
  return view;
}

/** Tells both sites what has ended; who can't be told now is told with its next pull. */
export async function takeBack(ports: OperationPorts, id: string): Promise<void> {
  const proof = await ports.proofs.find(id);
  if (proof === null || proof.ended === null) return;
  for (const { installation } of proof.halves) await tellIfPossible(ports, installation, [proof]);
}

export async function viewsOf(
  { registry, store }: Pick<OperationPorts, 'registry' | 'store'>,
  proofs: readonly Proof[],
): Promise<AskedProof[]> {
  const nameOf = await siteNames(registry);
  const nowMs = await store.nowMs();
  // Whether or not the log says so yet.
  const endOf = ({ ended, endsMs }: Proof) => ended ?? (endsMs <= nowMs ? 'proof.expired' : null);
  return proofs.map((proof) => viewOf(proof, endOf(proof), nameOf));
}

function viewOf(
  { id, kind, startedBy, atMs, endsMs, halves }: Proof,
  ended: string | null,
  nameOf: (key: ProofHalf['site']) => string,
): AskedProof {
  return {
    id,
    kind,
    by: startedBy,
    at: moment(atMs),
    ends: moment(endsMs),
    ended,
    message: ended === null || ended === 'proven' ? null : reasonSentence(ended),
    halves: halves.map(({ site, login, asked, confirmedMs }) => ({
      site: nameOf(site),
      login,
      asked,
      confirmedAt: momentOrNull(confirmedMs),
    })),
  };
}

const unknown = (id: string): Fault => new Fault('proof.unknown', `There is no proof “${id}”.`);
