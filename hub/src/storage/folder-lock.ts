/**
 * One process per data folder: PGlite corrupts a folder that two open.
 *
 * Does: take the lock file, recognise one that a dead process left (killed, crashed, another
 * container), give it back.
 * Does not: wait. A folder in use is the Fault `data.in_use`, with the process id.
 * Always true: the lock names process, its start time and host; while held its file is touched,
 * so a lock from another host that nobody touches is dead.
 */
import {
  closeSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { Fault } from '../errors.ts';

const LOCK_FILE = 'lock';
const TOUCH_EVERY_MS = 10_000;
/** Six touches missed: the process on the other host (a container that is gone) is dead. */
const DEAD_AFTER_MS = 60_000;

const HolderSchema = z.object({
  pid: z.int().positive(),
  host: z.string(),
  /** Start of the process in clock ticks since boot; '' where the system does not say. */
  started: z.string(),
});
type Holder = z.infer<typeof HolderSchema>;

/** Folders that this very process holds: its own pid in a lock file proves nothing otherwise. */
const held = new Set<string>();

/** @throws Fault `data.in_use` */
export function lockFolder(folder: string): { release(): void } {
  const file = join(folder, LOCK_FILE);
  const me: Holder = { pid: process.pid, host: hostname(), started: startOf(process.pid) };
  if (held.has(file)) throw inUse(me);
  if (!create(file, me)) {
    moveAwayDead(file);
    if (!create(file, me)) throw inUse(readHolder(file));
  }
  held.add(file);
  const touching = setInterval(() => touch(file), TOUCH_EVERY_MS).unref();
  return {
    release() {
      clearInterval(touching);
      held.delete(file);
      rmSync(file, { force: true });
    },
  };
}

function create(file: string, me: Holder): boolean {
  try {
    const handle = openSync(file, 'wx', 0o600);
    writeSync(handle, JSON.stringify(me));
    closeSync(handle);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Renaming is atomic: of several processes that see a dead lock, one moves it away. */
function moveAwayDead(file: string): void {
  const holder = readHolder(file);
  if (holder !== null && isAlive(holder, file)) throw inUse(holder);
  const aside = `${file}.dead-${process.pid}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  // Between reading and renaming another process may have taken the lock: then give it back.
  const moved = readHolder(aside);
  if (moved !== null && isAlive(moved, aside)) {
    renameSync(aside, file);
    throw inUse(moved);
  }
  rmSync(aside, { force: true });
}

function isAlive(holder: Holder, file: string): boolean {
  if (holder.host !== hostname()) return Date.now() - statSync(file).mtimeMs < DEAD_AFTER_MS;
  if (holder.pid === process.pid) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
  // A pid is used again: the start time tells one process from the next.
  const started = startOf(holder.pid);
  return started === '' || holder.started === '' || started === holder.started;
}

/** Field 22 of /proc/<pid>/stat; the name before it may hold blanks and brackets. Linux only. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

/** Null: no lock, or one cut short by a crash while it was written. */
function readHolder(file: string): Holder | null {
  try {
    return HolderSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null;
  }
}

function touch(file: string): void {
  const now = new Date();
  try {
    utimesSync(file, now, now);
  } catch {
    // The folder was moved or removed under us; the next statement will say so.
  }
}

const inUse = (holder: Holder | null): Fault =>
  new Fault(
    'data.in_use',
    holder === null
      ? 'The data folder is in use by another process.'
      : `The data folder is in use by process ${holder.pid} on ${holder.host}.`,
    { detail: { pid: holder?.pid ?? null } },
  );

const codeOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
