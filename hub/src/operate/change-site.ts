/** Pausing, resuming, renaming, removing and testing a site. */
import type { ChangeSite, RemovedSite, SiteTest, SiteView } from '../api/schemas/site.ts';
import { Fault } from '../errors.ts';
import { viewSites } from './list-sites.ts';
import { siteNamed } from './names.ts';
import type { OperationPorts } from './ports.ts';

export async function changeSite(
  { registry, wake }: OperationPorts,
  name: string,
  change: ChangeSite,
): Promise<SiteView> {
  const site = await siteNamed(registry, name);
  if (change.name !== undefined) await refuseTakenName(registry, site.key, change.name);
  await registry.updateSite(site.key, {
    ...(change.status === undefined ? {} : { status: change.status }),
    ...(change.createMissing === undefined ? {} : { createMissing: change.createMissing }),
    ...(change.name === undefined ? {} : { name: change.name }),
  });
  if (change.status === 'active') {
    await wake.pull(site.installation);
    await wake.deliver(site.installation, 'people');
    await wake.deliver(site.installation, 'bulk');
  }
  const view = (await viewSites(registry)).find((entry) => entry.key === site.key);
  if (view === undefined) throw new Fault('site.unknown', `“${name}” was removed meanwhile.`);
  return view;
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

/** Users, roles and content stay as they are; what is pending is cancelled with a reason. */
export async function removeSite(ports: OperationPorts, name: string): Promise<RemovedSite> {
  const { registry, site: port } = ports;
  const site = await siteNamed(registry, name);
  const together = (await registry.sites()).filter(
    (entry) => entry.installation === site.installation,
  );
  let released = false;
  try {
    await port.disconnect(await registry.connection(site.installation));
    released = true;
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
  }
  await registry.removeInstallation(site.installation);
  return { removed: together.map((entry) => entry.name), released };
}

export async function testSite(ports: OperationPorts, name: string): Promise<SiteTest> {
  const site = await siteNamed(ports.registry, name);
  const blank = { roundTripMs: null, connector: null, wordpress: null, php: null, accounts: null };
  try {
    const status = await ports.site.status(await ports.registry.connection(site.installation));
    return {
      site: site.name,
      ok: true,
      roundTripMs: Math.round(status.roundTripMs),
      connector: status.connector,
      wordpress: status.wordpress,
      php: status.php,
      accounts: status.accounts,
      fault: null,
      warnings: status.warnings,
    };
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    const { code, message, next } = fault;
    return { site: site.name, ok: false, ...blank, fault: { code, message, next }, warnings: [] };
  }
}
