/** `rollcall site add`: connect a site with an administrator's Application Password. */
import { isCancel, password } from '@clack/prompts';
import type { Command } from 'commander';
import { AddedSiteSchema } from '../../api/schemas/site.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { usage } from '../failure.ts';
import type { Terminal } from '../terminal.ts';
import { visible } from '../visible.ts';

interface AddOptions extends HubOptions {
  readonly name: string;
  readonly user: string;
  readonly appPassword?: string;
}

export function addSiteAdd(parent: Command, context: CommandContext): void {
  asksHub(parent.command('add'))
    .description('connect a WordPress site, or renew its credential')
    .argument('<url>', 'address of the site')
    .requiredOption('--name <name>', 'name for it')
    .requiredOption('--user <login>', 'login of an administrator there')
    .option(
      '--app-password <password>',
      'Application Password of that account; - reads it from standard input',
    )
    .action(async (url: string, options: AddOptions) => add(url, options, context));
}

async function add(url: string, options: AddOptions, context: CommandContext): Promise<void> {
  const { terminal } = context;
  const hub = hubOf(context, options);
  const appPassword = await readPassword(options.appPassword, terminal);
  const { name, user } = options;
  terminal.progress(`Connecting ${name} …`);
  const body = { url, name, user, appPassword };
  const added = await hub
    .send('POST', '/sites', body, AddedSiteSchema)
    .finally(() => terminal.progress(''));
  show(context, options, added, () => {
    const done = added.renewed ? 'has a new credential' : 'is connected';
    const sites = added.sites.map(
      (site) => `${visible(site.name)} (${visible(site.url)}) ${done}.`,
    );
    const warnings = added.warnings.map(({ message }) => `Mind: ${visible(message)}`);
    return `${[...sites, ...warnings].join('\n')}\n`;
  });
}

async function readPassword(given: string | undefined, terminal: Terminal): Promise<string> {
  if (given !== undefined && given !== '-') return notEmpty(given);
  if (given === '-') return notEmpty(await terminal.readInput());
  if (!terminal.interactive) {
    throw usage(
      'The Application Password is missing.',
      'Give it with --app-password, or with “--app-password -” on standard input.',
    );
  }
  const typed = await password({ message: 'Application Password' });
  if (isCancel(typed)) throw usage('The Application Password is missing.');
  return notEmpty(typed);
}

function notEmpty(text: string): string {
  const trimmed = text.trim();
  if (trimmed === '') throw usage('The Application Password is empty.');
  return trimmed;
}
