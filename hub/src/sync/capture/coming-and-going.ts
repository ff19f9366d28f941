/**
 * Of which sites an account came among those whose changes leave, or is no longer one of them, by the
 * roles that it has there.
 *
 * Always true: of an account whose roles were never told nothing is said: the first look at it is no
 * change of it.
 */
import { isRole, roleOf } from '../../model/field.ts';
import type { Account, Fact, Holding } from '../../model/identity.ts';
import type { SiteKey } from '../../model/ids.ts';
import { isAmongThoseWhoLeave, type Site } from '../../model/route.ts';
import { isFromFuture, newerOf, type Stamp } from '../../model/stamp.ts';

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
    if (had === undefined) continue;
    const was = isAmongThoseWhoLeave(site.rules, had);
    const is = isAmongThoseWhoLeave(site.rules, now.roles.get(site.key));
    if (is && !was) entered.add(site.key);
    if (was && !is) left.set(site.key, whenLost(site, facts, nowMs));
  }
  return { entered, left };
}

/** When the last of its roles was taken; never ahead of hub time. */
function whenLost({ key, rules }: Site, facts: readonly Fact[], nowMs: number): Stamp {
  let lost: Stamp = [0, key];
  for (const { field, site, value, stamp } of facts) {
    const taken = isRole(field) && site === key && value === false;
    if (taken && rules.syncRoles.includes(roleOf(field))) lost = newerOf(stamp, lost);
  }
  return lost[0] === 0 || isFromFuture(lost, nowMs) ? [nowMs, key] : lost;
}
