/**
 * The road in its order: capture, decide, deliver; and what becomes of a site that fails.
 *
 * Does: run one stage for one installation when a worker asks for it, back off a site that is
 * not well, and wake whoever has work next.
 * Does not: keep anything in memory that matters; any process may run any step at any time.
 * Always true: a wake is only a hint, the tables say what is to be done.
 */

import type { AccountState } from '#contract/account-state.ts';
import type { Notice, StatusAnswer } from '#contract/messages.ts';
import { Fault, type FaultCode } from '../errors.ts';
import type { Lane } from '../model/identity.ts';
import type { InstallationId, SiteKey, WordPressId } from '../model/ids.ts';
import { type Site, sitesOf, type Topology } from '../model/route.ts';
import { reasonSentence } from '../reasons.ts';
import { carry } from './capture/carry.ts';
import { census } from './capture/census.ts';
import { offer } from './capture/offer.ts';
import { label, type PullInput, pull } from './capture/pull.ts';
import { type Recovered, recover, type Step } from './capture/recover.ts';
import { refresh } from './capture/refresh.ts';
import { type Reread, reread, rereadSome } from './capture/reread.ts';
import { isMisfit, waitMsAfter } from './deliver/closed-door.ts';
import type { DeletionLimit } from './deliver/deletion-limit.ts';
import { send } from './deliver/send.ts';
import type {
  Connection,
  Installation,
  KeptSites,
  Registry,
  SitePort,
  Store,
  Wake,
} from './ports.ts';
import { hearRewritten } from './rewritten-outside.ts';
import { signalsArrive, wasUntold } from './signals.ts';
import { keepSiteSettings, type SiteSettings } from './site-settings.ts';
import { type SpreadSettings, spreadLearned } from './spread-learned.ts';

export type { Recovered };

export interface PipelineSettings extends SpreadSettings {
  readonly deletionLimit: DeletionLimit;
  /** How often a site is asked whose signals don't arrive. */
  readonly pollMs: number;
  /** How often a site is asked whose signals do arrive. */
  readonly pollSignallingMs: number;
}

export interface PipelinePorts {
  readonly store: Store;
  readonly registry: Registry;
  readonly site: SitePort;
  readonly wake: Wake;
  /**
   * The site redirects: looks whether it stands at another address of its own host now, and speaks to it
   * there from then on. False: it doesn't.
   */
  readonly follow?: (installation: InstallationId) => Promise<boolean>;
  /**
   * What people have proven, or are to be asked, there: links are made of it. Its own faults are its own
   * matter; it throws none of a site's.
   */
  readonly settleProofs?: (installation: InstallationId) => Promise<void>;
  /** A network's sites came, moved or ended: remembers it. Null: nothing is followed there. */
  readonly keepSites?: (
    installation: InstallationId,
    status: StatusAnswer,
  ) => Promise<KeptSites | null>;
  /** Where the installation's signals reach this hub; null: nowhere that is known. */
  readonly signalUrl?: (installation: InstallationId) => string | null;
  /** For people; never holds secrets. */
  readonly report: (event: PipelineEvent) => void;
}

export type PipelineEvent =
  | {
      readonly kind: 'site.failed';
      readonly installation: InstallationId;
      readonly fault: Fault;
      readonly retryAtMs: number;
    }
  | { readonly kind: 'site.followed'; readonly installation: InstallationId }
  | { readonly kind: 'site.recovered'; readonly installation: InstallationId }
  | { readonly kind: 'site.rewound'; readonly installation: InstallationId };

export interface Pipeline {
  /**
   * Pulls what one installation has to tell, for one turn: if there is more, it is woken again.
   * Returns how many rows there were.
   */
  pull(installation: InstallationId): Promise<number>;
  /** Sends what is due to one installation in one lane, for one turn. Returns how many deliveries were tried. */
  send(installation: InstallationId, lane: Lane): Promise<number>;
  /** Reads who is who, once an installation was connected. */
  census(installation: InstallationId): Promise<number>;
  /**
   * Learns an installation as it is now, whatever was known of it, and whatever its state. Throws
   * `Fault` when it can't be spoken to.
   */
  reread(installation: InstallationId): Promise<Reread>;
  /**
   * Learns an installation that knows more than this hub, which was restored, whatever its state. Each
   * step is made for all installations before the next. Throws `Fault` when it can't be spoken to.
   */
  recover(installation: InstallationId, step: Step): Promise<Recovered>;
  /** An operator's offer: these accounts of the source may be created on the target. */
  offer(
    installation: InstallationId,
    states: readonly AccountState[],
    target: SiteKey,
  ): Promise<void>;
  /** An operator's word: what these accounts hold goes to the target, whatever leaves by itself. */
  carry(installation: InstallationId, ids: readonly WordPressId[], target: SiteKey): Promise<void>;
  /**
   * A comparison found the target behind: what these accounts hold goes there once more, by all rules. What the
   * hub has not heard of yet is left to the next pull.
   */
  sendAgain(
    installation: InstallationId,
    ids: readonly WordPressId[],
    target: SiteKey,
  ): Promise<void>;
  /** As `reread`, for accounts that hold less than the hub believed, while everything else goes on. */
  rereadSome(installation: InstallationId, ids: readonly WordPressId[]): Promise<Reread>;
  /** Brings the site's clock offset and list of watched meta up to date now, not at the next pull. */
  configure(installation: InstallationId): Promise<void>;
  /** Pulls and sends until nothing moves any more, or the time is over. Needs no workers. */
  runUntilIdle(options: { readonly untilMs: number }): Promise<RunResult>;
}

