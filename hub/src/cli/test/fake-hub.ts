/**
 * The API's real server with fake operations behind it, and a terminal for the commands. One
 * server for all tests of a file; operations and terminal are new for each.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { createHubLog } from '../../api/hub-log.ts';
import { buildServer } from '../../api/server.ts';
import { type FakeOperations, fakeOperations, TOKENS } from '../../api/test/fake-operations.ts';
import type { ExitCode } from '../exit-codes.ts';
import { runCommandLine } from '../run-command-line.ts';
import { type FakeTerminal, fakeTerminal } from './fake-terminal.ts';

export const PASSWORD = 'abcd EFGH 1234 ijkl MNOP 5678';
export const siteAdd = (...more: string[]): string[] => {
  return ['site', 'add', 'shop.test', '--name', 'Shop', '--user', 'admin', ...more];
};

export interface FakeHub {
  url: string;
  /** Current folder of the terminal; empty at first. */
  folder: string;
  operations: FakeOperations;
  terminal: FakeTerminal;
  rollcall(...args: string[]): Promise<ExitCode>;
  /** Another terminal from here on. */
  at(options: { env?: Record<string, string>; input?: string }): void;
}

export function fakeHub(): FakeHub {
  const loadStartHub = () => Promise.reject(new Error('this command needs no hub of its own'));
  const hub: FakeHub = {
    url: '',
    folder: mkdtempSync(join(tmpdir(), 'rollcall-cli-')),
    operations: fakeOperations(),
    terminal: fakeTerminal(),
    rollcall: (...args) => runCommandLine(args, { terminal: hub.terminal, loadStartHub }),
    at({ env = ownEnv(), ...options }) {
      hub.terminal = fakeTerminal({ ...options, env, folder: hub.folder });
    },
  };
  const ownEnv = () => ({ ROLLCALL_URL: hub.url, ROLLCALL_TOKEN: TOKENS.owner });
  const behind = new Proxy(fakeOperations(), {
    get: (_, name) => Reflect.get(hub.operations, name),
  });
  let close = async (): Promise<void> => {};
  beforeAll(async () => {
    const log = createHubLog({ level: 'silent' });
    const app = await buildServer({ operations: behind, log, version: '0.1.0' });
    hub.url = await app.listen({ port: 0, host: '127.0.0.1' });
    close = () => app.close();
  });
  afterAll(async () => {
    await close();
    rmSync(hub.folder, { recursive: true });
  });
  beforeEach(() => {
    hub.operations = fakeOperations();
    hub.at({});
  });
  return hub;
}
