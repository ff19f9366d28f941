/** Routes: adding, showing, changing and removing them. */

import { CORE_FIELDS, EXTENSION_NAME } from '#contract/account-state.ts';
import type { AddRoute, ChangeRoute, RouteView, SomeRules } from '../api/schemas/route.ts';
import { Fault } from '../errors.ts';
import { isExtension, PASSWORD } from '../model/field.ts';
import type { InstallationId } from '../model/ids.ts';
import { routeId } from '../model/ids.ts';
import type { LeaveCondition } from '../model/leaving.ts';
import { isPattern, whyNoEntry } from '../model/meta-pattern.ts';
import { givenTwice, type Route, type RouteRules, rolesGivenFor } from '../model/route.ts';
import { writtenOut } from '../model/route-preset.ts';
import type { SiteRecord } from '../sync/ports.ts';
import { siteNamed, siteNames } from './names.ts';
import { type End, refuseUnable } from './older-connectors.ts';
import type { OperationPorts } from './ports.ts';
import { askForRoles, notConsented, refuseNames } from './privileged-roles.ts';
import { changeSchedule, schedules } from './reconcile/schedule.ts';

/** What a site says of itself that counts for the rules of a route. */
type RuleEnd = Pick<SiteRecord, 'rules' | 'roles'>;
/** Rules of which some may not be named. */
type Unsettled = { readonly [Rule in keyof RouteRules]?: RouteRules[Rule] | undefined };

export async function listRoutes(ports: OperationPorts): Promise<readonly RouteView[]> {
  const { registry, arrangements } = ports;
  const nameOf = await siteNames(registry);
  const scheduleOf = await schedules(ports);
  const groups = await arrangements.groupNames();
  const records = await registry.sites();
  return (await registry.topology()).routes.map((route) => ({
    ...view(route, nameOf, { scheduleOf, records }),
    group: groups.get(route.id) ?? null,
  }));
}

export async function addRoute(
  ports: OperationPorts,
  wanted: AddRoute,
): Promise<readonly RouteView[]> {
  const { registry } = ports;
  const source = await siteNamed(registry, wanted.source);
  const target = await siteNamed(registry, wanted.target);
  const ways = wanted.both
    ? [[source, target] as const, [target, source] as const]
    : [[source, target] as const];
  const { routes } = await registry.topology();
  if (wanted.rules?.privilegedRoles !== undefined) await askForRoles(ports, [source, target]);
  const records = await registry.sites();
  const rules: SomeRules = { ...lists(writtenOut(wanted.preset)), ...named(wanted.rules ?? {}) };
  for (const [from, to] of ways) refuse(routes, from, to, rules);
  const nameOf = await siteNames(registry);
  const added: RouteView[] = [];
  for (const [from, to] of ways) {
    const whole = withDefaults(from, to, rules);
    refuseNames(records.find(({ key }) => key === to.key) ?? to, whole);
    refuseGivenTwice(to, whole.roles);
    refuseUnprovable(whole);
    refuseUnable(await endOf(ports, from), await endOf(ports, to), whole);
  }
  for (const [from, to] of ways) {
    const whole = withDefaults(from, to, rules);
    const ends = { source: from.key, target: to.key };
    added.push(view(await registry.addRoute({ ...ends, rules: whole }), nameOf, { records }));
  }
  await configureEnds(ports, [source.installation, target.installation]);
  return added;
}

