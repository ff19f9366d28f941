/**
 * The MariaDB and PHP-FPM that this process's native sites share, and the nginx that each has.
 *
 * Does: start them on first use, in a folder of their own under the system's temporary folder.
 * Does not: touch a server of the system: own data, own sockets, no TCP port but the sites' own on 127.0.0.1.
 * Always true: they end when this process ends, however (native-keeper.mjs).
 * On failure: throws with the end of the program's log.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { OwnPhp } from './host.ts';
import { copyEmptyData, LOG_FILE } from './native-data.ts';
import { type NativePrograms, nativePrograms } from './native-programs.ts';
import { runCommand } from './run-command.ts';
import { waitUntil } from './wait-until.ts';
import type { DatabaseAccess } from './wp-config.ts';

const KEEPER = fileURLToPath(new URL('./native-keeper.mjs', import.meta.url));
const START_LIMIT_MS = 60_000;
const LOG_TAIL_CHARACTERS = 4_000;

let server: Promise<NativeServer> | undefined;

export function nativeServer(): Promise<NativeServer> {
  server ??= NativeServer.start();
  return server;
}

export class NativeServer {
  readonly #programs: NativePrograms;
  readonly #folder: string;
  readonly #keeper: ChildProcess;
  readonly #waiting = new Map<number, () => void>();
  #lastId = 0;

  private constructor(programs: NativePrograms, folder: string) {
    this.#programs = programs;
    this.#folder = folder;
    this.#keeper = fork(KEEPER, [folder], {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#keeper.on('message', ({ id }: { id: number }) => {
      this.#waiting.get(id)?.();
      this.#waiting.delete(id);
      // An idle server must not keep a script from ending.
      if (this.#waiting.size === 0) this.#keeper.channel?.unref();
    });
    this.#keeper.unref();
    this.#keeper.channel?.unref();
  }

  static async start(): Promise<NativeServer> {
    const programs = nativePrograms();
    const folder = await mkdtemp(join(tmpdir(), 'rollcall-lab-'));
    const server = new NativeServer(programs, folder);
    await Promise.all([server.#startMariaDb(), server.startPhpFpm('fpm', {})]);
    return server;
  }

  get phpFpmSocket(): string {
    return join(this.#folder, 'fpm.sock');
  }

  access(database: string): DatabaseAccess {
    return {
      name: database,
      user: userInfo().username,
      password: '',
      host: `localhost:${this.#socket}`,
    };
  }

  sql(database: string, statements: string): Promise<string> {
    const where = ['--no-defaults', `--socket=${this.#socket}`, '--default-character-set=utf8mb4'];
    return runCommand(this.#programs.mariadb, [...where, '--batch', database], {
      stdin: statements,
    });
  }

  dump(database: string): Promise<string> {
    const where = ['--no-defaults', `--socket=${this.#socket}`, '--default-character-set=utf8mb4'];
    const how = ['--single-transaction', '--skip-comments', '--hex-blob'];
    return runCommand(this.#programs.mariadbDump, [...where, ...how, database]);
  }

  /** nginx on this port; resolves when it answers. */
  async startNginx(name: string, port: number, configuration: string): Promise<void> {
    const file = join(this.#folder, `${name}.nginx.conf`);
    await writeFile(file, configuration);
    const args = ['-c', file, '-e', this.#log(name), '-g', `daemon off; pid ${file}.pid;`];
    await this.#run(name, this.#programs.nginx, args, () => answers({ port, host: '127.0.0.1' }));
  }

  /** A PHP-FPM with these peculiarities; resolves to its socket when it answers. */
  async startPhpFpm(name: string, own: OwnPhp): Promise<string> {
    const file = join(this.#folder, `${name}.conf`);
    const socket = join(this.#folder, `${name}.sock`);
    await writeFile(file, phpFpmConfiguration(socket, this.#log(name), own));
    const asRoot = process.getuid?.() === 0 ? ['--allow-to-run-as-root'] : [];
    const program = this.#programs.phpFpm;
    const scanned =
      own.without === undefined
        ? {}
        : await this.#extensionsBut(own.without, join(this.#folder, `${name}.d`));
    await this.#run(
      name,
      program,
      ['--nodaemonize', ...asRoot, '--fpm-config', file],
      () => answers({ path: socket }),
      scanned,
    );
    return socket;
  }

  stop(name: string): Promise<void> {
    return this.#ask({ stop: name });
  }

  temporaryFolder(name: string): string {
    return join(this.#folder, name);
  }

  get #socket(): string {
    return join(this.#folder, 'mariadb.sock');
  }

  #log(name: string): string {
    return join(this.#folder, `${name}.log`);
  }

  async #startMariaDb(): Promise<void> {
    const data = join(this.#folder, 'mariadb');
    await copyEmptyData(this.#programs, data);
    const where = [
      '--no-defaults',
      `--datadir=${data}`,
      // Two that start at the same moment in one would remove each other's temporary tables.
      `--tmpdir=${this.#folder}`,
      `--user=${userInfo().username}`,
    ];
    const network = [
      `--socket=${this.#socket}`,
      `--pid-file=${join(this.#folder, 'mariadb.pid')}`,
      '--skip-networking',
    ];
    // A lab's data need not survive a power cut.
    const speed = [
      '--innodb-flush-log-at-trx-commit=0',
      LOG_FILE,
      '--innodb-buffer-pool-size=256M',
      '--skip-name-resolve',
    ];
    await this.#run('mariadb', this.#programs.mariadbd, [...where, ...network, ...speed], () =>
      answers({ path: this.#socket }),
    );
  }

  async #run(
    name: string,
    program: string,
    args: string[],
    ready: () => Promise<boolean>,
    env: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const log = this.#log(name);
    await this.#ask({ start: { name, program, args, log, env } });
    await waitUntil(ready, START_LIMIT_MS).catch(async () => {
      const text = await readFile(log, 'utf8').catch(() => '');
      throw new Error(
        `${name} does not answer; its log ends with:\n${text.slice(-LOG_TAIL_CHARACTERS)}`,
      );
    });
  }

  /** PHP reads one ini file per extension; it is shown a folder without some of them. */
  async #extensionsBut(
    without: readonly string[],
    folder: string,
  ): Promise<Record<string, string>> {
    const information = await runCommand(this.#programs.phpFpm, ['-i']);
    const scanned = /^Scan this dir for additional \.ini files => (.+)$/mu.exec(information)?.[1];
    if (scanned === undefined) throw new Error('PHP-FPM does not say where its extensions are');
    await mkdir(folder);
    for (const name of await readdir(scanned)) {
      const extension = /^(?:\d+-)?(.+)\.ini$/u.exec(name)?.[1] ?? name;
      if (!without.includes(extension)) await symlink(join(scanned, name), join(folder, name));
    }
    return { PHP_INI_SCAN_DIR: folder };
  }

  #ask(message: object): Promise<void> {
    return new Promise((resolve) => {
      const id = ++this.#lastId;
      this.#waiting.set(id, resolve);
      this.#keeper.channel?.ref();
      this.#keeper.send({ id, ...message });
    });
  }
}

function answers(where: { path: string } | { port: number; host: string }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(where);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

const PHP_SETTINGS = {
  'opcache.enable': '1',
  'opcache.memory_consumption': '256',
  'opcache.revalidate_freq': '0',
  max_execution_time: '300',
  memory_limit: '512M',
};

function phpFpmConfiguration(socket: string, log: string, own: OwnPhp): string {
  const asRoot = process.getuid?.() === 0 ? 'user = root\ngroup = root\n' : '';
  const settings = Object.entries({ ...PHP_SETTINGS, ...own.settings });
  const pool = Object.entries({
    pm: 'ondemand',
    'pm.max_children': '12',
    'pm.process_idle_timeout': '60s',
    ...own.pool,
  });
  return `[global]
error_log = ${log}
[lab]
${asRoot}listen = ${socket}
${pool.map(([name, value]) => `${name} = ${value}`).join('\n')}
${settings.map(([name, value]) => `php_admin_value[${name}] = ${value}`).join('\n')}
`;
}
