/** `rollcall config export` and `rollcall config apply`: all that is set, as one file. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { confirm } from '@clack/prompts';
import type { Command } from 'commander';
import {
  AppliedConfigSchema,
  ConfigDiffSchema,
  ConfigViewSchema,
} from '../../api/schemas/config.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { asYaml, readConfig } from '../config-file.ts';
import { describeApplied, describeDiff } from '../config-shown.ts';
import { EXIT } from '../exit-codes.ts';
import { usage } from '../failure.ts';
import { openOut } from '../out-file.ts';
import { visible } from '../visible.ts';

interface ExportOptions extends HubOptions {
  readonly out?: string;
}
interface ApplyOptions extends HubOptions {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly remove?: boolean;
}

export function addConfig(root: Command, context: CommandContext): void {
  const config = root.command('config').description('all that is set, as one file');
  asksHub(config.command('export'))
    .description('sites, groups, routes and settings as YAML, without credentials')
    .option('--out <file>', 'write it there; to the terminal without it')
    .action((options: ExportOptions) => exportConfig(options, context));
  asksHub(config.command('apply'))
    .description('make it as a file says; the differences are shown first')
    .argument('<file>', 'YAML or JSON; - reads it from the terminal')
    .option('--dry-run', 'show the differences and what is wrong, and change nothing')
    .option('--yes', 'do not ask')
    .option('--remove', 'remove sites that are not in the file')
    .action((file: string, options: ApplyOptions) => applyConfig(file, options, context));
}

async function exportConfig(options: ExportOptions, context: CommandContext): Promise<void> {
  const { config } = await hubOf(context, options).get('/config', ConfigViewSchema);
  const text = options.json === true ? `${JSON.stringify(config, null, 2)}\n` : asYaml(config);
  const out = openOut(context.terminal, options.out, false);
  out.write(text);
  out.end();
}

async function applyConfig(
  file: string,
  options: ApplyOptions,
  context: CommandContext,
): Promise<void> {
  const config = readConfig(await read(file, context), file);
  const hub = hubOf(context, options);
  const wanted = { config, remove: options.remove === true };
  const diff = await hub.send('POST', '/config/diff', wanted, ConfigDiffSchema);
  const nothing = diff.changes.length === 0;
  if (options.dryRun === true || diff.problems.length > 0 || nothing) {
    show(context, options, diff, () => describeDiff(diff));
    context.finish(diff.problems.length > 0 ? EXIT.failed : EXIT.ok);
    return;
  }
  if (options.json !== true) context.terminal.out(describeDiff(diff));
  if (!(await isMeant(options, context))) return context.finish(EXIT.failed);
  const { revision } = diff;
  const applied = await hub.send('PUT', '/config', { ...wanted, revision }, AppliedConfigSchema);
  show(context, options, applied, () => describeApplied(applied));
}

async function read(file: string, { terminal }: CommandContext): Promise<string> {
  if (file === '-') return terminal.readInput();
  try {
    return readFileSync(resolve(terminal.folder, file), 'utf8');
  } catch {
    throw usage(`${visible(file)} can’t be read.`, 'Give the name of a YAML or JSON file.');
  }
}

/** A script must say so: it changes many things at once. */
async function isMeant(options: ApplyOptions, { terminal }: CommandContext): Promise<boolean> {
  if (options.yes === true) return true;
  if (options.json === true || !terminal.interactive) {
    throw usage('Nothing was changed: nobody can be asked here.', 'Add --yes, or --dry-run.');
  }
  return (await confirm({ message: 'Make it so?', initialValue: false })) === true;
}
