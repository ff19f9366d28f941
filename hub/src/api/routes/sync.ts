/** `/api/v1/syncs`: manual sync, previewed and run. */
import type { Api } from '../api-instance.ts';
import { access, says } from '../api-instance.ts';
import type { Operations } from '../operations.ts';
import {
  SyncParamsSchema,
  SyncPlanSchema,
  SyncRequestSchema,
  SyncRunSchema,
} from '../schemas/sync.ts';

export function syncRoutes(api: Api, operations: Operations): void {
  api.route({
    method: 'POST',
    url: '/syncs/plan',
    ...access('operator'),
    schema: {
      ...says('What a manual sync would do; nothing is written', SyncPlanSchema),
      body: SyncRequestSchema,
    },
    handler: (request) => operations.planSync(request.body),
  });
  api.route({
    method: 'POST',
    url: '/syncs',
    ...access('operator'),
    schema: { ...says('Start a manual sync', SyncRunSchema), body: SyncRequestSchema },
    handler: ({ body, caller }) => operations.startSync(body, caller?.name ?? ''),
  });
  api.route({
    method: 'GET',
    url: '/syncs/:sync',
    ...access('viewer'),
    schema: { ...says('How far a manual sync is', SyncRunSchema), params: SyncParamsSchema },
    handler: (request) => operations.sync(request.params.sync),
  });
}
