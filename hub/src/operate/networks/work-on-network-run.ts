/**
 * A worker's turn at a run within a network.
 *
 * Does: count what would happen, site by site; then begin the run on the network and turn its pages, each asked of
 * the site that is written to; tell the network what an operator wants of it. Sites on which there is nothing to do
 * the network passes by itself, be it with its beginning; an older connector takes a page for each.
 * Always true: how far it is stands on the network and here; any process may take any turn, and a page that was cut
 * short goes on where it was. What an operator wants is told before another page is asked for.
 * On failure: what may pass (a site that is away) is noted and tried again, each time later; anything else ends the
 * run as `failed`, and what was done stands.
 */
import { setTimeout as pause } from 'node:timers/promises';
import {
  type NetworkRun,
  type NetworkSpec,
  NetworkSpecSchema,
} from '#contract/network-messages.ts';
import { Fault } from '../../errors.ts';
import {
  NETWORK_RUNS_AT_WORK,
  type NetworkOrder,
  type NetworkRunRecord,
  type RunFromSite,
} from '../../model/network-run.ts';
import { operatorNamed } from '../names.ts';
import type { OperationPorts } from '../ports.ts';
import {
  asNetwork,
  connectionTo,
  type FoundNetwork,
  networkOf,
  type Whereabouts,
  whereaboutsOf,
} from './find-network.ts';

export async function workOnNetworkRun(ports: OperationPorts, id: string): Promise<void> {
  const run = await ports.networkRuns.find(id);
  if (run === null || !isAtWork(run)) return;
  if (run.retryAtMs > (await ports.store.nowMs())) return;
  try {
    await turn(ports, run);
  } catch (error) {
    await noteFault(ports, run, error);
  }
}

const isAtWork = ({ state, driver, wanted }: NetworkRunRecord): boolean =>
  wanted !== null ||
  (NETWORK_RUNS_AT_WORK.includes(state) && (driver === 'hub' || state === 'undoing'));

async function turn(ports: OperationPorts, run: NetworkRunRecord): Promise<void> {
  const at = await whereaboutsOf(ports, run.installation);
  if (run.state === 'previewing' && !(await previewAll(ports, run, at))) return;
  const now = run.state === 'previewing' ? await ports.networkRuns.find(run.id) : run;
  if (now === null || !isAtWork(now)) return;
  if (now.wanted !== null) await obey(ports, now, at, now.wanted);
  const then = now.wanted === null ? now : await ports.networkRuns.find(run.id);
  if (then?.driver === 'hub' && then.state === 'running') await begin(ports, then, at);
  await turnPages(ports, run.id, at);
}

export const storedSpec = ({ spec }: Pick<NetworkRunRecord, 'spec'>): NetworkSpec =>
  NetworkSpecSchema.parse(spec);

/** False: it is not carried out now. */
async function previewAll(
  ports: OperationPorts,
  run: NetworkRunRecord,
  { connection }: Whereabouts,
): Promise<boolean> {
  const { networkRuns, store } = ports;
  const spec = storedSpec(run);
  for (let after = run.previewedTo; after !== null; ) {
    const asked = { network: run.network, spec, after };
    const page = await asNetwork(() => ports.network.preview(connection, asked));
    await networkRuns.previewed(run.id, { from: after, to: page.after, sites: page.sites });
    const now = await networkRuns.find(run.id);
    if (now?.state !== 'previewing') return false;
    after = now.previewedTo;
  }
  const starts = (await networkRuns.find(run.id))?.starts === true;
  const startedMs = starts ? await store.nowMs() : null;
  const state = starts ? 'running' : 'planned';
  return (await networkRuns.change(run.id, ['previewing'], { state, startedMs })) && starts;
}

/** The network may know it already: then this tells how far it is. */
async function begin(
  ports: OperationPorts,
  run: NetworkRunRecord,
  { installation, connection }: Whereabouts,
): Promise<void> {
  const by = operatorNamed(run.startedBy);
  const asked = { id: run.id, network: run.network, spec: storedSpec(run), by };
  const started = performance.now();
  const begun = await asNetwork(() => ports.network.begin(connection, asked));
  await ports.networkRuns.heard(
    installation.id,
    { ...heardOf(begun), main: run.main },
    workOf(run, begun, started),
  );
}