export interface RunResult {
  readonly finished: boolean;
  readonly pulled: number;
  readonly delivered: number;
}

export function buildPipeline(ports: PipelinePorts, settings: PipelineSettings): Pipeline {
  const { store, registry, site } = ports;
  const spreadBatch = spreadLearned(settings);
  const stagePorts = { store, site, spreadBatch, suspects: new Set<string>() };
  const siteSettings = keepSiteSettings(ports);

  const guarded = async (
    id: InstallationId,
    work: (installation: Installation, topology: Topology) => Promise<number>,
  ): Promise<number> => {
    const installation = await registry.installation(id);
    if (installation.state !== 'active') return 0;
    const waitMs = installation.retryAtMs - (await store.nowMs());
    if (waitMs > 0) {
      // Of several wakes for later the earliest stands: it may be this one that came too early.
      await ports.wake.pull(id, { afterMs: waitMs });
      return 0;
    }
    try {
      const count = await work(installation, await registry.topology());
      await recovered(ports, installation);
      return count;
    } catch (fault) {
      if (!(fault instanceof Fault) || !isOfTheSite(fault)) throw fault;
      await failed(ports, installation, fault);
      return 0;
    }
  };

  const inputOf = async (installation: Installation, topology: Topology): Promise<PullInput> => ({
    installation: installation.id,
    connection: await registry.connection(installation.id),
    topology,
    cursor: { epoch: installation.epoch, head: installation.head },
  });

  const self: Pipeline = {
    pull: (id) =>
      guarded(id, async (installation, topology) => {
        if (isPaused(topology, id)) return 0;
        const input = await inputOf(installation, topology);
        // Whoever connected the site did not live to read who is on it.
        if (installation.lastPulledMs === null) await census(input, stagePorts);
        const rows = await pullAll(ports, stagePorts, siteSettings, input);
        await ports.settleProofs?.(id);
        await registry.updateInstallation(id, { lastPulledMs: await store.nowMs() });
        const told = await registry.installation(id);
        if (rows > 0 && wasUntold(installation, told)) {
          await registry.updateInstallation(id, { lastSignalMs: null });
          // It may signal to where another hub, or this one before, was reached.
          siteSettings.forget(id);
        }
        const pollMs = signalsArrive(told) ? settings.pollSignallingMs : settings.pollMs;
        await ports.wake.pull(id, { afterMs: pollMs });
        return rows;
      }),
    send: (id, lane) =>
      guarded(id, async (installation, topology) => {
        if (isPaused(topology, id)) return 0;
        // A site refuses what is meant for a label, or for a meta key, that it was not told of yet.
        const input = await inputOf(installation, topology);
        await siteSettings.keep(input);
        await label(input, stagePorts);
        const count = await sendAll(ports, stagePorts, installation, lane, topology, settings);
        await wakeDue(ports);
        return count;
      }),
    census: (id) =>
      guarded(id, async (installation, topology) => {
        const count = await census(await inputOf(installation, topology), stagePorts);
        await registry.updateInstallation(id, { lastPulledMs: await store.nowMs() });
        return count;
      }),
    reread: async (id) => {
      const input = await inputOf(await registry.installation(id), await registry.topology());
      siteSettings.forget(id);
      await siteSettings.keep(input);
      const found = await reread(input, stagePorts);
      await wakeDue(ports);
      return found;
    },
    recover: async (id, step) => {
      const input = await inputOf(await registry.installation(id), await registry.topology());
      if (step === 'known') siteSettings.forget(id);
      await siteSettings.keep(input);
      return recover(input, step, stagePorts);
    },
    offer: async (id, states, target) => {
      const installation = await registry.installation(id);
      const input = await inputOf(installation, await registry.topology());
      await offer(states, target, input, stagePorts);
      await wakeDue(ports);
    },
    carry: async (id, ids, target) => {
      const installation = await registry.installation(id);
      const input = await inputOf(installation, await registry.topology());
      await carry(ids, target, input, stagePorts);
      await wakeDue(ports);
    },
    sendAgain: async (id, ids, target) => {
      const input = await inputOf(await registry.installation(id), await registry.topology());
      await carry(ids, target, input, stagePorts, { asNew: false, asked: false, onlyHeard: true });
      await wakeDue(ports);
    },
    rereadSome: async (id, ids) => {
      const input = await inputOf(await registry.installation(id), await registry.topology());
      const found = await rereadSome(ids, input, stagePorts);
      await wakeDue(ports);
      return found;
    },
    configure: async (id) => {
      await guarded(id, async (installation, topology) => {
        await siteSettings.keep(await inputOf(installation, topology));
        return 0;
      });
    },
    runUntilIdle: ({ untilMs }) => runUntilIdle(self, ports, untilMs),
  };
  return self;
}

