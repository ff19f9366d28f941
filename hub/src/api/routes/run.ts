/** `/api/v1/runs`: pull and deliver now, for scripts and cron. */
import type { Api } from '../api-instance.ts';
import { access, says } from '../api-instance.ts';
import type { Operations } from '../operations.ts';
import { RunReportSchema, RunRequestSchema } from '../schemas/status.ts';

export function runRoutes(api: Api, operations: Operations): void {
  api.route({
    method: 'POST',
    url: '/runs',
    ...access('operator'),
    schema: {
      ...says('Pull and deliver until nothing more can be done now', RunReportSchema),
      body: RunRequestSchema,
    },
    handler: (request) => operations.runUntilIdle({ waitMs: request.body.waitSeconds * 1000 }),
  });
}
