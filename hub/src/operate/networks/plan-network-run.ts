/**
 * A run within a network is asked for: what would happen is counted first, and looked at by a person.
 *
 * Always true: on the network nothing is written before the counting has ended; a run that was planned carries out
 * what its plan was made for, by the rules as they are then.
 */
import type { NetworkRunRequest, NetworkRunView } from '../../api/schemas/network.ts';
import { Fault } from '../../errors.ts';
import { installationId } from '../../model/ids.ts';
import type { NetworkOrder, NetworkRunRecord, NetworkRunState } from '../../model/network-run.ts';
import type { Reason } from '../../reasons.ts';
import { operatorNamed } from '../names.ts';
import type { OperationPorts } from '../ports.ts';
import { specOf } from './choose-people.ts';
import { networkNamed } from './find-network.ts';
import { networkRunCalled, viewNetworkRun } from './view-network-runs.ts';
import { storedSpec } from './work-on-network-run.ts';

/** Returns as soon as a worker is told. @throws Fault `site.unknown`, `network.*`, `site.*` */
export async function planNetworkRun(
  ports: OperationPorts,
  name: string,
  request: NetworkRunRequest,
  by: string,
  { starts }: { readonly starts: boolean },
): Promise<NetworkRunView> {
  const found = await networkNamed(ports, name);
  const spec = await specOf(ports, found, request);
  const id = ports.newId();
  const at = {
    installation: found.installation.id,
    network: found.network.id,
    main: found.network.main,
  };
  await ports.networkRuns.add({ id, ...at, spec, starts, startedBy: by });
  if (starts) await note(ports, { ...at, spec }, 'network.run_started', by);
  await ports.wake.run(id);
  return viewNetworkRun(ports, id);
}

/** @throws Fault `network.run_unknown`, `network.wrong_state` */
export async function startNetworkRun(
  ports: OperationPorts,
  id: string,
  by: string,
): Promise<NetworkRunView> {
  const run = await networkRunCalled(ports, id);
  const startedMs = await ports.store.nowMs();
  const change = { state: 'running', startedMs } as const;
  if (!(await ports.networkRuns.change(id, ['planned'], change))) throw wrongState(run);
  await note(ports, run, 'network.run_started', by);
  await ports.wake.run(id);
  return viewNetworkRun(ports, id);
}

const FROM: Readonly<Record<NetworkOrder, readonly NetworkRunState[]>> = {
  pause: ['running'],
  resume: ['paused', 'failed'],
  cancel: ['running', 'paused', 'failed'],
  undo: ['paused', 'done', 'cancelled', 'failed', 'undone'],
};

/**
 * A worker tells the network, before it asks for another page; while it is away, as soon as it can be asked again.
 *
 * @throws Fault `network.run_unknown`, `network.wrong_state`, `network.nothing_to_undo`
 */
export async function steerNetworkRun(
  ports: OperationPorts,
  id: string,
  order: NetworkOrder,
  by: string,
): Promise<NetworkRunView> {
  const run = await networkRunCalled(ports, id);
  const isPlan = run.state === 'previewing' || run.state === 'planned';
  if (isPlan && order === 'cancel') {
    const end = { state: 'cancelled', endedMs: await ports.store.nowMs() } as const;
    if (!(await ports.networkRuns.change(id, [run.state], end))) throw wrongState(run);
    return viewNetworkRun(ports, id);
  }
  if (order === 'undo' && run.startedMs === null)
    throw new Fault('network.wrong_state', 'It was never started; there is nothing to take back.');
  if (order === 'undo' && run.state === 'undone' && Object.keys(run.counts.left).length === 0)
    throw new Fault(
      'network.nothing_to_undo',
      'It was taken back already; what it has kept somebody has touched since.',
    );
  const wanted = { wanted: order, wantedBy: by, fault: null } as const;
  if (!(await ports.networkRuns.change(id, FROM[order], wanted))) throw wrongState(run);
  if (order === 'undo') await note(ports, run, 'network.run_undone', by);
  await ports.wake.run(id);
  return viewNetworkRun(ports, id);
}

const wrongState = ({ state }: NetworkRunRecord): Fault =>
  new Fault('network.wrong_state', `The run is ${state}; that is not possible now.`);

/** The history of its sites says who did so. */
async function note(
  { registry }: OperationPorts,
  run: Pick<NetworkRunRecord, 'installation' | 'spec'>,
  code: Reason & `network.run_${string}`,
  by: string,
): Promise<void> {
  const started =
    storedSpec(run).action === 'fill'
      ? 'Memberships are filled in within the network.'
      : 'Roles are copied within the network.';
  const message =
    code === 'network.run_started' ? started : 'A run within the network is taken back.';
  const event = { code, message, actor: operatorNamed(by) };
  await registry.noteEvent(installationId(run.installation), event);
}
