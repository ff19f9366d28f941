/** What waits for an operator: `/api/v1/held`, and the proof of links: `/api/v1/links`. */
import type { Api } from '../api-instance.ts';
import { access, says } from '../api-instance.ts';
import type { Operations } from '../operations.ts';
import {
  DecidedHeldSchema,
  DecideHeldSchema,
  HeldListSchema,
  HeldParamsSchema,
  HeldQuerySchema,
  HeldRowSchema,
  ProveLinkSchema,
  ProvenLinkSchema,
  ResolvedHeldSchema,
  ResolveHeldSchema,
} from '../schemas/held.ts';

export function heldRoutes(api: Api, operations: Operations): void {
  api.route({
    method: 'GET',
    url: '/held',
    ...access('viewer'),
    schema: { ...says('What is held, and why', HeldListSchema), querystring: HeldQuerySchema },
    handler: ({ query }) => operations.held(query),
  });
  api.route({
    method: 'POST',
    url: '/held/decide',
    ...access('operator'),
    schema: {
      ...says('Release or reject what is held', DecidedHeldSchema),
      body: DecideHeldSchema,
    },
    handler: ({ body, caller }) => operations.decideHeld(body, caller?.name ?? ''),
  });
  api.route({
    method: 'GET',
    url: '/held/:delivery',
    ...access('viewer'),
    schema: { ...says('One thing that is held', HeldRowSchema), params: HeldParamsSchema },
    handler: ({ params }) => operations.showHeld(params.delivery),
  });
  api.route({
    method: 'POST',
    url: '/held/:delivery/resolve',
    ...access('operator'),
    schema: {
      ...says('Resolve what is held, having seen both sides', ResolvedHeldSchema),
      params: HeldParamsSchema,
      body: ResolveHeldSchema,
    },
    handler: ({ params, body, caller }) =>
      operations.resolveHeld(params.delivery, body.as, caller?.name ?? ''),
  });
  api.route({
    method: 'POST',
    url: '/links',
    ...access('operator'),
    schema: {
      ...says('Say that two accounts are one person', ProvenLinkSchema),
      body: ProveLinkSchema,
    },
    handler: ({ body, caller }) => operations.proveLink(body, caller?.name ?? ''),
  });
}
