/** Firewalls, caches and stray output between hub and site, as a server of the test's own plays them. */
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WriteOperation } from '#contract/messages.ts';
import { Fault } from '../errors.ts';
import { installationId } from '../model/ids.ts';
import type { Connection, SitePort } from '../sync/ports.ts';
import { ENVELOPE_BYTES } from './envelope.ts';
import { createSiteClient } from './site-client.ts';
import { statusAnswer } from './test/status-answer.ts';
import { json, OURS, restFault, type StrangeServer, strangeServer } from './test/strange-server.ts';
import { createWire, WIRE_LIMITS, type Wire } from './wire.ts';

let server: StrangeServer;
let wire: Wire;
let client: SitePort;
let connection: Connection;

beforeEach(async () => {
  server = await strangeServer();
  wire = createWire({ ...WIRE_LIMITS, totalMs: 10_000 });
  client = createSiteClient(wire);
  connection = {
    installation: installationId('11111111-1111-4111-8111-111111111111'),
    restUrl: `${server.url}/wp-json/`,
    publicOnly: false,
    credential: { user: 'rollcall-hub', password: 'abcd EFGH' },
    hub: { id: '22222222-2222-4222-8222-222222222222', term: 3 },
  };
});
afterEach(async () => {
  await wire.close();
  await server.close();
});

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'fine',
    (error: unknown) => (error instanceof Fault ? error.code : String(error)),
  );

const isPacked = (body: string): boolean => body.startsWith('{"z":');

interface Request {
  readonly ask: string;
  readonly operations: readonly { readonly op: string }[];
}
const opened = (body: string): Request => {
  const packed: { readonly z: string } = JSON.parse(body);
  return JSON.parse(gunzipSync(Buffer.from(packed.z, 'hex')).toString());
};

describe('a firewall that reads answers', () => {
  it('and ends the connection is passed in the envelope, and that is remembered', async () => {
    const packed = { z: gzipSync(JSON.stringify(statusAnswer)).toString('base64') };
    server.behave(({ body }, answer) => {
      if (isPacked(body)) json(answer, 200, packed, OURS);
      else answer.destroy();
    });
    expect((await client.status(connection)).epoch).toBe('e1');
    const before = server.heard.length;
    expect((await client.status(connection)).epoch).toBe('e1');
    expect(server.heard).toHaveLength(before + 1);
  });

  it('is told from a broken site', async () => {
    server.behave((_, answer) => answer.destroy());
    expect(await codeOf(client.status(connection))).toBe('site.unreachable');
  });

  it.each(['not gzip', gzipSync('no JSON').toString('base64')])(
    'an envelope with “%s” in it is a bad answer',
    async (z) => {
      server.behave((_, answer) => json(answer, 200, { z }, OURS));
      expect(await codeOf(client.status(connection))).toBe('site.bad_answer');
    },
  );
});

describe('a batch that is too large for an envelope', () => {
  const operations = Array.from({ length: 40 }, (_, place): WriteOperation => {
    const noise = Buffer.from(Array.from({ length: 3_000 }, () => Math.random() * 256));
    return {
      kind: 'write',
      op: `op-${place}`,
      uid: '33333333-3333-4333-8333-333333333333',
      source: { url: 'https://there.test', key: 3 },
      blog: 1,
      id: null,
      create: null,
      fields: { description: { v: noise.toString('hex'), s: [1, 3] } },
    };
  });
  const answerTo = (done: number) => ({
    receipts: [],
    done,
    mails_blocked: 0,
    clock: 1,
    epoch: 'e',
    mark: null,
  });

  it('is sent up to where it fits; the rest is for the next one', async () => {
    const sent: string[][] = [];
    server.behave(({ body }, answer) => {
      if (!isPacked(body)) return answer.writeHead(403).end('<h1>Blocked</h1>');
      expect(body.length).toBeLessThan(ENVELOPE_BYTES + 2_000);
      sent.push(opened(body).operations.map(({ op }) => op));
      return json(answer, 200, answerTo(sent.at(-1)?.length ?? 0), OURS);
    });
    const { done } = await client.apply(connection, { operations, dryRun: false });
    expect(done).toBeGreaterThan(1);
    expect(done).toBeLessThan(40);
    await client.apply(connection, { operations: operations.slice(done), dryRun: false });
    expect(sent.flat().slice(0, done + 1)).toEqual(
      operations.slice(0, done + 1).map(({ op }) => op),
    );
  });
});

describe('a cache that answers by address alone', () => {
  /** Keeps the first answer of the site to each address. */
  function cache(addressOf: (url: string) => string): void {
    const kept = new Map<string, string>();
    let asked = 0;
    server.behave(({ url, body }, answer) => {
      const { ask }: Request = JSON.parse(body);
      asked += 1;
      const text = JSON.stringify({ ...statusAnswer, head: asked, ask });
      const old = kept.get(addressOf(url)) ?? text;
      kept.set(addressOf(url), old);
      answer.writeHead(200, OURS).end(old);
    });
  }
  const head = async (): Promise<number> => (await client.status(connection)).head;

  it('is gone round by an address of each request’s own, and that is remembered', async () => {
    cache((url) => url);
    expect([await head(), await head(), await head()]).toEqual([1, 3, 4]);
  });

  it('is never believed where it ignores that, too', async () => {
    cache(() => 'the same');
    expect(await head()).toBe(1);
    expect(await codeOf(client.status(connection))).toBe('site.stale_answer');
    expect(await codeOf(client.status(connection))).toBe('site.stale_answer');
  });

  it('an old refusal is no refusal', async () => {
    const refusal = restFault('x', 403, 'hub.not_mine');
    const old = { ...refusal, data: { ...refusal.data, ask: 'of long ago' } };
    server.behave((_, answer) => json(answer, 403, old, OURS));
    expect(await codeOf(client.status(connection))).toBe('site.stale_answer');
  });
});

describe('stray output', () => {
  it.each([
    ['a byte order mark', '\uFEFF', ''],
    ['a notice', '<br />\n<b>Notice</b>: Undefined index: {"x"} in a.php on line 3<br />\n', ''],
    ['a closing comment', '', '\n<!-- Cached 2026-11-21 -->'],
  ])('around the JSON is dropped: %s', async (_, before, after) => {
    server.behave(({ body }, answer) => {
      const { ask }: Request = JSON.parse(body);
      answer.writeHead(200).end(before + JSON.stringify({ ...statusAnswer, ask }) + after);
    });
    expect((await client.status(connection)).epoch).toBe('e1');
  });

  it('does not make a fault look like an answer', async () => {
    const fault = JSON.stringify(restFault('x', 409, 'hub.superseded'));
    server.behave((_, answer) => answer.writeHead(200).end(`Notice${fault}`));
    expect(await codeOf(client.status(connection))).toBe('site.superseded');
  });
});
