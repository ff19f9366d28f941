/**
 * Plans a manual sync: what would happen to each chosen account on each target, and why.
 *
 * Does: store the plan page by page, so that neither the accounts nor the plan are held in memory.
 * Does not: write anything to a site.
 * Always true: a hub that was killed goes on behind the last page that it stored.
 * On failure: the run is `failed` with its fault.
 */
import type { SyncRequest, SyncRun } from '../../api/schemas/sync.ts';
import { wordPressId } from '../../model/ids.ts';
import type { PlannedStep, StepState, SyncRunRecord } from '../../model/sync-run.ts';
import type { SiteRecord } from '../../sync/ports.ts';
import type { OperationPorts } from '../ports.ts';
import { pagesOf, resolve, type StoredRequest, sitesOfRun, storedRequest } from './choose.ts';
import { viewSync } from './list-syncs.ts';
import { type PlanFor, type Planned, planPage } from './plan-page.ts';

/** Returns as soon as a worker is told. @throws Fault `site.unknown`, `route.unknown`, `role.unknown` */
export async function planSync(
  ports: OperationPorts,
  request: SyncRequest,
  by: string,
  { starts }: { readonly starts: boolean },
): Promise<SyncRun> {
  const { source, ways } = await resolve(ports, request);
  const stored: StoredRequest = { asked: request, targets: ways.map(({ target }) => target.key) };
  const id = ports.newId();
  await ports.runs.add({ id, source: source.key, request: stored, startedBy: by, starts });
  await ports.wake.run(id);
  return viewSync(ports, id);
}

export const requestOf = (run: SyncRunRecord): SyncRequest => storedRequest(run).asked;

/** Reads on to the end; then the run is planned, or goes on by itself. */
export async function makePlan(ports: OperationPorts, run: SyncRunRecord): Promise<void> {
  const request = requestOf(run);
  const asked = await sitesOfRun(ports, run);
  const planFor: PlanFor = {
    ...asked,
    mode: request.mode ?? 'like_source',
    isNamed: namedIn(request.links ?? []),
  };
  const from = run.readTo;
  if (from !== null) {
    for await (const page of pagesOf(ports, asked.source, request.accounts, from)) {
      const planned = await planPage(ports, planFor, page.accounts);
      const read = { readFrom: page.after, readTo: page.next, accounts: page.accounts.length };
      await ports.runs.plan(run.id, { ...read, steps: planned.map(stepOf) });
      const now = await ports.runs.find(run.id);
      if (now?.state !== 'planning') return;
    }
  }
  await endPlanning(ports, run.id);
}

async function endPlanning({ runs, store, wake }: OperationPorts, id: string): Promise<void> {
  const starts = (await runs.find(id))?.starts === true;
  const startedMs = starts ? await store.nowMs() : null;
  const state = starts ? 'running' : 'planned';
  await runs.change(id, ['planning'], { state, startedMs, fault: null });
  if (starts) await wake.run(id);
}

const namedIn =
  (links: NonNullable<SyncRequest['links']>) =>
  (login: string, target: SiteRecord, other: string): boolean =>
    links.some(
      (link) =>
        link.login === login &&
        link.other === other &&
        link.target.toLowerCase() === target.name.toLowerCase(),
    );

export function stepOf(planned: Planned): PlannedStep {
  const { state, way, identity, what, candidate, fields, reason, seen, atLeastMs } = planned;
  return {
    wpId: wordPressId(state.id),
    target: way.target.key,
    uid: identity.uid,
    login: state.login,
    what,
    other: candidate?.login ?? null,
    proven: candidate !== null && reason === null,
    fields,
    reason,
    seen,
    state: stateOf(planned),
    atLeastMs,
  };
}

/** Whether there is something to do. */
export const stateOf = ({ what, reason }: Pick<Planned, 'what' | 'reason'>): StepState =>
  what === 'create' || what === 'update' || (what === 'link' && reason === null)
    ? 'planned'
    : 'left';
