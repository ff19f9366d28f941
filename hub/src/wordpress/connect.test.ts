import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Fault } from '../errors.ts';
import { connectSite, type Door, readStatus } from './connect.ts';
import { statusAnswer } from './test/status-answer.ts';
import { json, OURS, restFault, type StrangeServer, strangeServer } from './test/strange-server.ts';
import { createWire, type Wire } from './wire.ts';

let server: StrangeServer;
let wire: Wire;
let door: Door;

beforeEach(async () => {
  server = await strangeServer();
  wire = createWire();
  door = {
    restUrl: `${server.url}/wp-json/`,
    publicOnly: false,
    administrator: { user: 'admin', password: 'abcd EFGH 1234' },
  };
});
afterEach(async () => {
  await wire.close();
  await server.close();
});

const request = {
  hub: { id: '22222222-2222-4222-8222-222222222222', term: 1, name: 'Hub' },
  keys: { '1': 7 },
  signal: null,
  meta: ['phone'],
  revoke_caller: false,
};

it('trades the administrator’s password for the service account’s own', async () => {
  const credential = { user: 'rollcall-hub', password: 'made there' };
  server.behave((_, answer) => json(answer, 200, { credential, status: statusAnswer }, OURS));
  const connected = await connectSite(wire, door, request);
  expect(connected.credential).toEqual(credential);
  expect(JSON.parse(server.heard[0]?.body ?? '')).toEqual({
    ...request,
    ask: expect.any(String),
  });
});

it('reads the status before any hub is bound', async () => {
  server.behave((_, answer) => json(answer, 200, statusAnswer, OURS));
  expect((await readStatus(wire, door)).store).toBe('f00d');
  expect(JSON.parse(server.heard[0]?.body ?? '')).toEqual({ ask: expect.any(String) });
});

describe('what is wrong is told apart', () => {
  it.each([
    ['wrong password', 401, restFault('incorrect_password', 401), 'site.wrong_password'],
    ['wrong login', 401, restFault('invalid_username', 401), 'site.wrong_password'],
    ['wrong e-mail', 401, restFault('invalid_email', 401), 'site.wrong_password'],
    [
      'passwords off for this account',
      401,
      restFault('application_passwords_disabled_for_user', 401),
      'site.app_passwords_off',
    ],
    [
      'stripped header',
      401,
      restFault('rollcall_administrator_credential', 401, 'administrator.credential'),
      'site.header_stripped',
    ],
    ['REST closed to strangers', 401, restFault('rest_not_logged_in', 401), 'site.wrong_password'],
    [
      'too few rights',
      403,
      restFault('rollcall_administrator_credential', 403, 'administrator.credential'),
      'site.not_administrator',
    ],
    ['a security plugin', 403, restFault('rest_blocked', 403), 'site.refused'],
    ['a login in front of WordPress', 401, '<html>', 'site.refused'],
    ['another hub’s site', 409, restFault('x', 409, 'hub.not_mine'), 'site.not_mine'],
    ['beside a bound one', 409, restFault('x', 409, 'hub.bound_beside'), 'site.already_added'],
    ['no connector', 404, restFault('rest_no_route', 404), 'site.no_connector'],
  ])('%s', async (_, status, body, code) => {
    server.behave((_heard, answer) => json(answer, status, body));
    const error = await connectSite(wire, door, request).catch((error: unknown) => error);
    if (!(error instanceof Fault)) throw new Error('expected a Fault');
    expect(error.code).toBe(code);
    expect(JSON.stringify([error.message, error.detail])).not.toContain('EFGH');
  });

  it('a connector that speaks another contract', async () => {
    server.behave((_, answer) => json(answer, 200, { ...statusAnswer, contract: 9 }, OURS));
    await expect(readStatus(wire, door)).rejects.toMatchObject({ code: 'site.connector_too_new' });
  });
});
