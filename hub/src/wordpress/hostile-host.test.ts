/** Hosts that lead the hub astray, or try to take it down, below anything that WordPress says. */
import type { LookupAddress } from 'node:dns';
import { createServer, type Server, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Fault } from '../errors.ts';
import { installationId } from '../model/ids.ts';
import { discoverSite } from './discover.ts';
import { createSiteClient } from './site-client.ts';
import { statusAnswer } from './test/status-answer.ts';
import { json, OURS, type StrangeServer, strangeServer } from './test/strange-server.ts';
import { createWire, WIRE_LIMITS, type Wire } from './wire.ts';

const LIMITS = { ...WIRE_LIMITS, connectMs: 1_000, totalMs: 1_500, answerBytes: 1024 * 1024 };

let server: StrangeServer;
let wire: Wire;
/** Answers of the name service, one list for each question; the last one stays. */
let answers: readonly (readonly string[])[];
let questions: number;

beforeEach(async () => {
  server = await strangeServer();
  questions = 0;
  wire = createWire(LIMITS, {
    resolve: (_hostname, _options, done) => {
      const found = answers[Math.min(questions, answers.length - 1)] ?? [];
      questions += 1;
      done(null, found.map(asLookedUp));
    },
  });
});
afterEach(async () => {
  await wire.close();
  await server.close();
});
const asLookedUp = (address: string): LookupAddress => ({
  address,
  family: address.includes(':') ? 6 : 4,
});

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => null,
    (error: unknown) => error,
  );
  if (error === null) return 'fine';
  if (error instanceof Fault) return error.code;
  throw error;
}
const get = (url: string, publicOnly = false): Promise<unknown> =>
  wire.send({ method: 'GET', url, publicOnly });
const port = (): string => new URL(server.url).port;

describe('where a socket leads', () => {
  it('T701: a name that leads to a metadata service is not connected to, nor its address itself', async () => {
    for (const address of ['169.254.169.254', 'fd00:ec2::254', 'fe80::1%1', '0.0.0.0', '::']) {
      answers = [[address]];
      expect([address, await codeOf(get('http://metadata.shop.test/'))]).toEqual([
        address,
        'site.forbidden_address',
      ]);
    }
    for (const host of ['169.254.169.254', '2852039166', '0xa9fea9fe', '0251.0376.0251.0376', '0'])
      expect([host, await codeOf(get(`http://${host}:${port()}/`))]).toEqual([
        host,
        'site.forbidden_address',
      ]);
    for (const host of ['[fe80::1]', '[fd00:ec2::254]', '[::ffff:169.254.169.254]', '[::]'])
      expect([host, await codeOf(get(`http://${host}/`))]).toEqual([
        host,
        'site.forbidden_address',
      ]);
    expect(server.heard).toEqual([]);
  });

  it('a site on this machine or in the local network may be typed', async () => {
    server.behave((_, answer) => answer.writeHead(200).end());
    answers = [['127.0.0.1']];
    expect(await codeOf(get(`http://shop.test:${port()}/`))).toBe('fine');
    expect(await codeOf(get(server.url))).toBe('fine');
    expect((await wire.send({ method: 'GET', url: server.url })).reach).toBe('private');
  });

  it('T702: a site at a public address is never looked for at a private one', async () => {
    answers = [['127.0.0.1'], ['10.0.0.1', '::1']];
    for (const url of [`http://shop.test:${port()}/`, server.url, `http://[::1]:${port()}/`]) {
      expect([url, await codeOf(get(url, true))]).toEqual([url, 'site.forbidden_address']);
    }
    expect(server.heard).toEqual([]);
  });

  it('T702: of several addresses only those are tried that may be, public ones first', async () => {
    // 203.0.113.0/24 is nobody's (RFC 5737): what is sent there arrives nowhere.
    answers = [['127.0.0.1', '203.0.113.1', '169.254.169.254']];
    expect(['site.unreachable', 'site.timeout']).toContain(
      await codeOf(get(`http://mixed.test:${port()}/`)),
    );
    answers = [['169.254.169.254', '127.0.0.1']];
    server.behave((_, answer) => answer.writeHead(200).end());
    expect(await codeOf(get(`http://mixed.test:${port()}/`))).toBe('fine');
    expect(server.heard).toHaveLength(1);
  });

  it('T702: a name that answers otherwise the second time leads no credential astray', async () => {
    const client = createSiteClient(wire);
    server.behave((_, answer) => json(answer, 200, statusAnswer, OURS));
    const connection = {
      installation: installationId('11111111-1111-4111-8111-111111111111'),
      restUrl: `http://shop.test:${port()}/wp-json/`,
      publicOnly: true,
      credential: { user: 'rollcall-hub', password: 'secret' },
      hub: { id: '22222222-2222-4222-8222-222222222222', term: 1 },
    };
    answers = [['127.0.0.1']];
    expect(await codeOf(client.status(connection))).toBe('site.forbidden_address');
    expect(await codeOf(client.status({ ...connection, publicOnly: false }))).toBe('fine');
    expect(server.heard).toHaveLength(1);
  });
});

