/** Erasures on their way, and an operator's word about those that are held. */
import type { DecidedErasures, DecideErasures, ErasureList } from '../../api/schemas/privacy.ts';
import { reasonSentence } from '../../reasons.ts';
import { siteNames } from '../names.ts';
import type { OperationPorts } from '../ports.ts';

const MOST_SHOWN = 1_000;

export async function listErasures({ erasures, registry }: OperationPorts): Promise<ErasureList> {
  const nameOf = await siteNames(registry);
  const steps = await erasures.list(MOST_SHOWN);
  return {
    erasures: steps.map(({ id, uid, source, target, state, reason, atMs }) => ({
      id,
      at: new Date(atMs).toISOString(),
      uid,
      source: nameOf(source),
      target: nameOf(target),
      state,
      reason,
      message: reason === null ? null : reasonSentence(reason),
    })),
  };
}

export async function decideErasures(
  { erasures, wake }: OperationPorts,
  { erasures: ids, decision }: DecideErasures,
): Promise<DecidedErasures> {
  const there = await erasures.decide(ids ?? null, decision);
  for (const installation of new Set(there)) await wake.pull(installation);
  return { decided: there.length };
}
