/**
 * Connects a WordPress site: discover, look, bind, remember, read who is who.
 *
 * Does: trade an administrator's Application Password for the hub's own credential. It is a ready one, or one
 * that the hub made for itself with name and password, and then it has ended when this returns.
 * Does not: keep a password, or touch any account on the site.
 * Always true: the same installation added again keeps its id, its labels and its site keys; only
 * its credential is new. Of a site that knows more than this hub (it was restored from a backup)
 * nobody is read before `recoverHub`.
 * On failure: throws `Fault`; a site that was bound but could not be remembered is bound again by
 * repeating the call.
 */
import { randomUUID } from 'node:crypto';
import type { StatusAnswer } from '#contract/messages.ts';
import type { AddedSite, AddSite, CheckedSite } from '../api/schemas/site.ts';
import { Fault } from '../errors.ts';
import { installationId, type SiteKey, siteKey } from '../model/ids.ts';
import { reasonSentence } from '../reasons.ts';
import type { Installation, SiteRecord } from '../sync/ports.ts';
import { viewSites } from './list-sites.ts';
import { olderWarning } from './older-connectors.ts';
import type { Door, OperationPorts } from './ports.ts';
import { freeName, keysFor, recordOf } from './site-records.ts';
import { throughDoor } from './through-door.ts';

export const addSite = (ports: OperationPorts, wanted: AddSite): Promise<AddedSite> =>
  throughDoor(ports, wanted, (door, made) =>
    made
      ? connectOnce(ports, door, wanted.name)
      : connectAt(ports, door, { name: wanted.name, revoke: false }),
  );

/** Everything up to connecting, and then nothing: what would be in the way? @throws Fault as `addSite` would */
export async function checkSite(ports: OperationPorts, wanted: AddSite): Promise<CheckedSite> {
  try {
    const { status, before } = await throughDoor(ports, { ...wanted, install: false }, (door) =>
      look(ports, door, wanted.name),
    );
    return { home: status.home, renews: goesOn(before), installs: false };
  } catch (fault) {
    const isMissing = fault instanceof Fault && fault.code === 'site.no_connector';
    if (!isMissing || wanted.install !== true) throw fault;
    return { home: null, renews: false, installs: true };
  }
}

/** With an Application Password that was made for this: the connector ends it, or this does. */
export async function connectOnce(
  ports: OperationPorts,
  door: Door,
  name: string,
): Promise<AddedSite> {
  try {
    return await connectAt(ports, door, { name, revoke: true });
  } catch (error) {
    await ports.introductions.revoke(door);
    throw error;
  }
}

async function connectAt(
  ports: OperationPorts,
  door: Door,
  wanted: { readonly name: string; readonly revoke: boolean },
): Promise<AddedSite> {
  const { registry, introductions } = ports;
  const { status, before, mine } = await look(ports, door, wanted.name);
  const keys = await keysFor(registry, status.sites, mine);
  const signalSecret = ports.newSecret();
  const id = before?.id ?? installationId(randomUUID());
  const connected = await introductions.connect(door, {
    hub: { id: ports.hub.id, term: await ports.hub.term(), name: ports.hub.name },
    keys: Object.fromEntries([...keys].map(([blog, key]) => [String(blog), key])),
    signal: { url: `${ports.publicUrl()}/api/v1/signals/${id}`, secret: signalSecret },
    meta: [],
    revoke_caller: wanted.revoke,
  });
  const installation = installationOf(id, door, connected.status, before);
  const taken = new Set((await registry.sites()).map(({ name }) => name.toLowerCase()));
  const sites = sitesOf(installation, door, connected.status, { keys, mine, taken }, wanted.name);
  const secrets = { credential: connected.credential, signalSecret };
  await registry.saveInstallation(installation, sites, secrets);
  await registry.updateInstallation(id, { failures: 0, retryAtMs: 0, trouble: null });
  const ahead = await isAhead(ports, id, connected.status, before);
  if (ahead) await registry.updateInstallation(id, { state: 'attention', trouble: AHEAD });
  else await readWho(ports, id, connected.status, before);
  return {
    sites: (await viewSites(ports)).filter((site) => site.installation === id),
    renewed: goesOn(before),
    warnings: [
      ...connected.status.warnings,
      ...olderWarning(connected.status.contract),
      ...(ahead ? [AHEAD] : []),
    ],
  };
}

