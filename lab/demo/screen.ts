/**
 * What the demo shows, line by line.
 *
 * Does: lay lines out for the width of the terminal; show what is under way in a last line that comes and goes.
 * Does not: take the keyboard (Ctrl-C must reach the demo), or write colours where nobody watches.
 * Always true: without a terminal every line is plain text, and slow work is announced by a line of its own.
 */
import pc from 'picocolors';
import type { Terminal } from '#hub/cli/terminal.ts';
import { visible } from '#hub/cli/visible.ts';
import { wrap } from './wrap.ts';

const NARROWEST = 60;
const WIDEST = 110;
/** Of files and pipes. */
const WIDTH_UNKNOWN = 100;
const FRAME_MS = 100;
const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
/** Room for the name of a site. */
const NAME_WIDTH = 9;
const MARGIN = 4;
/** Where the text begins: behind margin, mark and name. */
const INDENT = MARGIN + 2 + NAME_WIDTH;

export type Mark = 'done' | 'does' | 'note';

/** Without a terminal: a line of its own for what is still under way then. */
export interface Announce {
  readonly afterMs: number;
}
export const AT_ONCE: Announce = { afterMs: 0 };

export interface Screen {
  readonly width: number;
  readonly colours: ReturnType<typeof pc.createColors>;
  line(text?: string): void;
  /** `✔ Blog   what is so   1,234 ms` */
  entry(mark: Mark, name: string, text: string, time?: string): void;
  /** Shows that this is under way until it is settled. */
  during<T>(text: string, work: Promise<T>, announce?: Announce): Promise<T>;
  /** From here on nothing is shown: what is still under way must not talk into the end. */
  close(): void;
}

export function createScreen(terminal: Terminal): Screen {
  const colours = pc.createColors(terminal.colour);
  const width = Math.min(WIDEST, Math.max(NARROWEST, process.stdout.columns ?? WIDTH_UNKNOWN));
  const spinner = createSpinner(terminal, width);
  const marks: Readonly<Record<Mark, string>> = {
    done: colours.green('✔'),
    does: colours.dim('›'),
    note: ' ',
  };
  let closed = false;
  const line = (text = ''): void => {
    if (closed) return;
    terminal.progress('');
    terminal.out(`${text}\n`);
  };
  return {
    width,
    colours,
    line,
    entry(mark, name, text, time = '') {
      const room = width - INDENT - (time === '' ? 0 : time.length + 2);
      const [first = '', ...rest] = wrap(visible(text), room);
      const head = `${' '.repeat(MARGIN)}${marks[mark]} ${colours.bold(name.padEnd(NAME_WIDTH))}`;
      const tail = time === '' ? '' : time.padStart(width - INDENT - first.length);
      line(`${head}${first}${colours.cyan(tail)}`.trimEnd());
      for (const more of rest) line(' '.repeat(INDENT) + more);
    },
    during(text, work, announce) {
      if (closed) return work;
      if (terminal.interactive) return spinner.during(text, work);
      return announced(() => line(`    … ${text}`), work, announce);
    },
    close() {
      closed = true;
      spinner.stop();
    },
  };
}

async function announced<T>(say: () => void, work: Promise<T>, announce?: Announce): Promise<T> {
  if (announce?.afterMs === 0) say();
  const timer = announce?.afterMs ? setTimeout(say, announce.afterMs) : undefined;
  return work.finally(() => clearTimeout(timer));
}

/** Of steps, one below the other. */
export const inMs = (ms: number): string =>
  `${Math.round(ms).toLocaleString('en-US')} ms`.padStart(9);

export const inSeconds = (ms: number): string => `${(ms / 1000).toFixed(0)} s`;

interface Spinner {
  during<T>(text: string, work: Promise<T>): Promise<T>;
  stop(): void;
}

/** One line for everything that is under way. */
function createSpinner(terminal: Terminal, width: number): Spinner {
  const busy = new Map<symbol, { text: string; sinceMs: number }>();
  let timer: NodeJS.Timeout | undefined;
  let frame = 0;
  const draw = (): void => {
    const all = [...busy.values()];
    const seconds = Math.floor((performance.now() - (all[0]?.sinceMs ?? 0)) / 1000);
    const mark = FRAMES[frame++ % FRAMES.length] ?? '';
    const text = all.map((entry) => entry.text).join(' · ');
    const tail = ` … ${seconds} s`;
    terminal.progress(`    ${mark} ${text.slice(0, width - 8 - tail.length)}${tail}`);
  };
  const stop = (): void => {
    clearInterval(timer);
    timer = undefined;
    busy.clear();
    terminal.progress('');
  };
  return {
    async during(text, work) {
      const key = Symbol(text);
      busy.set(key, { text, sinceMs: performance.now() });
      timer ??= setInterval(draw, FRAME_MS).unref();
      try {
        return await work;
      } finally {
        busy.delete(key);
        if (busy.size === 0) stop();
      }
    },
    stop,
  };
}
