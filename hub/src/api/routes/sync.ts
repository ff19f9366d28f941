/** `/api/v1/syncs`: manual sync, planned, looked at, carried out, undone. */
import type { Api } from '../api-instance.ts';
import { access, says } from '../api-instance.ts';
import type { Operations } from '../operations.ts';
import {
  DecideSyncSchema,
  OnlyThereQuerySchema,
  OnlyThereSchema,
  StartSyncSchema,
  SyncListQuerySchema,
  SyncListSchema,
  SyncParamsSchema,
  SyncRequestSchema,
  SyncRunSchema,
  SyncStepsQuerySchema,
  SyncStepsSchema,
  UndoSyncSchema,
} from '../schemas/sync.ts';

export function syncRoutes(api: Api, operations: Operations): void {
  api.route({
    method: 'POST',
    url: '/syncs/plan',
    ...access('operator'),
    schema: {
      ...says('Plan a manual sync; on the sites nothing is written', SyncRunSchema),
      body: SyncRequestSchema,
    },
    handler: ({ body, caller }) => operations.planSync(body, caller?.name ?? ''),
  });
  api.route({
    method: 'POST',
    url: '/syncs',
    ...access('operator'),
    schema: { ...says('Plan a manual sync and start it', SyncRunSchema), body: SyncRequestSchema },
    handler: ({ body, caller }) => operations.startSync(body, caller?.name ?? ''),
  });
  api.route({
    method: 'GET',
    url: '/syncs',
    ...access('viewer'),
    schema: { ...says('Manual syncs', SyncListSchema), querystring: SyncListQuerySchema },
    handler: ({ query }) => operations.syncs(query),
  });
  api.route({
    method: 'GET',
    url: '/syncs/:sync',
    ...access('viewer'),
    schema: { ...says('How far a manual sync is', SyncRunSchema), params: SyncParamsSchema },
    handler: ({ params }) => operations.sync(params.sync),
  });
  api.route({
    method: 'GET',
    url: '/syncs/:sync/accounts',
    ...access('viewer'),
    schema: {
      ...says('What a manual sync would do, or has done, to whom and why', SyncStepsSchema),
      params: SyncParamsSchema,
      querystring: SyncStepsQuerySchema,
    },
    handler: ({ params, query }) => operations.syncSteps(params.sync, query),
  });
  adoptRoutes(api, operations);
  steeringRoutes(api, operations);
}

/** So many decisions, each of a few hundred bytes. */
const DECISIONS_BYTES = 16 * 1024 * 1024;

function adoptRoutes(api: Api, operations: Operations): void {
  api.route({
    method: 'GET',
    url: '/syncs/:sync/only-there',
    ...access('viewer'),
    schema: {
      ...says('Of an adopt run: who is on the target alone', OnlyThereSchema),
      params: SyncParamsSchema,
      querystring: OnlyThereQuerySchema,
    },
    handler: ({ params, query }) => operations.onlyThere(params.sync, query),
  });
  api.route({
    method: 'POST',
    url: '/syncs/:sync/decisions',
    ...access('operator'),
    bodyLimit: DECISIONS_BYTES,
    schema: {
      ...says('Decide about pairs of a planned adopt run, all of it or nothing', SyncRunSchema),
      params: SyncParamsSchema,
      body: DecideSyncSchema,
    },
    handler: ({ params, body }) => operations.decideSync(params.sync, body),
  });
}

function steeringRoutes(api: Api, operations: Operations): void {
  api.route({
    method: 'POST',
    url: '/syncs/:sync/start',
    ...access('operator'),
    schema: {
      ...says('Carry a plan out', SyncRunSchema),
      params: SyncParamsSchema,
      body: StartSyncSchema,
    },
    handler: ({ params, body }) => operations.startPlanned(params.sync, body),
  });
  for (const [way, summary, act] of [
    [
      'pause',
      'Stop for a while; what is on its way goes on',
      (id: string) => operations.pauseSync(id),
    ],
    [
      'resume',
      'Go on; once it is done, with what was planned again',
      (id: string) => operations.resumeSync(id),
    ],
    [
      'cancel',
      'End it; what was done until then stands',
      (id: string) => operations.cancelSync(id),
    ],
  ] as const) {
    api.route({
      method: 'POST',
      url: `/syncs/:sync/${way}`,
      ...access('operator'),
      schema: { ...says(summary, SyncRunSchema), params: SyncParamsSchema },
      handler: ({ params }) => act(params.sync),
    });
  }
  api.route({
    method: 'POST',
    url: '/syncs/:sync/undo',
    ...access('operator'),
    schema: {
      ...says('Put back what it changed and nobody has touched since', SyncRunSchema),
      params: SyncParamsSchema,
      body: UndoSyncSchema,
    },
    handler: ({ params, body, caller }) =>
      operations.undoSync(params.sync, body, caller?.name ?? ''),
  });
}
