import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Fault } from '../errors.ts';
import { installationId } from '../model/ids.ts';
import type { Connection, SitePort } from '../sync/ports.ts';
import { createSiteClient } from './site-client.ts';
import { SELF_SIGNED } from './test/self-signed.ts';
import { statusAnswer } from './test/status-answer.ts';
import { json, OURS, restFault, type StrangeServer, strangeServer } from './test/strange-server.ts';
import { createWire, WIRE_LIMITS, type Wire } from './wire.ts';

const PASSWORD = 'abcd EFGH 1234 ijkl MNOP 5678';
const BASIC = Buffer.from(`rollcall-hub:${PASSWORD}`).toString('base64');

const connectionTo = (restUrl: string): Connection => ({
  installation: installationId('11111111-1111-4111-8111-111111111111'),
  restUrl,
  publicOnly: false,
  credential: { user: 'rollcall-hub', password: PASSWORD },
  hub: { id: '22222222-2222-4222-8222-222222222222', term: 3 },
});

async function faultOf(work: Promise<unknown>): Promise<Fault> {
  const error = await work.then(
    () => null,
    (error: unknown) => error,
  );
  if (!(error instanceof Fault)) throw new Error(`expected a Fault, got ${String(error)}`);
  return error;
}

const openEnvelope = (body: string): unknown =>
  JSON.parse(gunzipSync(Buffer.from(JSON.parse(body).z, 'hex')).toString());
/** Every request has a name of its own. */
const ASK: unknown = expect.any(String);

let server: StrangeServer;
let wire: Wire;
let client: SitePort;
let connection: Connection;

beforeEach(async () => {
  server = await strangeServer();
  wire = createWire({ ...WIRE_LIMITS, totalMs: 2_000, answerBytes: 100_000 });
  client = createSiteClient(wire);
  connection = connectionTo(`${server.url}/wp-json/`);
});
afterEach(async () => {
  await wire.close();
  await server.close();
});

describe('a request', () => {
  it('is a POST with the credential in both headers and the hub in its body', async () => {
    server.behave((_, answer) => json(answer, 200, statusAnswer, OURS));
    const status = await client.status(connection);
    expect(status.wordpress).toBe('7.1.1');
    expect(status.roundTripMs).toBeGreaterThan(0);
    const [heard] = server.heard;
    expect(heard?.method).toBe('POST');
    expect(heard?.url).toBe('/wp-json/rollcall/v1/status');
    expect(heard?.headers.authorization).toBe(`Basic ${BASIC}`);
    expect(heard?.headers['x-rollcall-authorization']).toBe(`Basic ${BASIC}`);
    expect(JSON.parse(heard?.body ?? '')).toEqual({ hub: connection.hub, ask: ASK });
  });

  it('is asked again with the credential that has followed meanwhile, and only then', async () => {
    const refused = restFault('rollcall_hub_credential', 401, 'hub.credential');
    const followed = { user: 'rollcall-hub', password: 'the next one' };
    const basic = Buffer.from('rollcall-hub:the next one').toString('base64');
    server.behave(({ headers }, answer) =>
      headers.authorization === `Basic ${basic}`
        ? json(answer, 200, statusAnswer, OURS)
        : json(answer, 401, refused, OURS),
    );
    const renewing = createSiteClient(wire, async (known) =>
      known.credential.password === followed.password ? null : { ...known, credential: followed },
    );
    expect((await renewing.status(connection)).wordpress).toBe('7.1.1');
    expect(server.heard.length).toBe(2);
    expect((await faultOf(client.status(connection))).code).toBe('site.credential_rejected');
    expect(server.heard.length).toBe(3);
  });

  it('reaches a site with plain permalinks', async () => {
    server.behave((_, answer) => json(answer, 200, statusAnswer, OURS));
    await client.status({ ...connection, restUrl: `${server.url}/index.php?rest_route=/` });
    expect(server.heard[0]?.url).toBe('/index.php?rest_route=/rollcall/v1/status');
  });

  it('names its parts as the contract does', async () => {
    server.behave(({ url }, answer) => {
      if (url.endsWith('settings')) return json(answer, 200, { saved: true }, OURS);
      if (url.endsWith('stamp')) return json(answer, 200, { results: [] }, OURS);
      return json(
        answer,
        200,
        { receipts: [], done: 0, mails_blocked: 0, clock: 1, mark: null, epoch: 'e' },
        OURS,
      );
    });
    await client.apply(connection, { operations: [], dryRun: true });
    await client.settings(connection, { offsetMs: -5, signal: null });
    await client.stamp(connection, []);
    const [apply, settings, stamp] = server.heard.map(({ body }) => JSON.parse(body));
    expect(apply).toEqual({ hub: connection.hub, operations: [], dry_run: true, ask: ASK });
    expect(settings).toEqual({ hub: connection.hub, offset_ms: -5, signal: null, ask: ASK });
    expect(stamp).toEqual({ hub: connection.hub, stamps: [], ask: ASK });
  });

  it('reads a gzipped answer', async () => {
    server.behave((_, answer) => {
      answer.writeHead(200, { ...OURS, 'content-encoding': 'gzip' });
      answer.end(gzipSync(JSON.stringify(statusAnswer)));
    });
    expect((await client.status(connection)).epoch).toBe('e1');
  });
});

