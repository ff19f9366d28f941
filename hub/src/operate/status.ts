/** Where everything stands. */
import type { HubStatus, RunReport, SiteStatus } from '../api/schemas/status.ts';
import { Fault } from '../errors.ts';
import type { InstallationId } from '../model/ids.ts';
import type { Backlog, Installation, SiteRecord } from '../sync/ports.ts';
import { signalsArrive } from '../sync/signals.ts';
import { moment, momentOrNull } from './names.ts';
import type { OperationPorts } from './ports.ts';

export async function status(
  ports: OperationPorts,
  { look }: { readonly look: boolean },
): Promise<HubStatus> {
  const { registry, store, views } = ports;
  const installations = (await registry.installations()).filter(({ state }) => state !== 'removed');
  const outboxes = look
    ? await lookIntoOutboxes(ports, installations)
    : new Map<InstallationId, number>();
  const backlogs = new Map((await views.backlog()).map((entry) => [entry.installation, entry]));
  const sites = await registry.sites();
  const byId = new Map(installations.map((entry) => [entry.id, entry]));
  const rows = sites.flatMap((site): SiteStatus[] => {
    const installation = byId.get(site.installation);
    return installation === undefined
      ? []
      : [
          viewSite(
            site,
            installation,
            backlogs.get(site.installation),
            outboxes.get(site.installation),
          ),
        ];
  });
  const all = [...backlogs.values()];
  const pending = all.reduce((sum, entry) => sum + entry.pending, 0);
  const moving = all.some((entry) => entry.unacknowledged + entry.unlabelled + entry.refreshes > 0);
  return {
    version: ports.version,
    now: moment(await store.nowMs()),
    idle: pending === 0 && !moving && [...outboxes.values()].every((rowsLeft) => rowsLeft === 0),
    pending,
    held: all.reduce((sum, entry) => sum + entry.held, 0),
    routes: (await registry.topology()).routes.length,
    sites: rows,
  };
}

function viewSite(
  site: SiteRecord,
  installation: Installation,
  backlog: Backlog | undefined,
  outbox: number | undefined,
): SiteStatus {
  const { epoch, head } = installation;
  return {
    name: site.name,
    url: site.url,
    status: site.status,
    state: installation.state === 'attention' ? 'attention' : 'active',
    trouble: installation.trouble,
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
async function lookIntoOutboxes(
  { registry, site, wake }: OperationPorts,
  installations: readonly Installation[],
): Promise<Map<InstallationId, number>> {
  const found = new Map<InstallationId, number>();
  const reachable = installations.filter(
    ({ state, failures }) => state === 'active' && failures === 0,
  );
  await Promise.all(
    reachable.map(async ({ id }) => {
      try {
        const { backlog } = await site.status(await registry.connection(id));
        found.set(id, backlog);
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
