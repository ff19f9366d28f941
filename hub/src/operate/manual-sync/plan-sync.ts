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
import { adoptPlan, endPairing, hearBoth, refuseUnfit } from './adopt/adopt-plan.ts';
import {
  type Asked,
  pagesOf,
  resolve,
  type StoredRequest,
  sitesOfRun,
  storedRequest,
} from './choose.ts';
import { viewSync } from './list-syncs.ts';
import type { PlanFor, Planned } from './plan-page.ts';
import { planStates } from './plan-states.ts';

/** Returns as soon as a worker is told. @throws Fault `site.unknown`, `route.unknown`, `role.unknown` */
export async function planSync(
  ports: OperationPorts,
  request: SyncRequest,
  by: string,
  { starts }: { readonly starts: boolean },
): Promise<SyncRun> {
  refuseUnfit(request, starts);
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
  const planFor = planForRun(request, asked);
  if (planFor.adopt !== undefined) await hearBoth(ports, asked);
  const from = run.readTo;
  if (from !== null) {
    for await (const page of pagesOf(ports, asked.source, request.accounts, from)) {
      const planned = await planStates(ports, planFor, page.accounts);
      const read = { readFrom: page.after, readTo: page.next, accounts: page.accounts.length };
      await ports.runs.plan(run.id, { ...read, steps: planned.map(stepOf) });
      const now = await ports.runs.find(run.id);
      if (now?.state !== 'planning') return;
    }
  }
  if (planFor.adopt !== undefined) await endPairing(ports, run.id, asked);
  await endPlanning(ports, run.id);
}

function planForRun(request: SyncRequest, asked: Asked): PlanFor {
  const { mode = 'like_source', adopt } = request;
  if (adopt === undefined) return { ...asked, mode, isNamed: namedIn(request.links ?? []) };
  // The plan itself names the pairs, for a person to look at.
  return { ...asked, mode, adopt: adoptPlan(adopt, () => undefined), isNamed: () => true };
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
  const { pair, sides } = planned;
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
    pair,
    sides,
  };
}

/** Whether there is something to do. */
export const stateOf = ({ what, reason }: Pick<Planned, 'what' | 'reason'>): StepState =>
  what === 'create' || what === 'update' || (what === 'link' && reason === null)
    ? 'planned'
    : 'left';
