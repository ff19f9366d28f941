/** `rollcall held`: what waits for a person. */
import type { Command } from 'commander';
import {
  type DecidedHeld,
  DecidedHeldSchema,
  type HeldList,
  HeldListSchema,
} from '../../api/schemas/held.ts';
import type { ApiClient } from '../api-client.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { usage } from '../failure.ts';
import { moreAfter, type PageOptions, paged, pageQuery } from '../paged.ts';
import { table } from '../table.ts';
import type { Terminal } from '../terminal.ts';
import { addHeldResolve, addHeldShow } from './held-resolve.ts';

export function addHeld(parent: Command, context: CommandContext): void {
  const held = parent.command('held').description('what waits for a person');
  addList(held, context);
  addHeldShow(held, context);
  addHeldResolve(held, context);
  addDecision(held, context, 'release', 'let it go on');
  addDecision(held, context, 'reject', 'let it not happen');
}

interface ListOptions {
  readonly reason?: string;
  readonly source?: string;
  readonly look?: boolean;
}

function addList(held: Command, context: CommandContext): void {
  paged(asksHub(held.command('list')))
    .description('what is held, the oldest first, with the reasons')
    .option('--reason <code>', 'only what is held for this reason')
    .option('--source <site>', 'only what comes from this site')
    .option('--look', 'with --json: ask the sites for the names of the accounts, too')
    .action(async (options: HubOptions & PageOptions & ListOptions) => {
      const { reason, source, look } = options;
      const query = pageQuery(options, {
        ...(reason === undefined ? {} : { reason }),
        ...(source === undefined ? {} : { source }),
        ...(look === true ? { look: 'true' } : {}),
      });
      const list = await hubOf(context, options).get(`/held${query}`, HeldListSchema);
      show(context, options, list, () =>
        list.held.length === 0 ? 'Nothing is held.\n' : shown(list),
      );
    });
}

function shown({ held, next }: HeldList): string {
  const rows = held.map((row) => [
    row.delivery,
    row.login,
    row.source,
    row.target,
    row.fields.join(','),
    row.inTheWay === null ? null : `${row.inTheWay.login} <${row.inTheWay.email}>`,
    `${row.message} (${row.reason})`,
  ]);
  const counted = '“rollcall doctor” counts all of them by reason.';
  return `${table(['ID', 'ACCOUNT', 'SOURCE', 'TARGET', 'FIELDS', 'IN THE WAY', 'WHY'], rows)}${moreAfter(next, counted)}`;
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
    .option('--source <site>', 'with --reason: only what comes from this site')
    .action(async (deliveries: string[], options: HubOptions & ListOptions) => {
      const { reason, source } = options;
      if ((reason === undefined) === (deliveries.length === 0)) {
        throw usage('Name either ids or --reason.');
      }
      if (source !== undefined && reason === undefined) throw usage('--source needs --reason.');
      const from = source === undefined ? {} : { source };
      const body = reason === undefined ? { deliveries, decision } : { reason, ...from, decision };
      const hub = hubOf(context, options);
      const result = await decideAll(body, hub, context.terminal);
      const asked = reason === undefined ? ` of ${deliveries.length}` : '';
      show(context, options, result, () => `${result.decided}${asked} decided.\n`);
      const all = reason === undefined ? deliveries.length : Math.max(1, result.decided);
      context.finish(result.decided === all ? EXIT.ok : EXIT.failed);
    });
}

/** The hub answers after some seconds, also when there is more to decide about. */
async function decideAll(body: object, hub: ApiClient, terminal: Terminal): Promise<DecidedHeld> {
  let decided = 0;
  let after: { after?: string } = {};
  for (;;) {
    const asked = { ...body, ...after };
    const part = await hub.send('POST', '/held/decide', asked, DecidedHeldSchema);
    decided += part.decided;
    terminal.progress(part.next === null ? '' : `${decided} decided …`);
    if (part.next === null || terminal.isInterrupted) return { ...part, decided };
    after = { after: part.next };
  }
}
