/**
 * "These are two persons", said of a pair in an adopt run: nobody is held again for the other's sake, and
 * no account is made beside the other. The next plan names them as kept apart.
 */
import { isDeepStrictEqual } from 'node:util';
import { apartFrom } from '../../../model/field.ts';
import type { Identity } from '../../../model/identity.ts';
import type { IdentityUid, SiteKey } from '../../../model/ids.ts';
import type { StepChange, SyncRunRecord, SyncStep } from '../../../model/sync-run.ts';
import type { OperationPorts } from '../../ports.ts';
import type { Planned } from '../plan-page.ts';
import { stepOf } from '../plan-sync.ts';
import { hasMovedApart } from './looked-at.ts';

/** Repeating it changes nothing. */
export async function setApart(
  ports: OperationPorts,
  run: SyncRunRecord,
  step: SyncStep,
  now: Planned | undefined,
): Promise<Omit<StepChange, 'wpId' | 'target'>> {
  if (now === undefined) return { state: 'changed', note: 'source.account_missing' };
  const fresh = stepOf(now);
  const isSame = isDeepStrictEqual(fresh.sides, step.sides);
  if (!isSame || (step.pair !== 'clash' && hasMovedApart(step, fresh))) {
    return {
      seen: fresh.seen,
      sides: fresh.sides,
      state: 'changed',
      note: 'run.changed_meanwhile',
    };
  }
  const others = (step.sides?.others ?? []).map(({ uid }) => uid);
  await ports.store.transaction(async (tx) => {
    const found = await tx.lockByUid([step.uid, ...others]);
    const nowMs = await tx.nowMs();
    const saved = new Map<IdentityUid, Identity>();
    const latest = (uid: IdentityUid): Identity | undefined => {
      const identity = found.get(uid);
      return identity && (saved.get(identity.uid) ?? identity);
    };
    for (const other of others) {
      const one = latest(step.uid);
      const two = latest(other);
      if (one === undefined || two === undefined || one.uid === two.uid) continue;
      saved.set(one.uid, apart(one, step.target, two.uid, nowMs));
      saved.set(two.uid, apart(two, run.source, one.uid, nowMs));
    }
    await tx.save([...saved.values()]);
  });
  return { state: 'arrived', note: 'identity.kept_apart' };
}

function apart(identity: Identity, target: SiteKey, other: IdentityUid, nowMs: number): Identity {
  const stopped = new Map(identity.stopped);
  stopped.set(target, new Map(stopped.get(target)).set(apartFrom(other), [nowMs, target]));
  return { ...identity, stopped };
}
