/** What an account's state says of who it is and what it may; what the hub knows beside that is not in it. */
import type { AccountState } from '#contract/account-state.ts';
import type { Account } from '../../model/identity.ts';
import { type InstallationId, type SiteKey, wordPressId } from '../../model/ids.ts';
import type { Site } from '../../model/route.ts';

export const whoTells = (
  state: AccountState,
  installation: InstallationId,
): Omit<Account, 'labelled' | 'known' | 'roles' | 'gone' | 'alarm'> => ({
  installation,
  wpId: wordPressId(state.id),
  login: state.login,
  email: state.email,
  registered: state.registered,
  privileged: state.privileged,
  outgoingStopped: state.switches.stop_outgoing,
  incomingRejected: state.switches.reject_incoming,
});

/** @param sites of the installation @param before what was told last, of sites that are not spoken of */
export function rolesTold(
  state: AccountState,
  sites: readonly Site[],
  before?: Account['roles'],
): Account['roles'] {
  const roles = new Map<SiteKey, readonly string[]>(before);
  for (const site of sites) {
    const here = state.roles?.[String(site.blog)];
    // Nothing of a site in a whole state: no roles there.
    if (here === undefined && state.fields === undefined) continue;
    const names = Object.entries(here ?? {}).flatMap(([name, { v }]) => (v ? name : []));
    roles.set(site.key, names.toSorted());
  }
  return roles;
}
