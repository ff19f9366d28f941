/**
 * Both halves have come: two accounts become one person, by the rules of `prove-link.ts`.
 *
 * Always true: both sites say at this moment that no account concerned is privileged, and that their
 * half still stands (an address that changed since takes it back); the proof ends in the transaction
 * that links, so one that was withdrawn meanwhile links nobody.
 * On failure: throws `site.*` when a site can't be asked; it is done with a later pull.
 */
import { timingSafeEqual } from 'node:crypto';
import { Fault } from '../../errors.ts';
import type { Identity } from '../../model/identity.ts';
import type { InstallationId } from '../../model/ids.ts';
import { type Proof, type ProofHalf, proofActor } from '../../model/proof.ts';
import type { Reason } from '../../reasons.ts';
import type { Transaction, Wake } from '../../sync/ports.ts';
import { join, refusePrivilegedNow, whyNotOne } from '../prove-link.ts';
import { endIn, endWith, isStill } from './end-proof.ts';
import type { ProofPorts } from './tell-site.ts';

export async function finishProof(
  ports: ProofPorts & { readonly wake: Wake },
  proof: Proof,
): Promise<void> {
  const { store, wake } = ports;
  const actor = proofActor(proof);
  const end = (reason: Reason) => endWith(store, proof, reason, actor);
  if (!agree(proof)) {
    await end('proof.passwords_differ');
    return;
  }
  const persons = await store.transaction((tx) => personsOf(tx, proof));
  const why = persons === null ? 'proof.account_changed' : await whyNotNow(ports, proof, persons);
  if (persons === null || why !== null) {
    await end(why ?? 'proof.account_changed');
    return;
  }
  const installations = await store.transaction((tx) => linkIn(tx, proof, persons, actor));
  for (const installation of new Set(installations)) await wake.pull(installation);
}

/** A mail was confirmed by whoever could read it. Of passwords the two verifiers have to be the same. */
function agree({ kind, halves: [one, two] }: Proof): boolean {
  if (kind === 'mail') return true;
  const [left, right] = [Buffer.from(one.verifier ?? ''), Buffer.from(two.verifier ?? '')];
  return left.length > 0 && left.length === right.length && timingSafeEqual(left, right);
}

type Persons = readonly [Identity, Identity];

async function personsOf(tx: Transaction, { halves }: Proof): Promise<Persons | null> {
  const [one, two] = halves;
  const first = (await tx.lockByAccount(one.installation, [one.wpId])).get(one.wpId);
  const second = (await tx.lockByAccount(two.installation, [two.wpId])).get(two.wpId);
  return isStill(first, one) && isStill(second, two) ? [first, second] : null;
}

async function whyNotNow(
  ports: ProofPorts,
  { halves }: Proof,
  persons: Persons,
): Promise<Reason | null> {
  try {
    if (persons[0].uid !== persons[1].uid) await refusePrivilegedNow(ports, persons);
  } catch (fault) {
    if (fault instanceof Fault && fault.code === 'link.refused') return 'account.privileged';
    throw fault;
  }
  for (const half of halves) {
    if (!(await stillStands(ports, half))) return 'proof.account_changed';
  }
  return null;
}

async function stillStands({ registry, site }: ProofPorts, half: ProofHalf): Promise<boolean> {
  const connection = await registry.connection(half.installation);
  const one = { after: 0, limit: 1, ids: [half.wpId], detail: 'state' } as const;
  const { accounts } = await site.accounts(connection, one);
  const state = accounts.find(({ id }) => id === half.wpId);
  return state?.proofs?.some((confirmed) => confirmed.half === half.half) === true;
}

async function linkIn(
  tx: Transaction,
  proof: Proof,
  asked: Persons,
  actor: string,
): Promise<readonly InstallationId[]> {
  const [first, second] = proof.halves;
  const found = await tx.lockByUid(asked.map(({ uid }) => uid));
  const [one, two] = [found.get(asked[0].uid), found.get(asked[1].uid)];
  if (!isStill(one, first) || !isStill(two, second)) {
    await endIn(tx, proof, 'proof.account_changed', actor);
    return [];
  }
  if (one.uid !== two.uid && whyNotOne(one, two) !== null) {
    const privileged = [...one.accounts.values(), ...two.accounts.values()].some(
      (account) => account.privileged,
    );
    await endIn(tx, proof, privileged ? 'account.privileged' : 'proof.two_persons', actor);
    return [];
  }
  if (!(await tx.endProof(proof.id, 'proven')) || one.uid === two.uid) return [];
  const sites = [first.site, second.site] as const;
  return (await join(tx, [one, two], first.login, sites, actor)).installations;
}
