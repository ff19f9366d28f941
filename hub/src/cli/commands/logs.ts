/** `rollcall logs`: the Sync Log, newest at the end. With --json one row per line. */
import type { Command } from 'commander';
import { csvHead, csvLine } from '../../api/log-csv.ts';
import { LOG_ACTIONS, LOG_STATUSES, LogPageSchema, type LogRow } from '../../api/schemas/log.ts';
import type { ApiClient } from '../api-client.ts';
import {
  asksHub,
  type CommandContext,
  commaList,
  type HubOptions,
  hubOf,
} from '../command-context.ts';
import { parseSince } from '../duration.ts';
import { usage } from '../failure.ts';
import { type Out, openOut } from '../out-file.ts';
import { parseLimit } from '../paged.ts';
import { table } from '../table.ts';
import { visible, visibleJson } from '../visible.ts';

interface LogsOptions extends HubOptions {
  readonly status?: string;
  readonly action?: string;
  readonly reason?: string;
  readonly site?: string;
  readonly account?: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit: string;
  readonly before?: string;
  readonly all?: boolean;
  readonly follow?: boolean;
  readonly csv?: boolean;
  readonly bom?: boolean;
  readonly out?: string;
}

export function addLogs(parent: Command, context: CommandContext): void {
  asksHub(parent.command('logs'))
    .description('the Sync Log: what went where, and why not')
    .option('--status <list>', `only these rows: ${LOG_STATUSES.join(', ')}`)
    .option('--action <list>', `only these rows: ${LOG_ACTIONS.join(', ')}`)
    .option('--reason <code>', 'only rows with this reason')
    .option('--site <name>', 'only rows from or to this site')
    .option('--account <login>', 'only rows about this account: its login or uid')
    .option('--since <time>', 'only rows since then: 15m, 2h, 7d, 2026-11-21')
    .option('--until <time>', 'only rows until then')
    .option('--limit <rows>', 'at most so many, the newest', '100')
    .option('--before <id>', 'only rows older than this one; --json shows the ids')
    .option('--all', 'all rows that match, however many')
    .option('--follow', 'go on as rows come, until Ctrl-C')
    .option('--csv', 'as CSV')
    .option('--out <file>', 'write to this file')
    .option('--bom', 'with --csv and --out: a byte order mark, for spreadsheets that need one')
    .action(async (options: LogsOptions) => logs(options, context));
}

const LOOK_MS = 1000;
const FULL_PAGE = 1000;

async function logs(options: LogsOptions, context: CommandContext): Promise<void> {
  const { terminal } = context;
  refuseContradictions(options);
  const filters = filtersOf(options, terminal.nowMs());
  const limit = parseLimit(options.limit);
  const hub = hubOf(context, options);
  const out = openOut(terminal, options.out, options.bom === true);
  try {
    if (options.csv === true) out.write(csvHead());
    if (options.all === true) {
      for await (const rows of pagesFrom(hub, filters, 0)) printLines(rows, options, out);
    } else {
      const { before } = options;
      const newest = await page(hub, { ...filters, ...(before && { before }), limit });
      print(newest.toReversed(), options, out);
      if (options.follow === true) await follow(newest[0]?.id ?? 0, filters, options, context);
    }
    out.end();
  } catch (fault) {
    out.giveUp();
    throw fault;
  }
}

async function follow(
  from: number,
  filters: Record<string, string>,
  options: LogsOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal } = context;
  const hub = hubOf(context, options);
  let last = from;
  while (!terminal.isInterrupted) {
    await terminal.pause(LOOK_MS);
    const fresh = await page(hub, { ...filters, after: String(last), limit: String(FULL_PAGE) });
    last = fresh.at(-1)?.id ?? last;
    printLines(fresh, options, { write: (text) => terminal.out(text) });
  }
}

