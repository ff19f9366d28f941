/**
 * Privileged accounts and roles: what may pass, where route and target both name it.
 *
 * Does: say what makes an account privileged, and why it may not pass along a route.
 * Does not: ask a site; the target looks again when it is sent something.
 * Always true: roles are named as the target gives them. Only who has power at the source reaches it on the target. Who is privileged by anything but roles of the one
 * site that the route begins or ends at never passes, nor does who is privileged in a way that nobody knows.
 */
import type { Account } from './identity.ts';
import type { SiteKey } from './ids.ts';
import { type Route, rolesGivenFor, type Site, type Topology } from './route.ts';

export interface Power {
  /** Privileged roles by site. */
  readonly roles: Readonly<Record<string, readonly string[]>>;
  /** It is privileged by something else, too. */
  readonly other: boolean;
}

/** `unnamed`: the route does not name all of it; `unconsented`: it does, and the target does not consent. */
export type WhyNot = 'unnamed' | 'unconsented';

/** As a site says it; roles by the numbers of its sites. */
export interface Told {
  readonly privileged: boolean;
  readonly privileged_by?: Power | undefined;
}

type Powerful = Pick<Account, 'privileged' | 'privilegedBy'>;

/** @param sites of the installation, as far as they are known here */
export function powerTold(
  { privileged, privileged_by: by }: Told,
  sites: readonly Pick<Site, 'key' | 'blog'>[],
): { readonly privileged: boolean; readonly privilegedBy?: Power } {
  if (!privileged || by === undefined) return { privileged };
  const roles: Record<string, readonly string[]> = {};
  let { other } = by;
  for (const [blog, names] of Object.entries(by.roles)) {
    const site = sites.find((one) => String(one.blog) === blog);
    if (site === undefined) other = true;
    else roles[site.key] = names.toSorted();
  }
  return { privileged, privilegedBy: { roles, other } };
}

/** Why an account of the source may not leave along the route; null: it may. */
export function whyPowerStays(
  account: Powerful,
  { source, rules }: Pick<Route, 'source' | 'rules'>,
  target: Site,
): WhyNot | null {
  if (!account.privileged) return null;
  const roles = soleRoles(account, source);
  if (roles === null) return 'unnamed';
  const given = roles.map((role) => rolesGivenFor(target.rules, role));
  // A role that the target has no name for can't be named.
  if (given.some((names) => names.length === 0)) return 'unnamed';
  return judge(given.flat(), rules, target);
}

/** Who speaks to an account of the target, and from where. */
export interface Speaker {
  readonly source: Site;
  /** Their own account there; undefined: there is none. */
  readonly here: Powerful | undefined;
}

/** Why nothing of the route may change this account of its target; null: it may. */
export function whyPowerIsKept(
  account: Powerful,
  route: Pick<Route, 'rules'>,
  target: Site,
  speaker: Speaker,
): WhyNot | null {
  if (!account.privileged) return null;
  const roles = soleRoles(account, target.key);
  if (roles === null) return 'unnamed';
  const brought = namedFor(speaker, route, target);
  return roles.every((role) => brought.includes(role))
    ? judge(roles, route.rules, target)
    : 'unnamed';
}

/**
 * Of what a route names, that which an account of its source has the power for itself. Whoever gets hold of an
 * ordinary account must not get hold of an administrator's elsewhere.
 */
export function namedFor(
  { source, here }: Speaker,
  { rules }: Pick<Route, 'rules'>,
  target: Site,
): readonly string[] {
  const named = namedBy(rules);
  if (named.length === 0 || here === undefined || !here.privileged) return [];
  const roles = soleRoles(here, source.key) ?? [];
  const given = givenWithPower(roles, source, target);
  return named.filter((role) => given.includes(role));
}

/** What comes of those of some roles of the source that give power there. */
export const givenWithPower = (
  roles: readonly string[],
  { powers = [] }: Site,
  target: Site,
): readonly string[] =>
  roles.flatMap((role) => (powers.includes(role) ? rolesGivenFor(target.rules, role) : []));

/**
 * Would a role of the source that gives no power there be given, or taken, as a privileged one? Whoever
 * registers on the source could become an administrator.
 */
export const raisesPower = (
  role: string,
  { rules }: Pick<Route, 'rules'>,
  source: Site,
  target: Site,
): boolean =>
  source.powers?.includes(role) !== true &&
  rolesGivenFor(target.rules, role).some((given) => isPower(given, rules, target));

/** Is a role privileged on the target? What is named is, where the target has not told. */
export const isPower = (role: string, rules: Route['rules'], { powers }: Site): boolean =>
  powers?.includes(role) ?? namedBy(rules).includes(role);

/**
 * Of accounts that would be one person: the first privileged one that no route between two of them, with all
 * that makes both privileged named and consented to, leads from or to. Null: there is none.
 */
export function uncovered(
  accounts: readonly Account[],
  { routes, sites }: Topology,
): Account | null {
  const covered = new Set<Account>();
  for (const route of routes) {
    const [from, to] = [sites.get(route.source), sites.get(route.target)];
    if (from === undefined || to === undefined || namedBy(route.rules).length === 0) continue;
    const ends = [from, to].map(({ installation }) =>
      accounts.find((account) => account.installation === installation && account.gone === null),
    );
    const [here, there] = ends;
    if (here === undefined || there === undefined) continue;
    if (whyPowerStays(here, route, to) !== null) continue;
    if (whyPowerIsKept(there, route, to, { source: from, here }) !== null) continue;
    covered.add(here).add(there);
  }
  return accounts.find((account) => account.privileged && !covered.has(account)) ?? null;
}

export const namedBy = ({ privilegedRoles = [] }: Route['rules']): readonly string[] =>
  privilegedRoles;

/** The privileged roles of an account, where nothing else makes it privileged. */
function soleRoles({ privilegedBy }: Powerful, site: SiteKey): readonly string[] | null {
  if (privilegedBy === undefined || privilegedBy.other) return null;
  const [only, ...others] = Object.entries(privilegedBy.roles);
  if (only === undefined || others.length > 0 || only[0] !== String(site)) return null;
  return only[1].length === 0 ? null : only[1];
}

function judge(
  roles: readonly string[],
  rules: Route['rules'],
  { consents = [] }: Site,
): WhyNot | null {
  if (roles.some((role) => !namedBy(rules).includes(role))) return 'unnamed';
  return roles.every((role) => consents.includes(role)) ? null : 'unconsented';
}