export async function changeRoute(
  ports: OperationPorts,
  id: number,
  change: ChangeRoute,
): Promise<RouteView> {
  const { registry, wake } = ports;
  const route = await routeWithId(ports, id);
  const news = { ...writtenOut(change.preset, route.rules), ...named(change.rules ?? {}) };
  const rules = Object.keys(news).length === 0 ? undefined : { ...route.rules, ...news };
  const { sites } = await registry.topology();
  if (change.rules?.privilegedRoles !== undefined)
    await askForRoles(
      ports,
      [...sites.values()].filter(({ key }) => key === route.target),
    );
  const records = await registry.sites();
  const end = (key: Route['source']) => records.find((site) => site.key === key);
  refuseRules(end(route.source), change.rules);
  if (change.preset !== undefined) refuseRules(end(route.source), lists(news));
  const target = end(route.target);
  if (target !== undefined) refuseNames(target, change.rules ?? {});
  if (rules !== undefined) {
    refuseUnprovable(rules);
    await refuseAsked(ports, route, rules);
  }
  if (target !== undefined && rules !== undefined) refuseGivenTwice(target, rules.roles);
  await registry.updateRoute(route.id, {
    ...(change.status === undefined ? {} : { status: change.status }),
    ...(rules === undefined ? {} : { rules }),
  });
  const ends = [route.source, route.target].flatMap((key) => sites.get(key)?.installation ?? []);
  await configureEnds(ports, ends);
  if (change.status === 'active' && target !== undefined) {
    await wake.deliver(target.installation, 'people');
    await wake.deliver(target.installation, 'bulk');
  }
  if (change.reconcile !== undefined) await changeSchedule(ports, route.id, change.reconcile);
  const scheduleOf = await schedules(ports);
  return view(await routeWithId(ports, id), await siteNames(registry), { scheduleOf, records });
}

const endOf = async (
  { registry }: OperationPorts,
  { name, installation }: Pick<SiteRecord, 'name' | 'installation'>,
): Promise<End> => ({ name, contract: (await registry.installation(installation)).contract });

async function refuseAsked(ports: OperationPorts, route: Route, rules: RouteRules): Promise<void> {
  const { sites } = await ports.registry.topology();
  const [source, target] = [sites.get(route.source), sites.get(route.target)];
  if (source === undefined || target === undefined) return;
  refuseUnable(await endOf(ports, source), await endOf(ports, target), rules, route.rules);
}

/**
 * One role there for two that a route carries would be given and taken for both in turn: who loses the
 * one would lose it although the other is still theirs.
 */
export function refuseGivenTwice(
  target: Pick<SiteRecord, 'name' | 'rules'>,
  roles: readonly string[],
): void {
  const twice = givenTwice(target.rules, roles);
  if (twice === null) return;
  const sentence = `“${target.name}” would give “${twice}” for two of the roles that one route carries.`;
  throw new Fault('role.given_twice', sentence);
}

export async function removeRoute(ports: OperationPorts, id: number): Promise<void> {
  const route = await routeWithId(ports, id);
  await ports.registry.removeRoute(route.id);
}

async function routeWithId({ registry }: OperationPorts, id: number): Promise<Route> {
  const found = (await registry.topology()).routes.find((route) => route.id === routeId(id));
  if (found === undefined) throw new Fault('route.unknown', `There is no route number ${id}.`);
  return found;
}

function refuse(
  routes: readonly Route[],
  from: SiteRecord,
  to: SiteRecord,
  rules: SomeRules | undefined,
): void {
  if (from.installation === to.installation) {
    const sentence = `“${from.name}” and “${to.name}” share their accounts.`;
    throw new Fault('route.same_installation', sentence);
  }
  if (routes.some((route) => route.source === from.key && route.target === to.key)) {
    throw new Fault(
      'route.exists',
      `There is a route from “${from.name}” to “${to.name}” already.`,
    );
  }
  refuseRules(from, rules);
}

/** What can't be meant: fields, keys and roles that there are not, or that never travel. */
export function refuseRules(
  from: Pick<SiteRecord, 'name' | 'roles'> | undefined,
  rules: Unsettled | undefined,
): void {
  const unknown = rules?.fields?.find((field) => !FIELDS.has(field) && !isNamedExtension(field));
  if (unknown !== undefined) {
    throw new Fault('request.invalid', `There is no field “${unknown}”.`);
  }
  refuseConditions(rules?.leaveWhen ?? []);
  for (const entry of rules?.meta ?? []) {
    const why = whyNoEntry(entry);
    if (why !== null) throw new Fault('request.invalid', why);
  }
  const asked = (rules?.leaveWhen ?? []).flatMap((one) => (one.kind === 'role' ? one.role : []));
  const role = [...(rules?.roles ?? []), ...asked].find((name) => from?.roles[name] === undefined);
  if (from !== undefined && role !== undefined) {
    throw new Fault('role.unknown', `“${from.name}” has no role “${role}”.`);
  }
}

/**
 * Most sites make the account first and confirm its address later. Without anything that says when, whoever
 * registers with another person's address would be taken for them at once.
 */
