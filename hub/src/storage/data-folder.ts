/**
 * The embedded database in a data folder.
 *
 * Does: make the folder (0700), lock it, look whether what lies there can be a database at all,
 * and only then open it.
 * Does not: repair anything. What looks broken is left as it is.
 * On failure: `data.not_writable`, `data.in_use`, `data.full`, `data.broken`; the lock is given back.
 */
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { Fault } from '../errors.ts';
import { lockFolder } from './folder-lock.ts';
import { guardRoom, refuseWithoutRoom } from './room-guard.ts';

const DATABASE = 'database';
/** There while the database is being made for the first time: a half-made one holds nothing. */
const UNFINISHED = 'database.unfinished';
/** PG_CONTROL_FILE_SIZE of PostgreSQL. */
const CONTROL_BYTES = 8_192;
/** What PGlite 0.5 is. */
const POSTGRES_MAJOR = '18';

export interface OpenFolder {
  readonly lite: PGlite;
  close(): Promise<void>;
}

export async function openDataFolder(folder: string): Promise<OpenFolder> {
  const lock = makeAndLock(folder);
  try {
    refuseWithoutRoom(folder);
    const lite = guardRoom(await openDatabaseIn(folder), folder);
    return {
      lite,
      async close() {
        await lite.close().finally(() => lock.release());
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

function makeAndLock(folder: string): { release(): void } {
  try {
    makeFolder(folder);
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    chmodSync(folder, 0o700);
    return lockFolder(folder);
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault('data.not_writable', `The data folder “${folder}” can’t be written to.`, {
      cause: error,
    });
  }
}

/**
 * Folder by folder: Node's own `recursive` never ends where a parent exists and takes no folders
 * (under /proc, for one).
 */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  const parent = dirname(resolve(folder));
  if (parent !== resolve(folder)) makeFolder(parent);
  mkdirSync(folder, { mode: 0o700 });
}

async function openDatabaseIn(folder: string): Promise<PGlite> {
  const path = join(folder, DATABASE);
  const unfinished = join(folder, UNFINISHED);
  if (existsSync(unfinished)) rmSync(path, { recursive: true, force: true });
  const isNew = !existsSync(path) || readdirSync(path).length === 0;
  if (isNew) writeFileSync(unfinished, '', { mode: 0o600 });
  else lookForDamage(path);
  const lite = await create(path);
  rmSync(unfinished, { force: true });
  return lite;
}

/** PGlite would make a new database over some kinds of damage, and abort on others. */
function lookForDamage(path: string): void {
  const version = read(join(path, 'PG_VERSION'))?.trim();
  if (version === undefined) throw broken('PG_VERSION is missing');
  if (version !== POSTGRES_MAJOR) throw broken(`it is of PostgreSQL ${version}`);
  for (const needed of ['global/pg_control', 'base', 'pg_wal', 'pg_xact']) {
    if (!existsSync(join(path, needed))) throw broken(`${needed} is missing`);
  }
  if (statSync(join(path, 'global/pg_control')).size !== CONTROL_BYTES) {
    throw broken('global/pg_control is cut short');
  }
}

async function create(path: string): Promise<PGlite> {
  const pidFile = join(path, 'postmaster.pid');
  const hadPidFile = existsSync(pidFile);
  try {
    const lite = await PGlite.create(path);
    await lite.query('select 1');
    return lite;
  } catch (error) {
    // All that a start leaves behind which got no further than looking.
    if (!hadPidFile) rmSync(pidFile, { force: true });
    throw broken('it does not start', error);
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

const broken = (what: string, cause?: unknown): Fault =>
  new Fault('data.broken', `The database in the data folder is damaged: ${what}.`, { cause });
