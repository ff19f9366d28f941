/** `rollcall retry`: what failed is tried again now. */
import type { Command } from 'commander';
import { type Retried, RetriedSchema } from '../../api/schemas/log.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { usage } from '../failure.ts';

interface RetryOptions extends HubOptions {
  readonly all?: boolean;
  readonly site?: string;
}

export function addRetry(parent: Command, context: CommandContext): void {
  asksHub(parent.command('retry'))
    .description('try again now what failed, or was refused for a reason that can pass')
    .argument('[ids...]', 'ids of rows as “logs --json” shows them')
    .option('--all', 'in place of ids: all of it, as far back as the Sync Log goes')
    .option('--site <name>', 'with --all: only what goes to or comes from this site')
    .action(async (ids: string[], options: RetryOptions) => {
      const result = await askAll(bodyOf(ids, options), context, options);
      show(context, options, result, () => told(result, ids.length));
      const missed = ids.length > 0 && result.retried < new Set(ids).size;
      context.finish(missed || result.unreachable.length > 0 ? EXIT.failed : EXIT.ok);
    });
}

function bodyOf(ids: readonly string[], { all, site }: RetryOptions): object {
  if (ids.length > 0 === (all === true)) throw usage('Name either ids or --all.');
  if (site !== undefined && all !== true) throw usage('--site goes with --all.');
  const wrong = ids.find((id) => !/^[1-9]\d{0,14}$/u.test(id));
  if (wrong !== undefined) throw usage(`“${wrong}” is no id of a row.`);
  if (ids.length > 0) return { rows: ids.map(Number) };
  return site === undefined ? { all: true } : { all: true, site };
}

/** The hub answers after some seconds, also when there is more to be tried. */
async function askAll(
  body: object,
  context: CommandContext,
  options: HubOptions,
): Promise<Retried> {
  const hub = hubOf(context, options);
  const { terminal } = context;
  const unreachable = new Set<string>();
  let retried = 0;
  let asked = body;
  for (;;) {
    const part = await hub.send('POST', '/log/retry', asked, RetriedSchema);
    retried += part.retried;
    for (const name of part.unreachable) unreachable.add(name);
    terminal.progress(part.next === null ? '' : `${retried} tried again …`);
    if (part.next === null || terminal.isInterrupted) {
      return { retried, unreachable: [...unreachable], next: part.next };
    }
    asked = { ...body, after: part.next };
  }
}

function told({ retried, unreachable }: Retried, asked: number): string {
  const of = asked === 0 ? '' : ` of ${asked}`;
  const away = unreachable.map((name) => `${name} could not be asked for what it holds.\n`);
  return `${retried}${of} tried again now.\n${away.join('')}`;
}
