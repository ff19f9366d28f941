import { createHmac } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createHubLog } from './hub-log.ts';
import { buildServer } from './server.ts';
import {
  type FakeOperations,
  fakeOperations,
  INSTALLATION,
  SIGNAL_SECRET,
} from './test/fake-operations.ts';

const NOW = 1_800_000_000_000;
/** A space that parsing and writing again would lose: the signature is over what was sent. */
const BODY = '{"epoch": "e1","head":7}';

let operations: FakeOperations;
let app: FastifyInstance;
beforeEach(async () => {
  operations = fakeOperations();
  const log = createHubLog({ level: 'silent' });
  app = await buildServer({ operations, log, version: '0.1.0', nowMs: () => NOW });
});
afterEach(() => app.close());

const sign = (t: number, body: string, secret = SIGNAL_SECRET): string =>
  `t=${t},v1=${createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')}`;

const send = (signature: string | null, body = BODY, installation = INSTALLATION) =>
  app.inject({
    method: 'POST',
    url: `/api/v1/signals/${installation}`,
    headers: {
      'content-type': 'application/json',
      ...(signature === null ? {} : { 'x-rollcall-signature': signature }),
    },
    payload: body,
  });

const heard = () => operations.calls.filter(([name]) => name === 'acceptSignal');

it('a signed signal wakes the hub', async () => {
  expect((await send(sign(NOW, BODY))).statusCode).toBe(200);
  expect(heard()).toEqual([['acceptSignal', INSTALLATION, { epoch: 'e1', head: 7 }]]);
});

it.each([
  ['no signature', null],
  ['nonsense', 'v1=zz'],
  ['another secret', sign(NOW, BODY, 'another-secret-of-thirty-two-characters')],
  ['another body', sign(NOW, '{"epoch":"e1","head":8}')],
  ['another time than was signed', sign(NOW, BODY).replace(`t=${NOW}`, `t=${NOW + 1}`)],
  ['an old one', sign(NOW - 5 * 60_000 - 1, BODY)],
  ['one from the future', sign(NOW + 5 * 60_000 + 1, BODY)],
])('is refused with %s', async (_, signature) => {
  const answer = await send(signature);
  expect([answer.statusCode, answer.json().error.code]).toEqual([401, 'signal.refused']);
  expect(heard()).toEqual([]);
});

it('a repeated one is only a hint to look again', async () => {
  const signature = sign(NOW, BODY);
  await send(signature);
  expect((await send(signature)).statusCode).toBe(200);
  expect(heard()).toHaveLength(2);
});

it('an unknown installation is answered like a wrong signature', async () => {
  const unknown = await send(sign(NOW, BODY), BODY, '99999999-9999-4999-8999-999999999999');
  expect([unknown.statusCode, unknown.json().error.code]).toEqual([401, 'signal.refused']);
});

it('what is no installation, too large, or signed nonsense is a bad request', async () => {
  expect((await send(sign(NOW, BODY), BODY, 'shop')).statusCode).toBe(400);
  const large = JSON.stringify({ epoch: 'e'.repeat(5000), head: 1 });
  expect((await send(sign(NOW, large), large)).statusCode).toBe(413);
  expect((await send(sign(NOW, '{]'), '{]')).statusCode).toBe(400);
  expect(heard()).toEqual([]);
});
