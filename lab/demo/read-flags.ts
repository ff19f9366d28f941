/**
 * What was typed behind `npm run demo --`.
 *
 * Always true: nothing is started or written before every flag is understood.
 * On failure: throws `Failure` with one sentence and the next step, exit code 2.
 */
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { usage } from '#hub/cli/failure.ts';

export interface Flags {
  readonly help: boolean;
  /** End after the steps instead of staying up. */
  readonly once: boolean;
  /** Absolute; null: a fresh folder that goes with the demo. */
  readonly data: string | null;
}

export const HELP = `npm run demo                  three WordPress sites and a hub at work; stays up until Ctrl-C
npm run demo -- --once        ends after the steps: 0 when all held, 1 with the step that did not
npm run demo -- --data DIR    keeps the hub’s data in DIR, a new or empty folder
`;

const NEXT = 'It takes --once, --data DIR and --help.';

export function readFlags(args: readonly string[], folder: string): Flags {
  let flags: Flags = { help: false, once: false, data: null };
  for (let at = 0; at < args.length; at++) {
    const [name, inline] = splitAtEquals(args[at] ?? '');
    if (name === '--data') flags = { ...flags, data: dataFolder(inline ?? args[++at], folder) };
    else if (name === '--once' && inline === undefined) flags = { ...flags, once: true };
    else if (/^(--help|-h)$/u.test(name)) flags = { ...flags, help: true };
    else throw usage(`The demo does not know “${args[at] ?? ''}”.`, NEXT);
  }
  return flags;
}

function splitAtEquals(flag: string): [string, string?] {
  const at = flag.indexOf('=');
  return at === -1 ? [flag] : [flag.slice(0, at), flag.slice(at + 1)];
}

/** Sites of the demo live as long as it does, so a folder that knows older ones is of no use. */
function dataFolder(typed: string | undefined, folder: string): string {
  if (typed === undefined || typed === '' || typed.startsWith('--')) {
    throw usage('--data needs a folder.', NEXT);
  }
  const path = resolve(folder, typed);
  const holds = entries(path);
  if (holds === 0) return path;
  if (holds === null) throw usage(`${path} is no folder that can be read.`, NEXT);
  throw usage(
    `The folder ${path} is not empty.`,
    'Name a new folder: the demo touches no data that is there already.',
  );
}

/** How many things are in it; 0 when it is not there yet, null when it can't be told. */
function entries(path: string): number | null {
  try {
    return readdirSync(path).length;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT' ? 0 : null;
  }
}
