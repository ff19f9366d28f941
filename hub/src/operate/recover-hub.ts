/**
 * The hub was restored from a backup, and its sites know more than it: it learns from them again.
 *
 * Does: see which sites are ahead of this hub, and read all of these before any of them is written to.
 * Does not: delete or create anybody, or bring back what was set since the backup: sites, routes, links
 * and decisions are the operator's to set again.
 * Always true: the term rises first, so another copy of this hub that still runs is refused from then
 * on; a site that could not be read to the end stays stopped. Repeating it is safe.
 * On failure: a site's fault is told with the site; the others go on.
 */
import type { RecoveredSite, Recovery } from '../api/schemas/recovery.ts';
import { Fault } from '../errors.ts';
import type { InstallationId } from '../model/ids.ts';
import { reasonSentence } from '../reasons.ts';
import type { Recovered } from '../sync/pipeline.ts';
import type { Connection, Registry } from '../sync/ports.ts';
import type { OperationPorts } from './ports.ts';
import { readAnew, tellAgain } from './read-anew.ts';
import { wakeEverything } from './wake-everything.ts';

/** What `recoverHub` would do now. Changes nothing. */
export async function planRecovery(ports: OperationPorts): Promise<Recovery> {
  return { sites: (await lookAtAll(ports)).map(shown) };
}

export async function recoverHub(ports: OperationPorts, by: string): Promise<Recovery> {
  const seen = await lookAtAll(ports);
  const ahead = seen.filter(({ stands }) => stands === 'ahead');
  if (ahead.length > 0) await ports.hub.takeOver();
  for (const site of ahead) await attempt(site, () => stop(ports, site.id));
  for (const site of ahead) await attempt(site, () => read(ports, site, 'known'));
  for (const site of ahead) await attempt(site, () => read(ports, site, 'unknown'));
  for (const site of ahead) await attempt(site, () => read(ports, site, 'spread'));
  await keepKeysApart(ports, Math.max(0, ...ahead.map(({ highestKey }) => highestKey)));
  for (const site of ahead) await attempt(site, () => goOn(ports, site.id, by));
  // Another copy of this hub may have told these where it is, and they don't know of a new term.
  const others = seen.filter(({ stands }) => stands === 'in_step');
  for (const site of others) await attempt(site, () => say(ports, site.id));
  await wakeEverything(ports);
  return { sites: seen.map(shown) };
}

/** One installation on the way. */
interface Seen {
  readonly id: InstallationId;
  readonly name: string;
  readonly stands: RecoveredSite['stands'];
  fault: Fault | null;
  found: Omit<Recovered, 'highestKey'> | null;
  highestKey: number;
}

const shown = ({ name: site, stands, fault, found }: Seen): RecoveredSite => ({
  site,
  stands,
  fault: fault === null ? null : { code: fault.code, message: fault.message },
  found: fault === null ? found : null,
});

async function lookAtAll(ports: OperationPorts): Promise<Seen[]> {
  const sites = await ports.registry.sites();
  const seen: Seen[] = [];
  for (const id of new Set(sites.map(({ installation }) => installation))) {
    const name = sites.find(({ installation }) => installation === id)?.name ?? '';
    const blank = { id, name, fault: null, found: null, highestKey: 0 };
    try {
      seen.push({ ...blank, stands: await standOf(ports, id) });
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault;
      seen.push({ ...blank, stands: 'unknown', fault });
    }
  }
  return seen;
}

async function standOf(
  { registry, site, marks }: OperationPorts,
  id: InstallationId,
): Promise<'ahead' | 'in_step'> {
  const { trouble, store, home } = await registry.installation(id);
  const status = await site.status(await registry.connection(id));
  if (status.store !== store || status.bound?.home_matches !== true) {
    throw new Fault('site.moved', `The site at ${status.home} was connected at ${home}.`);
  }
  const who = await marks.judge(id, status.mark);
  if (who === 'site') throw new Fault('source.rewound', reasonSentence('source.rewound'));
  // One that was being read when this hub ended is told by its trouble alone.
  return who === 'hub' || trouble?.code === 'hub.rewound' ? 'ahead' : 'in_step';
}

async function attempt(site: Seen, work: () => Promise<void>): Promise<void> {
  if (site.fault !== null) return;
  try {
    await work();
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    site.fault = fault;
  }
}

/** From here on nothing is pulled from the site and nothing sent to it. */
async function stop(
  { registry, site, store, marks }: OperationPorts,
  id: InstallationId,
): Promise<void> {
  const trouble = { code: 'hub.rewound', message: reasonSentence('hub.rewound') };
  await registry.updateInstallation(id, { state: 'attention', trouble });
  const { epoch, head, mark } = await site.status(await registry.connection(id));
  await store.transaction(async (tx) => {
    await tx.forgetOutbox(id);
    await tx.setCursor(id, { epoch, head });
  });
  await marks.reset(id, mark);
}

async function read(
  { pipeline }: OperationPorts,
  site: Seen,
  step: 'known' | 'unknown' | 'spread',
): Promise<void> {
  const { highestKey, ...found } = await pipeline.recover(site.id, step);
  site.found = site.found === null ? found : sum(site.found, found);
  site.highestKey = Math.max(site.highestKey, highestKey);
}

async function goOn(ports: OperationPorts, id: InstallationId, by: string): Promise<void> {
  const { registry, store, wake } = ports;
  const connection: Connection = await registry.connection(id);
  await tellAgain(ports, connection);
  await registry.updateInstallation(id, {
    state: 'active',
    trouble: null,
    failures: 0,
    retryAtMs: 0,
    lastPulledMs: await store.nowMs(),
  });
  const said = 'The hub was said to be restored, and learned from the site again.';
  await registry.noteEvent(id, readAnew(said, by));
  await wake.pull(id);
}

async function say(ports: OperationPorts, id: InstallationId): Promise<void> {
  await tellAgain(ports, await ports.registry.connection(id));
}

/** Far more than any hub gives out between two backups: a site must not make it count for ever. */
const MOST_KEYS_LOST = 1_000;

/** Keys that were given since the backup stand in stamps: they mean no other site. */
async function keepKeysApart(
  { registry }: { readonly registry: Registry },
  highest: number,
): Promise<void> {
  const known = Math.max(0, ...(await registry.sites()).map(({ key }) => key));
  if (highest <= known) return;
  const [next = highest] = await registry.reserveSiteKeys(1);
  const missing = Math.min(highest - next, MOST_KEYS_LOST);
  if (missing > 0) await registry.reserveSiteKeys(missing);
}

const sum = (a: Omit<Recovered, 'highestKey'>, b: Omit<Recovered, 'highestKey'>) => ({
  accounts: a.accounts + b.accounts,
  takenOver: a.takenOver + b.takenOver,
  vanished: a.vanished + b.vanished,
  mismatched: a.mismatched + b.mismatched,
});
