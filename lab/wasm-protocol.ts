/**
 * What a WebAssembly site and the process that runs it say to each other, over Node's IPC channel.
 *
 * Always true: each request has an id and gets exactly one answer with that id, unless the process ends.
 */
import type { Replacement } from './machine.ts';
import type { CommandResult } from './run-command.ts';

export interface RunnerOptions {
  readonly port: number;
  /** The site's own WordPress tree on disk. */
  readonly tree: string;
  readonly sqliteIntegration: string;
  readonly wpCli: string;
  readonly connector: string | null;
  readonly php: PhpVersion;
  /** Texts to replace in the whole database before the first request: [from, to]. */
  readonly replacements: readonly Replacement[];
}

export type PhpVersion = '7.4' | '8.0' | '8.1' | '8.2' | '8.3' | '8.4' | '8.5';

export type RunnerCommand =
  | { readonly kind: 'start'; readonly options: RunnerOptions }
  | { readonly kind: 'wp'; readonly args: readonly string[] }
  | { readonly kind: 'php'; readonly code: string }
  | { readonly kind: 'stop' };

export interface RunnerRequest {
  readonly id: number;
  readonly command: RunnerCommand;
}

export type RunnerAnswer =
  | { readonly id: number; readonly result: CommandResult }
  | { readonly id: number; readonly error: string };
