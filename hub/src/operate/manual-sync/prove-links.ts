/** The operator's run named these links: from now on each pair is one person. */
import type { IdentityUid } from '../../model/ids.ts';
import type { SiteRecord } from '../../sync/ports.ts';
import { operatorNamed } from '../names.ts';
import type { OperationPorts } from '../ports.ts';
import { linkRow, older, whyNotOne } from '../prove-link.ts';
import type { Planned } from './plan-page.ts';

/** Which uid became which. Repeating it changes nothing. */
export async function proveLinks(
  { store }: OperationPorts,
  links: readonly Planned[],
  source: SiteRecord,
  by: string,
): Promise<ReadonlyMap<IdentityUid, IdentityUid>> {
  const became = new Map<IdentityUid, IdentityUid>();
  for (const { identity, candidate, state, way } of links) {
    if (candidate === null) continue;
    await store.transaction(async (tx) => {
      const found = await tx.lockByUid([identity.uid, candidate.uid]);
      const one = found.get(identity.uid);
      const two = found.get(candidate.uid);
      if (one === undefined || two === undefined || one.uid === two.uid) return;
      if (whyNotOne(one, two) !== null) return;
      const { into, from } = older(one, two);
      await tx.mergeIdentities(into.uid, from.uid);
      await tx.appendLog([
        linkRow(into.uid, state.login, [source.key, way.target.key], operatorNamed(by)),
      ]);
      became.set(identity.uid, into.uid);
    });
  }
  return became;
}
