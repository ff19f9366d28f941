/** `rollcall route list` */
import type { Command } from 'commander';
import { RouteListSchema, type RouteView } from '../../api/schemas/route.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { table } from '../table.ts';

export function addRouteList(parent: Command, context: CommandContext): void {
  asksHub(parent.command('list'))
    .description('all routes and their rules')
    .action(async (options: HubOptions) => {
      const list = await hubOf(context, options).get('/routes', RouteListSchema);
      show(context, options, list, () => describe(list.routes));
    });
}

const describe = (routes: readonly RouteView[]): string =>
  routes.length === 0
    ? 'No routes yet. “rollcall route add SOURCE TARGET” makes one.\n'
    : table(
        [
          'ID',
          'SOURCE',
          'TARGET',
          'STATE',
          'FIELDS',
          'META',
          'ROLES',
          'CREATES',
          'UPDATES',
          'DELETES',
          'GROUP',
        ],
        routes.map(({ id, source, target, status, rules, group }) => [
          id,
          source,
          target,
          status,
          rules.fields.join(','),
          rules.meta.join(','),
          rules.roles.join(','),
          rules.creates ? 'yes' : 'no',
          rules.updates ? 'yes' : 'no',
          rules.onDelete,
          group ?? '',
        ]),
      );
