/**
 * The operator's run named these links: from now on each pair is one person.
 *
 * Always true: under the locks it is asked once more whether the two can be one. Where nothing is to cross
 * what waited for an account of its own to be made, as the other one was in its way, is dropped.
 */
import type { Identity } from '../../model/identity.ts';
import type { IdentityUid, SiteKey } from '../../model/ids.ts';
import { uncovered } from '../../model/power.ts';
import type { Topology } from '../../model/route.ts';
import type { Reason } from '../../reasons.ts';
import type { SiteRecord, Transaction } from '../../sync/ports.ts';
import { operatorNamed } from '../names.ts';
import type { OperationPorts } from '../ports.ts';
import { linkRow, older, whyNotOne } from '../prove-link.ts';
import type { Planned } from './plan-page.ts';

interface Proven {
  /** Which uid became which. */
  readonly became: ReadonlyMap<IdentityUid, IdentityUid>;
  readonly refused: ReadonlyMap<Planned, Reason>;
}

/** Repeating it changes nothing. */
export async function proveLinks(
  { store, registry }: OperationPorts,
  links: readonly Planned[],
  options: { readonly source: SiteRecord; readonly by: string; readonly crosses: boolean },
): Promise<Proven> {
  const topology = await registry.topology();
  return store.transaction(async (tx) => {
    const became = new Map<IdentityUid, IdentityUid>();
    const refused = new Map<Planned, Reason>();
    // All at once, so that two transactions never wait for each other in a circle.
    await tx.lockByUid(
      links.flatMap(({ identity, candidate }) => [identity.uid, candidate?.uid ?? []].flat()),
    );
    for (const link of links) {
      const result = await proveOne(tx, link, { ...options, topology });
      if (result === null) continue;
      if ('into' in result) became.set(link.identity.uid, result.into);
      else refused.set(link, result.refused);
    }
    return { became, refused };
  });
}

async function proveOne(
  tx: Transaction,
  { identity, candidate, state, way }: Planned,
  { source, by, crosses, topology }: Parameters<typeof proveLinks>[2] & { topology: Topology },
): Promise<{ readonly into: IdentityUid } | { readonly refused: Reason } | null> {
  if (candidate === null) return null;
  const found = await tx.lockByUid([identity.uid, candidate.uid]);
  const one = found.get(identity.uid);
  const two = found.get(candidate.uid);
  if (one === undefined || two === undefined) return { refused: 'target.account_missing' };
  // An earlier turn has done it.
  if (one.uid === two.uid) return { into: one.uid };
  const reason = whyRefused(one, two, topology);
  if (reason !== null) return { refused: reason };
  const { into, from } = older(one, two);
  if (!crosses) {
    const sites = [source.key, way.target.key];
    await tx.save([withoutBirths(one, sites), withoutBirths(two, sites)]);
  }
  await tx.mergeIdentities(into.uid, from.uid);
  const actor = operatorNamed(by);
  await tx.appendLog([linkRow(into.uid, state.login, [source.key, way.target.key], actor)]);
  return { into: into.uid };
}

function whyRefused(one: Identity, two: Identity, topology: Topology): Reason | null {
  const accounts = [...one.accounts.values(), ...two.accounts.values()];
  if (uncovered(accounts, topology) !== null) return 'link.privileged';
  if (accounts.some(({ alarm }) => alarm !== null)) return 'identity.label_mismatch';
  return whyNotOne(one, two, topology) === null ? null : 'link.other_person';
}

function withoutBirths(identity: Identity, sites: readonly SiteKey[]): Identity {
  const deliveries = new Map(identity.deliveries);
  for (const site of sites) if (deliveries.get(site)?.birth != null) deliveries.delete(site);
  return { ...identity, deliveries };
}
