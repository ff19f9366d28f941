/** The address that WordPress's approve page leads back to. */
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Fault } from '../errors.ts';
import { createHubLog } from './hub-log.ts';
import { buildServer } from './server.ts';
import { APPROVAL_SECRET, type FakeOperations, fakeOperations } from './test/fake-operations.ts';

const PASSWORD = 'abcd EFGH 1234 ijkl MNOP 5678';
const QUERY = new URLSearchParams({
  state: APPROVAL_SECRET,
  site_url: 'https://shop.test',
  user_login: 'admin',
  password: PASSWORD,
});

let lines: string[];
let operations: FakeOperations;
let app: FastifyInstance;
beforeEach(async () => {
  lines = [];
  operations = fakeOperations();
  const log = createHubLog({ level: 'trace', stream: { write: (line) => lines.push(line) } });
  app = await buildServer({ operations, log, version: '0.1.0' });
});
afterEach(() => app.close());

const come = (query: URLSearchParams | string = QUERY, page = 'approved') =>
  app.inject({ url: `/connect/${page}?${query.toString()}` });

it('takes an approval and leaves its address at once', async () => {
  const answer = await come();
  expect(answer.statusCode).toBe(303);
  expect(answer.headers).toMatchObject({
    location: 'done',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
  });
  expect(answer.body).toBe('');
  expect(operations.calls).toEqual([
    ['approvalCame', APPROVAL_SECRET, { user: 'admin', password: PASSWORD }],
  ]);
  expect((await app.inject({ url: '/connect/done' })).body).toContain('Approved');
});

it.each([
  ['a secret that is not known', 'state=unknown&user_login=admin&password=x'],
  ['no password', `state=${APPROVAL_SECRET}&user_login=admin`],
  ['two of one name', `state=${APPROVAL_SECRET}&state=x&user_login=admin&password=x`],
  ['nothing', ''],
  ['far too much', `state=${APPROVAL_SECRET}&user_login=admin&password=${'x'.repeat(5000)}`],
])('does nothing with %s', async (_, query) => {
  const answer = await come(query);
  expect(answer.statusCode).toBe(303);
  expect(answer.headers.location).toBe('ended');
});

it('hears of a refusal', async () => {
  const answer = await come(new URLSearchParams({ state: APPROVAL_SECRET }), 'rejected');
  expect(answer.headers.location).toBe('refused');
});

it('is not used up by who only looks', async () => {
  const answer = await app.inject({ method: 'HEAD', url: `/connect/approved?${QUERY.toString()}` });
  expect(answer.statusCode).toBe(404);
  expect(operations.calls).toEqual([]);
});

it('writes neither secret nor password into the log, whatever happens', async () => {
  await come();
  operations.on({
    approvalCame: async (secret, { password }) => {
      throw new Error(`broken at /connect/approved?state=${secret}&password=${password}`);
    },
  });
  expect((await come()).statusCode).toBe(500);
  operations.on({
    approvalCame: async () => {
      throw new Fault('database.unreachable', 'Away.');
    },
  });
  expect((await come()).statusCode).toBe(503);
  await app.inject({ url: `/connect/nowhere?${QUERY.toString()}` });
  const written = lines.join('');
  expect(written).toContain('broken at');
  for (const secret of [APPROVAL_SECRET, PASSWORD, PASSWORD.replaceAll(' ', '+')]) {
    expect(written).not.toContain(secret);
  }
});
