/**
 * Privileged roles that operators name: whether routes name them and targets consent, and what to do next.
 *
 * Does: ask the targets concerned, so that what somebody has agreed to there a moment ago counts.
 * Does not: agree to anything; that is done on the target itself.
 * On failure: of a target that does not answer counts what it told last.
 */
import type { PrivilegedNeed } from '../api/schemas/privileged.ts';
import { Fault } from '../errors.ts';
import type { SiteKey } from '../model/ids.ts';
import { namedBy } from '../model/power.ts';
import { type Route, type RouteRules, rolesGivenFor } from '../model/route.ts';
import { hearRoles } from '../sync/hear-roles.ts';
import type { SiteRecord } from '../sync/ports.ts';
import type { OperationPorts } from './ports.ts';

type Ports = Pick<OperationPorts, 'registry' | 'site'>;

/** What the sites say of their roles now. */
export async function askForRoles(
  { registry, site }: Ports,
  sites: readonly Pick<SiteRecord, 'installation'>[],
): Promise<void> {
  for (const installation of new Set(sites.map((one) => one.installation))) {
    try {
      const status = await site.status(await registry.connection(installation));
      await hearRoles(registry, installation, status);
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault;
    }
  }
}

/** A name that the target does not define, or that gives no power there, would stand for nothing. */
export function refuseNames(
  to: Pick<SiteRecord, 'name' | 'roles'>,
  { privilegedRoles = [] }: { readonly privilegedRoles?: readonly string[] | undefined },
): void {
  for (const role of privilegedRoles) {
    const found = to.roles[role];
    if (found === undefined) throw new Fault('role.unknown', `“${to.name}” has no role “${role}”.`);
    if (!found.privileged) {
      const sentence = `“${role}” gives no power over “${to.name}”; it stands among the roles that travel.`;
      throw new Fault('role.not_privileged', sentence);
    }
  }
}

/** The privileged roles that a route names, and its target lets nobody bring. */
export const notConsented = (
  { privilegedRoles = [] }: Pick<RouteRules, 'privilegedRoles'>,
  target: Pick<SiteRecord, 'consents'> | undefined,
): string[] => privilegedRoles.filter((role) => target?.consents?.includes(role) !== true);

/** What is missing before the privileged ones of these roles come along the routes out of, or into, a site. */
export async function needsOf(
  ports: Ports,
  { key }: Pick<SiteRecord, 'key'>,
  {
    syncRoles = [],
    roleMap = {},
  }: {
    readonly syncRoles?: readonly string[] | undefined;
    readonly roleMap?: SiteRecord['rules']['roleMap'] | undefined;
  },
): Promise<PrivilegedNeed[]> {
  const { routes } = await ports.registry.topology();
  const before = byKey(await ports.registry.sites());
  const ticked = syncRoles.filter((role) => before.get(key)?.powers?.includes(role) === true);
  const given = Object.keys(roleMap);
  const out = ticked.length > 0 ? routes.filter(({ source }) => source === key) : [];
  const into = given.length > 0 ? routes.filter(({ target }) => target === key) : [];
  await askForRoles(
    ports,
    [...out, ...into].flatMap(({ target }) => before.get(target) ?? []),
  );
  const sites = byKey(await ports.registry.sites());
  return [
    ...out.flatMap((route) => {
      const target = sites.get(route.target);
      if (target === undefined) return [];
      return needsOfRoute(sites, route, ticked);
    }),
    ...into.flatMap((route) => needsOfRoute(sites, route, given)),
  ];
}

const byKey = (sites: readonly SiteRecord[]): ReadonlyMap<SiteKey, SiteRecord> =>
  new Map(sites.map((site) => [site.key, site]));

/** @param roles as they come from the source */
function needsOfRoute(
  sites: ReadonlyMap<SiteKey, SiteRecord>,
  route: Route,
  roles: readonly string[],
): PrivilegedNeed[] {
  const [source, target] = [sites.get(route.source), sites.get(route.target)];
  if (source === undefined || target === undefined) return [];
  const needs = new Map<string, PrivilegedNeed>();
  for (const from of roles) {
    for (const role of rolesGivenFor(target.rules, from)) {
      const need = needOf(route, source, target, { from, role });
      if (need !== null && needs.get(role)?.raised !== true) needs.set(role, need);
    }
  }
  return [...needs.values()];
}

function needOf(
  route: Route,
  source: SiteRecord,
  target: SiteRecord,
  { from, role }: { readonly from: string; readonly role: string },
): PrivilegedNeed | null {
  if (target.powers?.includes(role) !== true) return null;
  const named = namedBy(route.rules).includes(role);
  const consented = target.consents?.includes(role) === true;
  const raised = source.powers?.includes(from) !== true;
  if (named && consented && !raised) return null;
  const all = [...namedBy(route.rules), role].join(',');
  const naming = `rollcall route change ${ends(source, target)} --privileged-roles ${all}`;
  const steps = raised
    ? [`“${from}” gives no power on “${source.name}”: “${role}” never comes for it.`]
    : [...(named ? [] : [naming]), ...(consented ? [] : [consentStep(target.name, role)])];
  const about = { role, route: route.id, source: source.name, target: target.name };
  return { ...about, named, consented, raised, steps };
}

const ends = (...sites: readonly SiteRecord[]): string =>
  sites.map(({ name }) => (/^[\w.-]+$/u.test(name) ? name : `"${name}"`)).join(' ');

export const consentStep = (site: string, role: string): string =>
  `On “${site}”, in wp-admin under User Sync or there: wp rollcall privileged allow ${role}`;
