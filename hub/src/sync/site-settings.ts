/**
 * What a site must know of its hub: the offset of its clock, and which meta keys and fields of other plugins to watch.
 *
 * Does: note what runs there, and have a network's list of sites followed; compare with what was last brought there, and bring it again when it differs.
 * Does not: keep that in the store: after a restart it is simply brought once more.
 * Always true: a list that changed while the site was down reaches it with the next pull.
 */

import type { StatusAnswer } from '#contract/messages.ts';
import { newOffset } from '../model/clock-offset.ts';
import { isExtension } from '../model/field.ts';
import type { InstallationId } from '../model/ids.ts';
import { asksForSignIns, keysAskedFor } from '../model/leaving.ts';
import { whyNoEntry } from '../model/meta-pattern.ts';
import { type RouteRules, sitesOf, type Topology } from '../model/route.ts';
import { hearRoles } from './hear-roles.ts';
import { hearOtherSync } from './other-sync.ts';
import type { Connection, KeptSites, Registry, SitePort, Store } from './ports.ts';

export interface SiteSettings {
  keep(input: {
    readonly installation: InstallationId;
    readonly connection: Connection;
    readonly topology: Topology;
  }): Promise<void>;
  /** The site may have lost what was brought to it: it is brought once more. */
  forget(installation: InstallationId): void;
  /** Its list of sites is another one than when it was looked at: the next `keep` looks again. */
  hearSites(installation: InstallationId, sum: string | undefined): boolean;
}

/** The hub may have started at another address than before: each site is told once where it is. */
async function signalOf(
  {
    registry,
    signalUrl,
  }: {
    readonly registry: Registry;
    readonly signalUrl?: (installation: InstallationId) => string | null;
  },
  installation: InstallationId,
): Promise<{ signal?: { url: string; secret: string } }> {
  const url = signalUrl?.(installation) ?? null;
  const secret = url === null ? null : await registry.signalSecret(installation);
  return url === null || secret === null ? {} : { signal: { url, secret } };
}

/** How often a site's clock is compared. */
const CLOCK_EVERY_MS = 600_000;

interface Brought {
  readonly watched: string;
  readonly signIns: boolean;
  readonly clockAtMs: number;
  /** What ran there: a newer connector may take what the one before overlooked. */
  readonly runs: string;
  readonly sitesSum: string | null;
  readonly keys: string;
}

export function keepSiteSettings(ports: {
  readonly store: Store;
  readonly registry: Registry;
  readonly site: SitePort;
  readonly signalUrl?: (installation: InstallationId) => string | null;
  readonly keepSites?: (
    installation: InstallationId,
    status: StatusAnswer,
  ) => Promise<KeptSites | null>;
}): SiteSettings {
  const { store, registry, site } = ports;
  const brought = new Map<InstallationId, Brought>();
  return {
    forget: (installation) => {
      brought.delete(installation);
    },
    hearSites: (installation, sum) => {
      const last = brought.get(installation);
      if (sum === undefined || last === undefined || last.sitesSum === sum) return false;
      brought.set(installation, { ...last, clockAtMs: Number.NEGATIVE_INFINITY });
      return true;
    },
    async keep({ installation, connection, topology }) {
      const last = brought.get(installation);
      const watched = {
        meta: watchedMeta(topology, installation),
        ext: watchedExtensions(topology, installation),
      };
      const signIns = watchesSignIns(topology, installation);
      const nowMs = await store.nowMs();
      const clockIsDue = last === undefined || nowMs - last.clockAtMs >= CLOCK_EVERY_MS;
      const isOther = last === undefined || last.watched !== JSON.stringify(watched);
      const signInsTurned = (last?.signIns ?? false) !== signIns;
      if (!clockIsDue && !isOther && !signInsTurned) return;
      const status = clockIsDue ? await site.status(connection) : null;
      const answeredMs = status === null ? nowMs : await store.nowMs();
      const runs = status === null ? (last?.runs ?? '') : runsThere(status);
      const isUpdated = last !== undefined && last.runs !== runs;
      const listIsNew = isOther || isUpdated;
      const signInsAreNew = signInsTurned || (isUpdated && signIns);
      const offsetMs = status === null ? null : newOffset(status, nowMs, answeredMs);
      if (status !== null) {
        await registry.updateInstallation(installation, versionsIn(status));
        await hearOtherSync({ registry, store }, installation, status.warnings);
        await hearRoles(registry, installation, status);
      }
      const kept =
        status === null ? null : ((await ports.keepSites?.(installation, status)) ?? null);
      const keys = kept === null ? (last?.keys ?? '') : JSON.stringify(kept.keys);
      const keysAreNew = kept !== null && keys !== last?.keys;
      if (listIsNew || signInsAreNew || keysAreNew || offsetMs !== null) {
        await site.settings(connection, {
          ...(keysAreNew ? { keys: kept.keys } : {}),
          ...(listIsNew ? watched : {}),
          ...(signInsAreNew ? { signIns } : {}),
          ...(last === undefined ? await signalOf(ports, installation) : {}),
          ...(offsetMs === null ? {} : { offsetMs }),
        });
      }
      if (offsetMs !== null) await registry.updateInstallation(installation, { offsetMs });
      const clockAtMs = clockIsDue ? nowMs : last.clockAtMs;
      const sitesSum = status === null ? (last?.sitesSum ?? null) : sumOf(status, kept);
      const now = { watched: JSON.stringify(watched), signIns, clockAtMs, runs, sitesSum, keys };
      brought.set(installation, now);
    },
  };
}

const sumOf = ({ sites_sum }: StatusAnswer, kept: KeptSites | null): string | null =>
  kept?.settled === false ? null : (sites_sum ?? null);

/** Somebody may have updated either since. */
const versionsIn = (status: Awaited<ReturnType<SitePort['status']>>) => ({
  contract: status.contract,
  connector: status.connector,
  wordpress: status.wordpress,
});

const runsThere = ({ contract, connector }: Awaited<ReturnType<SitePort['status']>>): string =>
  `${contract} ${connector}`;

const watchesSignIns = (topology: Topology, installation: InstallationId): boolean =>
  sitesOf(topology, installation).some(({ key }) => asksForSignIns(topology.routes, key));

/** Every meta key, or pattern, that a route into or out of the installation names, or asks for there. */
export function watchedMeta(topology: Topology, installation: InstallationId): readonly string[] {
  const here = new Set(sitesOf(topology, installation).map((site) => site.key));
  const keys = new Set<string>();
  for (const route of topology.routes) {
    const { source, target, rules } = route;
    if (!here.has(source) && !here.has(target)) continue;
    const asked = here.has(source) ? keysAskedFor([route], source) : [];
    for (const entry of [...rules.meta, ...asked]) {
      if (whyNoEntry(entry) === null) keys.add(entry);
    }
  }
  return [...keys].sort();
}

/** Likewise the fields that other plugins bring, without their prefix. */
export function watchedExtensions(
  topology: Topology,
  installation: InstallationId,
): readonly string[] {
  const named = rulesAt(topology, installation).flatMap(({ fields }) => fields.filter(isExtension));
  return [...new Set(named)].sort().map((field) => field.slice('ext:'.length));
}

function rulesAt(topology: Topology, installation: InstallationId): readonly RouteRules[] {
  const here = new Set(sitesOf(topology, installation).map((site) => site.key));
  return topology.routes
    .filter(({ source, target }) => here.has(source) || here.has(target))
    .map(({ rules }) => rules);
}
