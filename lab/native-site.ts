/**
 * A site on this machine's own PHP (PHP-FPM, with `fastcgi_finish_request`), nginx and MariaDB.
 *
 * Does: a database of its own, an nginx of its own, the shared PHP-FPM and MariaDB of native-server.ts. A pause ends
 *   the nginx: connections are refused, data and PHP stay.
 * On failure: throws; what was started is ended by `stop()`, or with this process.
 */
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Machine, MachineOptions } from './machine.ts';
import { firewallRules } from './native-firewall.ts';
import { nginxConfiguration } from './native-nginx.ts';
import { nativePhp, nativeWpCli } from './native-php.ts';
import { type NativeServer, nativeServer } from './native-server.ts';
import type { CommandResult } from './run-command.ts';
import type { DatabaseAccess } from './wp-config.ts';

export interface NativeMachineOptions extends MachineOptions {
  readonly database: DatabaseAccess;
}

/** The database that the site at this folder will have. */
export async function nativeDatabase(folder: string): Promise<DatabaseAccess> {
  const server = await nativeServer();
  return server.access(basename(folder).replaceAll('-', '_'));
}

export async function startNativeMachine(options: NativeMachineOptions): Promise<Machine> {
  const site = new NativeMachine(options, await nativeServer());
  await site.createDatabase();
  await site.linkConnector();
  await site.resume();
  return site;
}

class NativeMachine implements Machine {
  readonly #options: NativeMachineOptions;
  readonly #server: NativeServer;
  #queue: Promise<unknown> = Promise.resolve();
  #running = false;
  #phpFpmSocket: string | undefined;

  constructor(options: NativeMachineOptions, server: NativeServer) {
    this.#options = options;
    this.#server = server;
  }

  async createDatabase(): Promise<void> {
    const { origin, replacements } = this.#options;
    let text = await readFile(join(origin.folder, 'database.sql'), 'utf8');
    for (const [from, to] of replacements) text = text.replaceAll(from, to);
    await this.#server.sql('', `CREATE DATABASE ${this.#database} CHARACTER SET utf8mb4`);
    await this.#server.sql(this.#database, text);
  }

  async linkConnector(): Promise<void> {
    const { connector, tree } = this.#options;
    const link = join(tree, 'wp-content', 'plugins', 'rollcall-connector');
    if (connector !== null) await symlink(connector, link);
  }

  wp(args: readonly string[]): Promise<CommandResult> {
    return this.#inTurn(() => nativeWpCli(this.#options.tree, args));
  }

  php(code: string): Promise<CommandResult> {
    const { tree, port } = this.#options;
    return this.#inTurn(() => nativePhp(tree, `127.0.0.1:${port}`, code));
  }

  async resume(): Promise<void> {
    if (this.#running) return;
    const { port, tree, origin, host } = this.#options;
    const work = this.#server.temporaryFolder(this.#database);
    this.#phpFpmSocket ??= await this.#startPhp();
    const configuration = nginxConfiguration({
      port,
      tree,
      multisite: origin.multisite,
      phpFpmSocket: this.#phpFpmSocket,
      work,
      host,
      firewallRules: host.firewall === undefined ? null : await this.#firewall(host.firewall, work),
    });
    await this.#server.startNginx(this.#database, port, configuration);
    this.#running = true;
  }

  async pause(): Promise<void> {
    this.#running = false;
    await this.#server.stop(this.#database);
  }

  async stop(): Promise<void> {
    await this.pause();
    await this.#server.stop(this.#ownPhp);
    await this.#server.sql('', `DROP DATABASE IF EXISTS ${this.#database}`);
  }

  async saveDatabase(folder: string): Promise<void> {
    await writeFile(join(folder, 'database.sql'), await this.#server.dump(this.#database));
  }

  async #startPhp(): Promise<string> {
    const { php } = this.#options.host;
    if (php === undefined) return this.#server.phpFpmSocket;
    return this.#server.startPhpFpm(this.#ownPhp, php);
  }

  async #firewall(paranoia: 1 | 2, work: string): Promise<string> {
    const file = `${work}-firewall.conf`;
    // Beside the site's other logs, so that a test can read why something was blocked.
    const auditLog = join(this.#options.tree, 'wp-content', 'firewall.log');
    await writeFile(file, await firewallRules(paranoia, { auditLog, temporary: dirname(work) }));
    return file;
  }

  get #ownPhp(): string {
    return `${this.#database}-php`;
  }

  get #database(): string {
    return this.#options.database.name;
  }

  #inTurn(run: () => Promise<CommandResult>): Promise<CommandResult> {
    const result = this.#queue.then(run);
    this.#queue = result.catch(() => {});
    return result;
  }
}
