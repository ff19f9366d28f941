/**
 * What a site tells of its roles, and which privileged ones it lets come.
 *
 * Always true: written where it differs from what was told last, and nowhere else: each write has every
 * process read sites and routes again.
 */
import { isDeepStrictEqual } from 'node:util';
import type { StatusAnswer } from '#contract/messages.ts';
import type { InstallationId } from '../model/ids.ts';
import type { Registry } from './ports.ts';

/** Safe to repeat. */
export async function hearRoles(
  registry: Pick<Registry, 'sites' | 'updateSite'>,
  installation: InstallationId,
  { sites: told }: Pick<StatusAnswer, 'sites'>,
): Promise<void> {
  for (const site of await registry.sites()) {
    if (site.installation !== installation) continue;
    const found = told.find(({ blog }) => blog === site.blog);
    if (found === undefined) continue;
    const { roles, consents = [] } = found;
    const before = { roles: site.roles, consents: [...(site.consents ?? [])] };
    if (!isDeepStrictEqual(before, { roles, consents })) {
      await registry.updateSite(site.key, { roles, consents });
    }
  }
}
