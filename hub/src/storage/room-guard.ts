/**
 * Stops the embedded database before its disk is full.
 *
 * Does: look how much room is left before each statement and each transaction, and refuse with
 * the Fault `data.full` while there is too little.
 * Always true: what was refused has not begun, so nothing is half done; with room again it goes on.
 * Why: PGlite survives a table that can't grow, but not a new segment of its write-ahead log that
 * can't be made: the process then spins for ever and hears no signal.
 */
import { statfsSync } from 'node:fs';
import type { PGlite } from '@electric-sql/pglite';
import { full } from './storage-fault.ts';

/** A segment of the write-ahead log is 16 MB; one transaction writes a few MB and may start two. */
const ROOM_BYTES = 64 * 1024 * 1024;

/** @throws Fault `data.full` */
export function refuseWithoutRoom(folder: string): void {
  if (roomIn(folder) < ROOM_BYTES) throw full();
}

function roomIn(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    // A system that doesn't tell.
    return Number.POSITIVE_INFINITY;
  }
}

/** From here on the instance refuses by itself, whoever asks: the job queue uses it, too. */
export function guardRoom(lite: PGlite, folder: string): PGlite {
  return new Proxy(lite, {
    get(target, key): unknown {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== 'function') return value;
      if (!WRITING.has(key)) return value.bind(target);
      return async (...args: unknown[]): Promise<unknown> => {
        refuseWithoutRoom(folder);
        try {
          const answer: unknown = await Reflect.apply(value, target, args);
          return answer;
        } catch (error) {
          throw isNoRoom(error) ? full(error) : error;
        }
      };
    },
  });
}

/** Reads, too: they write hints, and the log of the database grows with them. */
const WRITING: ReadonlySet<string | symbol> = new Set(['query', 'sql', 'exec', 'transaction']);

const isNoRoom = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === '53100';
