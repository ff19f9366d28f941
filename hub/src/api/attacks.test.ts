/** What strangers, browsers and owners of a token may try at the API. */
import { createHmac } from 'node:crypto';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHubLog } from './hub-log.ts';
import { buildServer } from './server.ts';
import {
  type FakeOperations,
  fakeOperations,
  INSTALLATION,
  SIGNAL_SECRET,
  TOKENS,
} from './test/fake-operations.ts';

const NOW = 1_800_000_000_000;

let operations: FakeOperations;
let app: FastifyInstance;
let lines: string[];
beforeEach(async () => {
  operations = fakeOperations();
  lines = [];
  const log = createHubLog({ level: 'trace', stream: { write: (line) => lines.push(line) } });
  const hosts = ['hub.example.com'];
  app = await buildServer({ operations, log, version: '0.1.0', nowMs: () => NOW, hosts });
});
afterEach(() => app.close());

const owner = { authorization: `Bearer ${TOKENS.owner}` };
const json = { 'content-type': 'application/json' };
const codeOf = async (options: InjectOptions): Promise<readonly [number, string]> => {
  const answer = await app.inject(options);
  return [answer.statusCode, answer.json().error?.code ?? ''];
};

describe('a browser on the hub’s machine', () => {
  it('T711: reaches nothing under a name that is not the hub’s', async () => {
    for (const url of ['/api/v1/sites', '/api/v1/openapi.json', '/healthz', '/nothing']) {
      for (const host of [
        'evil.test',
        'evil.test:4700',
        'localhost.evil.test',
        '127.0.0.1.evil.test',
      ])
        expect([host, url, await codeOf({ url, headers: { ...owner, host } })]).toEqual([
          host,
          url,
          [421, 'request.wrong_host'],
        ]);
    }
    expect(operations.calls).toEqual([]);
    for (const host of [
      '127.0.0.1:4700',
      '[::1]:4700',
      'localhost:4700',
      'LOCALHOST',
      'hub.example.com',
      'hub.example.com.:443',
    ]) {
      const answer = await app.inject({ url: '/api/v1/sites', headers: { ...owner, host } });
      expect([host, answer.statusCode]).toEqual([host, 200]);
    }
  });

  it('T712: gets no leave to read or to send from another site’s page', async () => {
    const origin = 'https://evil.test';
    const preflight = await app.inject({
      method: 'OPTIONS',
      url: '/api/v1/sites',
      headers: { origin, 'access-control-request-method': 'POST' },
    });
    expect(preflight.statusCode).toBe(404);
    const simple = await app.inject({
      method: 'POST',
      url: '/api/v1/runs',
      headers: { origin, 'content-type': 'text/plain', cookie: `token=${TOKENS.owner}` },
      payload: '{}',
    });
    expect(simple.statusCode).toBe(401);
    const reading = await app.inject({ url: '/api/v1/sites', headers: { ...owner, origin } });
    for (const { headers } of [preflight, simple, reading]) {
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
      expect(headers['cross-origin-resource-policy']).toBe('same-origin');
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['x-frame-options']).toBe('SAMEORIGIN');
      expect(headers['content-security-policy']).toContain("default-src 'self'");
      expect(headers['referrer-policy']).toBe('no-referrer');
    }
    expect(reading.headers['cache-control']).toBe('no-store');
    expect(operations.calls.map(([name]) => name)).toEqual(['sites']);
  });
});

describe('a token', () => {
  it('T713: counts in its header alone, so that none gets into an address or a log of addresses', async () => {
    const { owner: token } = TOKENS;
    for (const options of [
      { url: `/api/v1/sites?token=${token}` },
      { url: `/api/v1/sites?access_token=${token}&authorization=Bearer%20${token}` },
      { url: '/api/v1/sites', headers: { 'x-api-key': token, token } },
      { url: '/api/v1/sites', headers: { cookie: `token=${token}; authorization=${token}` } },
      { url: '/api/v1/sites', headers: { authorization: `Basic ${btoa(`owner:${token}`)}` } },
      { method: 'POST', url: '/api/v1/runs', payload: { token }, headers: json },
    ] satisfies InjectOptions[]) {
      expect(await codeOf(options)).toEqual([401, 'auth.required']);
    }
    expect(operations.calls).toEqual([]);
    expect(lines.join('')).not.toContain(token);
  });
});

