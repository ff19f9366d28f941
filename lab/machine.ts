/**
 * What each kind of site must be able to do; everything else about a site is the same for both.
 */
import type { Host } from './host.ts';
import type { CommandResult } from './run-command.ts';
import type { Snapshot } from './site.ts';

export interface MachineOptions {
  readonly name: string;
  readonly port: number;
  /** Ready to run: copied from `origin`, dressed and configured. */
  readonly tree: string;
  readonly origin: Snapshot;
  /** Texts to replace in the whole database before the first request: [from, to]. */
  readonly replacements: readonly Replacement[];
  readonly connector: string | null;
  readonly host: Host;
}

export type Replacement = readonly [from: string, to: string];

export interface Machine {
  /** WP-CLI, one call at a time. */
  wp(args: readonly string[]): Promise<CommandResult>;
  /** PHP without an opening tag, in loaded WordPress. */
  php(code: string): Promise<CommandResult>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Safe to repeat. Leaves the tree to the caller. */
  stop(): Promise<void>;
  /** Completes a snapshot's folder, in which `tree` is already copied, with a consistent copy of the database. */
  saveDatabase(folder: string): Promise<void>;
}
