/**
 * The sites of a network come, move, close and end while it is connected.
 *
 * Does: remember a site that came, under a key and a name of its own; follow one that is at another address; note one
 * that is archived, marked as spam or deactivated, and one that no longer exists; say so in the hub's history.
 * Does not: set a route for a site that came, or take one away: what a site says of its list undoes nothing that an
 * operator has set. Nothing is deleted anywhere because a site ended, and what waits for it goes on waiting. One that
 * is listed again is read anew: what came about there meanwhile leaves then.
 * Always true: a site whose database is another one's, or an earlier one, is not believed, nor a list that the
 * installation's own site is missing from. A site ends when two looks some minutes apart agree; from the first on it is closed.
 * On failure: throws `Fault`; the next look does it again.
 */
import type { StatusAnswer } from '#contract/messages.ts';
import type { InstallationId } from '../model/ids.ts';
import type { Reason } from '../reasons.ts';
import type { Installation, KeptSites, SiteRecord, Store } from '../sync/ports.ts';
import type { OperationPorts } from './ports.ts';
import { freeName, keysFor, recordOf } from './site-records.ts';

type Ports = Pick<OperationPorts, 'registry' | 'marks' | 'wake'> & {
  readonly store: Pick<Store, 'nowMs'>;
};

/** Since when which blogs have been missing. After a restart of the hub two looks are needed once more. */
type Missing = ReadonlyMap<number, number>;

/** A table that is restored, moved or repaired is back by then. */
const ENDED_AFTER_MS = 300_000;

/** Null: nothing is to be followed there. */
export function keepingSites(
  ports: Ports,
): (id: InstallationId, status: StatusAnswer) => Promise<KeptSites | null> {
  const missing = new Map<InstallationId, Missing>();
  return (id, status) => keepSites(ports, id, status, missing);
}

async function keepSites(
  ports: Ports,
  id: InstallationId,
  status: StatusAnswer,
  missing: Map<InstallationId, Missing>,
): Promise<KeptSites | null> {
  const { registry, marks, wake } = ports;
  const installation = await registry.installation(id);
  // An older connector's list may be what a plugin or a cache left of it.
  if (!status.multisite || status.sites_sum === undefined) return null;
  if (!isThisOne(installation, status)) return null;
  if ((await marks.judge(id, status.mark)) !== null) return null;
  const known = (await registry.installationOfStore(status.store))?.sites ?? [];
  const every = await registry.sites();
  const mine = every.filter((site) => site.installation === id);
  if (!isWhole(installation, status, mine)) return null;
  const ready = status.sites.filter(({ url }) => url !== '');
  const look = await lookAt(ports, { installation, status, ready, every, mine, known });
  missing.set(id, noteMissing(look, { status, mine }, missing.get(id), await ports.store.nowMs()));
  if (look.changed.length + look.ended.length > 0) {
    await registry.keepSites(id, { sites: look.changed, ended: look.ended.map(({ key }) => key) });
    for (const event of eventsOf(look)) await registry.noteEvent(id, { ...event, actor: null });
    // What waited for a site that was closed may go.
    await wake.due({ afterMs: 0 });
  }
  const kept = (await registry.sites()).filter((site) => site.installation === id);
  return {
    // One that counts as ended may be listed again: until an operator takes it out, what people do there is heard.
    keys: Object.fromEntries(kept.map(({ blog, key }) => [String(blog), key])),
    settled: ready.length === status.sites.length,
  };
}

const isThisOne = (installation: Installation, { store, bound }: StatusAnswer): boolean =>
  installation.store === store && bound?.home_matches !== false;

/** Its own site can't end: where that is not listed, others may be missing by the same fault. */
function isWhole(
  { home }: Installation,
  { sites }: StatusAnswer,
  mine: readonly SiteRecord[],
): boolean {
  const own = mine.find(({ url }) => bareUrl(url) === bareUrl(home));
  return sites.length > 0 && (own === undefined || sites.some(({ blog }) => blog === own.blog));
}

const bareUrl = (url: string): string =>
  url
    .toLowerCase()
    .replace(/^(?:https?:)?\/\/(?:www\.)?/u, '')
    .replace(/^www\./u, '')
    .replace(/\/+$/u, '');

interface Look {
  readonly changed: SiteRecord[];
  readonly came: SiteRecord[];
  readonly moved: SiteRecord[];
  readonly closed: SiteRecord[];
  readonly reopened: SiteRecord[];
  readonly ended: SiteRecord[];
}

