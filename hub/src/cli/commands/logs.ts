/** `rollcall logs`: the Sync Log, newest at the end. With --json one row per line. */
import { type Command, Option } from 'commander';
import { LOG_STATUSES, LogPageSchema, type LogRow } from '../../api/schemas/log.ts';
import type { ApiClient } from '../api-client.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf } from '../command-context.ts';
import { parseSince } from '../duration.ts';
import { usage } from '../failure.ts';
import { parseLimit } from '../paged.ts';
import { table } from '../table.ts';
import { visible, visibleJson } from '../visible.ts';

interface LogsOptions extends HubOptions {
  readonly status?: string;
  readonly site?: string;
  readonly account?: string;
  readonly since?: string;
  readonly limit: string;
  readonly before?: string;
  readonly follow?: boolean;
}

export function addLogs(parent: Command, context: CommandContext): void {
  asksHub(parent.command('logs'))
    .description('the Sync Log: what went where, and why not')
    .addOption(new Option('--status <status>', 'only these rows').choices([...LOG_STATUSES]))
    .option('--site <name>', 'only rows from or to this site')
    .option('--account <login>', 'only rows about this account')
    .option('--since <time>', 'only rows since then: 15m, 2h, 7d, 2026-11-21')
    .option('--limit <rows>', 'at most so many, the newest', '100')
    .option('--before <id>', 'only rows older than this one; --json shows the ids')
    .option('--follow', 'go on as rows come, until Ctrl-C')
    .action(async (options: LogsOptions) => logs(options, context));
}

const LOOK_MS = 1000;

async function logs(options: LogsOptions, context: CommandContext): Promise<void> {
  const { terminal } = context;
  const filters = filtersOf(options, terminal.nowMs());
  const hub = hubOf(context, options);
  const newest = await page(hub, { ...filters, limit: parseLimit(options.limit) });
  const rows = newest.toReversed();
  print(rows, options, context);
  if (options.follow !== true) return;
  let last = rows.at(-1)?.id ?? 0;
  while (!terminal.isInterrupted) {
    await terminal.pause(LOOK_MS);
    const fresh = await page(hub, { ...filters, after: String(last), limit: '1000' });
    last = fresh.at(-1)?.id ?? last;
    for (const row of fresh) printLine(row, options, context);
  }
}

function filtersOf(options: LogsOptions, nowMs: number): Record<string, string> {
  const { status, site, account, since, before } = options;
  if (before !== undefined && !/^\d{1,15}$/u.test(before)) {
    throw usage(`--before “${before}” is no id of a row.`);
  }
  if (before !== undefined && options.follow === true) {
    throw usage('--before looks back, and --follow ahead: give one of them.');
  }
  return {
    ...(before === undefined ? {} : { before }),
    ...(status === undefined ? {} : { status }),
    ...(site === undefined ? {} : { site }),
    ...(account === undefined ? {} : { account }),
    ...(since === undefined ? {} : { since: parseSince(since, nowMs) }),
  };
}

async function page(hub: ApiClient, query: Record<string, string>): Promise<LogRow[]> {
  const { rows } = await hub.get(`/log?${new URLSearchParams(query).toString()}`, LogPageSchema);
  return rows;
}

const HEAD = ['TIME', 'ACCOUNT', 'PATH', 'ACTION', 'STATUS', 'FIELDS', 'BY', 'WHY'];

function print(rows: readonly LogRow[], options: LogsOptions, context: CommandContext): void {
  if (options.json === true) {
    for (const row of rows) printLine(row, options, context);
  } else if (rows.length === 0) {
    if (options.follow !== true) context.terminal.out('The log has no such rows.\n');
  } else {
    context.terminal.out(table(HEAD, rows.map(cells)));
  }
}

function printLine(row: LogRow, { json }: LogsOptions, { terminal }: CommandContext): void {
  if (json === true) terminal.out(`${visibleJson(row)}\n`);
  else
    terminal.out(
      `${cells(row)
        .filter((cell) => cell !== '')
        .map(visible)
        .join('  ')}\n`,
    );
}

function cells(row: LogRow): string[] {
  const path = row.path.at(-1) === row.target ? row.path : [...row.path, row.target];
  return [
    row.at,
    row.login,
    path.join(' → '),
    row.action,
    row.status,
    row.fields.join(','),
    row.actor ?? '',
    row.reason === null ? '' : `${row.message ?? ''} (${row.reason})`,
  ];
}
