/** What operators do with networks, over the engine's ports. */
import type { NetworkOperations } from '../../api/network-operations.ts';
import type { OperationPorts } from '../ports.ts';
import { planNetworkRun, startNetworkRun, steerNetworkRun } from './plan-network-run.ts';
import { listNetworkRows, listNetworkRuns, viewNetworkRun } from './view-network-runs.ts';
import { changeNetwork, listNetworks, showNetwork } from './view-networks.ts';

export const networkOperations = (ports: OperationPorts): NetworkOperations => ({
  networks: () => listNetworks(ports),
  network: (name) => showNetwork(ports, name),
  changeNetwork: (name, change, by) => changeNetwork(ports, name, change, by),
  planNetworkRun: (name, request, by) =>
    planNetworkRun(ports, name, request, by, { starts: false }),
  runNetwork: (name, request, by) => planNetworkRun(ports, name, request, by, { starts: true }),
  networkRuns: (name, query) => listNetworkRuns(ports, name, query),
  networkRun: (id) => viewNetworkRun(ports, id),
  networkRows: (id, query) => listNetworkRows(ports, id, query),
  startNetworkRun: (id, by) => startNetworkRun(ports, id, by),
  steerNetworkRun: (id, order, by) => steerNetworkRun(ports, id, order, by),
});
