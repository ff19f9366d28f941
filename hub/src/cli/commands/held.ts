/** `rollcall held list`, `release` and `reject`: what waits for a person. */
import type { Command } from 'commander';
import { DecidedHeldSchema, HeldListSchema } from '../../api/schemas/held.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
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
    .action(async (options: HubOptions) => {
      const list = await hubOf(context, options).get('/held', HeldListSchema);
      show(context, options, list, () =>
        list.held.length === 0
          ? 'Nothing is held.\n'
          : table(
              ['ID', 'ACCOUNT', 'TARGET', 'FIELDS', 'WHY'],
              list.held.map((row) => [
                row.delivery,
                row.login,
                row.target,
                row.fields.join(','),
                `${row.message} (${row.reason})`,
              ]),
            ),
      );
    });
}

function addDecision(
  held: Command,
  context: CommandContext,
  decision: 'release' | 'reject',
  description: string,
): void {
  asksHub(held.command(decision))
    .description(description)
    .argument('<ids...>', 'ids as “held list” shows them')
    .action(async (deliveries: string[], options: HubOptions) => {
      const body = { deliveries, decision };
      const hub = hubOf(context, options);
      const result = await hub.send('POST', '/held/decide', body, DecidedHeldSchema);
      show(context, options, result, () => `${result.decided} of ${deliveries.length} decided.\n`);
      context.finish(result.decided === deliveries.length ? EXIT.ok : EXIT.failed);
    });
}
