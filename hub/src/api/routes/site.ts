/** `/api/v1/sites` */
import type { Api } from '../api-instance.ts';
import { access, says } from '../api-instance.ts';
import type { Operations } from '../operations.ts';
import {
  AddedSiteSchema,
  AddSiteSchema,
  ApprovalParamsSchema,
  ApprovalViewSchema,
  ChangedSiteSchema,
  ChangeSiteSchema,
  CheckedSiteSchema,
  CopiedSiteSchema,
  MovedSiteSchema,
  MoveSiteSchema,
  RemovedSiteSchema,
  RemoveSiteSchema,
  RotatedSiteSchema,
  SiteListSchema,
  SiteParamsSchema,
  SiteTestSchema,
  StartApprovalSchema,
  StartedApprovalSchema,
} from '../schemas/site.ts';

export function siteRoutes(api: Api, operations: Operations): void {
  api.route({
    method: 'GET',
    url: '/sites',
    ...access('viewer'),
    schema: says('All sites', SiteListSchema),
    handler: async () => ({ sites: [...(await operations.sites())] }),
  });
  api.route({
    method: 'POST',
    url: '/sites',
    ...access('owner'),
    schema: {
      ...says('Connect a site, or renew its credential', AddedSiteSchema),
      body: AddSiteSchema,
    },
    handler: (request) => operations.addSite(request.body),
  });
  api.route({
    method: 'POST',
    url: '/site-checks',
    ...access('owner'),
    schema: {
      ...says('Could this site be connected? Nothing is changed', CheckedSiteSchema),
      body: AddSiteSchema,
    },
    handler: (request) => operations.checkSite(request.body),
  });
  api.route({
    method: 'POST',
    url: '/site-approvals',
    ...access('owner'),
    schema: {
      ...says('Ask an administrator for a site on WordPress’s own page', StartedApprovalSchema),
      body: StartApprovalSchema,
    },
    handler: ({ body, caller }) => operations.startApproval(body, caller?.name ?? ''),
  });
  api.route({
    method: 'GET',
    url: '/site-approvals/:id',
    ...access('owner'),
    schema: {
      ...says('What became of an approval that you asked for', ApprovalViewSchema),
      params: ApprovalParamsSchema,
    },
    handler: ({ params, caller }) => operations.approval(params.id, caller?.name ?? ''),
  });
  api.route({
    method: 'POST',
    url: '/sites/:site/test',
    ...access('operator'),
    schema: {
      ...says('Test the connection to a site', SiteTestSchema),
      params: SiteParamsSchema,
    },
    handler: (request) => operations.testSite(request.params.site),
  });
  api.route({
    method: 'PATCH',
    url: '/sites/:site',
    ...access('operator'),
    schema: {
      ...says('Pause, resume, rename or set up a site', ChangedSiteSchema),
      params: SiteParamsSchema,
      body: ChangeSiteSchema,
    },
    handler: (request) => operations.changeSite(request.params.site, request.body),
  });
  api.route({
    method: 'POST',
    url: '/sites/:site/moved',
    ...access('owner'),
    schema: {
      ...says('The site moved to another address', MovedSiteSchema),
      params: SiteParamsSchema,
      body: MoveSiteSchema,
    },
    handler: ({ params, body, caller }) =>
      operations.siteMoved(params.site, body, caller?.name ?? ''),
  });
  api.route({
    method: 'POST',
    url: '/sites/:site/copy',
    ...access('owner'),
    schema: {
      ...says('What woke up with the site’s database is a copy', CopiedSiteSchema),
      params: SiteParamsSchema,
    },
    handler: ({ params, caller }) => operations.siteCopied(params.site, caller?.name ?? ''),
  });
  api.route({
    method: 'POST',
    url: '/sites/:site/rotate',
    ...access('owner'),
    schema: {
      ...says('Replace the hub’s credential on the site', RotatedSiteSchema),
      params: SiteParamsSchema,
    },
    handler: ({ params, caller }) => operations.rotateSite(params.site, caller?.name ?? ''),
  });
  api.route({
    method: 'DELETE',
    url: '/sites/:site',
    ...access('owner'),
    schema: {
      ...says('Remove a site; its users stay', RemovedSiteSchema),
      params: SiteParamsSchema,
      querystring: RemoveSiteSchema,
    },
    handler: ({ params, query, caller }) =>
      operations.removeSite(params.site, query, caller?.name ?? ''),
  });
}
