/** What is only looked at: `/api/v1/status`, `/site-events`, `/explain`, `/doctor`. */
import type { Api } from '../api-instance.ts';
import { access, says } from '../api-instance.ts';
import type { Operations } from '../operations.ts';
import { DiagnosisSchema } from '../schemas/doctor.ts';
import { ExplainQuerySchema, ExplanationSchema } from '../schemas/explain.ts';
import { SiteEventListSchema, SiteEventQuerySchema } from '../schemas/site-event.ts';
import { HubStatusSchema, StatusQuerySchema } from '../schemas/status.ts';

export function viewRoutes(api: Api, operations: Operations): void {
  api.route({
    method: 'GET',
    url: '/status',
    ...access('viewer'),
    schema: {
      ...says('Where everything stands', HubStatusSchema),
      querystring: StatusQuerySchema,
    },
    handler: (request) => operations.status({ look: request.query.look === 'true' }),
  });
  api.route({
    method: 'GET',
    url: '/site-events',
    ...access('viewer'),
    schema: {
      ...says('What happened to sites as a whole', SiteEventListSchema),
      querystring: SiteEventQuerySchema,
    },
    handler: async (request) => ({ events: [...(await operations.siteEvents(request.query))] }),
  });
  api.route({
    method: 'GET',
    url: '/explain',
    ...access('viewer'),
    schema: {
      ...says('Why an account is, or is not, in step', ExplanationSchema),
      querystring: ExplainQuerySchema,
    },
    handler: (request) => operations.explain(request.query.site, request.query.login),
  });
  api.route({
    method: 'GET',
    url: '/doctor',
    ...access('viewer'),
    schema: says('Check hub and sites', DiagnosisSchema),
    handler: () => operations.doctor(),
  });
}