async function obey(
  ports: OperationPorts,
  run: NetworkRunRecord,
  { installation, connection }: Whereabouts,
  order: NetworkOrder,
): Promise<void> {
  try {
    const now = await asNetwork(() => ports.network.control(connection, run.id, order));
    await ports.networkRuns.heard(
      installation.id,
      { ...heardOf(now), main: run.main },
      { ms: 0, pairs: 0, obeyed: order },
    );
  } catch (fault) {
    const isNew = fault instanceof Fault && fault.code === 'network.run_unknown';
    if (!isNew || run.driver !== 'hub' || order === 'undo') throw fault;
    // The network was never told of it: it was away when the run was started.
    const endedMs = order === 'cancel' ? await ports.store.nowMs() : null;
    const change = { state: WITHOUT_SITE[order], endedMs, wanted: null };
    await ports.networkRuns.change(run.id, [run.state], change);
  }
}

const WITHOUT_SITE = { pause: 'paused', resume: 'running', cancel: 'cancelled' } as const;

/** Pages are not signalled. A run of hours must not keep what it wrote from other installations. */
const PULL_EVERY_MS = 15_000;

/** A page that is still under way, for a hub that was killed, ends by itself; then this one goes on. */
const WAIT_MS = 500;
const MOST_WAITS = 20;

async function turnPages(ports: OperationPorts, id: string, at: Whereabouts): Promise<void> {
  const pull = () => ports.wake.pull(at.installation.id);
  let pulledMs = performance.now();
  let wrote = false;
  let waited = 0;
  let found: FoundNetwork | null = null;
  try {
    for (;;) {
      const run = await ports.networkRuns.find(id);
      if (run === null || !isAtWork(run) || run.state === 'previewing') return;
      if (run.wanted !== null) {
        await obey(ports, run, at, run.wanted);
        continue;
      }
      if (run.next === null) return;
      // Its sites' addresses are asked for once there is a page to turn.
      found ??= await networkOf(ports, run.installation, run.network);
      const { wentOn, written } = await turnPage(ports, run, run.next, found);
      waited = wentOn ? 0 : waited + 1;
      if (waited > MOST_WAITS) return;
      if (!wentOn) await pause(WAIT_MS);
      wrote ||= written;
      if (!wrote || performance.now() - pulledMs < PULL_EVERY_MS) continue;
      await pull();
      [pulledMs, wrote] = [performance.now(), false];
    }
  } finally {
    if (wrote) await pull();
  }
}

/** `wentOn`: if not, somebody else is at it. */
async function turnPage(
  ports: OperationPorts,
  run: NetworkRunRecord,
  blog: number,
  found: FoundNetwork,
): Promise<{ readonly wentOn: boolean; readonly written: boolean }> {
  const started = performance.now();
  const now = await ports.network.page(connectionTo(found, blog), run.id, blog);
  const work = workOf(run, now, started);
  await ports.networkRuns.heard(found.installation.id, { ...heardOf(now), main: run.main }, work);
  return {
    wentOn: work.pairs > 0 || now.next !== run.next || now.state !== run.state,
    written: writes(now.counts) > writes(run.counts),
  };
}

const workOf = (before: NetworkRunRecord, now: NetworkRun, started: number) => ({
  ms: Math.round(performance.now() - started),
  pairs: Math.max(0, workDone(now.counts) - workDone(before.counts)),
});

const writes = ({ added, changed, removed }: NetworkRun['counts']): number =>
  added + changed + removed;

const workDone = ({ done, removed, kept }: NetworkRun['counts']): number => done + removed + kept;

export const heardOf = (run: NetworkRun): Omit<RunFromSite, 'main'> => ({
  id: run.id,
  network: run.network,
  spec: run.spec,
  state: run.state,
  driver: run.driver,
  by: run.by,
  beganMs: run.began_ms,
  endedMs: run.ended_ms,
  counts: run.counts,
  next: run.next,
});

async function noteFault(
  { networkRuns, store }: OperationPorts,
  run: NetworkRunRecord,
  error: unknown,
): Promise<void> {
  const known = error instanceof Fault;
  const { code, message, next } = known
    ? error
    : new Fault('internal.fault', 'The run broke off.', { cause: error });
  const fault = { code, message, next };
  const now = await networkRuns.find(run.id);
  if (now === null) return;
  // A preview that can't be made is asked for again by whoever wants it.
  if (known && error.retryable && now.state !== 'previewing') {
    await networkRuns.failed(run.id, fault);
    return;
  }
  // What was wanted is not possible there; the run itself is as it was.
  const end =
    now.wanted === null
      ? { fault, state: 'failed' as const, endedMs: await store.nowMs() }
      : { fault, wanted: null, wantedBy: null };
  await networkRuns.change(run.id, [now.state], end);
  if (!known) throw error;
}
