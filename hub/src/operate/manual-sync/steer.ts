/** What an operator does with a manual sync that is there. */
import type { StartSync, SyncRun } from '../../api/schemas/sync.ts';
import { Fault } from '../../errors.ts';
import type { RunState, StepChange, StepKey, SyncRunRecord } from '../../model/sync-run.ts';
import { siteNames } from '../names.ts';
import type { OperationPorts } from '../ports.ts';
import { viewSync } from './list-syncs.ts';
import { requestOf } from './plan-sync.ts';
import { runCalled } from './run-called.ts';

/** Steps read in one go. */
const PAGE = 500;

/** @throws Fault `request.invalid` when the plan has no such link; nothing was started then */
export async function startPlanned(
  ports: OperationPorts,
  id: string,
  { links }: StartSync,
): Promise<SyncRun> {
  const run = await runCalled(ports, id, ['planned']);
  if (links !== undefined && requestOf(run).adopt !== undefined) {
    throw new Fault('request.invalid', 'An adopt run links the pairs that its plan names.');
  }
  if (links !== undefined) await nameLinks(ports, id, links);
  const startedMs = await ports.store.nowMs();
  await change(ports, run, ['planned'], { state: 'running', startedMs });
  await ports.wake.run(id);
  return viewSync(ports, id);
}

async function nameLinks(
  ports: OperationPorts,
  id: string,
  links: NonNullable<StartSync['links']>,
): Promise<void> {
  const nameOf = await siteNames(ports.registry);
  const keyOf = (login: string, target: string, other: string): string =>
    JSON.stringify([login, target.toLowerCase(), other]);
  const named =
    links === 'all'
      ? null
      : new Map(links.map((link) => [keyOf(link.login, link.target, link.other), link.login]));
  const changes: StepChange[] = [];
  let after: StepKey | undefined;
  for (;;) {
    const query = { what: 'link', limit: PAGE, ...(after && { after }) } as const;
    const steps = await ports.runs.steps(id, query);
    for (const { wpId, target, login, other } of steps) {
      const key = keyOf(login, nameOf(target), other ?? '');
      if (named !== null && !named.delete(key)) continue;
      changes.push({ wpId, target, proven: true, reason: null, state: 'planned' });
    }
    if (steps.length < PAGE) break;
    after = steps.at(-1);
  }
  const [without] = named?.values() ?? [];
  if (without !== undefined)
    throw new Fault('request.invalid', `The plan names no such link for “${without}”.`);
  await ports.runs.save(id, changes);
}

export async function pauseSync(ports: OperationPorts, id: string): Promise<SyncRun> {
  const run = await runCalled(ports, id, ['planning', 'running']);
  // The plan is made to its end, and waits there.
  if (run.state === 'planning') await change(ports, run, ['planning'], { starts: false });
  else {
    const pausedMs = await ports.store.nowMs();
    await change(ports, run, ['running'], { state: 'paused', pausedMs });
  }
  return viewSync(ports, id);
}

export async function resumeSync(ports: OperationPorts, id: string): Promise<SyncRun> {
  const run = await runCalled(ports, id, ['paused', 'done']);
  const nowMs = await ports.store.nowMs();
  if (run.state === 'paused') {
    const pausedForMs = run.pausedForMs + (nowMs - (run.pausedMs ?? nowMs));
    await change(ports, run, ['paused'], { state: 'running', pausedMs: null, pausedForMs });
  } else {
    const again = await ports.runs.moveAll(id, ['changed'], 'planned');
    if (again === 0)
      throw new Fault('sync.wrong_state', 'The sync is done; nothing is left of it.');
    const pausedForMs = run.pausedForMs + (nowMs - (run.endedMs ?? nowMs));
    await change(ports, run, ['done'], { state: 'running', endedMs: null, pausedForMs });
  }
  await ports.wake.run(id);
  return viewSync(ports, id);
}

export async function cancelSync(ports: OperationPorts, id: string): Promise<SyncRun> {
  const { runs, store, wake } = ports;
  const run = await runCalled(ports, id, ['planning', 'planned', 'running', 'paused']);
  const endedMs = await store.nowMs();
  const isPlan = run.state === 'planning' || run.state === 'planned';
  if (isPlan) await change(ports, run, [run.state], { state: 'cancelled', endedMs });
  await runs.moveAll(id, ['planned'], 'cancelled');
  if (!isPlan) {
    // What was asked for until now is seen to its end.
    await change(ports, run, ['running', 'paused'], { state: 'running', pausedMs: null });
    await wake.run(id);
  }
  return viewSync(ports, id);
}

/** @throws Fault `sync.wrong_state`: somebody else was faster */
async function change(
  { runs }: OperationPorts,
  run: SyncRunRecord,
  from: readonly RunState[],
  to: Parameters<OperationPorts['runs']['change']>[2],
): Promise<void> {
  if (await runs.change(run.id, from, to)) return;
  throw new Fault('sync.wrong_state', 'The sync went on meanwhile.');
}