async function lookAt(
  { registry }: Ports,
  {
    installation,
    status,
    ready,
    every,
    mine,
    known,
  }: {
    readonly installation: Installation;
    readonly status: StatusAnswer;
    readonly ready: StatusAnswer['sites'];
    readonly every: readonly SiteRecord[];
    readonly mine: readonly SiteRecord[];
    readonly known: readonly SiteRecord[];
  },
): Promise<Look> {
  const keys = await keysFor(registry, ready, known);
  const taken = new Set(every.map(({ name }) => name.toLowerCase()));
  const main = mine.find(({ blog }) => blog === status.sites[0]?.blog);
  const look: Look = { changed: [], came: [], moved: [], closed: [], reopened: [], ended: [] };
  for (const site of ready) {
    const key = keys.get(site.blog);
    if (key === undefined) continue;
    const before = mine.find((entry) => entry.blog === site.blog);
    const name = before?.name ?? freeName(main?.name ?? installation.home, site, taken);
    const door = { restUrl: installation.restUrl };
    const told = recordOf(site, { installation: installation.id, door, status, key, name, before });
    // The root that the hub has found is one that works.
    const now =
      before !== undefined && before === main ? { ...told, restUrl: before.restUrl } : told;
    if (before === undefined) look.came.push(now);
    else if (isAsBefore(now, before)) continue;
    else noteChange(look, now, before);
    look.changed.push(now);
  }
  return look;
}

function noteMissing(
  look: Look,
  { status, mine }: { readonly status: StatusAnswer; readonly mine: readonly SiteRecord[] },
  before: Missing | undefined,
  nowMs: number,
): Missing {
  const there = new Set(status.sites.map(({ blog }) => blog));
  const missing = new Map<number, number>();
  for (const site of mine) {
    if (there.has(site.blog) || site.closed === 'ended') continue;
    const sinceMs = before?.get(site.blog) ?? nowMs;
    missing.set(site.blog, sinceMs);
    if (nowMs - sinceMs >= ENDED_AFTER_MS) look.ended.push(site);
    else if (site.closed == null) {
      const shut = { ...site, closed: 'deleted' as const };
      look.closed.push(shut);
      look.changed.push(shut);
    }
  }
  return missing;
}

function noteChange(look: Look, now: SiteRecord, before: SiteRecord): void {
  if (now.url !== before.url) look.moved.push(now);
  const was = before.closed ?? null;
  if (now.closed === was) return;
  (now.closed === null ? look.reopened : look.closed).push(now);
}

const isAsBefore = (now: SiteRecord, before: SiteRecord): boolean =>
  JSON.stringify(toldOf(now)) === JSON.stringify(toldOf(before));

const toldOf = ({ url, restUrl, roles, defaultRole, closed, network }: SiteRecord) => [
  url,
  restUrl,
  Object.entries(roles)
    .map(([role, { name, privileged }]) => [role, name, privileged])
    .toSorted(([one], [other]) => (String(one) < String(other) ? -1 : 1)),
  defaultRole,
  closed ?? null,
  network ?? null,
];

/** One for each kind: a hundred sites may come at once. */
function eventsOf(look: Look): { readonly code: Reason; readonly message: string }[] {
  const told: readonly (readonly [Reason, readonly SiteRecord[], string])[] = [
    ['site.appeared', look.came, 'came on the network; no route leads there or from there yet'],
    ['site.elsewhere', look.moved, 'has another address, and is spoken to there'],
    [
      'site.closed',
      look.closed,
      'was closed on the network, or is missing from its list; what goes there waits',
    ],
    ['site.reopened', look.reopened, 'is open again on the network'],
    [
      'site.ended',
      look.ended,
      'no longer exists on the network; its routes carry nothing any more',
    ],
  ];
  return told.flatMap(([code, sites, what]) =>
    sites.length === 0 ? [] : { code, message: `${namesOf(sites)}: ${what}.` },
  );
}

const MOST_NAMED = 10;
function namesOf(sites: readonly SiteRecord[]): string {
  const named = sites.slice(0, MOST_NAMED).map(({ name }) => `“${name}”`);
  const more = sites.length - named.length;
  return more > 0 ? `${named.join(', ')} and ${more} more` : named.join(', ');
}
