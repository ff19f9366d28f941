/**
 * Of which sites an account came among those whose changes leave, or is no longer one of them, by the
 * roles that it has there.
 *
 * Always true: of an account whose roles were never told nothing is said: the first look at it is no
 * change of it. Nobody left who was not seen to lose a role: what a restored table no longer holds is
 * nobody's decision.
 */
import { isRole, knownKey, roleOf } from './field.ts';
import type { Account, Fact, Holding } from './identity.ts';
import type { SiteKey } from './ids.ts';
import { isAmongThoseWhoLeave, isMember, type Site } from './route.ts';
import { isFromFuture, isNewer, newerOf, type Stamp } from './stamp.ts';

export function comingAndGoing(
  before: Account | undefined,
  now: Account,
  facts: readonly Fact[],
  { sites, nowMs }: { readonly sites: readonly Site[]; readonly nowMs: number },
): Pick<Holding, 'entered' | 'left'> {
  const entered = new Set<SiteKey>();
  const left = new Map<SiteKey, Stamp>();
  for (const site of sites) {
    const had = before?.roles.get(site.key);
    if (before === undefined || had === undefined) continue;
    const was = isOneOfThem(site, had);
    const is = isOneOfThem(site, now.roles.get(site.key));
    if (is && !was) entered.add(site.key);
    const lost = was && !is ? whenLost(site, before, facts) : null;
    // Never ahead of hub time.
    if (lost !== null) left.set(site.key, isFromFuture(lost, nowMs) ? [nowMs, lost[1]] : lost);
  }
  return { entered, left };
}

const isOneOfThem = (site: Site, roles: readonly string[] | undefined): boolean =>
  isAmongThoseWhoLeave(site.rules, roles) && isMember(site, roles) === true;

/** When the last of its roles was taken; null: nobody took one. */
function whenLost(
  { key, rules: { syncRoles } }: Site,
  before: Account,
  facts: readonly Fact[],
): Stamp | null {
  let lost: Stamp | null = null;
  for (const { field, site, value, stamp } of facts) {
    const taken = isRole(field) && site === key && value === false;
    if (!taken || !(syncRoles.length === 0 || syncRoles.includes(roleOf(field)))) continue;
    if (isNewer(stamp, before.known.get(knownKey(field, key)))) {
      lost = newerOf(stamp, lost ?? undefined);
    }
  }
  return lost;
}