describe('the envelope', () => {
  it.each([400, 403, 406, 413])(
    'is tried when a firewall answers %i, and remembered',
    async (s) => {
      server.behave(({ body }, answer) => {
        if (body.startsWith('{"z":')) return json(answer, 200, statusAnswer, OURS);
        answer.writeHead(s, { 'content-type': 'text/html' }).end('<h1>Blocked</h1>');
      });
      await client.status(connection);
      await client.status(connection);
      expect(server.heard).toHaveLength(3);
      expect(openEnvelope(server.heard[1]?.body ?? '')).toEqual({
        hub: connection.hub,
        ask: ASK,
      });
      expect(server.heard[2]?.body.startsWith('{"z":')).toBe(true);
    },
  );

  it('is not tried when the connector itself refuses', async () => {
    server.behave((_, answer) =>
      json(answer, 400, restFault('rollcall_request_invalid', 400, 'request.invalid'), OURS),
    );
    const fault = await faultOf(client.status(connection));
    expect(fault.code).toBe('site.refused');
    expect(fault.detail).toMatchObject({ reason: 'request.invalid', said: 'A sentence.' });
    expect(server.heard).toHaveLength(1);
  });

  it('is not remembered when it did not help either', async () => {
    server.behave((_, answer) => answer.writeHead(403).end('no'));
    expect((await faultOf(client.status(connection))).code).toBe('site.refused');
    await faultOf(client.status(connection));
    expect(server.heard[2]?.body.startsWith('{"hub":')).toBe(true);
  });
});

describe('an answer that is not the one asked for', () => {
  const html = '<html><body>Briefly unavailable</body></html>';

  it.each([
    ['a page instead of JSON', 200, html, 'site.bad_answer'],
    ['nothing at all', 200, '', 'site.bad_answer'],
    ['JSON that broke off', 200, JSON.stringify(statusAnswer).slice(0, 90), 'site.bad_answer'],
    ['JSON of another shape', 200, '{"ok":true}', 'site.bad_answer'],
    ['a fatal error', 500, html, 'site.server_error'],
    ['a gateway without its site', 502, html, 'site.server_error'],
    ['a page that is not there', 404, html, 'site.bad_answer'],
    ['no such route', 404, JSON.stringify(restFault('rest_no_route', 404)), 'site.no_connector'],
    [
      'a wrong password',
      401,
      JSON.stringify(restFault('incorrect_password', 401)),
      'site.credential_rejected',
    ],
    [
      'too few rights',
      403,
      JSON.stringify(restFault('rest_forbidden', 403)),
      'site.credential_rejected',
    ],
    ['a login in front of it', 401, html, 'site.credential_rejected'],
    ['a firewall’s page', 403, html, 'site.refused'],
    [
      'a route too new for it',
      501,
      JSON.stringify(restFault('x', 501, 'route.missing')),
      'site.connector_too_old',
    ],
    [
      'another hub’s site',
      403,
      JSON.stringify(restFault('x', 403, 'hub.not_mine')),
      'site.not_mine',
    ],
    ['a later term', 409, JSON.stringify(restFault('x', 409, 'hub.superseded')), 'site.superseded'],
    ['a moved site', 423, JSON.stringify(restFault('x', 423, 'installation.moved')), 'site.moved'],
  ])('%s (status %i) is named', async (_, status, text, code) => {
    server.behave((_heard, answer) => answer.writeHead(status).end(text));
    const fault = await faultOf(client.status(connection));
    expect(fault.code).toBe(code);
    expect(fault.detail['status']).toBe(status);
  });

  it('says when to come again', async () => {
    server.behave((_, answer) => answer.writeHead(429, { 'retry-after': '120' }).end());
    const fault = await faultOf(client.status(connection));
    expect(fault.code).toBe('site.rate_limited');
    expect(fault.detail['retryAfterMs']).toBe(120_000);
  });

  it('names the version when the contract is another one', async () => {
    server.behave((_, answer) => json(answer, 200, {}, { 'x-rollcall-contract': '99' }));
    expect((await faultOf(client.status(connection))).code).toBe('site.connector_too_new');
  });

  it('is cut off when it is too large', async () => {
    server.behave((_, answer) => answer.writeHead(200).end('x'.repeat(200_000)));
    expect((await faultOf(client.status(connection))).code).toBe('site.bad_answer');
  });

  it('is cut off when it is too large once unzipped', async () => {
    server.behave((_, answer) => {
      answer.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('x'.repeat(200_000)));
    });
    expect((await faultOf(client.status(connection))).code).toBe('site.bad_answer');
  });

  it('is a bad one when the connection ends in its middle', async () => {
    server.behave((_, answer) => {
      answer.writeHead(200, { 'content-length': '1000' });
      answer.write('{"contract":');
      setImmediate(() => answer.destroy());
    });
    expect((await faultOf(client.status(connection))).code).toBe('site.bad_answer');
  });

  it('never sends a credential after a redirect, and says its host only', async () => {
    const other = await strangeServer();
    server.behave((_, answer) => {
      answer.writeHead(307, { location: `${other.url}/landing?token=secret` }).end();
    });
    const fault = await faultOf(client.status(connection));
    expect(fault.code).toBe('site.redirected');
    expect(fault.detail['redirectsTo']).toBe(other.url);
    expect(JSON.stringify([fault.message, fault.detail])).not.toContain('token');
    expect(other.heard).toHaveLength(0);
    await other.close();
  });
});

