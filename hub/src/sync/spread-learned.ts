/**
 * The one consequence of every learned fact, in the caller's transaction: decide for each
 * outgoing route, store the deliveries, say what was decided.
 *
 * Always true: look-ups are made once for the whole batch, never per person.
 */

import type { Holding, Identity } from '../model/identity.ts';
import type { DeliveryId, IdentityUid, InstallationId } from '../model/ids.ts';
import type { LogEntry } from '../model/log-entry.ts';
import type { Topology } from '../model/route.ts';
import { CreationAllowance, type CreationLimit } from './creation-limit.ts';
import type { Decision } from './decide/decide.ts';
import { routesOut, spread } from './decide/spread.ts';
import type { Transaction } from './ports.ts';
import type { Learned, SpreadBatch } from './spread-batch.ts';

export interface SpreadSettings {
  readonly settleDeletesMs: number;
  readonly creationLimit: CreationLimit;
  readonly newDeliveryId: () => DeliveryId;
}

export function spreadLearned(settings: SpreadSettings): SpreadBatch {
  return async (tx, { topology, nowMs, asNew = false }, learned, alsoLog) => {
    const allowance = new CreationAllowance(tx, settings.creationLimit, topology);
    const candidates = await candidatesFor(tx, learned, topology);
    const log: LogEntry[] = [...alsoLog];
    const identities: Identity[] = [];
    const links: Parameters<Transaction['saveLinks']>[0][number][] = [];
    for (const { identity, holding, actor } of learned) {
      if (holding === null) {
        identities.push(identity);
        continue;
      }
      const result = spread({
        identity,
        holding,
        topology,
        nowMs,
        actor,
        candidates: (installation) => candidates(identity.uid, installation),
        creationsUsedUp: await allowance.isUsedUp(holding, asNew),
        ...settings,
      });
      if (isCaptured(holding) && !asNew && result.decisions.some(creates)) {
        allowance.use(holding.installation);
      }
      identities.push(result.identity);
      log.push(...result.log);
      for (const { installation, candidate } of result.links) {
        const { wpId, by } = candidate;
        links.push({ uid: identity.uid, installation, wpId, by });
      }
      const account = identity.accounts.get(holding.installation);
      if (result.needsRefresh && account !== undefined) {
        await tx.queueRefresh(holding.installation, [account.wpId], { creates: true });
      }
    }
    await allowance.remember();
    await tx.save(identities);
    if (links.length > 0) await tx.saveLinks(links);
    if (log.length > 0) await tx.appendLog(log);
  };
}

const isCaptured = ({ learnedBy }: Holding): boolean => learnedBy === 'capture';
const creates = (decision: Decision): boolean =>
  decision.kind === 'deliver' && decision.birth !== null;

/** Who on the targets has the same e-mail or login, for people who have no account there. */
async function candidatesFor(
  tx: Transaction,
  learned: readonly Learned[],
  topology: Topology,
): Promise<(uid: IdentityUid, installation: InstallationId) => Candidates> {
  const people: { uid: IdentityUid; email: string; login: string; on: InstallationId[] }[] = [];
  const installations = new Set<InstallationId>();
  for (const { identity, holding } of learned) {
    if (holding === null || holding.gone !== null) continue;
    const account = identity.accounts.get(holding.installation);
    if (account === undefined) continue;
    let missing = false;
    for (const { target } of routesOut(topology, holding.installation)) {
      if (identity.accounts.has(target.installation)) continue;
      installations.add(target.installation);
      missing = true;
    }
    if (missing) {
      // The name that it is created under elsewhere: here it may have been taken already.
      const login = holding.birth?.login ?? account.login;
      const { email } = account;
      people.push({ uid: identity.uid, email, login, on: [...identity.accounts.keys()] });
    }
  }
  if (people.length === 0) return () => [];
  return tx.candidates(people, [...installations]);
}

type Candidates = ReturnType<Awaited<ReturnType<Transaction['candidates']>>>;
