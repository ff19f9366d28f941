/** Sites as they are shown. */
import type { SiteView } from '../api/schemas/site.ts';
import { Fault } from '../errors.ts';
import type { Registry } from '../sync/ports.ts';
import { momentOrNull } from './names.ts';

export async function viewSites(registry: Registry): Promise<readonly SiteView[]> {
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
      state: installation.state === 'attention' ? 'attention' : 'active',
      trouble: installation.trouble,
      lastPulledAt: momentOrNull(installation.lastPulledMs),
    };
  });
}
