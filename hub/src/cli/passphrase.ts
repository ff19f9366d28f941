/** A passphrase, from a file or from the person at the terminal; never from the command line, which others can see. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { isCancel, password } from '@clack/prompts';
import { FAULTS } from '../errors.ts';
import { EXIT } from './exit-codes.ts';
import { Failure, usage } from './failure.ts';
import type { Terminal } from './terminal.ts';

/** @param twice a new one is typed again, so that it is not another one than its owner thinks */
export async function readPassphrase(
  terminal: Terminal,
  file: string | undefined,
  { twice }: { readonly twice: boolean },
): Promise<string> {
  if (file !== undefined) return fromFile(resolve(terminal.folder, file));
  if (!terminal.interactive) {
    throw usage('A passphrase is needed.', 'Give a file that holds it with --passphrase-file.');
  }
  const typed = await ask('Passphrase');
  if (twice && (await ask('Once more')) !== typed) throw usage('These are two different ones.');
  return typed;
}

async function ask(message: string): Promise<string> {
  const typed = await password({ message });
  if (isCancel(typed)) throw usage('No passphrase was given.');
  return typed;
}

/** The first line of it. */
function fromFile(file: string): string {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/u)[0] ?? '';
  } catch (cause) {
    throw new Failure({
      code: 'file.not_readable',
      message: `${file} can’t be read.`,
      next: FAULTS['file.not_readable'].next,
      exit: EXIT.failed,
      cause,
    });
  }
}
