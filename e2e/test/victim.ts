/**
 * Hubs that are killed one after the other; the next one is loaded while the last still runs.
 *
 * Always true: every hub ends by SIGKILL, by itself at its point or from here when it is at rest
 * and never came to it; whoever ends in another way is a failure.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { Hub } from '../stage.ts';
import type { KillOrder } from './hub-to-kill.ts';

interface Said {
  readonly died?: string;
  readonly url?: string;
  readonly token?: string;
}

/** The slowest start on a loaded machine. */
const START_MS = 60_000;
/** Who neither came to its point nor to rest by then is killed where it is. */
const LIFE_MS = 20_000;

export class Victims {
  private readonly file: string;
  private next: ChildProcess;
  /** By the moment of death; those killed from outside under "idle". */
  readonly deaths = new Map<string, number>();

  /** @param file see bundle-hub.ts */
  constructor(file: string) {
    this.file = file;
    this.next = this.load();
  }

  /** @returns once it is dead @param meet while it lives; when that is over it is killed */
  async run(order: KillOrder, meet: (hub: Hub) => Promise<unknown>): Promise<void> {
    const victim = this.next;
    this.next = this.load();
    let died: string | null = null;
    let errors = '';
    victim.stderr?.on('data', (data: Buffer) => {
      errors += data.toString('utf8');
    });
    const ended = new Promise<NodeJS.Signals | null>((resolve) =>
      victim.once('exit', (_code, signal) => resolve(signal)),
    );
    const kill = (): boolean => victim.kill('SIGKILL');
    const limits = [setTimeout(kill, START_MS)];
    victim.on('message', ({ died: moment, url, token }: Said) => {
      died = moment ?? died;
      if (url === undefined || token === undefined) return;
      limits.push(setTimeout(kill, LIFE_MS));
      // Whatever is asked of a hub that dies meanwhile fails.
      meet(new Hub({ url, token })).then(kill, kill);
    });
    victim.send(order);
    const signal = await ended;
    for (const limit of limits) clearTimeout(limit);
    if (signal !== 'SIGKILL') throw new Error(`the hub ended by itself: ${errors}`);
    const moment = died ?? 'idle';
    this.deaths.set(moment, (this.deaths.get(moment) ?? 0) + 1);
  }

  /** How many died at a point that begins like this. */
  diedAt(point: string): number {
    const at = [...this.deaths].filter(([moment]) => moment.startsWith(point));
    return at.reduce((sum, [, count]) => sum + count, 0);
  }

  end(): void {
    this.next.kill('SIGKILL');
  }

  private load(): ChildProcess {
    return fork(this.file, [], {
      // It lives for a second: its WebAssembly is compiled the quick way, which saves half of that.
      execArgv: ['--liftoff-only'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...process.env, ROLLCALL_LOG: 'error' },
    });
  }
}
