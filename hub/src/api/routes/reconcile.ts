/** `/api/v1/reconciles`: two sites compared, what was found, and its repair. */
import type { Api } from '../api-instance.ts';
import { access, says } from '../api-instance.ts';
import type { Operations } from '../operations.ts';
import {
  DriftQuerySchema,
  DriftRowsSchema,
  ReconcileListQuerySchema,
  ReconcileListSchema,
  ReconcileParamsSchema,
  ReconcileRequestSchema,
  ReconcileViewSchema,
} from '../schemas/reconcile.ts';

export function reconcileRoutes(api: Api, operations: Operations): void {
  api.route({
    method: 'POST',
    url: '/reconciles',
    ...access('operator'),
    schema: {
      ...says('Compare two sites along a route, and repair if asked to', ReconcileViewSchema),
      body: ReconcileRequestSchema,
    },
    handler: ({ body, caller }) => operations.startReconcile(body, caller?.name ?? ''),
  });
  api.route({
    method: 'GET',
    url: '/reconciles',
    ...access('viewer'),
    schema: {
      ...says('Comparisons of sites', ReconcileListSchema),
      querystring: ReconcileListQuerySchema,
    },
    handler: ({ query }) => operations.reconciles(query),
  });
  api.route({
    method: 'GET',
    url: '/reconciles/:reconcile',
    ...access('viewer'),
    schema: {
      ...says('How far a comparison is, and what it found in numbers', ReconcileViewSchema),
      params: ReconcileParamsSchema,
    },
    handler: ({ params }) => operations.reconcile(params.reconcile),
  });
  api.route({
    method: 'GET',
    url: '/reconciles/:reconcile/accounts',
    ...access('viewer'),
    schema: {
      ...says('What a comparison found, account by account', DriftRowsSchema),
      params: ReconcileParamsSchema,
      querystring: DriftQuerySchema,
    },
    handler: ({ params, query }) => operations.driftRows(params.reconcile, query),
  });
  api.route({
    method: 'POST',
    url: '/reconciles/:reconcile/cancel',
    ...access('operator'),
    schema: {
      ...says('End it; what was raised until then goes its way', ReconcileViewSchema),
      params: ReconcileParamsSchema,
    },
    handler: ({ params }) => operations.cancelReconcile(params.reconcile),
  });
}
