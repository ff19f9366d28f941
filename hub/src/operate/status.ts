/** Where everything stands. */
import type { HubStatus, RunReport, SiteStatus } from '../api/schemas/status.ts';
import { Fault } from '../errors.ts';
import type { InstallationId } from '../model/ids.ts';
import type { Reason } from '../reasons.ts';
import { hearOtherSync } from '../sync/other-sync.ts';
import type { Backlog, Installation, SiteRecord } from '../sync/ports.ts';
import { hearRewritten } from '../sync/rewritten-outside.ts';
import { signalsArrive } from '../sync/signals.ts';
import { versionsOf } from './list-sites.ts';
import { moment, momentOrNull } from './names.ts';
import type { OperationPorts } from './ports.ts';
import { lastReconciles } from './reconcile/last-reconciles.ts';
import { standing } from './what-stands.ts';

export async function status(
  ports: OperationPorts,
  { look }: { readonly look: boolean },
): Promise<HubStatus> {
  const { registry, store, views } = ports;
  const outboxes = look ? await lookIntoOutboxes(ports) : null;
  const installations = (await registry.installations()).filter(({ state }) => state !== 'removed');
  const backlogs = new Map((await views.backlog()).map((entry) => [entry.installation, entry]));
  const nowMs = await store.nowMs();
  const sites: SiteStatus[] = [];
  const unasked: string[] = [];
  for (const site of await registry.sites()) {
    const installation = installations.find(({ id }) => id === site.installation);
    if (installation === undefined) continue;
    const { id } = installation;
    const warnings = standing(installation, await registry.news(id), nowMs);
    const outbox = outboxes?.get(id);
    sites.push({
      ...viewSite(site, installation, backlogs.get(id), outbox, [...warnings]),
      ...versionsOf(installation, ports.connectorVersion),
    });
    if (site.status === 'paused') continue;
    const isAsked = look ? outbox !== undefined : answers(installation);
    if (!isAsked || installation.lastPulledMs === null) unasked.push(site.name);
  }
  const all = [...backlogs.values()];
  const pending = all.reduce((sum, entry) => sum + entry.pending, 0);
  const moving = all.some((entry) => entry.unacknowledged + entry.unlabelled + entry.refreshes > 0);
  const untold = [...(outboxes?.values() ?? [])].some((rowsLeft) => rowsLeft > 0);
  const delivered = pending === 0 && !moving && !untold;
  return {
    version: ports.version,
    now: moment(nowMs),
    idle: delivered && unasked.length === 0,
    delivered,
    unasked,
    pending,
    held: all.reduce((sum, entry) => sum + entry.held, 0),
    routes: (await registry.topology()).routes.length,
    sites,
    reconciles: await lastReconciles(ports),
  };
}

const answers = ({ state, failures }: Installation): boolean =>
  state === 'active' && failures === 0;

function viewSite(
  site: SiteRecord,
  installation: Installation,
  backlog: Backlog | undefined,
  outbox: number | undefined,
  warnings: SiteStatus['warnings'],
): Omit<SiteStatus, keyof ReturnType<typeof versionsOf>> {
  const { epoch, head } = installation;
  return {
    name: site.name,
    url: site.url,
    status: site.status,
    state: installation.state === 'attention' ? 'attention' : 'active',
    trouble: installation.trouble,
    warnings,
    retryAt: installation.failures === 0 ? null : moment(installation.retryAtMs),
    cursor: epoch === null ? null : { epoch, head },
    lastPulledAt: momentOrNull(installation.lastPulledMs),
    signals: signalsArrive(installation),
    outbox: outbox ?? null,
    pending: backlog?.pending ?? 0,
    held: backlog?.held ?? 0,
    oldestPendingAt: momentOrNull(backlog?.oldestPendingMs ?? null),
  };
}

/** Asks each reachable site; one that has something is pulled at once. */
async function lookIntoOutboxes({
  registry,
  store,
  site,
  wake,
}: OperationPorts): Promise<Map<InstallationId, number>> {
  const found = new Map<InstallationId, number>();
  await Promise.all(
    (await registry.installations()).filter(answers).map(async ({ id }) => {
      try {
        const { backlog, warnings } = await site.status(await registry.connection(id));
        found.set(id, backlog);
        const held = warnings.find(
          ({ code }) => code === ('source.rewritten_outside' satisfies Reason),
        );
        await hearRewritten({ registry, store }, id, held?.message ?? null);
        await hearOtherSync({ registry, store }, id, warnings);
        if (backlog > 0) await wake.pull(id);
      } catch (fault) {
        if (!(fault instanceof Fault)) throw fault;
      }
    }),
  );
  return found;
}

export async function runUntilIdle(
  ports: OperationPorts,
  { waitMs }: { readonly waitMs: number },
): Promise<RunReport> {
  const untilMs = (await ports.store.nowMs()) + waitMs;
  const { finished, pulled, delivered } = await ports.pipeline.runUntilIdle({ untilMs });
  const { pending, held, sites } = await status(ports, { look: false });
  const unreachable = sites
    .filter((site) => site.trouble !== null)
    .map(({ name, trouble }) => ({
      site: name,
      code: trouble?.code ?? '',
      message: trouble?.message ?? '',
    }));
  return { finished, pulled, delivered, pending, held, unreachable };
}
