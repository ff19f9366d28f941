/**
 * Where a command reads and writes. Tests bring their own.
 *
 * Always true: nothing is written past `onlyOurs`, so text of a site can't steer the terminal.
 */
import { onlyOurs, visible } from './visible.ts';

export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** One line that the next one writes over; empty: gone. Only where somebody watches. */
  progress(text: string): void;
  /** Somebody watches: progress and questions make sense. */
  readonly interactive: boolean;
  readonly colour: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly folder: string;
  readInput(): Promise<string>;
  nowMs(): number;
  /** Resolves early when the person interrupts. */
  pause(ms: number): Promise<void>;
  /** Resolves when the person (Ctrl-C) or the system asks to end. */
  interrupted(): Promise<void>;
  readonly isInterrupted: boolean;
}

export function realTerminal(): Terminal {
  const { stdout, stderr, stdin, env } = process;
  // `rollcall logs | head` closes the pipe early; that is no fault.
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  let stop: AbortController | null = null;
  const watch = (): AbortSignal => {
    stop ??= watchSignals();
    return stop.signal;
  };
  return {
    out: (text) => void stdout.write(onlyOurs(text)),
    err: (text) => void stderr.write(onlyOurs(text)),
    progress(text) {
      if (stderr.isTTY) stderr.write(`\r\u001B[2K${visible(text)}`);
    },
    interactive: stderr.isTTY && stdin.isTTY,
    colour: stdout.isTTY && env['NO_COLOR'] === undefined && env['TERM'] !== 'dumb',
    env,
    folder: process.cwd(),
    readInput: () => readAll(stdin),
    nowMs: () => Date.now(),
    pause: (ms) => until(watch(), ms),
    interrupted: () => until(watch()),
    get isInterrupted() {
      return stop?.signal.aborted ?? false;
    },
  };
}

/** The first signal asks politely; a second one, while ending takes long, ends at once. */
function watchSignals(): AbortController {
  const stop = new AbortController();
  const onSignal = (): void => {
    if (stop.signal.aborted) process.exit(130);
    stop.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return stop;
}

function until(signal: AbortSignal, ms?: number): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = ms === undefined ? undefined : setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
  });
}

/** An Application Password and a line break fit well into it. */
const MOST_INPUT_BYTES = 64 * 1024;

async function readAll(stream: NodeJS.ReadStream): Promise<string> {
  let text = '';
  for await (const part of stream) {
    text += String(part);
    if (text.length > MOST_INPUT_BYTES) break;
  }
  return text;
}
