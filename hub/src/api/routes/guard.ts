/** `/api/v1/sites/:site/guard` */
import type { Api } from '../api-instance.ts';
import { access, says } from '../api-instance.ts';
import type { Operations } from '../operations.ts';
import { GuardQuerySchema, GuardViewSchema, TightenGuardSchema } from '../schemas/guard.ts';
import { SiteParamsSchema } from '../schemas/site.ts';

export function guardRoutes(api: Api, operations: Operations): void {
  api.route({
    method: 'GET',
    url: '/sites/:site/guard',
    ...access('operator'),
    schema: {
      ...says('What the site lets the hub do, asked of the site itself', GuardViewSchema),
      params: SiteParamsSchema,
      querystring: GuardQuerySchema,
    },
    handler: ({ params, query }) => operations.guard(params.site, query),
  });
  api.route({
    method: 'PATCH',
    url: '/sites/:site/guard',
    ...access('operator'),
    schema: {
      ...says('Tighten the guard of a site; loosening it is the site’s own to do', GuardViewSchema),
      params: SiteParamsSchema,
      body: TightenGuardSchema,
    },
    handler: ({ params, body, caller }) =>
      operations.tightenGuard(params.site, body, caller?.name ?? ''),
  });
}
