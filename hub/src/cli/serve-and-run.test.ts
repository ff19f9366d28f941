import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import * as samples from '../api/test/samples.ts';
import { Fault } from '../errors.ts';
import { readHubFile, writeHubFile } from './hub-file.ts';
import type { HubOptions, StartHub } from './hub-process.ts';
import { runCommandLine } from './run-command-line.ts';
import { type FakeTerminal, fakeTerminal } from './test/fake-terminal.ts';

let data: string;
let terminal: FakeTerminal;
let started: HubOptions[];
let stopped: number;

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'rollcall-serve-'));
  terminal = fakeTerminal({ folder: data });
  started = [];
  stopped = 0;
});
afterEach(() => rmSync(data, { recursive: true }));

const startHub: StartHub = async (options) => {
  started.push(options);
  return {
    url: 'http://127.0.0.1:4711',
    token: 'the-owner-token',
    runUntilIdle: async () => samples.runReport,
    backUp: async () => samples.backup(),
    stop: async () => {
      stopped += 1;
    },
  };
};
const rollcall = (start: StartHub, ...args: string[]) =>
  runCommandLine(args, { terminal, loadStartHub: async () => start });

it('serve leaves a file that only its owner can read, and takes it away at the end', async () => {
  const serving = rollcall(
    startHub,
    'serve',
    '--data',
    data,
    '--port',
    '0',
    '--settle-deletes-seconds',
    '1',
    '--new-accounts',
    '5000',
  );
  await expect.poll(() => readHubFile(data)).not.toBeNull();
  expect(readHubFile(data)).toEqual({
    url: 'http://127.0.0.1:4711',
    token: 'the-owner-token',
    pid: process.pid,
  });
  expect(statSync(join(data, 'hub.json')).mode & 0o777).toBe(0o600);
  expect(terminal.written.out).not.toContain('the-owner-token');
  terminal.interrupt();
  expect(await serving).toBe(0);
  expect(started).toEqual([
    { dataFolder: data, host: '127.0.0.1', port: 0, settleDeletesSeconds: 1, newAccounts: 5000 },
  ]);
  expect(stopped).toBe(1);
  expect(existsSync(join(data, 'hub.json'))).toBe(false);
});

it.each(['data.in_use', 'data.broken', 'port.in_use'] as const)(
  'serve that can’t start says why: %s',
  async (code) => {
    const start: StartHub = () => Promise.reject(new Fault(code, 'It is so.'));
    expect(await rollcall(start, 'serve', '--data', data)).toBe(3);
    expect(terminal.written.err).toMatch(/^It is so\.\n {2}\S/u);
    expect(existsSync(join(data, 'hub.json'))).toBe(false);
  },
);

it('run starts a hub that listens to nobody and stops it', async () => {
  expect(await rollcall(startHub, 'run', '--data', data)).toBe(0);
  expect(started).toEqual([{ dataFolder: data, listen: false, workers: false }]);
  expect(stopped).toBe(1);
});

it('run does it itself when the file is of a hub that is gone', async () => {
  writeHubFile(data, { url: 'http://127.0.0.1:9', token: 'x', pid: 1 });
  expect(await rollcall(startHub, 'run', '--data', data)).toBe(0);
  expect(started).toHaveLength(1);
});

it('run uses PostgreSQL where DATABASE_URL names it', async () => {
  terminal = fakeTerminal({ folder: data, env: { DATABASE_URL: 'postgres://x' } });
  await rollcall(startHub, 'run', '--data', data);
  expect(started[0]).toMatchObject({ databaseUrl: 'postgres://x' });
});

it('run that finds the folder in use says so', async () => {
  const start: StartHub = () => Promise.reject(new Fault('data.in_use', 'Another process has it.'));
  expect(await rollcall(start, 'run', '--data', data)).toBe(3);
  expect(terminal.written.err).toContain('Another process has it.');
});
