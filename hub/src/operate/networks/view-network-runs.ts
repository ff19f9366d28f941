/** Runs within networks as they are shown, those that were begun on the network itself, too. */
import { z } from 'zod';
import { MOST_RUN_ROWS } from '#contract/network-messages.ts';
import type {
  NetworkRows,
  NetworkRowsQuery,
  NetworkRunList,
  NetworkRunListQuery,
  NetworkRunView,
} from '../../api/schemas/network.ts';
import { Fault } from '../../errors.ts';
import type {
  NetworkRunRecord,
  NetworkRunState,
  PreviewedSite,
  Skipped,
} from '../../model/network-run.ts';
import { reasonSentence } from '../../reasons.ts';
import { moment, momentOrNull } from '../names.ts';
import { placeOf, placeText } from '../place.ts';
import type { OperationPorts } from '../ports.ts';
import {
  asNetwork,
  type FoundNetwork,
  networkNamed,
  networkOf,
  whereaboutsOf,
} from './find-network.ts';
import { heardOf, storedSpec } from './work-on-network-run.ts';

/** @throws Fault `network.run_unknown` */
export async function networkRunCalled(
  { networkRuns }: Pick<OperationPorts, 'networkRuns'>,
  id: string,
): Promise<NetworkRunRecord> {
  const found = await networkRuns.find(id);
  if (found === null) throw new Fault('network.run_unknown', `There is no run “${id}”.`);
  return found;
}

export async function viewNetworkRun(ports: OperationPorts, id: string): Promise<NetworkRunView> {
  const run = await networkRunCalled(ports, id);
  if (mayHaveMoved(run)) await hearAgain(ports, run);
  return view(ports, await networkRunCalled(ports, id));
}

const AT_WORK: readonly NetworkRunState[] = ['running', 'undoing'];
const AT_REST: readonly NetworkRunState[] = ['paused', 'cancelled', 'done', 'undone'];

/** Past this hub: others turn its pages, or somebody on the network has had it go on or taken back. */
const mayHaveMoved = ({ driver, state, startedMs, wanted }: NetworkRunRecord): boolean =>
  (driver !== 'hub' && AT_WORK.includes(state)) ||
  (startedMs !== null && wanted === null && AT_REST.includes(state));

/** Where nobody here turns its pages; while the network is away, what was known stands. One request: people wait. */
async function hearAgain(ports: OperationPorts, run: NetworkRunRecord): Promise<void> {
  try {
    const { installation, connection } = await whereaboutsOf(ports, run.installation);
    const asked = { network: run.network, limit: RUNS_SHOWN };
    const runs = await asNetwork(() => ports.network.runs(connection, asked));
    const now = runs.find(({ id, network }) => id === run.id && network === run.network);
    if (now !== undefined)
      await ports.networkRuns.heard(installation.id, { ...heardOf(now), main: run.main });
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
  }
}

/** A page is looked at run by run. */
const RUNS_SHOWN = 50;
const RunPlaceSchema = z.tuple([z.int().nonnegative(), z.string()]);

export async function listNetworkRuns(
  ports: OperationPorts,
  name: string,
  { after, limit = RUNS_SHOWN }: NetworkRunListQuery,
): Promise<NetworkRunList> {
  const found = await networkNamed(ports, name);
  const fault = await heardOrWhyNot(ports, found);
  const size = Math.min(limit, RUNS_SHOWN);
  const [atMs, id] = after === undefined ? [] : placeOf(after, RunPlaceSchema);
  const from = atMs === undefined || id === undefined ? {} : { after: { atMs, id } };
  const records = await ports.networkRuns.list({
    installation: found.installation.id,
    network: found.network.id,
    ...from,
    limit: size,
  });
  const runs: NetworkRunView[] = [];
  for (const record of records) runs.push(await view(ports, record));
  const last = records.at(-1);
  const isAll = records.length < size || last === undefined;
  return { runs, next: isAll ? null : placeText([last.atMs, last.id]), fault };
}

async function heardOrWhyNot(
  ports: OperationPorts,
  found: FoundNetwork,
): Promise<NetworkRunList['fault']> {
  try {
    await hearOf(ports, found);
    return null;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { code: error.code, message: error.message };
  }
}

async function hearOf(
  ports: OperationPorts,
  { installation, connection, network }: FoundNetwork,
): Promise<void> {
  const asked = { network: network.id, limit: RUNS_SHOWN };
  for (const run of await asNetwork(() => ports.network.runs(connection, asked)))
    if (run.network === network.id)
      await ports.networkRuns.heard(installation.id, { ...heardOf(run), main: network.main });
}

