/**
 * "These two accounts are one person", said by an operator. Their values then go both ways.
 *
 * Always true: privileged accounts are linked only on an operator's word, where routes between them name
 * their roles and the targets consent; and nobody has two accounts on one
 * installation; both are asked where the merge happens, under its locks. What an account may do can
 * change without a change of the account (its role gets a capability), so the sites are asked, too.
 * On failure: throws; nothing was linked.
 */
import type { ProveLink, ProvenLink } from '../api/schemas/held.ts';
import { Fault } from '../errors.ts';
import type { Account, Identity } from '../model/identity.ts';
import type { IdentityUid, InstallationId, SiteKey } from '../model/ids.ts';
import type { LogEntry } from '../model/log-entry.ts';
import { powerTold, uncovered } from '../model/power.ts';
import type { Topology } from '../model/route.ts';
import type { SitePort, SiteRecord, Transaction } from '../sync/ports.ts';
import { operatorNamed, siteNamed } from './names.ts';
import type { OperationPorts } from './ports.ts';
import { askForRoles } from './privileged-roles.ts';

/** Repeating it changes nothing. @throws Fault `account.unknown`, `link.refused` */
export async function proveLink(
  ports: OperationPorts,
  wanted: ProveLink,
  by: string,
): Promise<ProvenLink> {
  const { registry, store, wake } = ports;
  const site = await siteNamed(registry, wanted.site);
  const other = await siteNamed(registry, wanted.otherSite);
  const persons = [
    await identityOn(ports, site, wanted.login),
    await identityOn(ports, other, wanted.otherLogin),
  ] as const;
  const asked = [persons[0].uid, persons[1].uid] as const;
  const topology = asked[0] === asked[1] ? null : await refuseUncovered(ports, persons);
  const { proven, installations } = await store.transaction(async (tx) => {
    const found = await tx.lockByUid(asked);
    const [one, two] = [found.get(asked[0]), found.get(asked[1])];
    if (one === undefined || two === undefined) throw new Error('An identity to link is unknown.');
    if (one.uid === two.uid) return { proven: { uid: one.uid, already: true }, installations: [] };
    const why = whyNotOne(one, two, topology);
    if (why !== null) throw new Fault('link.refused', why);
    const actor = operatorNamed(by);
    const joined = await join(tx, [one, two], wanted.login, [site.key, other.key], actor);
    return { proven: { uid: joined.uid, already: false }, installations: joined.installations };
  });
  for (const installation of new Set(installations)) await wake.pull(installation);
  return proven;
}

/**
 * An operator may join privileged accounts where routes name all that makes them so, and their targets consent.
 * @throws Fault `link.refused`, and `site.*` when a site can't be asked
 */
async function refuseUncovered(
  ports: OperationPorts,
  persons: readonly Identity[],
): Promise<Topology> {
  const accounts = await accountsNow(ports, persons);
  if (accounts.some(({ privileged }) => privileged)) {
    const concerned = new Set(accounts.map(({ installation }) => installation));
    await askForRoles(
      ports,
      [...concerned].map((installation) => ({ installation })),
    );
  }
  const topology = await ports.registry.topology();
  const found = uncovered(accounts, topology);
  if (found !== null) throw new Fault('link.refused', isPrivileged(found.login));
  return topology;
}

/** Under the locks, and once `whyNotOne` had nothing against it. What each knew is read again. */
export async function join(
  tx: Transaction,
  [one, two]: readonly [Identity, Identity],
  login: string,
  sites: readonly [SiteKey, SiteKey],
  actor: string,
): Promise<{ readonly uid: IdentityUid; readonly installations: readonly InstallationId[] }> {
  const { into, from } = older(one, two);
  await tx.mergeIdentities(into.uid, from.uid);
  await tx.appendLog([linkRow(into.uid, login, sites, actor)]);
  const accounts = [one, two].flatMap((identity) => [...identity.accounts.values()]);
  for (const { installation, wpId } of accounts) await tx.queueRefresh(installation, [wpId]);
  return { uid: into.uid, installations: accounts.map(({ installation }) => installation) };
}

/** @throws Fault `account.unknown` */
export async function identityOn(
  { views }: Pick<OperationPorts, 'views'>,
  site: SiteRecord,
  login: string,
): Promise<Identity> {
  const identity = await views.identityByLogin(site.installation, login);
  if (identity === null) {
    throw new Fault('account.unknown', `The hub knows of no account “${login}” on “${site.name}”.`);
  }
  return identity;
}

/** @throws Fault `link.refused`, and `site.*` when a site can't be asked */
export async function refusePrivilegedNow(
  ports: Asking,
  persons: readonly Identity[],
): Promise<void> {
  const found = (await accountsNow(ports, persons)).find(({ privileged }) => privileged);
  if (found !== undefined) throw new Fault('link.refused', isPrivileged(found.login));
}

type Asking = Pick<OperationPorts, 'registry'> & { site: Pick<SitePort, 'accounts'> };

/** The accounts of some persons, with what their sites say of their power at this moment. */
async function accountsNow(
  { registry, site }: Asking,
  persons: readonly Identity[],
): Promise<readonly Account[]> {
  const sites = await registry.sites();
  const accounts: Account[] = [];
  for (const account of persons.flatMap((person) => [...person.accounts.values()])) {
    const here = sites.filter(({ installation }) => installation === account.installation);
    if (here.length === 0) continue;
    const connection = await registry.connection(account.installation);
    const one = { after: 0, limit: 1, ids: [account.wpId], detail: 'who' } as const;
    const told = await site.accounts(connection, one);
    const state = told.accounts.find(({ id }) => id === account.wpId);
    if (state === undefined) continue;
    const { privilegedBy: _, ...rest } = account;
    accounts.push({ ...rest, login: state.login, ...powerTold(state, here) });
  }
  return accounts;
}

const isPrivileged = (login: string): string =>
  `“${login}” can administer its site, by more than roles that a route between the two names and its target consents to; it is not linked.`;

/** Who said that two accounts are one person is asked when they turn out to be two. */
export const linkRow = (
  uid: IdentityUid,
  login: string,
  [source, target]: readonly [SiteKey, SiteKey],
  actor: string,
): LogEntry => ({
  uid,
  login,
  source,
  target,
  action: 'link',
  status: 'released',
  reason: null,
  fields: [],
  path: [source, target],
  actor,
  delivery: null,
  attempts: 0,
  durationMs: null,
});

/**
 * Why two identities can't become one, as a sentence for people; null: they can.
 * @param topology an operator has said it: routes may cover what is privileged; null: nobody may be privileged
 */
export function whyNotOne(
  one: Identity,
  two: Identity,
  topology: Topology | null = null,
): string | null {
  const accounts = [...one.accounts.values(), ...two.accounts.values()];
  const privileged =
    topology === null
      ? (accounts.find((account) => account.privileged) ?? null)
      : uncovered(accounts, topology);
  if (privileged !== null) return isPrivileged(privileged.login);
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
