/**
 * An empty MariaDB data folder, made once for each version and copied after: making one takes seconds, and every
 * test file has a server of its own.
 *
 * Always true: a copy belongs to whoever made it; nothing ever runs on the original.
 * On failure: throws with the installer's output; nothing half-made stays.
 */
import { cp } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { cached } from './cache-folder.ts';
import type { NativePrograms } from './native-programs.ts';
import { runCommand } from './run-command.ts';

/** Raise it when what is installed changes. */
const REVISION = 1;

/** A third of the usual size: it is copied for every server. Install and server must agree on it. */
export const LOG_FILE = '--innodb-log-file-size=32M';

export async function copyEmptyData(programs: NativePrograms, to: string): Promise<void> {
  const { username } = userInfo();
  const version = await runCommand(programs.mariadbd, ['--no-defaults', '--version']);
  const number = /\d+\.\d+\.\d+/u.exec(version)?.[0] ?? 'unknown';
  const original = await cached(`mariadb-${number}-${username}-${REVISION}`, (folder) =>
    install(programs, folder, username),
  );
  await cp(join(original, 'data'), to, { recursive: true });
}

async function install(programs: NativePrograms, folder: string, user: string): Promise<void> {
  const data = `--datadir=${join(folder, 'data')}`;
  // Two that are installed at the same moment in one would remove each other's temporary tables.
  const where = ['--no-defaults', data, `--tmpdir=${folder}`, `--user=${user}`];
  const login = ['--auth-root-authentication-method=socket', `--auth-root-socket-user=${user}`];
  await runCommand(programs.mariadbInstallDb, [...where, ...login, '--skip-test-db', LOG_FILE]);
}
