/** `/api/v1/routes` */
import { z } from 'zod';
import type { Api } from '../api-instance.ts';
import { access, says } from '../api-instance.ts';
import type { Operations } from '../operations.ts';
import {
  AddRouteSchema,
  ChangeRouteSchema,
  RouteListSchema,
  RouteParamsSchema,
  RouteViewSchema,
} from '../schemas/route.ts';

export function routeRoutes(api: Api, operations: Operations): void {
  api.route({
    method: 'GET',
    url: '/routes',
    ...access('viewer'),
    schema: says('All routes', RouteListSchema),
    handler: async () => ({ routes: [...(await operations.routes())] }),
  });
  api.route({
    method: 'POST',
    url: '/routes',
    ...access('operator'),
    schema: { ...says('Add a route, or one each way', RouteListSchema), body: AddRouteSchema },
    handler: async (request) => ({ routes: [...(await operations.addRoute(request.body))] }),
  });
  api.route({
    method: 'PATCH',
    url: '/routes/:route',
    ...access('operator'),
    schema: {
      ...says('Pause or resume a route, or change its rules', RouteViewSchema),
      params: RouteParamsSchema,
      body: ChangeRouteSchema,
    },
    handler: (request) => operations.changeRoute(request.params.route, request.body),
  });
  api.route({
    method: 'DELETE',
    url: '/routes/:route',
    ...access('operator'),
    schema: {
      ...says('Remove a route', z.object({ removed: z.literal(true) })),
      params: RouteParamsSchema,
    },
    handler: async (request) => {
      await operations.removeRoute(request.params.route);
      return { removed: true as const };
    },
  });
}
