/**
 * A hub in a process of its own, as an operator runs it: it can be killed at any moment.
 *
 * Always true: everything that the process printed is kept, so that a test can search it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readHubFile } from '#hub/cli/hub-file.ts';
import type { Site } from '#lab/start-site.ts';
import { waitUntil } from '#lab/wait-until.ts';
import { Hub, POLL_SECONDS, prepare, startStorySite } from './stage.ts';

const CLI = new URL('../bin/rollcall.mjs', import.meta.url).pathname;
const START_MS = 60_000;

export class HubProcess {
  readonly dataFolder: string;
  private child: ChildProcess | null = null;
  private printed = '';

  constructor(dataFolder: string) {
    this.dataFolder = dataFolder;
  }

  /** @returns the hub's API once it answers */
  async start(port = 0): Promise<Hub> {
    const child = spawn(
      process.execPath,
      [
        CLI,
        'serve',
        '--data',
        this.dataFolder,
        '--port',
        String(port),
        '--poll-seconds',
        String(POLL_SECONDS),
        '--settle-deletes-seconds',
        '1',
      ],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ROLLCALL_LOG: 'debug' } },
    );
    this.child = child;
    child.stdout.on('data', (data: Buffer) => this.keep(data));
    child.stderr.on('data', (data: Buffer) => this.keep(data));
    await waitUntil(async () => {
      if (child.exitCode !== null) throw new Error(`the hub ended: ${this.printed}`);
      const file = readHubFile(this.dataFolder);
      return file?.pid === child.pid;
    }, START_MS);
    const file = readHubFile(this.dataFolder);
    if (file === null) throw new Error('the hub removed its file');
    return new Hub(file);
  }

  /** SIGKILL: nothing is finished, nothing is closed. */
  kill(): Promise<void> {
    return this.end('SIGKILL');
  }

  stop(): Promise<void> {
    return this.end('SIGTERM');
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  output(): string {
    return this.printed;
  }

  private keep(data: Buffer): void {
    this.printed += data.toString('utf8');
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const { child } = this;
    this.child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  }
}

export interface ProcessStage {
  readonly shop: Site;
  readonly blog: Site;
  readonly folder: string;
  readonly process: HubProcess;
  /** Of the process as it was started first; a restart gives a new one. */
  readonly hub: Hub;
  end(): Promise<void>;
}

/** Two sites, both ways in step, with a hub in a process of its own. */
export async function startProcessStage(): Promise<ProcessStage> {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-process-'));
  const process = new HubProcess(folder);
  const starting = ['shop', 'blog'].map((name) => startStorySite({ name }));
  const end = async (): Promise<void> => {
    await process.stop();
    for (const site of await Promise.allSettled(starting)) {
      if (site.status === 'fulfilled') await site.value.stop();
    }
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const [shop, blog] = await Promise.all(starting);
    if (shop === undefined || blog === undefined) throw new Error('two sites were asked for');
    await Promise.all([prepare(shop), prepare(blog)]);
    const hub = await process.start();
    await Promise.all([hub.connect(shop), hub.connect(blog)]);
    await hub.route('shop', 'blog', { both: true });
    return { shop, blog, folder, process, hub, end };
  } catch (error) {
    await end();
    throw error;
  }
}
