/** `rollcall route add`: changes on SOURCE go to TARGET. */
import { type Command, Option } from 'commander';
import { RouteListSchema, type SomeRules } from '../../api/schemas/route.ts';
import {
  asksHub,
  type CommandContext,
  commaList,
  type HubOptions,
  hubOf,
  show,
} from '../command-context.ts';
import { visible } from '../visible.ts';

interface AddOptions extends HubOptions {
  readonly both?: boolean;
  readonly fields?: string;
  readonly meta?: string;
  readonly roles?: string;
  readonly creates: boolean;
  readonly updates: boolean;
  readonly onDelete?: 'delete' | 'strip' | 'ignore';
  readonly reassignTo?: string;
}

export function addRouteAdd(parent: Command, context: CommandContext): void {
  asksHub(parent.command('add'))
    .description('let changes on one site go to another')
    .argument('<source>', 'name of the site where changes come from')
    .argument('<target>', 'name of the site where they go')
    .option('--both', 'and back again')
    .option('--fields <list>', 'fields that travel: email,first_name,…,password')
    .option('--meta <list>', 'meta keys that travel, each in full')
    .option('--roles <list>', 'roles that travel')
    .option('--no-creates', 'create no accounts')
    .option('--no-updates', 'change no accounts')
    .addOption(
      new Option('--on-delete <what>', 'what a delete does on the target').choices([
        'delete',
        'strip',
        'ignore',
      ]),
    )
    .option('--reassign-to <login>', 'account on the target that inherits content of deleted ones')
    .action(async (source: string, target: string, options: AddOptions) => {
      const body = { source, target, both: options.both === true, rules: rulesOf(options) };
      const list = await hubOf(context, options).send('POST', '/routes', body, RouteListSchema);
      show(context, options, list, () =>
        list.routes
          .map((r) => `Route ${r.id}: ${visible(r.source)} → ${visible(r.target)}.\n`)
          .join(''),
      );
    });
}

/** What is not named is left to the hub's defaults. */
function rulesOf(options: AddOptions): SomeRules {
  const { fields, meta, roles, creates, updates, onDelete, reassignTo } = options;
  return {
    ...(fields === undefined ? {} : { fields: commaList(fields) }),
    ...(meta === undefined ? {} : { meta: commaList(meta) }),
    ...(roles === undefined ? {} : { roles: commaList(roles) }),
    ...(creates ? {} : { creates }),
    ...(updates ? {} : { updates }),
    ...(onDelete === undefined ? {} : { onDelete }),
    ...(reassignTo === undefined ? {} : { reassignTo }),
  };
}