describe('the rate limit', () => {
  const forwarded = (i: number): Record<string, string> => ({
    'x-forwarded-for': `198.51.100.${i}`,
    'x-real-ip': `198.51.100.${i}`,
    'x-client-ip': `198.51.100.${i}`,
    'cf-connecting-ip': `198.51.100.${i}`,
    forwarded: `for=198.51.100.${i}`,
    via: `198.51.100.${i}`,
  });

  it('T611, T714: believes no header about the address of who tries tokens', async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 25; i += 1) {
      const headers = { ...forwarded(i), authorization: `Bearer wrong-${i}` };
      statuses.push((await app.inject({ url: '/api/v1/sites', headers })).statusCode);
    }
    expect(statuses.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 401));
    expect(statuses.slice(20)).toEqual([429, 429, 429, 429, 429]);
    const other = { url: '/api/v1/sites', headers: { authorization: 'Bearer wrong' } };
    expect((await app.inject({ ...other, remoteAddress: '198.51.100.9' })).statusCode).toBe(401);
  });

  it('T611, T714: believes none about who sends signals', async () => {
    const send = (i: number) =>
      app.inject({
        method: 'POST',
        url: `/api/v1/signals/${INSTALLATION}`,
        headers: { ...json, ...forwarded(i % 250) },
        payload: '{}',
      });
    let last = 401;
    for (let i = 0; i < 1201 && last === 401; i += 1) last = (await send(i)).statusCode;
    expect(last).toBe(429);
    expect(operations.calls.filter(([name]) => name === 'acceptSignal')).toEqual([]);
  });
});

