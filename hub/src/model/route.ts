/** Configured one-way links between sites, and what a site itself says. */
import type { Field } from './field.ts';
import { isExtension, isMeta, isRole, metaKeyOf, roleOf } from './field.ts';
import type { InstallationId, RouteId, SiteKey } from './ids.ts';
import type { LeaveCondition } from './leaving.ts';
import { covers } from './meta-pattern.ts';
import { isNeverSynced } from './never-synced.ts';

/** What a delete on the source does on the target. */
export type OnDelete = 'delete' | 'strip' | 'ignore';

export interface RouteRules {
  /** Core fields and `password`; empty means none. */
  readonly fields: readonly Field[];
  /** Meta keys in full, or their beginning and a `*`; empty means none. */
  readonly meta: readonly string[];
  /** Role names; empty means none. */
  readonly roles: readonly string[];
  readonly creates: boolean;
  readonly updates: boolean;
  readonly onDelete: OnDelete;
  /** Login on the target that inherits a deleted account's content; null: refuse if there is any. */
  readonly reassignTo: string | null;
  /** An account leaves along the route only where all of these hold; none: everybody does. */
  readonly leaveWhen?: readonly LeaveCondition[];
  /** Another person has the login on the target: wait for an operator, or create under `login-2`. */
  readonly loginTaken: 'hold' | 'suffix';
  /** Whose password the target can't verify is mailed a link to set one there; missing: nobody is. */
  readonly passwordMail?: boolean;
  /** What becomes of a new address that its person has not confirmed; absent: it is sent. */
  readonly unconfirmedEmails?: 'send' | 'hold';
  /** The source is said to confirm addresses: its word proves a link. Absent: it is not. */
  readonly confirmsAddresses?: boolean;
  /** Privileged roles, as the target gives them, that may come along this route; absent: none. */
  readonly privilegedRoles?: readonly string[];
}

export interface Route {
  readonly id: RouteId;
  readonly source: SiteKey;
  readonly target: SiteKey;
  readonly status: 'active' | 'paused';
  readonly rules: RouteRules;
}

export interface Site {
  readonly key: SiteKey;
  readonly installation: InstallationId;
  readonly blog: number;
  readonly name: string;
  readonly url: string;
  readonly status: 'active' | 'paused';
  /** Create an account when an update arrives for one that does not exist here. */
  readonly createMissing: boolean;
  readonly rules: SiteRules;
  /** WordPress's id of its network; null or absent: a single site, or not asked yet. */
  readonly network?: number | null;
  /** Why its network shows it to nobody; `ended`: it is no longer there. */
  readonly closed?: 'archived' | 'spam' | 'deleted' | 'ended' | null;
  /** Its privileged roles, and those of them that it lets come, as it told last; absent: none. */
  readonly powers?: readonly string[];
  readonly consents?: readonly string[];
}

/** What a site says about all that leaves it, and all that comes in, whatever the route. */
export interface SiteRules {
  /** Changes leave by themselves; false: only when an operator asks for it. */
  readonly automatic: boolean;
  /** Accounts with one of these roles here leave; empty: everybody does. */
  readonly syncRoles: readonly string[];
  /** What it means for the targets when somebody loses the last of them. */
  readonly onRoleLost: 'stop' | 'delete';
  /**
   * Role that comes → roles given here for it; empty: the same names. What is not named in it is neither
   * given nor taken here. Of the roles that one route carries, no two stand for the same one here.
   */
  readonly roleMap: Readonly<Record<string, readonly string[]>>;
  /** More new accounts than this within 24 hours wait for a person; null: as the hub says. */
  readonly newAccountsADay: number | null;
}

export const USUAL_SITE_RULES: SiteRules = {
  automatic: true,
  syncRoles: [],
  onRoleLost: 'stop',
  roleMap: {},
  newAccountsADay: null,
};

export const mapsRoles = ({ roleMap }: SiteRules): boolean => Object.keys(roleMap).length > 0;

/** The site's roles for one that comes. */
export const rolesGivenFor = (rules: SiteRules, role: string): readonly string[] => {
  if (!mapsRoles(rules)) return [role];
  return Object.hasOwn(rules.roleMap, role) ? (rules.roleMap[role] ?? []) : [];
};

/** Sites and routes as they are at one moment. */
export interface Topology {
  readonly sites: ReadonlyMap<SiteKey, Site>;
  readonly routes: readonly Route[];
}

/** A role that would be given for two of these, and taken with either; null: there is none. */
export function givenTwice(rules: SiteRules, roles: readonly string[]): string | null {
  const given = roles.flatMap((role) => rolesGivenFor(rules, role));
  return given.find((role, at) => given.indexOf(role) !== at) ?? null;
}

/** Is somebody with these roles one of those whose changes leave the site by themselves? */
export const isAmongThoseWhoLeave = (
  { syncRoles }: SiteRules,
  roles: readonly string[] | undefined,
): boolean => syncRoles.length === 0 || syncRoles.some((role) => roles?.includes(role) === true);

/** Who leaves a site of a network, and who comes to it, is a member there: has a role. Undefined: not told yet. */
export const isMember = (
  { network }: Pick<Site, 'network'>,
  roles: readonly string[] | undefined,
): boolean | undefined => (network == null ? true : roles && roles.length > 0);

export const sitesOf = (topology: Topology, installation: InstallationId): Site[] =>
  [...topology.sites.values()].filter((site) => site.installation === installation);

const sorted = new WeakMap<readonly Route[], ReadonlyMap<SiteKey, readonly Route[]>>();

/** The routes out of a site. A list of routes is gone through once, however often it is asked. */
export function routesFrom({ routes }: Topology, source: SiteKey): readonly Route[] {
  const known = sorted.get(routes);
  if (known !== undefined) return known.get(source) ?? [];
  const out = new Map<SiteKey, Route[]>();
  for (const route of routes) {
    const others = out.get(route.source);
    if (others === undefined) out.set(route.source, [route]);
    else others.push(route);
  }
  sorted.set(routes, out);
  return out.get(source) ?? [];
}
export const routesOutOf = (topology: Topology, installation: InstallationId): readonly Route[] =>
  topology.routes.filter(({ source }) => topology.sites.get(source)?.installation === installation);

/** Does the route's allow-list name this field? Lists are allow-lists: empty means nothing. */
export function selects(rules: RouteRules, field: Field): boolean {
  if (isRole(field)) return rules.roles.includes(roleOf(field));
  if (isMeta(field)) {
    const key = metaKeyOf(field);
    return rules.meta.some((entry) => covers(entry, key)) && !isNeverSynced(key);
  }
  if (isExtension(field)) return rules.fields.includes(field);
  return rules.fields.includes(field);
}
