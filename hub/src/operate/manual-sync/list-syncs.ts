/** Manual syncs as they are shown. */
import { z } from 'zod';
import type {
  SyncList,
  SyncListQuery,
  SyncRun,
  SyncSteps,
  SyncStepsQuery,
} from '../../api/schemas/sync.ts';
import { MOST_ROWS_SHOWN } from '../../api/schemas/words.ts';
import { siteKey, wordPressId } from '../../model/ids.ts';
import type { RunState, StepState, SyncRunRecord } from '../../model/sync-run.ts';
import { reasonSentence } from '../../reasons.ts';
import { moment, momentOrNull, siteNames } from '../names.ts';
import { placeOf, placeText } from '../place.ts';
import type { OperationPorts } from '../ports.ts';
import { viewAdopt, viewSides } from './adopt/view-adopt.ts';
import { storedRequest } from './choose.ts';
import { runCalled } from './run-called.ts';
import { settleSteps } from './settle-steps.ts';

/** Looks first what has become of what was on its way. */
export async function viewSync(ports: OperationPorts, id: string): Promise<SyncRun> {
  const run = await runCalled(ports, id);
  if (UNDER_WAY.has(run.state)) await settleSteps(ports, id, 1);
  return view(ports, await runCalled(ports, id));
}

/** Also what was sent before a pause arrives. */
const UNDER_WAY: ReadonlySet<RunState> = new Set<RunState>(['running', 'paused', 'delivering']);

/** A page is looked at run by run. */
const RUNS_SHOWN = 50;
const RunPlaceSchema = z.tuple([z.int().nonnegative(), z.string()]);

export async function listSyncs(
  ports: OperationPorts,
  { after, limit = RUNS_SHOWN }: SyncListQuery,
): Promise<SyncList> {
  const size = Math.min(limit, RUNS_SHOWN);
  const [atMs, id] = after === undefined ? [] : placeOf(after, RunPlaceSchema);
  const from = atMs === undefined || id === undefined ? {} : { after: { atMs, id } };
  const runs = await ports.runs.list({ ...from, limit: size });
  const syncs: SyncRun[] = [];
  for (const run of runs) syncs.push(await view(ports, run));
  const last = runs.at(-1);
  const isAll = runs.length < size || last === undefined;
  return { syncs, next: isAll ? null : placeText([last.atMs, last.id]) };
}

const StepPlaceSchema = z.tuple([z.int().nonnegative(), z.int().nonnegative()]);

export async function listSteps(
  ports: OperationPorts,
  id: string,
  { what, state, pair, after, limit = MOST_ROWS_SHOWN }: SyncStepsQuery,
): Promise<SyncSteps> {
  await runCalled(ports, id);
  const nameOf = await siteNames(ports.registry);
  const [wpId, target] = after === undefined ? [] : placeOf(after, StepPlaceSchema);
  const steps = await ports.runs.steps(id, {
    ...(state === undefined ? {} : { states: [state] }),
    ...(what === undefined ? {} : { what }),
    ...(pair === undefined ? {} : { pair }),
    ...(wpId === undefined || target === undefined
      ? {}
      : { after: { wpId: wordPressId(wpId), target: siteKey(target) } }),
    limit,
  });
  const accounts = steps.map((step) => ({
    login: step.login,
    target: nameOf(step.target),
    what: step.what,
    other: step.other,
    fields: [...step.fields],
    reason: step.reason,
    message: step.reason === null ? null : reasonSentence(step.reason),
    state: step.state,
    note: step.note === null ? null : { code: step.note, message: reasonSentence(step.note) },
    pair: step.pair,
    decision: step.decision,
    ...viewSides(step),
  }));
  const last = steps.at(-1);
  const isAll = steps.length < limit || last === undefined;
  return { accounts, next: isAll ? null : placeText([last.wpId, last.target]) };
}

async function view(ports: OperationPorts, run: SyncRunRecord): Promise<SyncRun> {
  const { asked, targets } = storedRequest(run);
  const counts = await ports.runs.counts(run.id);
  const nameOf = await siteNames(ports.registry);
  const sum = (meant: (count: (typeof counts)[number]) => boolean): number =>
    counts.filter(meant).reduce((all, { count }) => all + count, 0);
  const inState = (...states: StepState[]): number => sum(({ state }) => states.includes(state));
  const total = sum(({ state }) => state !== 'left');
  const done = total - inState('planned', 'doing', 'sent');
  return {
    id: run.id,
    state: run.state,
    mode: asked.mode ?? 'like_source',
    adopt: viewAdopt(run, asked.adopt, counts),
    by: run.startedBy,
    from: nameOf(run.source),
    to: targets.map((key) => nameOf(siteKey(key))),
    accounts: run.accounts,
    targets: [...new Set(counts.map(({ target }) => target))].map((target) => {
      const planned = (what: string) =>
        sum((count) => count.target === target && count.what === what);
      return {
        site: nameOf(target),
        create: planned('create'),
        update: planned('update'),
        link: planned('link'),
        unchanged: planned('unchanged'),
        skip: planned('skip'),
        hold: planned('hold'),
      };
    }),
    total,
    done,
    ...paceOf(run, total, done, await ports.store.nowMs()),
    pending: inState('doing', 'sent'),
    delivered: inState('arrived'),
    skipped: sum(({ state, what }) => state === 'left' && (what === 'skip' || what === 'link')),
    held: inState('held') + sum(({ state, what }) => state === 'left' && what === 'hold'),
    failed: inState('failed'),
    changed: inState('changed'),
    cancelled: inState('cancelled'),
    undone: inState('undone'),
    stays: inState('stays'),
    askedAt: moment(run.atMs),
    startedAt: momentOrNull(run.startedMs),
    endedAt: momentOrNull(run.endedMs),
    fault: run.fault,
  };
}

const MINUTE_MS = 60_000;

/** Pauses don't count. */
function paceOf(
  { state, startedMs, endedMs, pausedMs, pausedForMs }: SyncRunRecord,
  total: number,
  done: number,
  nowMs: number,
): Pick<SyncRun, 'perMinute' | 'secondsLeft'> {
  if (startedMs === null || done === 0) return { perMinute: null, secondsLeft: null };
  const workedMs = Math.max(1, (endedMs ?? pausedMs ?? nowMs) - startedMs - pausedForMs);
  const isUnderWay = state === 'running' || state === 'paused' || state === 'delivering';
  return {
    perMinute: Math.round((done / workedMs) * MINUTE_MS * 10) / 10,
    secondsLeft: isUnderWay ? Math.ceil(((total - done) * workedMs) / done / 1_000) : null,
  };
}
