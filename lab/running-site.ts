/**
 * A running site, whichever kind: what `startSite` hands out.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Machine } from './machine.ts';
import { CommandFailed, type CommandResult } from './run-command.ts';
import { ADMIN_LOGIN, ADMIN_PASSWORD, type Mail, type Site, type Snapshot } from './site.ts';
import { copyTree, copyTreeAroundCode, newFolder } from './site-folder.ts';

const mail = z.object({ to: z.string(), subject: z.string(), message: z.string() });
const MAILS = 'wp-content/rollcall-lab-mails.jsonl';

export class RunningSite implements Site {
  readonly name: string;
  readonly url: string;
  readonly engine: Site['engine'];
  readonly version: Site['version'];
  readonly multisite: boolean;
  readonly adminLogin = ADMIN_LOGIN;
  readonly adminPassword = ADMIN_PASSWORD;
  readonly adminEmail: string;
  readonly dir: string;
  readonly #facts: Snapshot;
  readonly #machine: Machine;

  constructor(facts: Snapshot, machine: Machine) {
    this.#facts = facts;
    this.#machine = machine;
    this.name = facts.name;
    this.url = `http://${facts.hostAndPort}`;
    this.engine = facts.engine;
    this.version = facts.version;
    this.multisite = facts.multisite;
    this.adminEmail = facts.adminEmail;
    this.dir = join(facts.folder, 'tree');
  }

  async wp(...args: string[]): Promise<string> {
    const result = await this.#machine.wp(args);
    if (result.exitCode !== 0) throw new CommandFailed(['wp', ...args], result);
    return result.stdout.trimEnd();
  }

  wpTry(...args: string[]): Promise<CommandResult> {
    return this.#machine.wp(args);
  }

  async php(code: string): Promise<string> {
    const result = await this.#machine.php(code);
    if (result.exitCode !== 0) throw new CommandFailed(['php', code], result);
    return result.stdout;
  }

  request(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(this.url + path, { redirect: 'manual', ...init });
  }

  async mails(): Promise<Mail[]> {
    const lines = await textOf(join(this.dir, MAILS));
    return lines
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => mail.parse(JSON.parse(line)));
  }

  forgetMails(): Promise<void> {
    return rm(join(this.dir, MAILS), { force: true });
  }

  debugLog(): Promise<string> {
    return textOf(join(this.dir, 'wp-content', 'debug.log'));
  }

  async stop(): Promise<void> {
    await this.#machine.stop();
    await rm(this.#facts.folder, { recursive: true, force: true });
  }

  pause(): Promise<void> {
    return this.#machine.pause();
  }

  resume(): Promise<void> {
    return this.#machine.resume();
  }

  async snapshot(): Promise<Snapshot> {
    const folder = await newFolder(`${this.name}-snapshot`);
    const copy = this.engine === 'native' ? copyTreeAroundCode : copyTree;
    await copy(this.dir, join(folder, 'tree'));
    await this.#machine.saveDatabase(folder);
    return { ...this.#facts, folder };
  }
}

async function textOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
}