async function* pagesFrom(
  hub: ApiClient,
  filters: Record<string, string>,
  from: number,
): AsyncGenerator<readonly LogRow[]> {
  for (let after = from; ; ) {
    const rows = await page(hub, { ...filters, after: String(after), limit: String(FULL_PAGE) });
    yield rows;
    if (rows.length < FULL_PAGE) return;
    after = rows.at(-1)?.id ?? after;
  }
}

function refuseContradictions({ before, follow, all, csv, json, bom, out }: LogsOptions): void {
  if (before !== undefined && !/^\d{1,15}$/u.test(before)) {
    throw usage(`--before “${before}” is no id of a row.`);
  }
  if (before !== undefined && follow === true) {
    throw usage('--before looks back, and --follow ahead: give one of them.');
  }
  if (all === true && (before !== undefined || follow === true)) {
    throw usage('--all shows all rows: leave --before and --follow out.');
  }
  if (csv === true && json === true) throw usage('Give either --csv or --json.');
  if (out !== undefined && follow === true) throw usage('--follow writes to no file.');
  if (bom === true && (csv !== true || out === undefined)) {
    throw usage('--bom goes with --csv and --out.');
  }
}

function filtersOf(options: LogsOptions, nowMs: number): Record<string, string> {
  const { status, action, reason, site, account, since, until } = options;
  return {
    ...(status === undefined ? {} : { status: oneOf('--status', status, LOG_STATUSES) }),
    ...(action === undefined ? {} : { action: oneOf('--action', action, LOG_ACTIONS) }),
    ...(reason === undefined ? {} : { reason }),
    ...(site === undefined ? {} : { site }),
    ...(account === undefined ? {} : { account }),
    ...(since === undefined ? {} : { since: parseSince(since, nowMs) }),
    ...(until === undefined ? {} : { until: parseSince(until, nowMs, '--until') }),
  };
}

function oneOf(option: string, text: string, words: readonly string[]): string {
  const list = commaList(text);
  const wrong = list.find((word) => !words.includes(word));
  if (wrong === undefined && list.length > 0) return list.join(',');
  throw usage(`${option} “${wrong ?? text}” is none of these.`, `Choose from ${words.join(', ')}.`);
}

async function page(hub: ApiClient, query: Record<string, string>): Promise<LogRow[]> {
  const { rows } = await hub.get(`/log?${new URLSearchParams(query).toString()}`, LogPageSchema);
  return rows;
}

const HEAD = ['TIME', 'ACCOUNT', 'PATH', 'ACTION', 'STATUS', 'FIELDS', 'BY', 'WHY'];

function print(rows: readonly LogRow[], options: LogsOptions, out: Pick<Out, 'write'>): void {
  if (options.json === true || options.csv === true) printLines(rows, options, out);
  else if (rows.length > 0) out.write(table(HEAD, rows.map(cells)));
  else if (options.follow !== true) out.write('The log has no such rows.\n');
}

function printLines(
  rows: readonly LogRow[],
  { json, csv }: LogsOptions,
  out: Pick<Out, 'write'>,
): void {
  const line = csv === true ? csvLine : json === true ? jsonLine : textLine;
  if (rows.length > 0) out.write(rows.map(line).join(''));
}

const jsonLine = (row: LogRow): string => `${visibleJson(row)}\n`;

const textLine = (row: LogRow): string =>
  `${cells(row)
    .filter((cell) => cell !== '')
    .map(visible)
    .join('  ')}\n`;

const withUnconfirmed = (field: string): string =>
  field === 'email' ? 'email (unconfirmed)' : field;

function cells(row: LogRow): string[] {
  const path = row.path.at(-1) === row.target ? row.path : [...row.path, row.target];
  return [
    row.at,
    row.login,
    path.join(' → '),
    row.action,
    row.status,
    row.fields.map(row.unconfirmedEmail ? withUnconfirmed : String).join(','),
    row.actor ?? '',
    row.reason === null ? '' : `${row.message ?? ''} (${row.reason})`,
  ];
}
