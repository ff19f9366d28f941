/**
 * Accounts that the hub doesn't know on a site although it has created them there itself: the answer
 * to their creation is still to come, or was lost.
 *
 * Always true: the label alone is not believed: a delivery that was to create this login there was sent,
 * or was refused there.
 */
import { ACCOUNT } from '../../model/field.ts';
import type { Identity } from '../../model/identity.ts';
import { identityUid } from '../../model/ids.ts';
import { type Site, sitesOf } from '../../model/route.ts';
import type { Transaction } from '../ports.ts';
import type { PullInput } from './pull.ts';

/** Who a site says that somebody is, or was. */
interface Said {
  readonly id: number;
  readonly uid: string | null;
  readonly login: string;
}

/** By the id on the site. */
export async function sentThere(
  tx: Transaction,
  unknown: readonly Said[],
  input: Pick<PullInput, 'installation' | 'topology'>,
): Promise<ReadonlyMap<number, Identity>> {
  const claims = unknown.flatMap(({ uid }) => (uid === null ? [] : identityUid(uid)));
  if (claims.length === 0) return new Map();
  const claimed = await tx.lockByUid(claims);
  const sites = sitesOf(input.topology, input.installation);
  return new Map(
    unknown.flatMap((said): [number, Identity][] => {
      const identity = said.uid === null ? undefined : claimed.get(identityUid(said.uid));
      const ours = identity !== undefined && wasSentThere(identity, said, sites, input);
      return ours ? [[said.id, identity]] : [];
    }),
  );
}

function wasSentThere(
  identity: Identity,
  { login }: Said,
  sites: readonly Site[],
  { installation }: Pick<PullInput, 'installation'>,
): boolean {
  if (identity.accounts.has(installation)) return false;
  return sites.some((site) => {
    const delivery = identity.deliveries.get(site.key);
    if (delivery?.birth?.login === login && delivery.attempts > 0) return true;
    // Sent once more after it had ended there, and refused for that.
    const ended = identity.stopped.get(site.key)?.has(ACCOUNT) === true;
    return ended && [...identity.accounts.values()].some((account) => account.login === login);
  });
}
