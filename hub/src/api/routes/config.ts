/** `/api/v1/config` */
import type { Api } from '../api-instance.ts';
import { access, says } from '../api-instance.ts';
import type { Operations } from '../operations.ts';
import {
  AppliedConfigSchema,
  ApplyConfigSchema,
  ConfigDiffSchema,
  ConfigViewSchema,
  DiffConfigSchema,
} from '../schemas/config.ts';

/** Ten thousand routes with all their rules. */
const CONFIG_BYTES = 8 * 1024 * 1024;

export function configRoutes(api: Api, operations: Operations): void {
  api.route({
    method: 'GET',
    url: '/config',
    ...access('operator'),
    schema: says('All that is set, as one document without secrets', ConfigViewSchema),
    handler: () => operations.config(),
  });
  api.route({
    method: 'POST',
    url: '/config/diff',
    ...access('operator'),
    bodyLimit: CONFIG_BYTES,
    schema: {
      ...says('What a document would change, and what is wrong with it', ConfigDiffSchema),
      body: DiffConfigSchema,
    },
    handler: (request) => operations.diffConfig(request.body),
  });
  api.route({
    method: 'PUT',
    url: '/config',
    // It can remove sites, and switch their logs off.
    ...access('owner'),
    bodyLimit: CONFIG_BYTES,
    schema: {
      ...says('Make it as a document says, all of it or nothing', AppliedConfigSchema),
      body: ApplyConfigSchema,
    },
    handler: ({ body, caller }) => operations.applyConfig(body, caller?.name ?? ''),
  });
}
