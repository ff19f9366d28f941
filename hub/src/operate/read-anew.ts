/** A person says what happened to a site: it was restored, or written past WordPress. */
import type { RereadSite, Rewritten, RewrittenSite } from '../api/schemas/recovery.ts';
import { Fault, isFaultCode } from '../errors.ts';
import type { Reason } from '../reasons.ts';
import type { Connection, Installation, SiteEvent, SiteRecord } from '../sync/ports.ts';
import { hearRewritten } from '../sync/rewritten-outside.ts';
import { decideHeld } from './held.ts';
import { operatorNamed, siteNamed } from './names.ts';
import type { OperationPorts } from './ports.ts';
import { wakeEverything } from './wake-everything.ts';

/**
 * The site goes on from where its backup was made. Always true: until everything was read nothing
 * is pulled from it and nothing sent to it, so a crash half-way leaves it stopped as it was.
 */
export async function siteRestored(
  ports: OperationPorts,
  name: string,
  by: string,
): Promise<RereadSite> {
  const { registry, store, marks, site: port, pipeline } = ports;
  const site = await siteNamed(registry, name);
  const { installation: id } = site;
  const installation = await registry.installation(id);
  if (installation.trouble?.code === 'hub.rewound') throw troubleOf(installation);
  const connection = await registry.connection(id);
  const status = await port.status(connection);
  if (status.store !== installation.store || status.bound?.home_matches !== true) {
    throw new Fault('site.moved', `“${site.name}” is not the installation that was connected.`);
  }
  await stop(ports, installation);
  const { epoch, head } = status;
  await store.transaction(async (tx) => {
    await tx.forgetOutbox(id);
    await tx.setCursor(id, { epoch, head });
  });
  await marks.reset(id, status.mark);
  await tellAgain(ports, connection);
  const found = await pipeline.reread(id);
  await registry.updateInstallation(id, {
    state: 'active',
    trouble: null,
    failures: 0,
    retryAtMs: 0,
  });
  await registry.noteEvent(
    id,
    readAnew('The site was said to be restored, and was read anew.', by),
  );
  await ports.wake.pull(id);
  await wakeEverything(ports);
  return { site: site.name, ...found };
}

/** For the history of the site. */
export const readAnew = (message: string, by: string): SiteEvent => ({
  code: 'source.read_anew' satisfies Reason,
  message,
  actor: operatorNamed(by),
});

async function stop({ registry }: OperationPorts, { id, trouble }: Installation): Promise<void> {
  const reading = { code: 'source.rewound', message: 'The site is being read anew.' };
  await registry.updateInstallation(id, { state: 'attention', trouble: trouble ?? reading });
}

/** What the hub had brought to the site since the backup was made is lost there. */
export async function tellAgain(ports: OperationPorts, connection: Connection): Promise<void> {
  const { registry, site, publicUrl } = ports;
  const { installation: id } = connection;
  const own = (await registry.sites()).filter((entry) => entry.installation === id);
  const secret = await registry.signalSecret(id);
  await site.settings(connection, {
    keys: Object.fromEntries(own.map(({ blog, key }) => [String(blog), key])),
    ...(secret === null ? {} : { signal: { url: `${publicUrl()}/api/v1/signals/${id}`, secret } }),
    notice: null,
  });
}

const HELD = 'source.rewritten_outside';

export async function siteRewritten(
  ports: OperationPorts,
  name: string,
  { take }: Rewritten,
  by: string,
): Promise<RewrittenSite> {
  const { registry, site: port, pipeline } = ports;
  const site = await siteNamed(registry, name);
  const installation = await registry.installation(site.installation);
  if (installation.state !== 'active') throw troubleOf(installation);
  const connection = await registry.connection(site.installation);
  let changed = 0;
  let after: number | null = 0;
  while (after !== null) {
    const page: { changed: number; next: number | null } = await port.outside(connection, {
      take,
      after,
    });
    changed += page.changed;
    if (page.next !== null && page.next <= after) throw outOfOrder(page.next);
    after = page.next;
  }
  const found = await pipeline.reread(site.installation);
  await hearRewritten(ports, site.installation, null);
  const said = `What was written past WordPress was answered with “${take}”, and the site was read anew.`;
  await registry.noteEvent(site.installation, readAnew(said, by));
  await releaseHeld(ports, site, by);
  await ports.wake.pull(site.installation);
  return { site: site.name, changed, ...found };
}

const outOfOrder = (id: number): Fault =>
  new Fault(
    'site.bad_answer',
    `The site went through its accounts out of their order, at id ${id}.`,
  );

/** What came in for these values while nobody had answered is tried again. */
async function releaseHeld(
  ports: OperationPorts,
  { installation }: SiteRecord,
  by: string,
): Promise<void> {
  const sites = (await ports.registry.sites()).filter((site) => site.installation === installation);
  const query = { reason: HELD, targets: sites.map(({ key }) => key), limit: AT_ONCE };
  for (let page = await ports.views.held(query); page.length > 0; ) {
    const deliveries = page.map(({ delivery }) => delivery);
    await decideHeld(ports, { deliveries, decision: 'release' }, by);
    const after = page.at(-1);
    page = after === undefined ? [] : await ports.views.held({ ...query, after });
  }
}

const AT_ONCE = 500;

function troubleOf({ trouble }: Installation): Fault {
  const code = trouble !== null && isFaultCode(trouble.code) ? trouble.code : 'source.rewound';
  return new Fault(code, trouble?.message ?? 'The site needs attention first.');
}