/** Asked of the network: it remembers them for some time. */
export async function listNetworkRows(
  ports: OperationPorts,
  id: string,
  { after, limit = MOST_RUN_ROWS }: NetworkRowsQuery,
): Promise<NetworkRows> {
  const run = await networkRunCalled(ports, id);
  if (run.startedMs === null) return { rows: [], next: null };
  const found = await networkOf(ports, run.installation, run.network);
  const place = after === undefined ? {} : { after: placeOf(after, RowPlaceSchema)[0] };
  const page = await asNetwork(() =>
    ports.network.rows(found.connection, { run: run.id, ...place, limit }),
  );
  return {
    rows: page.rows.map(({ blog, ...row }) => ({ ...row, site: found.nameOf(blog) })),
    next: page.after === null ? null : placeText([page.after]),
  };
}
const RowPlaceSchema = z.tuple([z.string().regex(/^[\d.]{1,60}$/u)]);

async function view(ports: OperationPorts, run: NetworkRunRecord): Promise<NetworkRunView> {
  const spec = storedSpec(run);
  const nameOf = await namesIn(ports, run);
  const { counts } = run;
  return {
    id: run.id,
    network: nameOf(run.main),
    state: run.state,
    action: spec.action,
    from: spec.from === undefined ? null : nameOf(spec.from),
    sites: spec.sites === 'all' ? null : spec.sites.map(nameOf),
    people: spec.people === 'all' ? null : spec.people.length,
    memberships: spec.memberships ?? null,
    addBack: spec.add_back,
    driver: run.driver,
    by: run.startedBy,
    preview:
      run.previewedTo === 0 || run.preview.length === 0 ? null : previewOf(run.preview, nameOf),
    total: counts.total,
    done: counts.done,
    added: counts.added,
    changed: counts.changed,
    unchanged: counts.unchanged,
    skipped: skippedOf(counts.skipped),
    removed: counts.removed,
    kept: counts.kept,
    left: skippedOf(counts.left),
    at: run.next === null ? null : nameOf(run.next),
    ...paceOf(run, await ports.store.nowMs()),
    wanted: run.wanted,
    askedAt: moment(run.atMs),
    startedAt: momentOrNull(run.startedMs),
    endedAt: momentOrNull(run.endedMs),
    fault: run.fault,
  };
}

/** By what the hub knows; a site that it doesn't is shown by its number. */
async function namesIn(
  { registry }: OperationPorts,
  run: NetworkRunRecord,
): Promise<(blog: number) => string> {
  const sites = await registry.sites();
  const mine = sites.filter(({ installation }) => installation === run.installation);
  const names = new Map(mine.map(({ blog, name }) => [blog, name]));
  return (blog) => names.get(blog) ?? `#${blog}`;
}

function previewOf(
  sites: readonly PreviewedSite[],
  nameOf: (blog: number) => string,
): NonNullable<NetworkRunView['preview']> {
  const skipped: Record<string, number> = {};
  const sum = { add: 0, change: 0, unchanged: 0 };
  for (const site of sites) {
    sum.add += site.add;
    sum.change += site.change;
    sum.unchanged += site.unchanged;
    for (const [reason, count] of Object.entries(site.skipped))
      skipped[reason] = (skipped[reason] ?? 0) + count;
  }
  return {
    ...sum,
    skipped: skippedOf(skipped),
    sites: sites.map((site) => ({
      site: nameOf(site.blog),
      add: site.add,
      change: site.change,
      unchanged: site.unchanged,
      skipped: Object.values(site.skipped).reduce((all, count) => all + count, 0),
    })),
  };
}

const skippedOf = (skipped: Skipped): NetworkRunView['skipped'] =>
  Object.entries(skipped)
    .filter(([, count]) => count > 0)
    .map(([reason, count]) => ({ reason, message: reasonSentence(reason), count }))
    .toSorted((a, b) => b.count - a.count);

/** Of the time that pages took: pauses don't count. Where others turn the pages, since it began. */
function paceOf(
  run: NetworkRunRecord,
  nowMs: number,
): Pick<NetworkRunView, 'perSecond' | 'secondsLeft'> {
  const { counts, driver, startedMs, endedMs, state } = run;
  const isHere = driver === 'hub';
  const pairs = isHere ? run.workedPairs : counts.done;
  const ms = isHere ? run.workedMs : (endedMs ?? nowMs) - (startedMs ?? nowMs);
  if (pairs === 0 || ms <= 0) return { perSecond: null, secondsLeft: null };
  const left = Math.ceil(((counts.total - counts.done) * ms) / pairs / 1_000);
  const isUnderWay = state === 'running' || state === 'paused';
  return {
    perSecond: Math.round((pairs / ms) * 10_000) / 10,
    secondsLeft: isUnderWay ? Math.max(0, left) : null,
  };
}
