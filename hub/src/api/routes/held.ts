/** What waits for an operator: `/api/v1/held`, and the proof of links: `/api/v1/links`. */
import type { Api } from '../api-instance.ts';
import { access, says } from '../api-instance.ts';
import type { Operations } from '../operations.ts';
import {
  DecidedHeldSchema,
  DecideHeldSchema,
  HeldListSchema,
  HeldQuerySchema,
  ProveLinkSchema,
  ProvenLinkSchema,
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
