/** `/api/v1/privacy`: what the hub keeps of a person, and erasures on their way. */
import type { Api } from '../api-instance.ts';
import { access, says } from '../api-instance.ts';
import type { Operations } from '../operations.ts';
import {
  DecidedErasuresSchema,
  DecideErasuresSchema,
  ErasedPersonSchema,
  ErasureListSchema,
  PersonQuerySchema,
  PersonRecordsSchema,
} from '../schemas/privacy.ts';

export function privacyRoutes(api: Api, operations: Operations): void {
  api.route({
    method: 'GET',
    url: '/privacy/records',
    ...access('operator'),
    schema: {
      ...says('All that the hub keeps of one person', PersonRecordsSchema),
      querystring: PersonQuerySchema,
    },
    handler: ({ query }) => operations.personRecords(query),
  });
  api.route({
    method: 'POST',
    url: '/privacy/erase',
    ...access('operator'),
    schema: {
      ...says('Take a person’s names out of the hub’s own records', ErasedPersonSchema),
      body: PersonQuerySchema,
    },
    handler: ({ body, caller }) => operations.erasePerson(body, caller?.name ?? ''),
  });
  api.route({
    method: 'GET',
    url: '/privacy/erasures',
    ...access('viewer'),
    schema: says('Erasures on their way from site to site', ErasureListSchema),
    handler: () => operations.erasures(),
  });
  api.route({
    method: 'POST',
    url: '/privacy/erasures/decide',
    ...access('operator'),
    schema: {
      ...says('Release or reject erasures that are held', DecidedErasuresSchema),
      body: DecideErasuresSchema,
    },
    handler: ({ body, caller }) => operations.decideErasures(body, caller?.name ?? ''),
  });
}
