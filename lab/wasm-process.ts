/**
 * The parent's side of the process that runs one WebAssembly site.
 *
 * Does: start the runner, send it one command at a time, end it.
 * Does not: know what the commands mean.
 * Always true: commands are answered in order; after `end()` the process is gone and its port free.
 * On failure: when the runner dies, the command under way and all later ones reject with the tail of its log.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CommandResult } from './run-command.ts';
import type { RunnerAnswer, RunnerCommand } from './wasm-protocol.ts';

const BOOT = fileURLToPath(new URL('./wasm-runner-boot.mjs', import.meta.url));
/** Requests under way at a pause get this long to end. */
const GRACE_MS = 5_000;
const LOG_TAIL_CHARACTERS = 4_000;

interface Waiting {
  resolve(result: CommandResult): void;
  reject(error: Error): void;
}

export class WasmProcess {
  readonly #child: ChildProcess;
  readonly #log: string;
  readonly #waiting = new Map<number, Waiting>();
  readonly #ended: Promise<unknown>;
  #lastId = 0;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(log: string) {
    this.#log = log;
    const output = openSync(log, 'a');
    // No inherited flags: a test runner's loaders have no place in there.
    this.#child = fork(BOOT, [], {
      cwd: dirname(log),
      execArgv: [],
      stdio: ['ignore', output, output, 'ipc'],
    });
    closeSync(output);
    this.#ended = once(this.#child, 'exit').then(() => this.#rejectAll());
    this.#child.on('message', (answer: RunnerAnswer) => this.#settle(answer));
  }

  send(command: RunnerCommand): Promise<CommandResult> {
    const answer = this.#queue.then(() => this.#sendNow(command));
    this.#queue = answer.catch(() => {});
    return answer;
  }

  async end(): Promise<void> {
    const killLate = setTimeout(() => this.#child.kill('SIGKILL'), GRACE_MS);
    await this.#sendNow({ kind: 'stop' }).catch(() => {});
    this.#child.kill('SIGKILL');
    await this.#ended;
    clearTimeout(killLate);
  }

  #sendNow(command: RunnerCommand): Promise<CommandResult> {
    return new Promise((resolve, reject) => {
      if (!this.#child.connected) return reject(this.#gone());
      const id = ++this.#lastId;
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, command });
    });
  }

  #settle(answer: RunnerAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ('error' in answer) waiting?.reject(new Error(answer.error));
    else waiting?.resolve(answer.result);
  }

  #rejectAll(): void {
    for (const waiting of this.#waiting.values()) waiting.reject(this.#gone());
    this.#waiting.clear();
  }

  #gone(): Error {
    const tail = readFileSync(this.#log, 'utf8').slice(-LOG_TAIL_CHARACTERS);
    return new Error(`the process of this lab site has ended; its log ends with:\n${tail}`);
  }
}