describe('a redirect', () => {
  it.each([
    'http://169.254.169.254/latest/meta-data/',
    'http://127.0.0.1:1/',
    'http://localhost/',
    'file:///etc/passwd',
    'gopher://127.0.0.1:25/',
    '//evil.test/',
    'http://shop.test@evil.test/',
    'http://evil.test\\@127.0.0.1/',
    'javascript:alert(1)',
  ])('T703: to %s is not followed', async (location) => {
    server.behave((_, answer) => answer.writeHead(302, { location }).end());
    expect(await codeOf(discoverSite(wire, server.url))).toBe('site.redirected');
    expect(server.heard).toHaveLength(1);
  });

  it.each([301, 302, 303, 307, 308])(
    'T704: with status %i carries neither body nor credential anywhere',
    async (status) => {
      const elsewhere = await strangeServer();
      const client = createSiteClient(wire);
      server.behave((_, answer) =>
        answer.writeHead(status, { location: `${elsewhere.url}/wp-json/rollcall/v1/apply` }).end(),
      );
      const connection = {
        installation: installationId('11111111-1111-4111-8111-111111111111'),
        restUrl: `${server.url}/wp-json/`,
        publicOnly: false,
        credential: { user: 'rollcall-hub', password: 'secret' },
        hub: { id: '22222222-2222-4222-8222-222222222222', term: 1 },
      };
      expect(await codeOf(client.status(connection))).toBe('site.redirected');
      server.behave((_, answer) => answer.writeHead(status, { location: '/else/' }).end());
      expect(await codeOf(client.status(connection))).toBe('site.redirected');
      expect(elsewhere.heard).toEqual([]);
      expect(server.heard).toHaveLength(2);
      await elsewhere.close();
    },
  );
});

/** A server below HTTP: it writes what it likes, for ever if it likes. */
async function rawServer(behave: (socket: Socket) => void): Promise<{ url: string } & Ended> {
  const sockets = new Set<Socket>();
  const raw: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', () => behave(socket));
  });
  await new Promise<void>((resolve) => raw.listen(0, '127.0.0.1', resolve));
  const at = raw.address();
  const url = `http://127.0.0.1:${at !== null && typeof at === 'object' ? at.port : 0}/`;
  const end = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => raw.close(resolve));
  };
  return { url, end };
}
interface Ended {
  end(): Promise<void>;
}

/** Writes again and again, as fast as the other end reads, or every `everyMs`. */
function pour(socket: Socket, part: string | Buffer, everyMs = 0): void {
  const more = (): void => {
    if (socket.destroyed) return;
    if (everyMs > 0) {
      socket.write(part);
      setTimeout(more, everyMs).unref();
    } else if (socket.write(part)) setImmediate(more);
    else socket.once('drain', more);
  };
  more();
}

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';

