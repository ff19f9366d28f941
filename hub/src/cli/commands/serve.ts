/** `rollcall serve`: the hub, until it is told to stop. */
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { show } from '../command-context.ts';
import { parseSeconds } from '../duration.ts';
import { EXIT } from '../exit-codes.ts';
import { usage } from '../failure.ts';
import { dataFolderOf } from '../find-hub.ts';
import { removeHubFile, writeHubFile } from '../hub-file.ts';
import type { HubOptions } from '../hub-process.ts';

interface ServeOptions {
  readonly data?: string;
  readonly port: string;
  readonly host: string;
  readonly publicUrl?: string;
  readonly pollSeconds?: string;
  readonly settleDeletesSeconds?: string;
  readonly newAccounts?: string;
  readonly takeOver?: boolean;
  readonly json?: boolean;
}

export function addServe(parent: Command, context: CommandContext): void {
  parent
    .command('serve')
    .description('start the hub; with DATABASE_URL on PostgreSQL, else with a store of its own')
    .option('--data <folder>', 'data folder (or ROLLCALL_DATA; default .rollcall)')
    .option('--port <number>', 'port of the API', '4700')
    .option('--host <address>', 'address to listen at', '127.0.0.1')
    .option('--public-url <url>', 'where sites reach the hub with their signals')
    .option('--poll-seconds <seconds>', 'how often sites are asked that send no signals')
    .option('--settle-deletes-seconds <seconds>', 'how long deletes wait before they travel')
    .option('--new-accounts <number>', 'of one site within ten minutes, before more are held (200)')
    .option('--take-over', 'this is where the hub lives from now on')
    .option('--json', 'machine-readable output')
    .action(async (options: ServeOptions) => serve(options, context));
}

async function serve(options: ServeOptions, context: CommandContext): Promise<void> {
  const { terminal } = context;
  const hubOptions = hubOptionsOf(options, context);
  const startHub = await context.loadStartHub();
  // Signals are listened to from here on: while it starts, one ends the process at once, as a kill
  // may at any time.
  const hub = await startHub(hubOptions);
  const ended = terminal.interrupted();
  const { dataFolder } = hubOptions;
  try {
    writeHubFile(dataFolder, { url: hub.url, token: hub.token, pid: process.pid });
    show(
      context,
      options,
      { url: hub.url, data: dataFolder, pid: process.pid },
      () => `The hub listens at ${hub.url} on the data folder ${dataFolder}. Ctrl-C stops it.\n`,
    );
    await ended;
  } finally {
    removeHubFile(dataFolder, process.pid);
    await hub.stop();
  }
  context.finish(EXIT.ok);
}

function hubOptionsOf(options: ServeOptions, { terminal }: CommandContext): HubOptions {
  const databaseUrl = terminal.env['DATABASE_URL'];
  return {
    dataFolder: dataFolderOf(options, terminal),
    host: options.host,
    port: parsePort(options.port),
    ...(databaseUrl ? { databaseUrl } : {}),
    ...(options.publicUrl === undefined ? {} : { publicUrl: parsePublicUrl(options.publicUrl) }),
    ...(options.pollSeconds === undefined
      ? {}
      : { pollSeconds: parseSeconds(options.pollSeconds, '--poll-seconds') }),
    ...(options.settleDeletesSeconds === undefined
      ? {}
      : {
          settleDeletesSeconds: parseSeconds(
            options.settleDeletesSeconds,
            '--settle-deletes-seconds',
          ),
        }),
    ...(options.newAccounts === undefined ? {} : { newAccounts: parseCount(options.newAccounts) }),
    ...(options.takeOver === true ? { takeOver: true } : {}),
  };
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/u.test(text) && port <= 65_535) return port;
  throw usage(`--port “${text}” is no port.`, 'Give a number from 0 (any free one) to 65535.');
}

function parseCount(text: string): number {
  if (/^[1-9]\d{0,6}$/u.test(text)) return Number(text);
  throw usage(`--new-accounts “${text}” is no number from 1 to 9999999.`);
}

function parsePublicUrl(text: string): string {
  if (URL.canParse(text) && /^https?:/u.test(text)) return text.replace(/\/+$/u, '');
  throw usage(`--public-url “${text}” is no web address.`);
}
