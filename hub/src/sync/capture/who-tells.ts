/** What an account's state says of who it is and what it may; what the hub knows beside that is not in it. */
import type { AccountState } from '#contract/account-state.ts';
import { metaField } from '../../model/field.ts';
import type { Account } from '../../model/identity.ts';
import { type InstallationId, type SiteKey, siteKey, wordPressId } from '../../model/ids.ts';
import { keysAskedFor, type Standing, statusRows } from '../../model/leaving.ts';
import { powerTold } from '../../model/power.ts';
import type { Route, Site } from '../../model/route.ts';
import { isFromBefore } from '../../model/stamp.ts';

export const whoTells = (
  state: AccountState,
  installation: InstallationId,
  sites: readonly Site[],
): Omit<Account, 'labelled' | 'known' | 'roles' | 'standing' | 'gone' | 'alarm'> => ({
  installation,
  wpId: wordPressId(state.id),
  login: state.login,
  email: state.email,
  registered: state.registered,
  ...powerTold(state, sites),
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

/** @param routes out of the installation @param before what was told last */
export function standingTold(
  state: AccountState,
  routes: readonly Route[],
  before?: Standing,
): { readonly standing?: Standing } {
  const { fields } = state;
  if (fields === undefined) return before === undefined ? {} : { standing: before };
  const keys = new Set(routes.flatMap(({ source }) => keysAskedFor(routes, source)));
  // A key that the site does not watch yet is not told of: nothing is known of it.
  const meta = [...keys].flatMap((key): [string, readonly string[]][] => {
    const value = fields[metaField(key)]?.v;
    if (Array.isArray(value)) return [[key, statusRows(value)]];
    // It can't be told just now: what it was stands.
    return before !== undefined && Object.hasOwn(before.meta, key)
      ? [[key, before.meta[key] ?? []]]
      : [];
  });
  const signedIn = state.signed_in === true || isFromBefore([state.born[0], siteKey(0)]);
  const by = state.email_by === undefined ? {} : { emailBy: state.email_by };
  return { standing: { signedIn, meta: Object.fromEntries(meta), ...by } };
}