describe('T706: an answer without an end is cut off', () => {
  const bomb = gzipSync(Buffer.alloc(20 * 1024 * 1024, 'x'));
  it.each<[string, (socket: Socket) => void, string]>([
    ['nothing at all', () => {}, 'site.timeout'],
    [
      'a header a moment',
      (s) => {
        s.write(HEAD);
        pour(s, 'x-more: 1\r\n', 50);
      },
      'site.timeout',
    ],
    [
      'headers as fast as they come',
      (s) => {
        s.write(HEAD);
        pour(s, `x-more: ${'y'.repeat(1000)}\r\n`);
      },
      'site.bad_answer',
    ],
    [
      'one endless header',
      (s) => {
        s.write(`${HEAD}x-more: `);
        pour(s, 'z'.repeat(1000));
      },
      'site.bad_answer',
    ],
    ['no HTTP', (s) => pour(s, 'z'.repeat(1000)), 'site.bad_answer'],
    [
      'a byte of the body a moment',
      (s) => {
        s.write(`${HEAD}\r\n`);
        pour(s, ' ', 50);
      },
      'site.timeout',
    ],
    [
      'gigabytes',
      (s) => {
        s.write(`${HEAD}\r\n`);
        pour(s, Buffer.alloc(64 * 1024, ' '));
      },
      'site.bad_answer',
    ],
    [
      'a gzip bomb',
      (s) => {
        s.write(`${HEAD}content-encoding: gzip\r\ncontent-length: ${bomb.length}\r\n\r\n`);
        s.write(bomb);
      },
      'site.bad_answer',
    ],
    [
      '“continue” again and again',
      (s) => pour(s, 'HTTP/1.1 100 Continue\r\n\r\n', 20),
      'site.timeout|site.unreachable|site.bad_answer',
    ],
  ])('%s', async (_, behave, code) => {
    const raw = await rawServer(behave);
    const before = performance.now();
    expect(code.split('|')).toContain(await codeOf(get(raw.url)));
    expect(performance.now() - before).toBeLessThan(30_000);
    await raw.end();
  });

  it('redirects in a circle', async () => {
    let round = 0;
    server.behave((_, answer) => {
      round += 1;
      answer.writeHead(302, { location: `/${round}` }).end();
    });
    expect(await codeOf(discoverSite(wire, server.url))).toBe('site.redirected');
    expect(server.heard.length).toBeLessThan(8);
  });
});

const connectionTo = (restUrl: string) => ({
  installation: installationId('11111111-1111-4111-8111-111111111111'),
  restUrl,
  publicOnly: false,
  credential: { user: 'rollcall-hub', password: 'secret' },
  hub: { id: '22222222-2222-4222-8222-222222222222', term: 1 },
});

const packed = (text: string): string => JSON.stringify({ z: gzipSync(text).toString('base64') });

describe('T707: an answer that is JSON but meant to do harm', () => {
  it('is refused when it is nested without measure', async () => {
    const deep = '['.repeat(200_000) + ']'.repeat(200_000);
    const state = `{"id":1,"uid":null,"login":"a","fields":{"meta:x":{"v":${deep},"s":[1,1]}}}`;
    for (const text of [
      deep,
      packed(`{"accounts":[${state}],"next":null}`),
      `{"accounts":[${state}],"next":null}`,
      `{"accounts":${deep},"next":null}`,
    ]) {
      server.behave((_, answer) => answer.writeHead(200, OURS).end(text));
      const asking = createSiteClient(wire).accounts(connectionTo(`${server.url}/`), {
        after: 0,
        limit: 1,
        detail: 'state',
      });
      expect(await codeOf(asking)).toBe('site.bad_answer');
    }
  });

  it('changes no object of the hub by the names in it', async () => {
    const roles =
      '{"__proto__":{"name":"x","privileged":true},"constructor":{"name":"x","privileged":true}}';
    const text = JSON.stringify(statusAnswer).replace(
      '"roles":{',
      `"__proto__":{"polluted":1},"roles":${roles},"was":{`,
    );
    server.behave((_, answer) => answer.writeHead(200, OURS).end(text));
    const status = await createSiteClient(wire).status(connectionTo(`${server.url}/`));
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
    expect(Reflect.get(status, 'polluted')).toBeUndefined();
    expect(Object.getPrototypeOf(status.sites[0]?.roles)).toSatisfy(
      (proto) => proto === Object.prototype || proto === null,
    );
  });
});

