/**
 * The demo's hub: a data folder, a port, and what the command line needs to find it.
 *
 * Always true: the hub is ended with the demo; so is its data folder, unless a person named one to keep.
 * On failure: throws what the hub says (`Fault`).
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ApiClient, createApiClient } from '#hub/cli/api-client.ts';
import { removeHubFile, writeHubFile } from '#hub/cli/hub-file.ts';
import type { HubOptions } from '#hub/cli/hub-process.ts';
import { startHub } from '#hub/main.ts';
import type { Endings } from './endings.ts';
import { AT_ONCE, inSeconds, type Screen } from './screen.ts';

const PORT = 4700;
const LAST_PORT = 4799;
/** The net under the signals (wasm-signals.ts). */
const POLL_SECONDS = 10;
/** A minute in earnest; nobody wants to watch that. */
const SETTLE_DELETES_SECONDS = 1;

export interface DemoHub {
  readonly url: string;
  readonly dataFolder: string;
  /** The data folder stays when the demo ends. */
  readonly kept: boolean;
  readonly api: ApiClient;
}

export async function startDemoHub(
  data: string | null,
  screen: Screen,
  endings: Endings,
): Promise<DemoHub> {
  const sinceMs = performance.now();
  const dataFolder = data ?? (await mkdtemp(join(tmpdir(), 'rollcall-demo-')));
  if (data === null) endings.add(() => rm(dataFolder, { recursive: true, force: true }));
  const port = await choosePort();
  const options: HubOptions = {
    dataFolder,
    port,
    pollSeconds: POLL_SECONDS,
    settleDeletesSeconds: SETTLE_DELETES_SECONDS,
  };
  const starting = endings.begin(
    () => startHub(options),
    (hub) => hub.stop(),
  );
  const { url, token } = await screen.during('starting the hub', starting, AT_ONCE);
  writeHubFile(dataFolder, { url, token, pid: process.pid });
  endings.add(async () => removeHubFile(dataFolder, process.pid));
  const instead = port === PORT ? '' : ` (port ${PORT} is taken by another program)`;
  screen.entry('done', 'Hub', `${url}${instead}`, inSeconds(performance.now() - sinceMs));
  return { url, dataFolder, kept: data !== null, api: createApiClient({ url, token }) };
}

async function choosePort(): Promise<number> {
  for (let port = PORT; port < LAST_PORT; port++) if (await isFree(port)) return port;
  // Taken or not, the hub then says so itself.
  return LAST_PORT;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
