/** The Sync Log: `/api/v1/log`, its export, its settings, and what failed in it once more. */
import { Readable } from 'node:stream';
import { z } from 'zod';
import type { Api } from '../api-instance.ts';
import { access, says } from '../api-instance.ts';
import { BYTE_ORDER_MARK, csvHead, csvLine } from '../log-csv.ts';
import type { Operations } from '../operations.ts';
import {
  ChangeLogSettingsSchema,
  ChangeSiteLogSchema,
  type LogExportQuery,
  LogExportQuerySchema,
  LogPageSchema,
  LogQuerySchema,
  type LogRow,
  LogSettingsSchema,
  RetriedSchema,
  RetrySchema,
} from '../schemas/log.ts';
import { SiteParamsSchema } from '../schemas/site.ts';

export function logRoutes(api: Api, operations: Operations): void {
  api.route({
    method: 'GET',
    url: '/log',
    ...access('viewer'),
    schema: { ...says('The Sync Log', LogPageSchema), querystring: LogQuerySchema },
    handler: (request) => operations.log(request.query),
  });
  exportRoute(api, operations);
  settingsRoutes(api, operations);
  api.route({
    method: 'POST',
    url: '/log/retry',
    ...access('operator'),
    schema: { ...says('Try again what failed', RetriedSchema), body: RetrySchema },
    handler: ({ body, caller }) => operations.retry(body, caller?.name ?? ''),
  });
}

/** Page by page, as fast as the caller reads. What breaks off on the way ends the connection. */
function exportRoute(api: Api, operations: Operations): void {
  api.route({
    method: 'GET',
    url: '/log/export',
    ...access('viewer'),
    schema: {
      ...says('All rows that match, oldest first, as CSV or a line of JSON each', z.unknown()),
      querystring: LogExportQuerySchema,
    },
    handler: async ({ query }, reply) => {
      const { format, bom, ...filter } = query;
      const rows = await operations.exportLog(filter);
      const [type, name] = format === 'csv' ? ['text/csv', 'csv'] : ['application/jsonl', 'jsonl'];
      return reply
        .type(`${type}; charset=utf-8`)
        .header('content-disposition', `attachment; filename="sync-log.${name}"`)
        .send(Readable.from(textOf(rows, { format, bom })));
    },
  });
}

async function* textOf(
  pages: AsyncIterable<readonly LogRow[]>,
  { format, bom }: Pick<LogExportQuery, 'format' | 'bom'>,
): AsyncGenerator<string> {
  if (format === 'csv') yield `${bom === 'true' ? BYTE_ORDER_MARK : ''}${csvHead()}`;
  for await (const rows of pages) {
    yield rows
      .map((row) => (format === 'csv' ? csvLine(row) : `${JSON.stringify(row)}\n`))
      .join('');
  }
}

function settingsRoutes(api: Api, operations: Operations): void {
  api.route({
    method: 'GET',
    url: '/log/settings',
    ...access('viewer'),
    schema: says('How long the Sync Log is kept, and of which sites', LogSettingsSchema),
    handler: () => operations.logSettings(),
  });
  api.route({
    method: 'PATCH',
    url: '/log/settings',
    ...access('owner'),
    schema: {
      ...says('Say how long the Sync Log is kept', LogSettingsSchema),
      body: ChangeLogSettingsSchema,
    },
    handler: ({ body }) => operations.changeLogSettings(body),
  });
  api.route({
    method: 'PATCH',
    url: '/log/settings/:site',
    ...access('owner'),
    schema: {
      ...says('Switch the log of a site, or say how long it is kept', LogSettingsSchema),
      params: SiteParamsSchema,
      body: ChangeSiteLogSchema,
    },
    handler: ({ params, body, caller }) =>
      operations.changeSiteLog(params.site, body, caller?.name ?? ''),
  });
}