describe('T708: an answer that is small on the way and huge in memory', () => {
  const list = (entry: string, count: number): string =>
    `{"accounts":[${`${entry},`.repeat(count)}${entry}],"next":null,"clock":1,"epoch":"e"}`;
  const keys = Array.from({ length: 60_000 }, (_, key) => `"${key}":1`).join();

  it.each<[string, () => string]>([
    ['millions of empty objects', () => list('{}', 7_000_000)],
    ['the same in the envelope', () => packed(list('{}', 7_000_000))],
    ['lists in lists', () => list(list('[]', 10_000), 400)],
    ['a hundred thousand wrong accounts', () => list('{}', 40_000)],
    ['an account of wrong fields', () => list(`{"fields":{${keys}}}`, 1)],
    ['JSON that begins again and again', () => `${'{"a'.repeat(30)}${list('[1]', 2_000_000)}}`],
    ['a string without an end', () => `{"accounts":"${'\\'.repeat(8_000_000)}`],
  ])('is refused before it is built: %s', async (_, text) => {
    const roomy = createWire({ ...WIRE_LIMITS, totalMs: 30_000 });
    const zipped = gzipSync(text(), { level: 1 });
    server.behave((_heard, answer) =>
      answer.writeHead(200, { ...OURS, 'content-encoding': 'gzip' }).end(zipped),
    );
    const asked = { after: 0, limit: 1, detail: 'state' } as const;
    const before = performance.now();
    const asking = createSiteClient(roomy).accounts(connectionTo(`${server.url}/`), asked);
    expect(await codeOf(asking)).toBe('site.bad_answer');
    // Built or checked to the end, each of them takes a minute, or all of the memory.
    expect(performance.now() - before).toBeLessThan(20_000);
    await roomy.close();
  });

  it('while one as large as a page of accounts can be is read', async () => {
    const value = '{"v":["a"],"s":[1,1]}';
    const fields = Array.from({ length: 900 }, (_, key) => `"meta:${key}":${value}`).join();
    const rest =
      '"uid":null,"label_ok":true,"login":"a","email":"","registered":"","born":[0,1],"privileged":false,"switches":{"stop_outgoing":false,"reject_incoming":false}';
    const accounts = Array.from(
      { length: 200 },
      (_, id) => `{"id":${id + 1},${rest},"fields":{${fields}}}`,
    ).join();
    const text = `{"accounts":[${accounts}],"next":null,"clock":1,"epoch":"e"}`;
    const roomy = createWire({ ...WIRE_LIMITS, totalMs: 30_000 });
    server.behave((_heard, answer) => answer.writeHead(200, OURS).end(text));
    const asked = { after: 0, limit: 200, detail: 'state' } as const;
    const page = await createSiteClient(roomy).accounts(connectionTo(`${server.url}/`), asked);
    expect(page.accounts).toHaveLength(200);
    await roomy.close();
  }, 60_000);
});

describe('T709: words on a page of the site', () => {
  const words = JSON.stringify(statusAnswer);
  const fault = JSON.stringify({
    code: 'rollcall_hub_superseded',
    message: 'A sentence.',
    data: { status: 409, reason: 'hub.superseded' },
  });
  const asking = () => codeOf(createSiteClient(wire).status(connectionTo(`${server.url}/`)));

  it.each([
    ['a page', (text: string) => `<!DOCTYPE html>\n<html><body><p>Comment: ${text}`],
    ['a page that ends', (text: string) => `<p>${text}</p></body></html>`],
    ['a feed', (text: string) => `<?xml version="1.0"?><rss><title>${text}</title></rss>`],
    ['a list', (text: string) => `[{"text":${JSON.stringify(text)}},${text}]`],
  ])('are no answer and no refusal: %s', async (_, page) => {
    server.behave((_heard, answer) => answer.writeHead(200).end(page(words)));
    expect(await asking()).toBe('site.bad_answer');
    server.behave((_heard, answer) => answer.writeHead(409).end(page(fault)));
    expect(await asking()).toBe('site.refused');
  });

  it('are no answer without a page around them either, since they can’t name the request', async () => {
    server.behave((_heard, answer) => answer.writeHead(200).end(words));
    expect(await asking()).toBe('site.bad_answer');
    server.behave((_heard, answer) => answer.writeHead(200, OURS).end(words));
    expect(await asking()).toBe('fine');
  });
});

it('T710: a site that asks to be left alone for years is asked again tomorrow', async () => {
  for (const later of ['999999999', 'Fri, 31 Dec 2199 23:59:59 GMT']) {
    server.behave((_heard, answer) => answer.writeHead(429, { 'retry-after': later }).end());
    const asking = createSiteClient(wire).status(connectionTo(`${server.url}/`));
    const waitMs = await asking.catch((fault: unknown) =>
      fault instanceof Fault ? fault.detail['retryAfterMs'] : fault,
    );
    expect(waitMs).toBe(24 * 3_600_000);
  }
});