async function pullAll(
  ports: PipelinePorts,
  stagePorts: Parameters<typeof pull>[1],
  siteSettings: SiteSettings,
  input: PullInput,
): Promise<number> {
  let rows = 0;
  await siteSettings.keep(input);
  // A network's sites may have come, or come back, by what was just heard.
  let topology = await ports.registry.topology();
  const hearSites = async (sum: string | undefined): Promise<Topology> => {
    if (!siteSettings.hearSites(input.installation, sum)) return topology;
    await siteSettings.keep(input);
    topology = await ports.registry.topology();
    return topology;
  };
  let next: PullInput = { ...input, topology, hearSites };
  let stale = 0;
  const endMs = (await ports.store.nowMs()) + TURN_MS;
  for (let pages = 1; ; pages += 1) {
    const pulled = await pull(next, stagePorts);
    if (pulled.rewound) throw new Fault('source.rewound', reasonSentence('source.rewound'));
    await hearRewritten(ports, input.installation, pulled.outside);
    rows += pulled.rows;
    const refreshed = await refresh({ ...next, topology }, stagePorts);
    if (pulled.rows + refreshed.rows > 0) await wakeDue(ports);
    stale = pulled.news + refreshed.looked > 0 ? 0 : stale + 1;
    if (!(pulled.more || refreshed.more) || stale === STALE_PAGES) return rows;
    if (pages === PAGES_IN_ONE_GO || (await ports.store.nowMs()) >= endMs) {
      await ports.wake.pull(input.installation);
      return rows;
    }
    const installation = await ports.registry.installation(input.installation);
    next = { ...next, topology, cursor: { epoch: installation.epoch, head: installation.head } };
  }
}

/**
 * One page may come again (its acknowledgement was lost), one may have to be stamped anew. A site that goes on
 * like that is asked again when its turn comes, not at once and for ever.
 */
const STALE_PAGES = 3;
/** Then others have their turn: a site that never comes to an end must not keep a worker for itself. */
const PAGES_IN_ONE_GO = 40;
/** The same, where every page takes its time. */
const TURN_MS = 20_000;

async function sendAll(
  ports: PipelinePorts,
  stagePorts: Parameters<typeof send>[1],
  installation: Installation,
  lane: Lane,
  topology: Topology,
  settings: PipelineSettings,
): Promise<number> {
  const connection = await ports.registry.connection(installation.id);
  const sites = new Map((await ports.registry.sites()).map((site) => [site.key, site]));
  const connectionTo = (target: Site): Connection => ({
    ...connection,
    restUrl: sites.get(target.key)?.restUrl ?? connection.restUrl,
  });
  const { deletionLimit } = settings;
  const input = { installation: installation.id, lane, topology, connectionTo, deletionLimit };
  let count = 0;
  const endMs = (await ports.store.nowMs()) + TURN_MS;
  for (;;) {
    const { sent, rewritten } = await send(input, stagePorts);
    // What the site says of it comes with its changes.
    if (rewritten) await ports.wake.pull(installation.id);
    if (sent === 0) return count;
    count += sent;
    // What arrived there travels on from there at once; what is still due here has another turn.
    await wakeDue(ports);
    if ((await ports.store.nowMs()) >= endMs) return count;
  }
}

const isPaused = (topology: Topology, id: InstallationId): boolean =>
  sitesOf(topology, id).every((site) => site.status === 'paused');

