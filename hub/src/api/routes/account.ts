/** `/api/v1/account`: one account of a site, by its login. */
import type { Api } from '../api-instance.ts';
import { access, says } from '../api-instance.ts';
import type { Operations } from '../operations.ts';
import { AccountQuerySchema, AccountViewSchema, SwitchAccountSchema } from '../schemas/account.ts';

export function accountRoutes(api: Api, operations: Operations): void {
  api.route({
    method: 'GET',
    url: '/account',
    ...access('operator'),
    schema: {
      ...says('One account with its global identifier, asked of its site', AccountViewSchema),
      querystring: AccountQuerySchema,
    },
    handler: ({ query }) => operations.account(query),
  });
  api.route({
    method: 'PATCH',
    url: '/account',
    ...access('operator'),
    schema: {
      ...says('Set the switches of an account', AccountViewSchema),
      body: SwitchAccountSchema,
    },
    handler: ({ body, caller }) => operations.switchAccount(body, caller?.name ?? ''),
  });
}
