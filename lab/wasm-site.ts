/**
 * A site on PHP compiled to WebAssembly and SQLite: needs npm packages alone.
 *
 * Does: one process per site, two PHP workers in it; a pause ends the process, a resume starts another on the same files.
 * Does not: have `fastcgi_finish_request`; PHP_SAPI is `cli` even for web requests.
 */
import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fetchWordPress } from './fetch-wordpress.ts';
import type { Machine, MachineOptions } from './machine.ts';
import type { CommandResult } from './run-command.ts';
import { WasmProcess } from './wasm-process.ts';
import type { RunnerCommand, RunnerOptions } from './wasm-protocol.ts';

const DATABASE = 'wp-content/database/.ht.sqlite';
const SAVED = 'wp-content/database/saved.sqlite';

export async function startWasmMachine(machine: MachineOptions): Promise<Machine> {
  const { sqliteIntegration, wpCli } = await fetchWordPress();
  const site = new WasmMachine(join(machine.tree, '..', 'runner.log'), {
    port: machine.port,
    tree: machine.tree,
    sqliteIntegration,
    wpCli,
    connector: machine.connector,
    php: machine.origin.php,
    replacements: machine.replacements,
  });
  await site.resume();
  return site;
}

class WasmMachine implements Machine {
  readonly #log: string;
  #options: RunnerOptions;
  #process: WasmProcess | undefined;

  constructor(log: string, options: RunnerOptions) {
    this.#log = log;
    this.#options = options;
  }

  wp(args: readonly string[]): Promise<CommandResult> {
    return this.#send({ kind: 'wp', args });
  }

  php(code: string): Promise<CommandResult> {
    return this.#send({ kind: 'php', code });
  }

  async resume(): Promise<void> {
    if (this.#process !== undefined) return;
    this.#process = new WasmProcess(this.#log);
    await this.#process.send({ kind: 'start', options: this.#options });
    this.#options = { ...this.#options, replacements: [] };
  }

  async pause(): Promise<void> {
    const process = this.#process;
    this.#process = undefined;
    await process?.end();
  }

  stop(): Promise<void> {
    return this.pause();
  }

  async saveDatabase(folder: string): Promise<void> {
    const saved = join(this.#options.tree, SAVED);
    const result = await this.php(
      `(new PDO('sqlite:' . ABSPATH . '${DATABASE}'))->exec("VACUUM INTO '" . ABSPATH . "${SAVED}'"); echo is_file( ABSPATH . '${SAVED}' ) ? 'saved' : 'lost';`,
    );
    if (result.stdout !== 'saved') throw new Error(`no copy of the database: ${result.stderr}`);
    await copyFile(saved, join(folder, 'tree', DATABASE));
    await rm(saved);
    await rm(join(folder, 'tree', SAVED), { force: true });
  }

  #send(command: RunnerCommand): Promise<CommandResult> {
    if (this.#process === undefined) throw new Error('this site is paused or stopped');
    return this.#process.send(command);
  }
}
