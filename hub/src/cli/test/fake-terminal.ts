/** A terminal that remembers what was written; time passes only when somebody waits. */
import type { Terminal } from '../terminal.ts';
import { onlyOurs } from '../visible.ts';

export interface FakeTerminal extends Terminal {
  readonly written: { out: string; err: string; progress: string[] };
  readonly pauses: number[];
  interrupt(): void;
  onPause: (count: number) => void;
}

export function fakeTerminal(
  options: { env?: Record<string, string>; folder?: string; input?: string; colour?: boolean } = {},
): FakeTerminal {
  const written = { out: '', err: '', progress: [] as string[] };
  const pauses: number[] = [];
  let now = Date.parse('2026-11-21T09:31:00.000Z');
  let interrupted = false;
  let tellInterrupted = (): void => {};
  const interruption = new Promise<void>((resolve) => {
    tellInterrupted = resolve;
  });
  const terminal: FakeTerminal = {
    written,
    pauses,
    onPause: () => {},
    out: (text) => void (written.out += onlyOurs(text)),
    err: (text) => void (written.err += onlyOurs(text)),
    progress: (text) => void written.progress.push(text),
    interactive: false,
    colour: options.colour ?? false,
    env: options.env ?? {},
    folder: options.folder ?? '/nowhere',
    readInput: async () => options.input ?? '',
    nowMs: () => now,
    pause: async (ms) => {
      pauses.push(ms);
      now += ms;
      terminal.onPause(pauses.length);
    },
    interrupted: () => interruption,
    get isInterrupted() {
      return interrupted;
    },
    interrupt() {
      interrupted = true;
      tellInterrupted();
    },
  };
  return terminal;
}
