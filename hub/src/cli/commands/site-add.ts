/**
 * `rollcall site add`: connect a site, in one of three ways: WordPress's own approve page, an administrator's
 * name and password used this once, or a ready Application Password.
 */
import { isCancel, password } from '@clack/prompts';
import type { Command } from 'commander';
import { type AddedSite, AddedSiteSchema } from '../../api/schemas/site.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { usage } from '../failure.ts';
import type { Terminal } from '../terminal.ts';
import { visible } from '../visible.ts';
import { addFromFile } from './site-add-from.ts';
import { addByApproval } from './site-approve.ts';

interface AddOptions extends HubOptions {
  readonly name?: string;
  readonly from?: string;
  readonly user?: string;
  readonly appPassword?: string;
  readonly password?: string;
  readonly install?: boolean;
  readonly approve?: boolean;
}

export function addSiteAdd(parent: Command, context: CommandContext): void {
  asksHub(parent.command('add'))
    .description('connect a WordPress site, or renew its credential')
    .argument('[url]', 'address of the site')
    .option('--name <name>', 'name for it')
    .option(
      '--from <file>',
      'many sites at once: a CSV file with the columns url, name, user, password, way',
    )
    .option('--approve', 'an administrator approves in the browser; the address to open is printed')
    .option('--user <login>', 'login of an administrator there')
    .option(
      '--app-password <password>',
      'Application Password of that account; - reads it from standard input',
    )
    .option(
      '--password <password>',
      'instead: what that account signs in with, used once; - reads it from standard input',
    )
    .option('--install', 'with --password: upload, update and activate the connector first')
    .action(async (url: string | undefined, options: AddOptions) =>
      options.from === undefined
        ? add(url, options, context)
        : addFrom(options.from, url, options, context),
    );
}

function addFrom(
  file: string,
  url: string | undefined,
  options: AddOptions,
  context: CommandContext,
): Promise<void> {
  const { name, user, appPassword, password: typed, install, approve } = options;
  if (
    [url, name, user, appPassword, typed, install, approve].some((value) => value !== undefined)
  ) {
    throw usage('--from takes everything from the file.');
  }
  return addFromFile(file, options, context);
}

async function add(
  url: string | undefined,
  options: AddOptions,
  context: CommandContext,
): Promise<void> {
  const { name } = options;
  if (url === undefined || name === undefined) {
    throw usage('The address or --name is missing.', 'Give both, or --from with a file.');
  }
  if (options.approve === true) {
    const given = [options.user, options.appPassword, options.password, options.install];
    if (given.some((value) => value !== undefined)) {
      throw usage('--approve takes no login: the administrator gives it to WordPress alone.');
    }
    return addByApproval({ url, name }, options, context);
  }
  const hub = hubOf(context, options);
  const body = { url, name, ...(await loginOf(options, context.terminal)) };
  context.terminal.progress(`Connecting ${name} …`);
  const added = await hub
    .send('POST', '/sites', body, AddedSiteSchema)
    .finally(() => context.terminal.progress(''));
  show(context, options, added, () => describeAdded(added));
}

export function describeAdded(added: AddedSite): string {
  const done = added.renewed ? 'has a new credential' : 'is connected';
  const sites = added.sites.map((site) => `${visible(site.name)} (${visible(site.url)}) ${done}.`);
  const warnings = added.warnings.map(({ message }) => `Mind: ${visible(message)}`);
  return `${[...sites, ...warnings].join('\n')}\n`;
}

async function loginOf(
  options: AddOptions,
  terminal: Terminal,
): Promise<{ user: string; appPassword?: string; password?: string; install?: boolean }> {
  const { user, appPassword, install } = options;
  if (user === undefined) {
    throw usage('The login is missing.', 'Give it with --user, or use --approve.');
  }
  if (options.password === undefined) {
    if (install === true) throw usage('--install needs --password.');
    return { user, appPassword: await readPassword(appPassword, terminal) };
  }
  if (appPassword !== undefined) {
    throw usage('Give either --password or --app-password.');
  }
  const given = options.password === '-' ? await terminal.readInput() : options.password;
  // A person's password may begin or end with a space; the end of the line is not a part of it.
  const typed = given.replace(/\r?\n$/u, '');
  if (typed === '') throw usage('The password is empty.');
  return { user, password: typed, ...(install === true ? { install } : {}) };
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
