/**
 * What every command is given, and the options that all of them share.
 */
import type { Command } from 'commander';
import pc from 'picocolors';
import { type ApiClient, createApiClient } from './api-client.ts';
import type { ExitCode } from './exit-codes.ts';
import { findHub, type HubChoice } from './find-hub.ts';
import type { StartHub } from './hub-process.ts';
import type { Terminal } from './terminal.ts';
import { visibleJson } from './visible.ts';

export interface CommandContext {
  readonly terminal: Terminal;
  /** Loaded only by the commands that need a whole hub. */
  readonly loadStartHub: () => Promise<StartHub>;
  /** Remembers what the command ends with. */
  finish(exit: ExitCode): void;
}

export interface HubOptions extends HubChoice {
  readonly json?: boolean;
}

/** Adds --url, --token, --data and --json. */
export const asksHub = (command: Command): Command =>
  command
    .option('--url <url>', 'address of the hub (or ROLLCALL_URL)')
    .option('--token <token>', 'token for it (better: ROLLCALL_TOKEN)')
    .option('--data <folder>', 'data folder of a hub on this machine (or ROLLCALL_DATA)')
    .option('--json', 'machine-readable output');

export const hubOf = (context: CommandContext, options: HubOptions): ApiClient =>
  createApiClient(findHub(options, context.terminal));

/** JSON when asked for, else the text. */
export function show(
  { terminal }: CommandContext,
  options: { readonly json?: boolean },
  value: unknown,
  text: () => string,
): void {
  terminal.out(options.json === true ? `${visibleJson(value)}\n` : text());
}

export const colours = (terminal: Terminal) => pc.createColors(terminal.colour);

/** `a, b` → ['a', 'b']; empty parts are left out. */
export const commaList = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