/** What is there, and whether it may be connected under this name. */
async function look({ registry, introductions }: OperationPorts, door: Door, name: string) {
  const status = await introductions.status(door);
  if (status.bound !== null && !status.bound.home_matches) {
    const sentence = `The site at ${status.home} has the database of another one, and has not been told whether it moved or is a copy.`;
    throw new Fault('site.moved', sentence);
  }
  const earlier = await registry.installationOfStore(status.store);
  const before = earlier?.installation;
  const mine = earlier?.sites ?? [];
  await refuseClash(await registry.sites(), mine, { name }, before);
  return { status, before, mine };
}

const AHEAD = { code: 'hub.rewound', message: reasonSentence('hub.rewound') };

/** A mark that this hub does not remember; one of a site that was removed is forgotten on purpose. */
const isAhead = async (
  { marks }: OperationPorts,
  id: Installation['id'],
  { mark }: StatusAnswer,
  before: Installation | undefined,
): Promise<boolean> => before?.state !== 'removed' && (await marks.judge(id, mark)) === 'hub';

async function readWho(
  { marks, pipeline, wake }: OperationPorts,
  id: Installation['id'],
  { mark }: StatusAnswer,
  before: Installation | undefined,
): Promise<void> {
  if (!goesOn(before)) await marks.reset(id, mark);
  await pipeline.census(id);
  await wake.pull(id);
}

/** The name must be free, and one users table is one installation. */
async function refuseClash(
  present: readonly SiteRecord[],
  mine: readonly SiteRecord[],
  wanted: Pick<AddSite, 'name'>,
  before: Installation | undefined,
): Promise<void> {
  const taken = present.find(
    (site) =>
      site.name.toLowerCase() === wanted.name.toLowerCase() && site.installation !== before?.id,
  );
  if (taken !== undefined) {
    throw new Fault('site.name_taken', `“${taken.name}” is the name of ${taken.url} already.`);
  }
  const [first] = mine;
  const isNamed = mine.some((site) => site.name.toLowerCase() === wanted.name.toLowerCase());
  // What it says of its users table is the site's own word: it must not take another one's place.
  if (before?.state === 'active' && first !== undefined && !isNamed) {
    const sentence = `This site shares its users table with “${first.name}” (${first.url}).`;
    throw new Fault('site.already_added', sentence);
  }
}

function installationOf(
  id: Installation['id'],
  { restUrl, publicOnly }: Door,
  status: StatusAnswer,
  before: Installation | undefined,
): Omit<Installation, 'failures' | 'retryAtMs' | 'lastPulledMs'> {
  return {
    id,
    store: status.store,
    home: status.home,
    multisite: status.multisite,
    restUrl,
    publicOnly,
    contract: status.contract,
    connector: status.connector,
    wordpress: status.wordpress,
    state: 'active',
    trouble: null,
    // A site that comes anew is read from where its outbox stands; one that only gets a new
    // credential goes on where the hub was, or a restored backup would pass unseen.
    epoch: goesOn(before) ? before.epoch : status.epoch,
    head: goesOn(before) ? before.head : 0,
    offsetMs: status.offset_ms,
    lastSignalMs: null,
  };
}

const goesOn = (before: Installation | undefined): before is Installation =>
  before !== undefined && before.state !== 'removed';

/** The name is the main site's; a network's other sites are named after it, and after their title. */
function sitesOf(
  installation: Pick<Installation, 'id'>,
  door: Door,
  status: StatusAnswer,
  {
    keys,
    mine,
    taken,
  }: {
    readonly keys: ReadonlyMap<number, SiteKey>;
    readonly mine: readonly SiteRecord[];
    readonly taken: Set<string>;
  },
  wanted: string,
): SiteRecord[] {
  const main = status.sites[0]?.blog;
  const byBlog = new Map(mine.map((site) => [site.blog, site]));
  const isASubSite = mine.some(
    ({ blog, name }) => blog !== main && name.toLowerCase() === wanted.toLowerCase(),
  );
  const before = main === undefined ? undefined : byBlog.get(main);
  const name = isASubSite && before !== undefined ? before.name : wanted;
  taken.add(name.toLowerCase());
  return status.sites.map((site) => {
    const before = byBlog.get(site.blog);
    return recordOf(site, {
      installation: installation.id,
      door,
      status,
      key: keys.get(site.blog) ?? siteKey(0),
      name: site.blog === main ? name : (before?.name ?? freeName(name, site, taken)),
      before,
    });
  });
}