export function refuseUnprovable({ confirmsAddresses, leaveWhen = [] }: RouteRules): void {
  if (confirmsAddresses !== true || leaveWhen.some(({ kind }) => kind !== 'role')) return;
  const sentence =
    'A source that confirms addresses needs a sign-in or a value that says when it has (--leave-when).';
  throw new Fault('route.nothing_confirms', sentence);
}

/** A key that never travels is watched nowhere, so nobody could ever say that it holds. */
function refuseConditions(conditions: readonly LeaveCondition[]): void {
  for (const condition of conditions) {
    if (condition.kind !== 'meta') continue;
    const why = isPattern(condition.key)
      ? `“${condition.key}” covers many keys: name one.`
      : whyNoEntry(condition.key);
    if (why !== null) throw new Fault('request.invalid', why);
  }
}

const isNamedExtension = (field: string): boolean =>
  isExtension(field) && EXTENSION_NAME.test(field.slice('ext:'.length));

const FIELDS: ReadonlySet<string> = new Set([...CORE_FIELDS, PASSWORD]);

/**
 * What a new route carries unless told otherwise: the profile, the password, and the roles that
 * both ends define and that give no power over a site. Lists are allow-lists, so the defaults
 * are written down in the route and can be seen.
 */
export function withDefaults(from: RuleEnd, to: RuleEnd, rules: Unsettled | undefined): RouteRules {
  const harmless = Object.entries(from.roles)
    .filter(([role, { privileged }]) => !privileged && isHarmlessAt(to, role))
    .map(([role]) => role);
  const defaults: RouteRules = {
    fields: [...FIELDS],
    meta: [],
    roles: harmless,
    creates: true,
    updates: true,
    onDelete: 'delete',
    reassignTo: null,
    loginTaken: 'hold',
    passwordMail: false,
  };
  return { ...defaults, ...named(rules ?? {}) };
}

/** Of all roles that the target gives for it. */
function isHarmlessAt({ rules, roles }: RuleEnd, role: string): boolean {
  const given = rolesGivenFor(rules, role);
  return given.length > 0 && given.every((name) => roles[name]?.privileged === false);
}

const lists = ({ meta, roles, ...rest }: Partial<RouteRules>): SomeRules => ({
  ...(meta === undefined ? {} : { meta: [...meta] }),
  ...(roles === undefined ? {} : { roles: [...roles] }),
  ...(rest.loginTaken === undefined ? {} : { loginTaken: rest.loginTaken }),
});

type Named = { [Rule in keyof SomeRules]?: Exclude<SomeRules[Rule], undefined> };

/** Without what is not named. */
export function named(rules: SomeRules): Named;
export function named(rules: Unsettled): Partial<RouteRules>;
export function named(rules: Unsettled): Partial<RouteRules> {
  return Object.fromEntries(Object.entries(rules).filter(([, value]) => value !== undefined));
}

/** The lists of meta to watch changed; a site that can't be reached gets them with its next pull. */
async function configureEnds(
  { pipeline }: OperationPorts,
  installations: readonly InstallationId[],
): Promise<void> {
  await Promise.all(installations.map((id) => pipeline.configure(id)));
}

const view = (
  route: Route,
  nameOf: (key: Route['source']) => string,
  {
    scheduleOf = () => null,
    records,
  }: {
    readonly scheduleOf?: (route: Route['id']) => RouteView['reconcile'];
    readonly records: readonly SiteRecord[];
  },
): RouteView => ({
  id: route.id,
  source: nameOf(route.source),
  target: nameOf(route.target),
  status: route.status,
  // One that belongs to a group is changed with it, or listed.
  group: null,
  notConsented: notConsented(
    route.rules,
    records.find(({ key }) => key === route.target),
  ),
  rules: {
    ...route.rules,
    fields: [...route.rules.fields],
    meta: [...route.rules.meta],
    roles: [...route.rules.roles],
    passwordMail: route.rules.passwordMail ?? false,
    confirmsAddresses: route.rules.confirmsAddresses ?? false,
    unconfirmedEmails: route.rules.unconfirmedEmails ?? 'send',
    privilegedRoles: [...(route.rules.privilegedRoles ?? [])],
    leaveWhen: (route.rules.leaveWhen ?? []).map((one) =>
      one.kind === 'meta' ? { ...one, values: [...one.values] } : one,
    ),
  },
  reconcile: scheduleOf(route.id),
});
