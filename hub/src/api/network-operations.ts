/** What the HTTP API needs the hub to do about networks; as in operations.ts. */
import type {
  ChangeNetwork,
  NetworkList,
  NetworkRows,
  NetworkRowsQuery,
  NetworkRunList,
  NetworkRunListQuery,
  NetworkRunRequest,
  NetworkRunView,
  NetworkView,
} from './schemas/network.ts';

export interface NetworkOperations {
  /** Each is asked; what can't be asked is in the list with its fault. */
  networks(): Promise<NetworkList>;
  /** Any of its sites names it. */
  network(name: string): Promise<NetworkView>;
  /** All that is named or nothing. `site.guard_refused` for what would loosen it. Safe to repeat. */
  changeNetwork(name: string, change: ChangeNetwork, by: string): Promise<NetworkView>;
  /** Returns as soon as what would happen is being counted; nothing is written. */
  planNetworkRun(name: string, request: NetworkRunRequest, by: string): Promise<NetworkRunView>;
  /** Counts, and carries it out. */
  runNetwork(name: string, request: NetworkRunRequest, by: string): Promise<NetworkRunView>;
  networkRuns(name: string, query: NetworkRunListQuery): Promise<NetworkRunList>;
  networkRun(id: string): Promise<NetworkRunView>;
  /** Who was added or changed. */
  networkRows(id: string, query: NetworkRowsQuery): Promise<NetworkRows>;
  /** `network.wrong_state`: it is not planned. */
  startNetworkRun(id: string, by: string): Promise<NetworkRunView>;
  /** Returns as soon as it is noted; `wanted` of the run says what the network was not told of yet. */
  steerNetworkRun(
    id: string,
    order: 'pause' | 'resume' | 'cancel' | 'undo',
    by: string,
  ): Promise<NetworkRunView>;
}
