/**
 * Takes an installation out of the hub, with all its sites; a site that has ended on its network, alone.
 *
 * Does: have the site end the hub's credential and its service account and forget the binding; cancel what is
 * pending (`site.removed`); write into the hub's history who said so.
 * Does not: delete, change or unlink any account, there or elsewhere. Tombstones stay on both ends.
 * Always true: a site that still takes orders from this hub is not forgotten without having been told, unless a
 * person says that it is to be forced; then no site is asked.
 * On failure: `site.not_told`; nothing has changed here.
 */
import type { RemovedSite, RemoveSite } from '../api/schemas/site.ts';
import { Fault, type FaultCode } from '../errors.ts';
import type { InstallationId } from '../model/ids.ts';
import type { Reason } from '../reasons.ts';
import { operatorNamed, siteNamed } from './names.ts';
import type { OperationPorts } from './ports.ts';

/** Whose answer says that this hub has nothing there any more. */
const FREE: readonly FaultCode[] = ['site.released', 'site.not_mine'];
const CODE: Reason = 'site.removed';

export async function removeSite(
  ports: OperationPorts,
  name: string,
  { force }: RemoveSite,
  by: string,
): Promise<RemovedSite> {
  const { registry } = ports;
  const { installation, key, closed } = await siteNamed(registry, name);
  if (closed === 'ended') {
    const message = `“${name}”, which no longer exists on its network, was removed from the hub.`;
    await registry.noteEvent(installation, { code: CODE, message, actor: operatorNamed(by) });
    await registry.removeEnded(key);
    return { removed: [name], released: true };
  }
  const together = (await registry.sites()).filter((site) => site.installation === installation);
  if (!force) await tell(ports, installation, name);
  const message = force
    ? 'The site was removed from the hub without asking it.'
    : 'The site was removed from the hub, and has let it go.';
  await registry.noteEvent(installation, { code: CODE, message, actor: operatorNamed(by) });
  await registry.removeInstallation(installation);
  return { removed: together.map((site) => site.name), released: !force };
}

async function tell(
  { registry, site }: OperationPorts,
  id: InstallationId,
  name: string,
): Promise<void> {
  try {
    await site.disconnect(await registry.connection(id));
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    if (FREE.includes(fault.code)) return;
    const sentence = `“${name}” could not be told that it is removed: ${fault.message}`;
    throw new Fault('site.not_told', sentence, { cause: fault, detail: { why: fault.code } });
  }
}
