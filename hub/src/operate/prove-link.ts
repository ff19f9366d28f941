/**
 * "These two accounts are one person", said by an operator. Their values then go both ways.
 *
 * Always true: privileged accounts are never linked, and nobody has two accounts on one
 * installation; both are asked where the merge happens, under its locks.
 */
import type { ProveLink, ProvenLink } from '../api/schemas/held.ts';
import { Fault } from '../errors.ts';
import type { Identity } from '../model/identity.ts';
import type { SiteRecord } from '../sync/ports.ts';
import { siteNamed } from './names.ts';
import type { OperationPorts } from './ports.ts';

/** Repeating it changes nothing. @throws Fault `account.unknown`, `link.refused` */
export async function proveLink(ports: OperationPorts, wanted: ProveLink): Promise<ProvenLink> {
  const { registry, store, wake } = ports;
  const site = await siteNamed(registry, wanted.site);
  const other = await siteNamed(registry, wanted.otherSite);
  const asked = [
    (await identityOn(ports, site, wanted.login)).uid,
    (await identityOn(ports, other, wanted.otherLogin)).uid,
  ] as const;
  const { proven, installations } = await store.transaction(async (tx) => {
    const found = await tx.lockByUid(asked);
    const [one, two] = [found.get(asked[0]), found.get(asked[1])];
    if (one === undefined || two === undefined) throw new Error('An identity to link is unknown.');
    if (one.uid === two.uid) return { proven: { uid: one.uid, already: true }, installations: [] };
    const why = whyNotOne(one, two);
    if (why !== null) throw new Fault('link.refused', why);
    const { into, from } = older(one, two);
    await tx.mergeIdentities(into.uid, from.uid);
    const accounts = [one, two].flatMap((identity) => [...identity.accounts.values()]);
    for (const { installation, wpId } of accounts) await tx.queueRefresh(installation, [wpId]);
    return {
      proven: { uid: into.uid, already: false },
      installations: accounts.map(({ installation }) => installation),
    };
  });
  for (const installation of new Set(installations)) await wake.pull(installation);
  return proven;
}

async function identityOn(
  { views }: OperationPorts,
  site: SiteRecord,
  login: string,
): Promise<Identity> {
  const identity = await views.identityByLogin(site.installation, login);
  if (identity === null) {
    throw new Fault('account.unknown', `The hub knows of no account “${login}” on “${site.name}”.`);
  }
  return identity;
}

/** Why two identities can't become one, as a sentence for people; null: they can. */
export function whyNotOne(one: Identity, two: Identity): string | null {
  const accounts = [...one.accounts.values(), ...two.accounts.values()];
  const privileged = accounts.find((account) => account.privileged);
  if (privileged !== undefined) {
    return `“${privileged.login}” can administer its site; it is not linked.`;
  }
  for (const [installation, { login }] of one.accounts) {
    const theirs = two.accounts.get(installation);
    if (theirs !== undefined) {
      return `Both persons have an account of their own on one site: “${login}” and “${theirs.login}”.`;
    }
  }
  return null;
}

/** The older uid stays; the other becomes its alias for ever. */
export function older(one: Identity, two: Identity): { into: Identity; from: Identity } {
  const age = (identity: Identity): string =>
    [...identity.accounts.values()].map((account) => account.registered).sort()[0] ?? '';
  const order = age(one).localeCompare(age(two)) || one.uid.localeCompare(two.uid);
  return order <= 0 ? { into: one, from: two } : { into: two, from: one };
}
