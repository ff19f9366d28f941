/**
 * Tells one installation of its own halves: what to ask of whom, and what to forget.
 *
 * Always true: a site hears its own halves alone; of the other account it hears what the person is to
 * read: the site's name and address, and since when the account has been there.
 * On failure: throws `site.*`; what was told stays noted, the rest is told again.
 */
import { MOST_PROOFS, type ProofOrder } from '#contract/messages.ts';
import { Fault } from '../../errors.ts';
import type { InstallationId } from '../../model/ids.ts';
import { type Proof, type ProofHalf, proofActor } from '../../model/proof.ts';
import { isReason, type Reason } from '../../reasons.ts';
import type { Proofs, Registry, SitePort, SiteRecord, Store } from '../../sync/ports.ts';
import { endWith } from './end-proof.ts';

export interface ProofPorts {
  readonly store: Store;
  readonly registry: Registry;
  readonly site: SitePort;
  readonly proofs: Proofs;
}

export interface Refusal {
  readonly half: ProofHalf;
  readonly reason: Reason;
}

interface Told {
  readonly proof: Proof;
  readonly half: ProofHalf;
  readonly order: ProofOrder;
}

/** What the site will not ask for is ended; it comes back with the reason. */
export async function tellSite(
  ports: ProofPorts,
  installation: InstallationId,
  among: readonly Proof[],
): Promise<readonly Refusal[]> {
  const sites = new Map((await ports.registry.sites()).map((site) => [site.key, site]));
  const told = among.flatMap((proof) => ordersOf(proof, installation, sites));
  if (told.length === 0) return [];
  const connection = await ports.registry.connection(installation);
  const refusals: Refusal[] = [];
  for (let from = 0; from < told.length; from += MOST_PROOFS) {
    const page = told.slice(from, from + MOST_PROOFS);
    const results = await ports.site.proofs(
      connection,
      page.map(({ order }) => order),
    );
    const byHalf = new Map(results.map((result) => [result.half, result]));
    for (const entry of page) {
      const result = byHalf.get(entry.half.half);
      if (result === undefined) continue;
      refusals.push(...(await note(ports, entry, result.result, result.reason)));
    }
  }
  return refusals;
}

async function note(
  ports: ProofPorts,
  { proof, half, order }: Told,
  result: string,
  why: string | undefined,
): Promise<readonly Refusal[]> {
  if ('cancel' in order) {
    await ports.proofs.noteForgotten(half.half);
  } else if (result !== 'refused') {
    await ports.proofs.noteAsked(half.half);
  } else if (why !== 'proof.mail_limit' && why !== 'account.busy') {
    const reason = why !== undefined && isReason(why) ? why : 'target.error';
    await endWith(ports.store, proof, reason, proofActor(proof));
    return [{ half, reason }];
  }
  // An hour later the site may mail again, and nobody saves for long: it is asked with each pull.
  return [];
}

function ordersOf(
  proof: Proof,
  installation: InstallationId,
  sites: ReadonlyMap<number, SiteRecord>,
): Told[] {
  return proof.halves.flatMap((half, side): Told[] => {
    if (half.installation !== installation) return [];
    const { half: id, wpId, login } = half;
    if (proof.ended !== null) {
      return half.forgotten ? [] : [{ proof, half, order: { id: wpId, half: id, cancel: true } }];
    }
    const other = proof.halves[side === 0 ? 1 : 0];
    const site = sites.get(other.site);
    if (half.asked || site === undefined) return [];
    const { kind, salt, endsMs } = proof;
    const who = { site: site.name, url: pageOf(site), registered: other.registered };
    const order = { id: wpId, login, half: id, kind, other: who, salt, ends_ms: endsMs };
    return [{ proof, half, order }];
  });
}

/** A person reads it in a mail: never another host's address than the one where the site is spoken to. */
function pageOf({ url, restUrl }: SiteRecord): string {
  const root = new URL(restUrl);
  const page = URL.canParse(url) ? new URL(url) : null;
  return page?.host === root.host && /^https?:$/u.test(page.protocol) ? page.href : root.origin;
}

/** Best effort: whoever can't be told now is told with its next pull. */
export async function tellIfPossible(
  ports: ProofPorts,
  installation: InstallationId,
  among: readonly Proof[],
): Promise<void> {
  try {
    await tellSite(ports, installation, among);
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
  }
}