describe('a site that can’t be reached', () => {
  it('is unreachable when nobody listens', async () => {
    await server.close();
    const fault = await faultOf(client.status(connection));
    expect([fault.code, fault.detail['errno']]).toEqual(['site.unreachable', 'ECONNREFUSED']);
    server = await strangeServer();
  });

  it('is a DNS fault when the name does not exist', async () => {
    const fault = await faultOf(client.status(connectionTo('http://nowhere.invalid/wp-json/')));
    expect(fault.code).toBe('site.dns');
  });

  it('is a time-out when it does not answer', async () => {
    const hasty = createWire({ ...WIRE_LIMITS, totalMs: 60 });
    server.behave(() => {});
    const fault = await faultOf(createSiteClient(hasty).status(connection));
    expect(fault.code).toBe('site.timeout');
    await hasty.close();
  });

  it('is a TLS fault when nobody vouches for its certificate', async () => {
    const secure = await strangeServer(SELF_SIGNED);
    const fault = await faultOf(client.status(connectionTo(`${secure.url}/wp-json/`)));
    expect(fault.code).toBe('site.tls');
    expect(secure.heard).toHaveLength(0);
    await secure.close();
  });

  it('is a TLS fault when it speaks plain HTTP there', async () => {
    const url = `${server.url.replace('http:', 'https:')}/wp-json/`;
    expect((await faultOf(client.status(connectionTo(url)))).code).toBe('site.tls');
  });

  it('is asked once more when it closed the connection before answering', async () => {
    let calls = 0;
    server.behave((_, answer) => {
      calls += 1;
      if (calls === 1) answer.destroy();
      else json(answer, 200, statusAnswer, OURS);
    });
    await client.status(connection);
    expect(calls).toBe(2);
  });
});

it('keeps the credential out of every fault, even when the site sends it back', async () => {
  const echo = { ...restFault('x', 500, 'site.error'), message: `bad ${PASSWORD} and ${BASIC}` };
  const echoed = { code: PASSWORD, message: '', data: { reason: PASSWORD.replaceAll(' ', '') } };
  const behaviours: ReadonlyArray<readonly [number, string]> = [
    [500, JSON.stringify(echoed)],
    [200, JSON.stringify({ ...statusAnswer, verifies: { [PASSWORD.replaceAll(' ', '')]: 1 } })],
    [500, JSON.stringify(echo)],
    [200, `{"contract":"${PASSWORD}"}`],
    [401, JSON.stringify(echo)],
    [302, ''],
  ];
  for (const [status, text] of behaviours) {
    server.behave((_, answer) => {
      answer
        .writeHead(status, { ...OURS, location: `/?p=${BASIC}`, 'content-type': BASIC })
        .end(text);
    });
    const fault = await faultOf(client.status(connection));
    const everything = JSON.stringify([fault.message, fault.detail, fault.cause, fault.stack]);
    expect(everything).not.toContain(PASSWORD);
    expect(everything).not.toContain(PASSWORD.replaceAll(' ', ''));
    expect(everything).not.toContain(BASIC.slice(8, 30));
  }
});
