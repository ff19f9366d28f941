import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Fault } from '../errors.ts';
import { createHubLog } from './hub-log.ts';
import { buildServer } from './server.ts';
import {
  type FakeOperations,
  fakeOperations,
  INSTALLATION,
  TOKENS,
} from './test/fake-operations.ts';

const APP_PASSWORD = 'abcd EFGH 1234 ijkl MNOP 5678';
const SECRETS = {
  appPassword: APP_PASSWORD,
  ownToken: TOKENS.owner,
  wrongToken: 'wrong-token-11111111111111',
  basic: Buffer.from(`admin:${APP_PASSWORD}`).toString('base64'),
  signature: 'f'.repeat(64),
  phpass: '$P$BDummyDummyDummyDummyDummyDummy',
  bcrypt: `$wp$2y$10$${'h'.repeat(53)}`,
};

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

function expectNoSecret(): void {
  expect(lines.length).toBeGreaterThan(0);
  const written = lines.join('');
  for (const [name, secret] of Object.entries(SECRETS)) {
    expect(written.includes(secret), `${name} is in the log`).toBe(false);
  }
}

const add = (extra: Record<string, unknown> = {}, token: string = TOKENS.owner) =>
  app.inject({
    method: 'POST',
    url: '/api/v1/sites',
    headers: {
      authorization: `Bearer ${token}`,
      'x-rollcall-authorization': `Basic ${SECRETS.basic}`,
      cookie: `session=${SECRETS.signature}`,
    },
    payload: { url: 'shop.test', name: 'Shop', user: 'admin', appPassword: APP_PASSWORD, ...extra },
  });

it('I12: requests that go well leave no secret in the log', async () => {
  await add();
  expectNoSecret();
});

it('I12: requests that are refused leave no secret in the log', async () => {
  await add({}, SECRETS.wrongToken);
  await add({ name: SECRETS.phpass });
  await add({ [APP_PASSWORD]: 1 });
  await app.inject({
    method: 'POST',
    url: '/api/v1/sites',
    headers: { authorization: `Bearer ${TOKENS.owner}`, 'content-type': 'application/json' },
    payload: `{"appPassword":"${APP_PASSWORD}"`,
  });
  await app.inject({
    method: 'POST',
    url: `/api/v1/signals/${INSTALLATION}`,
    headers: { 'x-rollcall-signature': `t=1,v1=${SECRETS.signature}` },
    payload: { secret: APP_PASSWORD },
  });
  expectNoSecret();
});

it('I12: operations that fail with a secret in hand leave none in the log', async () => {
  const careless = [
    new Error(`could not send Authorization: Basic ${SECRETS.basic} to shop.test`),
    new Error(`Bearer ${SECRETS.ownToken}`),
    new Error(`duplicate key (${SECRETS.bcrypt}), (${SECRETS.phpass}), ${APP_PASSWORD}`),
    Object.assign(new Error('x'), { credential: { user: 'a', password: APP_PASSWORD } }),
    Object.assign(new Error('x'), { request: { headers: { authorization: SECRETS.basic } } }),
    new Fault('site.bad_answer', 'Odd.', { detail: { appPassword: APP_PASSWORD } }),
    new Fault('internal.fault', 'Odd.', { detail: { connection: { credential: SECRETS.basic } } }),
  ];
  for (const error of careless) {
    operations.on({ addSite: () => Promise.reject(error) });
    await add();
  }
  expectNoSecret();
});

it('other parts of the hub may log objects that hold secrets', () => {
  const log = createHubLog({ stream: { write: (line) => lines.push(line) } });
  log.info({ password: SECRETS.bcrypt, token: SECRETS.ownToken }, 'top');
  log.info({ connection: { credential: { user: 'x', password: APP_PASSWORD } } }, 'deep');
  log.info({ a: { b: { c: { secret: SECRETS.signature } } } }, 'deeper');
  log.info({ headers: { 'x-rollcall-authorization': SECRETS.basic } }, 'headers');
  log.info(`a sentence with ${APP_PASSWORD} and Basic ${SECRETS.basic} in it`);
  expectNoSecret();
});
