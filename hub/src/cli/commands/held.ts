/** `rollcall held list`, `release` and `reject`: what waits for a person. */
import type { Command } from 'commander';
import {
  DecidedHeldSchema,
  type HeldList,
  HeldListSchema,
  MOST_HELD_SHOWN,
} from '../../api/schemas/held.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { usage } from '../failure.ts';
import { table } from '../table.ts';

export function addHeld(parent: Command, context: CommandContext): void {
  const held = parent.command('held').description('what waits for a person');
  addList(held, context);
  addDecision(held, context, 'release', 'let it go on');
  addDecision(held, context, 'reject', 'let it not happen');
}

function addList(held: Command, context: CommandContext): void {
  asksHub(held.command('list'))
    .description('all of it, with the reasons')
    .option('--reason <code>', 'only what is held for this reason')
    .action(async (options: HubOptions & { reason?: string }) => {
      const { reason } = options;
      const path = reason === undefined ? '/held' : `/held?reason=${encodeURIComponent(reason)}`;
      const list = await hubOf(context, options).get(path, HeldListSchema);
      show(context, options, list, () =>
        list.held.length === 0 ? 'Nothing is held.\n' : shown(list),
      );
    });
}

function shown({ held }: HeldList): string {
  const rows = held.map((row) => [
    row.delivery,
    row.login,
    row.target,
    row.fields.join(','),
    `${row.message} (${row.reason})`,
  ]);
  const more =
    held.length < MOST_HELD_SHOWN
      ? ''
      : `These are the oldest ${MOST_HELD_SHOWN}. “rollcall doctor” counts all of them by reason.\n`;
  return `${table(['ID', 'ACCOUNT', 'TARGET', 'FIELDS', 'WHY'], rows)}${more}`;
}

function addDecision(
  held: Command,
  context: CommandContext,
  decision: 'release' | 'reject',
  description: string,
): void {
  asksHub(held.command(decision))
    .description(description)
    .argument('[ids...]', 'ids as “held list” shows them')
    .option('--reason <code>', 'in place of ids: all that are held for this reason')
    .action(async (deliveries: string[], options: HubOptions & { reason?: string }) => {
      const { reason } = options;
      if ((reason === undefined) === (deliveries.length === 0)) {
        throw usage('Name either ids or --reason.');
      }
      const body = reason === undefined ? { deliveries, decision } : { reason, decision };
      const hub = hubOf(context, options);
      const result = await hub.send('POST', '/held/decide', body, DecidedHeldSchema);
      const asked = reason === undefined ? ` of ${deliveries.length}` : '';
      show(context, options, result, () => `${result.decided}${asked} decided.\n`);
      const all = reason === undefined ? deliveries.length : Math.max(1, result.decided);
      context.finish(result.decided === all ? EXIT.ok : EXIT.failed);
    });
}
