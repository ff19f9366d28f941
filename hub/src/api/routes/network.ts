/** `/api/v1/networks` and `/api/v1/network-runs`: memberships within a network. */
import type { Api } from '../api-instance.ts';
import { access, says } from '../api-instance.ts';
import type { NetworkOperations } from '../network-operations.ts';
import {
  ChangeNetworkSchema,
  NetworkListSchema,
  NetworkParamsSchema,
  NetworkRowsQuerySchema,
  NetworkRowsSchema,
  NetworkRunListQuerySchema,
  NetworkRunListSchema,
  NetworkRunParamsSchema,
  NetworkRunRequestSchema,
  NetworkRunViewSchema,
  NetworkViewSchema,
} from '../schemas/network.ts';

export function networkRoutes(api: Api, operations: NetworkOperations): void {
  networks(api, operations);
  runs(api, operations);
  const steering = [
    ['pause', 'Stop it for a while'],
    ['resume', 'Let it go on'],
    ['cancel', 'End it; what was done until then stands'],
    ['undo', 'Take back what it did and nobody has touched since'],
  ] as const;
  for (const [order, summary] of steering) {
    api.route({
      method: 'POST',
      url: `/network-runs/:run/${order}`,
      ...access('operator'),
      schema: { ...says(summary, NetworkRunViewSchema), params: NetworkRunParamsSchema },
      handler: ({ params, caller }) =>
        operations.steerNetworkRun(params.run, order, caller?.name ?? ''),
    });
  }
}

function networks(api: Api, operations: NetworkOperations): void {
  api.route({
    method: 'GET',
    url: '/networks',
    ...access('viewer'),
    schema: says('Networks of connected installations', NetworkListSchema),
    handler: () => operations.networks(),
  });
  api.route({
    method: 'GET',
    url: '/networks/:network',
    ...access('viewer'),
    schema: {
      ...says('A network: its sites, members and triggers', NetworkViewSchema),
      params: NetworkParamsSchema,
    },
    handler: ({ params }) => operations.network(params.network),
  });
  api.route({
    method: 'PATCH',
    url: '/networks/:network',
    ...access('operator'),
    schema: {
      ...says('Switch triggers of a network, or tighten what is done there', NetworkViewSchema),
      params: NetworkParamsSchema,
      body: ChangeNetworkSchema,
    },
    handler: ({ params, body, caller }) =>
      operations.changeNetwork(params.network, body, caller?.name ?? ''),
  });
}

function runs(api: Api, operations: NetworkOperations): void {
  api.route({
    method: 'POST',
    url: '/networks/:network/runs/plan',
    ...access('operator'),
    schema: {
      ...says('Count what a run would do; nothing is written', NetworkRunViewSchema),
      params: NetworkParamsSchema,
      body: NetworkRunRequestSchema,
    },
    handler: ({ params, body, caller }) =>
      operations.planNetworkRun(params.network, body, caller?.name ?? ''),
  });
  api.route({
    method: 'POST',
    url: '/networks/:network/runs',
    ...access('operator'),
    schema: {
      ...says('Fill in memberships, or copy roles', NetworkRunViewSchema),
      params: NetworkParamsSchema,
      body: NetworkRunRequestSchema,
    },
    handler: ({ params, body, caller }) =>
      operations.runNetwork(params.network, body, caller?.name ?? ''),
  });
  api.route({
    method: 'GET',
    url: '/networks/:network/runs',
    ...access('viewer'),
    schema: {
      ...says('Runs of a network, those begun in its wp-admin, too', NetworkRunListSchema),
      params: NetworkParamsSchema,
      querystring: NetworkRunListQuerySchema,
    },
    handler: ({ params, query }) => operations.networkRuns(params.network, query),
  });
  api.route({
    method: 'GET',
    url: '/network-runs/:run',
    ...access('viewer'),
    schema: { ...says('How far a run is', NetworkRunViewSchema), params: NetworkRunParamsSchema },
    handler: ({ params }) => operations.networkRun(params.run),
  });
  api.route({
    method: 'GET',
    url: '/network-runs/:run/accounts',
    ...access('viewer'),
    schema: {
      ...says('Who was added or changed by a run', NetworkRowsSchema),
      params: NetworkRunParamsSchema,
      querystring: NetworkRowsQuerySchema,
    },
    handler: ({ params, query }) => operations.networkRows(params.run, query),
  });
  api.route({
    method: 'POST',
    url: '/network-runs/:run/start',
    ...access('operator'),
    schema: {
      ...says('Carry out what was planned', NetworkRunViewSchema),
      params: NetworkRunParamsSchema,
    },
    handler: ({ params, caller }) => operations.startNetworkRun(params.run, caller?.name ?? ''),
  });
}