/** Wakes whoever has something due now, and one later for what becomes due first. */
export async function wakeDue({
  store,
  wake,
}: Pick<PipelinePorts, 'store' | 'wake'>): Promise<void> {
  const due = await store.due();
  for (const { installation, lane } of due.now) await wake.deliver(installation, lane);
  for (const installation of due.toRead) await wake.pull(installation);
  if (due.nextMs !== null) {
    const afterMs = Math.max(0, due.nextMs - (await store.nowMs()));
    await wake.due({ afterMs });
  }
}

const isOfTheSite = ({ code }: Fault): boolean =>
  code.startsWith('site.') || code === 'source.rewound' || code === 'hub.rewound';

/** Nobody may speak to the site again before a person has looked. */
const NEEDS_A_PERSON: ReadonlySet<FaultCode> = new Set([
  'site.not_mine',
  'site.superseded',
  'site.moved',
  'site.released',
  'site.endless_accounts',
  'source.rewound',
  'hub.rewound',
]);

async function failed(
  ports: PipelinePorts,
  installation: Installation,
  fault: Fault,
): Promise<void> {
  if (fault.code === 'site.redirected' && (await isFollowed(ports, installation))) {
    await ports.wake.pull(installation.id);
    await wakeDue(ports);
    return;
  }
  const failures = installation.failures + 1;
  const asked = fault.detail['retryAfterMs'];
  const waitMs = Math.max(
    waitMsAfter(fault.code, installation),
    typeof asked === 'number' ? asked : 0,
  );
  const retryAtMs = (await ports.store.nowMs()) + waitMs;
  const state = NEEDS_A_PERSON.has(fault.code) ? 'attention' : installation.state;
  const trouble = { code: fault.code, message: fault.message };
  // Told once more rather than not at all.
  if (state === 'attention' || isNewMisfit(fault, installation)) {
    await ports.registry.noteEvent(installation.id, { ...trouble, actor: null });
  }
  await ports.registry.updateInstallation(installation.id, { failures, retryAtMs, trouble, state });
  ports.report({ kind: 'site.failed', installation: installation.id, fault, retryAtMs });
  if (state === 'active') await ports.wake.pull(installation.id, { afterMs: waitMs });
  if (fault.code === 'source.rewound' || fault.code === 'hub.rewound') {
    await tellRewound(ports, installation.id, fault.code);
  }
}

/** Somebody updated, or put back, the connector: it goes on by itself once the two fit, and is told of once. */
const isNewMisfit = ({ code }: Fault, { trouble }: Installation): boolean =>
  isMisfit(code) && trouble?.code !== code;

/** Pulling and sending meet the same redirect at once, and one of them has followed already. */
async function isFollowed(
  { registry, follow, report }: PipelinePorts,
  { id, restUrl }: Installation,
): Promise<boolean> {
  if ((await registry.installation(id)).restUrl !== restUrl) return true;
  if ((await follow?.(id)) !== true) return false;
  report({ kind: 'site.followed', installation: id });
  return true;
}

async function recovered(ports: PipelinePorts, installation: Installation): Promise<void> {
  if (installation.failures === 0) return;
  const now = await ports.registry.installation(installation.id);
  if (now.state !== 'active') return;
  const change = { failures: 0, retryAtMs: 0, trouble: null };
  await ports.registry.updateInstallation(installation.id, change);
  ports.report({ kind: 'site.recovered', installation: installation.id });
  await wakeDue(ports);
}

/**
 * What the hub believes of the site, or the site of the hub, is no longer true: nothing is learned
 * and nothing sent until a person has said what happened. The site's own people are told, too.
 */
async function tellRewound(
  { registry, site, report }: PipelinePorts,
  id: InstallationId,
  notice: Notice,
): Promise<void> {
  report({ kind: 'site.rewound', installation: id });
  try {
    await site.settings(await registry.connection(id), { notice });
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
  }
}

async function runUntilIdle(
  pipeline: Pipeline,
  { store, registry }: PipelinePorts,
  untilMs: number,
): Promise<RunResult> {
  const total = { pulled: 0, delivered: 0 };
  while ((await store.nowMs()) < untilMs) {
    const installations = (await registry.installations()).filter(
      ({ state }) => state === 'active',
    );
    const pulled = await Promise.all(installations.map(({ id }) => pipeline.pull(id)));
    const due = await store.due();
    const sent = await Promise.all(
      due.now.map(({ installation, lane }) => pipeline.send(installation, lane)),
    );
    total.pulled += sum(pulled);
    total.delivered += sum(sent);
    if (sum(pulled) + sum(sent) === 0) return { finished: true, ...total };
  }
  return { finished: false, ...total };
}

const sum = (counts: readonly number[]): number => counts.reduce((all, count) => all + count, 0);
