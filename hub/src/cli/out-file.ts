/**
 * Where a long answer is written: to the terminal, or to a file, whole or not at all.
 *
 * Always true: a file is readable by its owner alone, as it tells of people.
 */
import { closeSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { BYTE_ORDER_MARK } from '../api/log-csv.ts';
import { FAULTS } from '../errors.ts';
import { EXIT } from './exit-codes.ts';
import { Failure } from './failure.ts';
import type { Terminal } from './terminal.ts';

export interface Out {
  write(text: string): void;
  /** All is written. */
  end(): void;
  /** It broke off: nothing of it stays. */
  giveUp(): void;
}

export interface OutFile extends Omit<Out, 'write'> {
  write(part: string | Uint8Array): void;
}

/** @throws Failure `file.not_writable` */
export function openOut(terminal: Terminal, path: string | undefined, bom: boolean): Out {
  if (path === undefined) {
    const nothing = (): void => {};
    return { write: (text) => terminal.out(text), end: nothing, giveUp: nothing };
  }
  const out = openOutFile(terminal, path);
  if (bom) out.write(BYTE_ORDER_MARK);
  return out;
}

/** @throws Failure `file.not_writable` */
export function openOutFile(terminal: Pick<Terminal, 'folder'>, path: string): OutFile {
  const file = resolve(terminal.folder, path);
  const fresh = `${file}.${process.pid}`;
  const handle = writable(file, () => openFresh(file, fresh));
  return {
    write: (part) => writable(file, () => writeAll(handle, Buffer.from(part))),
    end: () =>
      writable(file, () => {
        closeSync(handle);
        renameSync(fresh, file);
      }),
    giveUp() {
      closeSync(handle);
      rmSync(fresh, { force: true });
    },
  };
}

function openFresh(file: string, fresh: string): number {
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === true)
    throw new Error('a folder');
  return openSync(fresh, 'w', 0o600);
}

function writeAll(handle: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at);
}

function writable<Result>(file: string, act: () => Result): Result {
  try {
    return act();
  } catch (cause) {
    throw new Failure({
      code: 'file.not_writable',
      message: `${file} can’t be written.`,
      next: FAULTS['file.not_writable'].next,
      exit: EXIT.failed,
      cause,
    });
  }
}
