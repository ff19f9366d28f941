/**
 * Hubs that are killed one after the other; the next one is loaded while the last still runs.
 *
 * Always true: every hub ends by SIGKILL, by itself at its point or from here when it never came to
 * it; whoever ends in another way is a failure.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { Hub } from '../stage.ts';
import type { KillOrder } from './hub-to-kill.ts';

const CHILD = new URL('./hub-to-kill.ts', import.meta.url).pathname;

interface Said {
  readonly died?: string;
  readonly url?: string;
  readonly token?: string;
}

export class Victims {
  private next = load();
  /** By the moment of death; those killed from outside under "idle". */
  readonly deaths = new Map<string, number>();

  /** @returns once it is dead @param idleMs how long it may miss its point before it is killed */
  async run(
    order: KillOrder,
    idleMs: number,
    meet: (hub: Hub) => Promise<unknown> = async () => {},
  ): Promise<void> {
    const victim = this.next;
    this.next = load();
    let died: string | null = null;
    let errors = '';
    victim.stderr?.on('data', (data: Buffer) => {
      errors += data.toString('utf8');
    });
    const ended = new Promise<NodeJS.Signals | null>((resolve) =>
      victim.once('exit', (_code, signal) => resolve(signal)),
    );
    const killer = setTimeout(() => victim.kill('SIGKILL'), idleMs + START_MS);
    victim.on('message', ({ died: moment, url, token }: Said) => {
      died = moment ?? died;
      if (url === undefined || token === undefined) return;
      const kill = () => setTimeout(() => victim.kill('SIGKILL'), idleMs);
      // Whatever is asked of a hub that dies meanwhile fails.
      meet(new Hub({ url, token })).then(kill, kill);
    });
    victim.send(order);
    const signal = await ended;
    clearTimeout(killer);
    if (signal !== 'SIGKILL') throw new Error(`the hub ended by itself: ${errors}`);
    const moment = died ?? 'idle';
    this.deaths.set(moment, (this.deaths.get(moment) ?? 0) + 1);
  }

  end(): void {
    this.next.kill('SIGKILL');
  }
}

/** The slowest start on a loaded machine. */
const START_MS = 60_000;

function load(): ChildProcess {
  return fork(CHILD, [], {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { ...process.env, ROLLCALL_LOG: 'error' },
  });
}
