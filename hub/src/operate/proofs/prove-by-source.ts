/**
 * A link whose source is said to confirm addresses, and has confirmed this one, is proven.
 *
 * Does not: believe an address that was set otherwise than by its person on the source, nor one that somebody
 * has taken on the target since Rollcall is there, unless the target is said to confirm addresses, too:
 * whoever registers there with another person's address would wait for them to come.
 * Always true: both sites say so at this moment; no account concerned may administer its site.
 * On failure: throws; nobody was linked.
 */
import type { AccountState } from '#contract/account-state.ts';
import { EMAIL } from '../../model/field.ts';
import type { Account } from '../../model/identity.ts';
import { type InstallationId, siteKey } from '../../model/ids.ts';
import { firstUnmet } from '../../model/leaving.ts';
import { type Route, routesOutOf, type Topology } from '../../model/route.ts';
import { isFromBefore, type Stamp } from '../../model/stamp.ts';
import type { Registry, SitePort, Store, UnprovenLink, Wake } from '../../sync/ports.ts';
import { join, refusePrivilegedNow, whyNotOne } from '../prove-link.ts';

export interface SourcePorts {
  readonly store: Store;
  readonly registry: Registry;
  readonly site: Pick<SitePort, 'accounts'>;
  readonly wake: Wake;
  /** Not while it backs off, waits for a person, or has just failed. */
  readonly mayAsk: (installation: InstallationId) => Promise<boolean>;
}

export interface Found {
  readonly link: UnprovenLink;
  readonly route: Route;
  readonly topology: Topology;
  readonly installation: InstallationId;
}

export const confirming = (topology: Topology, installation: InstallationId): readonly Route[] =>
  routesOutOf(topology, installation).filter(
    ({ status, rules }) => status === 'active' && rules.confirmsAddresses === true,
  );

/** @throws Fault `link.refused`, and `site.*` when a site can't be asked */
export async function proveBySource(ports: SourcePorts, found: Found): Promise<void> {
  const { store, wake } = ports;
  const { link, route, installation } = found;
  const persons = await store.transaction(async (tx) => {
    const one = (await tx.lockByUid([link.uid])).get(link.uid);
    const two = (await tx.lockByAccount(link.installation, [link.wpId])).get(link.wpId);
    const [mine, theirs] = [one?.accounts.get(installation), two?.accounts.get(link.installation)];
    if (one === undefined || two === undefined || one.uid === two.uid) return null;
    if (mine === undefined || theirs === undefined || whyNotOne(one, two) !== null) return null;
    return isProven(mine, theirs, found) ? ([one, two, mine, theirs] as const) : null;
  });
  if (persons === null) return;
  const [one, two, mine, theirs] = persons;
  for (const id of [one, two].flatMap(({ accounts }) => [...accounts.keys()])) {
    if (!(await ports.mayAsk(id))) return;
  }
  await refusePrivilegedNow(ports, [one, two]);
  const [here, there] = [await readNow(ports, mine), await readNow(ports, theirs)];
  if (!isStill(here, mine) || !isStill(there, theirs)) return;
  const installations = await store.transaction(async (tx) => {
    const locked = await tx.lockByUid([one.uid, two.uid]);
    const [first, second] = [locked.get(one.uid), locked.get(two.uid)];
    if (first === undefined || second === undefined || first.uid === second.uid) return [];
    const [now, then] = [first.accounts.get(installation), second.accounts.get(link.installation)];
    if (now === undefined || then === undefined || whyNotOne(first, second) !== null) return [];
    if (!isProven(now, then, found)) return [];
    const ends = [route.source, route.target] as const;
    return (await join(tx, [first, second], mine.login, ends, BY)).installations;
  });
  for (const id of new Set(installations)) await wake.pull(id);
}

/** Who proved it, for the Sync Log. */
const BY = 'source that confirms addresses';

function isProven(mine: Account, theirs: Account, { route, topology, link }: Found): boolean {
  const same = mine.email !== '' && mine.email.toLowerCase() === theirs.email.toLowerCase();
  if (!same || !isWell(mine) || !isWell(theirs)) return false;
  return isConfirmed(mine, route) && isTheirOwn(theirs, confirming(topology, link.installation));
}

const isWell = ({ gone, alarm, privileged, outgoingStopped, incomingRejected }: Account): boolean =>
  gone === null && alarm === null && !privileged && !outgoingStopped && !incomingRejected;

/** The address is the one that the person registered with, or moved to, and the site has let them in since. */
function isConfirmed(account: Account, { rules, source }: Route): boolean {
  const by = account.standing?.emailBy;
  const own = by === 'registration' || by === 'confirmation';
  return own && firstUnmet(rules, account, source) === null;
}

/** It was there before Rollcall, its person confirmed the address, or the target confirms addresses, too. */
function isTheirOwn(account: Account, routes: readonly Route[]): boolean {
  if (account.standing === undefined) return false;
  const { emailBy } = account.standing;
  // An older connector never tells: the stamp of the address alone says since when it stands there.
  if (emailBy === undefined) return isFromBefore(account.known.get(EMAIL) ?? NEVER_TOLD);
  if (emailBy === 'confirmation') return true;
  return routes.some((route) => isConfirmed(account, route));
}

async function readNow(
  { registry, site }: SourcePorts,
  { installation, wpId }: Account,
): Promise<AccountState | undefined> {
  const connection = await registry.connection(installation);
  const one = { after: 0, limit: 1, ids: [wpId], detail: 'state' } as const;
  return (await site.accounts(connection, one)).accounts.find(({ id }) => id === wpId);
}

const isStill = (state: AccountState | undefined, account: Account): boolean =>
  state !== undefined &&
  state.label_ok &&
  !state.privileged &&
  state.login === account.login &&
  state.email === account.email &&
  state.email_by === account.standing?.emailBy &&
  (state.email_by !== undefined || isEmailFromBefore(state));

function isEmailFromBefore({ fields }: AccountState): boolean {
  const told = fields?.[EMAIL]?.s;
  return told !== undefined && isFromBefore([told[0], siteKey(told[1])]);
}

/** Nothing is kept of whom a census found; the site is asked before anything comes of it. */
const NEVER_TOLD: Stamp = [0, siteKey(0)];