describe('signals', () => {
  const BODY = '{"epoch":"e1","head":7}';
  const OTHER = '22222222-2222-4222-8222-222222222222';
  const sign = (secret: string, t = NOW, body = BODY): string =>
    `t=${t},v1=${createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')}`;
  const send = (installation: string, signature: string, body = BODY) =>
    app.inject({
      method: 'POST',
      url: `/api/v1/signals/${installation}`,
      headers: { ...json, 'x-rollcall-signature': signature },
      payload: body,
    });

  it('T621: one that was forged, is old, or belongs to another site wakes nobody', async () => {
    operations.on({
      signalSecret: async (id) =>
        ({ [INSTALLATION]: SIGNAL_SECRET, [OTHER]: 'o'.repeat(43) })[id] ?? null,
    });
    const good = sign(SIGNAL_SECRET);
    for (const [what, answer] of [
      ['another site’s address', await send(OTHER, good)],
      ['another site’s secret', await send(INSTALLATION, sign('o'.repeat(43)))],
      ['an exchanged body', await send(INSTALLATION, good, '{"epoch":"e1","head":8}')],
      ['an exchanged time', await send(INSTALLATION, good.replace(`${NOW}`, `${NOW + 1}`))],
      ['an old one', await send(INSTALLATION, sign(SIGNAL_SECRET, NOW - 6 * 60_000))],
      ['one of tomorrow', await send(INSTALLATION, sign(SIGNAL_SECRET, NOW + 86_400_000))],
      ['an empty secret', await send(INSTALLATION, sign(''))],
      ['two signatures', await send(INSTALLATION, `${good},v1=${'0'.repeat(64)}`)],
      ['no signature', await send(INSTALLATION, '')],
    ] as const) {
      expect([what, answer.statusCode, answer.json().error.code]).toEqual([
        what,
        401,
        'signal.refused',
      ]);
    }
    expect(operations.calls.filter(([name]) => name === 'acceptSignal')).toEqual([]);
    expect((await send(INSTALLATION, good)).statusCode).toBe(200);
  });

  it('T622: nobody learns from an answer which installations there are', async () => {
    const unknown = '99999999-9999-4999-8999-999999999999';
    const answers = [];
    for (const id of [INSTALLATION, unknown]) {
      for (const [signature, body] of [
        ['', BODY],
        [sign('x'.repeat(43)), BODY],
        [sign('x'.repeat(43), NOW, '{]'), '{]'],
      ] as const) {
        const { statusCode, headers, body: text } = await send(id, signature, body);
        const { 'x-ratelimit-remaining': _remaining, date: _date, ...rest } = headers;
        answers.push({ statusCode, rest, text: text.replace(/"id":"[^"]*"/u, '') });
      }
    }
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  });

  it('T623: a huge one is refused before it is read', async () => {
    const large = JSON.stringify({ epoch: 'e'.repeat(1_000_000), head: 1 });
    expect((await send(INSTALLATION, sign(SIGNAL_SECRET, NOW, large), large)).statusCode).toBe(413);
  });
});

describe('T715: a request that is meant to do harm', () => {
  const sites = { method: 'POST', url: '/api/v1/sites', headers: { ...owner, ...json } } as const;

  it.each<[string, InjectOptions]>([
    ['deep arrays', { ...sites, payload: '['.repeat(400_000) + ']'.repeat(400_000) }],
    ['deep objects', { ...sites, payload: `${'{"url":'.repeat(100_000)}1${'}'.repeat(100_000)}` }],
    ['a long list', { ...sites, payload: `[${'1,'.repeat(400_000)}1]` }],
    ['__proto__', { ...sites, payload: '{"__proto__":{"role":"owner"},"url":"x"}' }],
    ['constructor', { ...sites, payload: '{"constructor":{"prototype":{"x":1}}}' }],
    [
      'a name of lines',
      { ...sites, payload: { url: 'a.test', name: 'a\r\nx: y', user: 'a', appPassword: 'b' } },
    ],
    ['half a pair of UTF-16', { ...sites, payload: '{"url":"\\ud800","name":"a","user":"a"}' }],
    ['__proto__ in the query', { url: '/api/v1/log?__proto__[x]=1&limit=no', headers: owner }],
    ['twice in the query', { url: '/api/v1/explain?site=a&site=b&login=c', headers: owner }],
    [
      'U+0000 percent-encoded',
      { method: 'PATCH', url: '/api/v1/routes/%00', headers: owner, payload: {} },
    ],
    [
      'a route’s number as a word',
      { method: 'DELETE', url: '/api/v1/routes/__proto__', headers: owner },
    ],
  ])('%s', async (_, options) => {
    const [status, code] = await codeOf(options);
    expect([400, 413]).toContain(status);
    expect(['request.invalid', 'request.too_large']).toContain(code);
    expect(operations.calls).toEqual([]);
    expect(Reflect.get({}, 'role') ?? Reflect.get({}, 'x')).toBeUndefined();
  });

  it.each([
    ['application/xml', '<x/>'],
    ['application/x-www-form-urlencoded', 'url=a.test'],
    ['multipart/form-data; boundary=x', '--x--'],
    ['text/plain', '{"url":"a.test","name":"a","user":"a","appPassword":"b"}'],
    ['application/jsonp', '{}'],
  ])('of the type %s', async (type, payload) => {
    const headers = { ...owner, 'content-type': type };
    const [status] = await codeOf({ method: 'POST', url: '/api/v1/sites', headers, payload });
    expect([400, 415]).toContain(status);
    expect(operations.calls).toEqual([]);
  });

  it('by another method, or a method in a header', async () => {
    for (const method of ['PUT', 'TRACE', 'OPTIONS', 'HEAD'] as const) {
      const { statusCode } = await app.inject({ method, url: '/api/v1/runs', headers: owner });
      expect([method, statusCode]).toEqual([method, 404]);
    }
    const headers = {
      authorization: `Bearer ${TOKENS.viewer}`,
      'x-http-method-override': 'DELETE',
    };
    await app.inject({ url: '/api/v1/sites?_method=DELETE', headers });
    expect(operations.calls).toEqual([['sites']]);
  });

  it('by a path that is written in another way', async () => {
    for (const url of [
      '/api/v1/../v1/runs',
      '//api/v1/runs',
      '/API/V1/RUNS',
      '/api/v1/runs/',
      '/api/v1/runs%2f',
      '/api/v1/runs;x=1',
    ]) {
      const { statusCode } = await app.inject({ method: 'POST', url, payload: {} });
      expect([url, [401, 404].includes(statusCode)]).toEqual([url, true]);
    }
    expect(operations.calls).toEqual([]);
  });
});

describe('T721: what is written to the log', () => {
  it('is one line for each event, and steers no terminal', () => {
    const before = lines.length;
    const log = createHubLog({ stream: { write: (line) => lines.push(line) } });
    const login = 'anna\r\n{"level":50,"msg":"forged"}\u001b[2J\u009b31m\u202egnp\u2028\u0007';
    log.info({ login }, `login ${login}`);
    const written = lines.slice(before);
    expect(written).toHaveLength(1);
    const [line = ''] = written;
    expect(line.trimEnd()).not.toMatch(/[\p{Cc}\u2028\u2029\u202A-\u202E]/u);
    expect(JSON.parse(line).login).toBe(login);
  });
});
