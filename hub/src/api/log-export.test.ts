import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Fault } from '../errors.ts';
import { createHubLog } from './hub-log.ts';
import { csvHead, csvLine } from './log-csv.ts';
import type { LogRow } from './schemas/log.ts';
import { buildServer } from './server.ts';
import { type FakeOperations, fakeOperations, TOKENS } from './test/fake-operations.ts';
import { logRow } from './test/samples.ts';

let operations: FakeOperations;
let app: FastifyInstance;

beforeEach(async () => {
  operations = fakeOperations();
  app = await buildServer({ operations, log: createHubLog({ level: 'silent' }), version: '0' });
});
afterEach(() => app.close());

const headers = { authorization: `Bearer ${TOKENS.viewer}` };
const ask = (query = '') => app.inject({ url: `/api/v1/log/export${query}`, headers });

it('gives all pages as CSV, with a byte order mark when one is asked for', async () => {
  const second = { ...logRow, id: 8, login: '=1+1' };
  async function* pages(): AsyncGenerator<readonly LogRow[]> {
    yield [logRow];
    yield [second];
  }
  operations.on({ exportLog: async () => pages() });
  const answer = await ask('?bom=true');
  expect(answer.headers).toMatchObject({
    'content-type': 'text/csv; charset=utf-8',
    'content-disposition': 'attachment; filename="sync-log.csv"',
    'cache-control': 'no-store',
  });
  const text = `\uFEFF${csvHead()}${csvLine(logRow)}${csvLine(second)}`;
  expect(answer.rawPayload.toString('utf8')).toBe(text);
});

it('gives a line of JSON for each row', async () => {
  const answer = await ask('?format=jsonl&status=held');
  expect(answer.headers['content-type']).toBe('application/jsonl; charset=utf-8');
  expect(answer.body).toBe(`${JSON.stringify(logRow)}\n`);
  expect(operations.calls).toEqual([['exportLog', { status: ['held'] }]]);
});

it('is refused with a sentence before the first row', async () => {
  for (const query of ['?format=xml', '?status=lost', '?since=yesterday', '?account=', '?bom=1']) {
    expect([query, (await ask(query)).statusCode]).toEqual([query, 400]);
  }
  expect(operations.calls).toEqual([]);
  operations.on({
    exportLog: async () => {
      throw new Fault('site.unknown', 'There is no site “X”.');
    },
  });
  expect((await ask('?site=X')).json()).toMatchObject({ error: { code: 'site.unknown' } });
  expect((await app.inject({ url: '/api/v1/log/export' })).statusCode).toBe(401);
});

it('ends the connection when it breaks off, so that a part is not taken for the whole', async () => {
  async function* pages(): AsyncGenerator<readonly LogRow[]> {
    yield [logRow];
    throw new Fault('database.unreachable', 'The database went away.');
  }
  operations.on({ exportLog: async () => pages() });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  const answer = await fetch(`${url}/api/v1/log/export`, { headers });
  await expect(answer.text()).rejects.toThrow();
});
