/** Pausing, resuming, renaming, moving and testing a site. */
import type { StatusAnswer } from '#contract/messages.ts';
import type {
  ChangedSite,
  ChangeSite,
  MovedSite,
  MoveSite,
  SiteTest,
} from '../api/schemas/site.ts';
import { Fault } from '../errors.ts';
import { isOlder } from '../model/connector-version.ts';
import type { InstallationId } from '../model/ids.ts';
import type { SiteRules } from '../model/route.ts';
import { type Reason, reasonSentence } from '../reasons.ts';
import { hearRoles } from '../sync/hear-roles.ts';
import type { SiteRecord } from '../sync/ports.ts';
import { viewSites } from './list-sites.ts';
import { operatorNamed, siteNamed } from './names.ts';
import { olderWarning } from './older-connectors.ts';
import type { OperationPorts } from './ports.ts';
import { needsOf } from './privileged-roles.ts';
import { relocateSite } from './relocate-site.ts';
import { refuseGivenTwice } from './routes.ts';

export async function changeSite(
  ports: OperationPorts,
  name: string,
  change: ChangeSite,
): Promise<ChangedSite> {
  const { registry, store, wake } = ports;
  const site = await siteNamed(registry, name);
  if (change.name !== undefined) await refuseTakenName(registry, site.key, change.name);
  refuseRoles(site, change.syncRoles ?? []);
  if (change.roleMap !== undefined) await refuseMap(registry, site, change.roleMap);
  const rules = rulesIn(change);
  await registry.updateSite(site.key, {
    ...(change.status === undefined ? {} : { status: change.status }),
    ...(change.createMissing === undefined ? {} : { createMissing: change.createMissing }),
    ...(change.name === undefined ? {} : { name: change.name }),
    ...(Object.keys(rules).length === 0 ? {} : { rules }),
  });
  if (change.status === 'active') await tryNow({ registry, store, wake }, site.installation);
  const view = (await viewSites(ports)).find((entry) => entry.key === site.key);
  if (view === undefined) throw new Fault('site.unknown', `“${name}” was removed meanwhile.`);
  return { ...view, privileged: await needsOf(ports, site, change) };
}

function rulesIn(change: ChangeSite): Partial<SiteRules> {
  const { automatic, syncRoles, onRoleLost, roleMap, newAccountsADay } = change;
  return {
    ...(newAccountsADay === undefined ? {} : { newAccountsADay }),
    ...(automatic === undefined ? {} : { automatic }),
    ...(syncRoles === undefined ? {} : { syncRoles: [...new Set(syncRoles)] }),
    ...(onRoleLost === undefined ? {} : { onRoleLost }),
    ...(roleMap === undefined ? {} : { roleMap }),
  };
}

export function refuseRoles(
  { name, roles }: Pick<SiteRecord, 'name' | 'roles'>,
  wanted: readonly string[],
): void {
  const unknown = wanted.find((role) => roles[role] === undefined);
  if (unknown !== undefined) {
    throw new Fault('role.unknown', `“${name}” has no role “${unknown}”.`);
  }
}

async function refuseMap(
  registry: OperationPorts['registry'],
  site: SiteRecord,
  roleMap: SiteRules['roleMap'],
): Promise<void> {
  refuseRoles(site, Object.values(roleMap).flat());
  const { routes } = await registry.topology();
  for (const { rules } of routes.filter(({ target }) => target === site.key)) {
    refuseGivenTwice({ ...site, rules: { ...site.rules, roleMap } }, rules.roles);
  }
}

async function refuseTakenName(
  registry: OperationPorts['registry'],
  key: number,
  name: string,
): Promise<void> {
  const others = (await registry.sites()).filter((site) => site.key !== key);
  if (others.some((site) => site.name.toLowerCase() === name.toLowerCase())) {
    throw new Fault('site.name_taken', `Another site is named “${name}”.`);
  }
}

export async function siteMoved(
  ports: OperationPorts,
  name: string,
  { url }: MoveSite,
  by: string,
): Promise<MovedSite> {
  const { registry, wake } = ports;
  const site = await siteNamed(registry, name);
  const moved = await relocateSite(ports, site.installation, url);
  await registry.noteEvent(site.installation, {
    code: 'installation.relocated' satisfies Reason,
    message: `The site was said to have moved, and is spoken to at ${moved.to}.`,
    actor: operatorNamed(by),
  });
  await wake.pull(site.installation);
  await wake.deliver(site.installation, 'people');
  await wake.deliver(site.installation, 'bulk');
  const sites = (await viewSites(ports)).filter(
    (entry) => entry.installation === site.installation,
  );
  return { sites, ...moved };
}

/** A person has looked: what backs off does not wait any longer. */
export async function tryNow(
  { registry, store, wake }: Pick<OperationPorts, 'registry' | 'store' | 'wake'>,
  id: InstallationId,
): Promise<void> {
  await store.transaction((tx) => tx.retryNow(id));
  const { retryAtMs } = await registry.installation(id);
  if (retryAtMs > 0) await registry.updateInstallation(id, { retryAtMs: 0 });
  await wake.pull(id);
  await wake.deliver(id, 'people');
  await wake.deliver(id, 'bulk');
}

/** A site that answers again is served again at once. */
export async function testSite(ports: OperationPorts, name: string): Promise<SiteTest> {
  const site = await siteNamed(ports.registry, name);
  const blank = { roundTripMs: null, connector: null, wordpress: null, php: null, accounts: null };
  try {
    const status = await ports.site.status(await ports.registry.connection(site.installation));
    const { connector, wordpress, contract } = status;
    const runs = { connector, wordpress, contract };
    await ports.registry.updateInstallation(site.installation, runs);
    await hearRoles(ports.registry, site.installation, status);
    await tryNow(ports, site.installation);
    return {
      site: site.name,
      ok: true,
      roundTripMs: Math.round(status.roundTripMs),
      connector,
      wordpress,
      php: status.php,
      accounts: status.accounts,
      fault: null,
      warnings: [
        ...status.warnings,
        ...readOnlyOf(status, site.blog),
        ...updateDue(connector, ports.connectorVersion),
        ...olderWarning(contract),
      ],
    };
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    const { code, message, next } = await finer(ports, site, fault);
    return { site: site.name, ok: false, ...blank, fault: { code, message, next }, warnings: [] };
  }
}

/** “Does not accept the credential” has causes that the credential has no part in. */
async function finer(
  { introductions, registry }: OperationPorts,
  site: SiteRecord,
  fault: Fault,
): Promise<Fault> {
  if (fault.code !== 'site.credential_rejected') return fault;
  const { publicOnly } = await registry.installation(site.installation);
  const found = await introductions.discover(site.url, publicOnly).catch((error: unknown) => error);
  const isOff = found instanceof Fault && found.code === 'site.app_passwords_off';
  return isOff ? found : introductions.whyRefused(fault);
}

/** All is well with the connection, and yet nothing will arrive. */
const readOnlyOf = ({ sites }: Pick<StatusAnswer, 'sites'>, here: number) =>
  sites.some(({ blog, read_only }) => blog === here && read_only)
    ? [{ code: 'target.read_only', message: reasonSentence('target.read_only') }]
    : [];

const updateDue = (version: string, ours: string): SiteTest['warnings'] =>
  isOlder(version, ours)
    ? [
        {
          code: 'connector.update_due' satisfies Reason,
          message: `The connector there is ${version}; this hub brings ${ours}.`,
        },
      ]
    : [];
