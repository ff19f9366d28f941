/** Sites as they are shown. */
import type { SiteView } from '../api/schemas/site.ts';
import { Fault } from '../errors.ts';
import { isOlder } from '../model/connector-version.ts';
import type { Installation } from '../sync/ports.ts';
import { momentOrNull } from './names.ts';
import { isOlderContract, lacksOf } from './older-connectors.ts';
import type { OperationPorts } from './ports.ts';

export async function viewSites({
  registry,
  connectorVersion,
}: Pick<OperationPorts, 'registry' | 'connectorVersion'>): Promise<readonly SiteView[]> {
  const installations = new Map((await registry.installations()).map((entry) => [entry.id, entry]));
  return (await registry.sites()).map((site) => {
    const installation = installations.get(site.installation);
    if (installation === undefined)
      throw new Fault('data.broken', `“${site.name}” has no installation.`);
    return {
      key: site.key,
      name: site.name,
      url: site.url,
      status: site.status,
      createMissing: site.createMissing,
      ...site.rules,
      syncRoles: [...site.rules.syncRoles],
      roleMap: Object.fromEntries(
        Object.entries(site.rules.roleMap).map(([role, given]) => [role, [...given]]),
      ),
      installation: site.installation,
      blog: site.blog,
      multisite: installation.multisite,
      network: site.network ?? null,
      closed: site.closed ?? null,
      consents: [...(site.consents ?? [])],
      state: installation.state === 'attention' ? 'attention' : 'active',
      trouble: installation.trouble,
      ...versionsOf(installation, connectorVersion),
      lastPulledAt: momentOrNull(installation.lastPulledMs),
    };
  });
}

/** What runs there, and whether this hub brings a newer connector. */
export const versionsOf = (
  { connector, wordpress, contract }: Pick<Installation, 'connector' | 'wordpress' | 'contract'>,
  ours: string,
) => ({
  connector,
  wordpress,
  updateDue: isOlderContract(contract) || (connector !== null && isOlder(connector, ours)),
  lacks: lacksOf(contract),
});
