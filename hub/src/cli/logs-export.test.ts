import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { csvHead, csvLine } from '../api/log-csv.ts';
import { logRow } from '../api/test/samples.ts';
import { fakeHub } from './test/fake-hub.ts';

const hub = fakeHub();
const evil = { ...logRow, id: 8, login: '=cmd|x\u001b[2J' };

it('all rows come page by page, oldest first', async () => {
  const page = (from: number, count: number) =>
    Array.from({ length: count }, (_, at) => ({ ...logRow, id: from + at }));
  hub.operations.on({
    log: async ({ after = 0 }) => ({ rows: after === 0 ? page(1, 1000) : page(1001, 2) }),
  });
  expect(await hub.rollcall('logs', '--all', '--json')).toBe(0);
  const lines = hub.terminal.written.out.trim().split('\n');
  expect([lines.length, JSON.parse(lines[1001] ?? '')]).toEqual([1002, { ...logRow, id: 1002 }]);
  expect(hub.operations.calls.map(([, query]) => query)).toEqual([
    { after: 0, limit: 1000 },
    { after: 1000, limit: 1000 },
  ]);
});

it('T937: a row says where an address was not confirmed, in the table and in CSV', async () => {
  const unconfirmed = { ...logRow, fields: ['email', 'first_name'], unconfirmedEmail: true };
  hub.operations.on({ log: async () => ({ rows: [unconfirmed] }) });
  expect(await hub.rollcall('logs')).toBe(0);
  expect(hub.terminal.written.out).toContain('email (unconfirmed),first_name');
  expect(csvLine(unconfirmed)).toMatch(/,email first_name,.*,yes\r\n$/u);
});

it('CSV goes to the terminal or to a file, with its line ends and no formula', async () => {
  hub.operations.on({ log: async () => ({ rows: [evil, logRow] }) });
  const text = `${csvHead()}${csvLine(logRow)}${csvLine(evil)}`;
  expect(text).toContain(`'=cmd|x [2J`);
  expect(await hub.rollcall('logs', '--csv')).toBe(0);
  expect(hub.terminal.written.out).toBe(text);
  expect(await hub.rollcall('logs', '--csv', '--out', 'log.csv', '--bom')).toBe(0);
  const file = join(hub.folder, 'log.csv');
  expect(readFileSync(file, 'utf8')).toBe(`\uFEFF${text}`);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

it('what breaks off leaves no half of a file', async () => {
  expect(await hub.rollcall('logs', '--csv', '--out', 'no/such/folder.csv')).toBe(1);
  expect(hub.terminal.written.err).toContain('can’t be written');
  hub.operations.on({ log: () => Promise.reject(new Error('gone')) });
  expect(await hub.rollcall('logs', '--csv', '--out', 'half.csv')).not.toBe(0);
  expect(existsSync(join(hub.folder, 'half.csv'))).toBe(false);
});
