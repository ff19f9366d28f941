/** After a restore: `/api/v1/sites/:site/restored`, `…/rewritten`, `/api/v1/recovery`, and `/api/v1/alarms`. */
import type { Api } from '../api-instance.ts';
import { access, says } from '../api-instance.ts';
import type { Operations } from '../operations.ts';
import {
  AlarmListQuerySchema,
  AlarmListSchema,
  AnswerAlarmsSchema,
  AnsweredAlarmsSchema,
  RebuiltSchema,
  RecoverySchema,
  RereadSiteSchema,
  RewrittenSchema,
  RewrittenSiteSchema,
} from '../schemas/recovery.ts';
import { SiteParamsSchema } from '../schemas/site.ts';

export function recoveryRoutes(api: Api, operations: Operations): void {
  api.route({
    method: 'POST',
    url: '/sites/:site/restored',
    ...access('operator'),
    schema: {
      ...says('Read a site anew that was restored from a backup', RereadSiteSchema),
      params: SiteParamsSchema,
    },
    handler: ({ params, caller }) => operations.siteRestored(params.site, caller?.name ?? ''),
  });
  api.route({
    method: 'POST',
    url: '/sites/:site/rewritten',
    ...access('operator'),
    schema: {
      ...says('Say what becomes of values written past WordPress', RewrittenSiteSchema),
      params: SiteParamsSchema,
      body: RewrittenSchema,
    },
    handler: ({ params, body, caller }) =>
      operations.siteRewritten(params.site, body, caller?.name ?? ''),
  });
  api.route({
    method: 'GET',
    url: '/recovery',
    ...access('viewer'),
    schema: says('Which sites know more than this hub', RecoverySchema),
    handler: () => operations.planRecovery(),
  });
  api.route({
    method: 'POST',
    url: '/recovery',
    ...access('operator'),
    schema: says('Learn from the sites what a restored hub has lost', RecoverySchema),
    handler: ({ caller }) => operations.recoverHub(caller?.name ?? ''),
  });
  api.route({
    method: 'GET',
    url: '/recovery/labels',
    // Every site is read whole for it.
    ...access('owner'),
    schema: says('Who could be known again by the labels of a lost hub', RebuiltSchema),
    handler: () => operations.rebuildFromLabels(null),
  });
  api.route({
    method: 'POST',
    url: '/recovery/labels',
    ...access('owner'),
    schema: says(
      'Know them again, where label, login and e-mail agree on all sites',
      RebuiltSchema,
    ),
    handler: ({ caller }) => operations.rebuildFromLabels(caller?.name ?? ''),
  });
  api.route({
    method: 'GET',
    url: '/alarms',
    ...access('viewer'),
    schema: {
      ...says('Accounts that a person must look at first', AlarmListSchema),
      querystring: AlarmListQuerySchema,
    },
    handler: ({ query }) => operations.alarms(query),
  });
  api.route({
    method: 'POST',
    url: '/alarms/answer',
    ...access('operator'),
    schema: {
      ...says('Say what becomes of such accounts', AnsweredAlarmsSchema),
      body: AnswerAlarmsSchema,
    },
    handler: ({ body, caller }) => operations.answerAlarms(body, caller?.name ?? ''),
  });
}
