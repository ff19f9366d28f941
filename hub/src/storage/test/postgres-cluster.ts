/**
 * A throw-away PostgreSQL for tests, from the binaries on this machine.
 *
 * Does: make a cluster in a temporary folder, listen on a free local port, end it and remove it.
 * Does not: install anything, or touch another PostgreSQL. Without binaries it is null, and the
 * line that installs them is printed.
 * Always true: the server runs as an unprivileged user, because it refuses root.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import pg from 'pg';

export interface PostgresCluster {
  /** A new, empty database; its URL holds a password. */
  createDatabase(): Promise<string>;
  stop(): Promise<void>;
}

export const INSTALL_POSTGRES = 'apt-get install -y --no-install-recommends postgresql';

const USER = 'rollcall';
const READY_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 50;

export async function startPostgresCluster(): Promise<PostgresCluster | null> {
  const bin = findBinaries();
  if (bin === null) {
    process.stderr.write(
      `PostgreSQL is not on this machine; install it with: ${INSTALL_POSTGRES}\n`,
    );
    return null;
  }
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-postgres-'));
  const password = randomBytes(12).toString('hex');
  const as = unprivileged();
  if (as.uid !== undefined && as.gid !== undefined) chownSync(folder, as.uid, as.gid);
  initialise(bin, folder, password, as);
  const port = await freePort();
  const server = startServer(bin, folder, port, as);
  const urlOf = (database: string) =>
    `postgres://${USER}:${password}@127.0.0.1:${port}/${database}`;
  await untilReady(urlOf('postgres'), server);
  let count = 0;
  return {
    async createDatabase() {
      count += 1;
      await query(urlOf('postgres'), `create database test_${count}`);
      return urlOf(`test_${count}`);
    },
    stop: () => stop(server, folder),
  };
}

function findBinaries(): string | null {
  const versions = '/usr/lib/postgresql';
  const installed = existsSync(versions)
    ? readdirSync(versions)
        .sort((a, b) => Number(b) - Number(a))
        .map((version) => join(versions, version, 'bin'))
    : [];
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...installed];
  const holds = (folder: string) =>
    ['initdb', 'postgres'].every((name) => existsSync(join(folder, name)));
  return folders.find(holds) ?? null;
}

interface RunAs {
  readonly uid?: number;
  readonly gid?: number;
}

/** As whom the server runs: the package's own user when we are root. */
function unprivileged(): RunAs {
  if (process.getuid?.() !== 0) return {};
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith('postgres:'));
  const [, , uid, gid] = (line ?? '').split(':');
  if (uid === undefined || gid === undefined) throw new Error('There is no user “postgres”.');
  return { uid: Number(uid), gid: Number(gid) };
}

function initialise(bin: string, folder: string, password: string, as: RunAs): void {
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, password, { mode: 0o644 });
  const options = [`--pgdata=${join(folder, 'data')}`, `--username=${USER}`, '--no-sync'];
  execFileSync(
    join(bin, 'initdb'),
    [...options, `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8'],
    { cwd: folder, stdio: 'pipe', ...as },
  );
}

function startServer(bin: string, folder: string, port: number, as: RunAs): ChildProcess {
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    // It is thrown away: nothing need survive a power cut.
    fsync: 'off',
    max_connections: '60',
    shared_buffers: '32MB',
    // Tests of two that wait for each other shouldn't take long.
    deadlock_timeout: '200ms',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = spawn(join(bin, 'postgres'), ['-D', join(folder, 'data'), ...flags], {
    cwd: folder,
    stdio: 'ignore',
    ...as,
  });
  // SIGQUIT: at once. A test run that was cut short must not leave a server behind.
  process.once('exit', () => server.kill('SIGQUIT'));
  return server;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}

async function untilReady(url: string, server: ChildProcess): Promise<void> {
  const end = Date.now() + READY_WITHIN_MS;
  for (;;) {
    try {
      await query(url, 'select 1');
      return;
    } catch (error) {
      if (server.exitCode !== null || Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }
}

async function query(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}

async function stop(server: ChildProcess, folder: string): Promise<void> {
  if (server.exitCode === null) {
    const ended = new Promise((resolve) => server.once('exit', resolve));
    // SIGINT: end sessions and shut down.
    server.kill('SIGINT');
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
}
