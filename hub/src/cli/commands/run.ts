/**
 * `rollcall run`: pull, deliver until nothing more can be done now, end. For cron.
 *
 * A hub that serves the data folder already does it instead: two never work on one folder.
 */
import type { Command } from 'commander';
import { type RunReport, RunReportSchema } from '../../api/schemas/status.ts';
import { Fault } from '../../errors.ts';
import { createApiClient, type HubAddress } from '../api-client.ts';
import { asksHub, type CommandContext, type HubOptions, show } from '../command-context.ts';
import { parseSeconds } from '../duration.ts';
import { EXIT } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { dataFolderOf, findHub } from '../find-hub.ts';
import { readHubFile } from '../hub-file.ts';
import { visible } from '../visible.ts';

interface RunOptions extends HubOptions {
  readonly limit: string;
}

export function addRun(parent: Command, context: CommandContext): void {
  asksHub(parent.command('run'))
    .description('pull and deliver until nothing more can be done now, then end')
    .option('--limit <seconds>', 'end after this long even when there is more to do', '3600')
    .action(async (options: RunOptions) => {
      const limitMs = parseSeconds(options.limit, '--limit') * 1000;
      const report = await runSomewhere(options, context, limitMs);
      show(context, options, report, () => describe(report));
      const held = report.finished && report.pending === 0 && report.unreachable.length === 0;
      context.finish(held ? EXIT.ok : EXIT.failed);
    });
}

async function runSomewhere(
  options: RunOptions,
  context: CommandContext,
  limitMs: number,
): Promise<RunReport> {
  const named = options.url !== undefined || Boolean(context.terminal.env['ROLLCALL_URL']);
  if (named && options.data === undefined) {
    return runThere(findHub(options, context.terminal), context, limitMs);
  }
  const dataFolder = dataFolderOf(options, context.terminal);
  const serving = readHubFile(dataFolder);
  if (serving !== null) {
    try {
      return await runThere(serving, context, limitMs);
    } catch (error) {
      // The file of a hub that was killed; the folder is free.
      if (!(error instanceof Failure) || error.code !== 'hub.unreachable') throw error;
    }
  }
  return runHere(dataFolder, context, limitMs);
}

/** One question may wait this long; well below any proxy's patience. */
const WAIT_SECONDS = 20;

async function runThere(
  hub: HubAddress,
  { terminal }: CommandContext,
  limitMs: number,
): Promise<RunReport> {
  const api = createApiClient(hub);
  const end = terminal.nowMs() + limitMs;
  let pulled = 0;
  let delivered = 0;
  for (;;) {
    const waitSeconds = Math.max(1, Math.min(WAIT_SECONDS, (end - terminal.nowMs()) / 1000));
    const report = await api.send('POST', '/runs', { waitSeconds }, RunReportSchema);
    pulled += report.pulled;
    delivered += report.delivered;
    if (report.finished || terminal.nowMs() >= end) return { ...report, pulled, delivered };
  }
}

async function runHere(
  dataFolder: string,
  context: CommandContext,
  limitMs: number,
): Promise<RunReport> {
  const databaseUrl = context.terminal.env['DATABASE_URL'];
  const startHub = await context.loadStartHub();
  const given = { dataFolder, listen: false, workers: false };
  try {
    const hub = await startHub(databaseUrl ? { ...given, databaseUrl } : given);
    try {
      return await hub.runUntilIdle({ waitMs: limitMs });
    } finally {
      await hub.stop();
    }
  } catch (error) {
    // A hub that began to serve just now.
    const serving = readHubFile(dataFolder);
    if (!(error instanceof Fault) || error.code !== 'data.in_use' || serving === null) throw error;
    return runThere(serving, context, limitMs);
  }
}

function describe(report: RunReport): string {
  const lines = [`Pulled ${report.pulled}, delivered ${report.delivered}.`];
  if (report.pending > 0) lines.push(`${report.pending} still pending.`);
  if (report.held > 0) lines.push(`${report.held} held for a person: “rollcall held list”.`);
  for (const { site, message } of report.unreachable) {
    lines.push(`${visible(site)}: ${visible(message)}`);
  }
  if (!report.finished) lines.push('There is more to do; the time was over.');
  return `${lines.join('\n')}\n`;
}
