/**
 * Replaces the hub's credential on a site, without a moment in which there is none.
 *
 * Does: have the site issue one that follows, keep it, use it; with that the site ends the one before.
 * Always true: what is kept is good on the site, wherever this is cut short: before the new one is kept the one
 * before has not ended, and once it is kept any request uses it. Repeating it is safe.
 * On failure: throws `Fault`; the one before goes on, unless the new one was kept already.
 */
import type { RotatedSite } from '../api/schemas/site.ts';
import { Fault } from '../errors.ts';
import type { InstallationId } from '../model/ids.ts';
import type { Reason } from '../reasons.ts';
import type { Connection, Credential } from '../sync/ports.ts';
import { operatorNamed, siteNamed } from './names.ts';
import type { OperationPorts } from './ports.ts';

type Ports = Pick<OperationPorts, 'registry' | 'site'>;

export async function rotateSite(ports: Ports, name: string, by: string): Promise<RotatedSite> {
  const { registry } = ports;
  const { installation } = await siteNamed(registry, name);
  const ended = await rotate(ports, installation);
  await registry.noteEvent(installation, {
    code: 'credential.rotated' satisfies Reason,
    message: 'The hub’s credential on the site was replaced.',
    actor: operatorNamed(by),
  });
  const together = (await registry.sites()).filter((site) => site.installation === installation);
  return { sites: together.map((site) => site.name), ended };
}

/** True: the one before has ended. */
async function rotate(ports: Ports, id: InstallationId): Promise<boolean> {
  const before = await ports.registry.connection(id);
  const fresh = await issued(ports, before);
  if (!(await ports.registry.replaceCredential(id, before.credential, fresh))) {
    // Somebody else did the same meanwhile; what the site issued last is theirs or nobody's.
    await ports.site.status(await ports.registry.connection(id));
    return true;
  }
  return use(ports, before, fresh);
}

async function issued({ site }: Ports, before: Connection): Promise<Credential> {
  try {
    return await site.newCredential(before);
  } catch (fault) {
    if (!(fault instanceof Fault) || fault.code !== 'site.no_connector') throw fault;
    const sentence = `The connector on ${new URL(before.restUrl).host} can’t renew a credential yet.`;
    throw new Fault('site.connector_too_old', sentence);
  }
}

async function use(
  { registry, site }: Ports,
  before: Connection,
  fresh: Credential,
): Promise<boolean> {
  try {
    await site.status({ ...before, credential: fresh });
    return true;
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    // Out of reach: the next request that is answered uses it. Refused: the one before has not ended.
    if (fault.code !== 'site.credential_rejected') return false;
    await registry.replaceCredential(before.installation, fresh, before.credential);
    throw fault;
  }
}
