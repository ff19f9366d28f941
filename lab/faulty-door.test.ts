import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type FaultyDoor, openDoor } from './faulty-door.ts';

const ANSWER = JSON.stringify({ receipts: ['one', 'two', 'three'] });
const APPLY = '/wp-json/rollcall/v1/apply';

let site: Server;
/** Bodies that reached the site. */
let reached: string[] = [];
let door: FaultyDoor;

beforeAll(async () => {
  site = createServer((request, response) => {
    let body = '';
    request.on('data', (data: Buffer) => {
      body += data.toString('utf8');
    });
    request.on('end', () => {
      reached.push(body);
      response.writeHead(200, {
        'content-type': 'application/json',
        'x-host': request.headers.host,
      });
      response.end(ANSWER);
    });
  });
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a server that listens on TCP has one
  door = await openDoor(`http://127.0.0.1:${(site.address() as AddressInfo).port}`);
});
afterEach(() => {
  door.behave();
  door.forget();
  reached = [];
});
afterAll(async () => {
  await door.close();
  site.close();
});

const post = (path: string, body = '{"a":1}', signal?: AbortSignal): Promise<Response> =>
  fetch(door.url + path, { method: 'POST', body, ...(signal ? { signal } : {}) });

test('without a rule requests and answers go through as they are', async () => {
  const response = await post(APPLY, '{"hub":{"term":1}}');
  expect(await response.text()).toBe(ANSWER);
  expect(`http://${response.headers.get('x-host')}`).toBe(door.url);
  expect(reached).toEqual(['{"hub":{"term":1}}']);
  expect(door.heard).toMatchObject([{ route: 'apply', body: { hub: { term: 1 } } }]);
});

test('an envelope is heard opened, and a plain permalink by its route', async () => {
  const z = gzipSync('{"ack":[]}').toString('base64');
  await post('/?rest_route=%2Frollcall%2Fv1%2Fchanges', JSON.stringify({ z }));
  expect(door.heard).toMatchObject([{ route: 'changes', body: { ack: [] } }]);
});

test('a rule meets its route, after so many, so often', async () => {
  const deed = { kind: 'answer', status: 503, body: 'later' } as const;
  const rule = door.place({ route: 'apply', after: 1, times: 2, deed });
  const statuses: number[] = [];
  for (const path of [APPLY, APPLY, '/', APPLY, APPLY]) statuses.push((await post(path)).status);
  expect(statuses).toEqual([200, 503, 200, 503, 200]);
  expect(rule.met).toBe(2);
  expect(reached).toHaveLength(3);
});

test('the latest rule decides, and is lifted alone', async () => {
  door.place({ deed: { kind: 'answer', status: 500 } });
  const rule = door.place({
    when: ({ url }) => url === APPLY,
    deed: { kind: 'answer', status: 401 },
  });
  expect([(await post(APPLY)).status, (await post('/')).status]).toEqual([401, 500]);
  rule.lift();
  expect((await post(APPLY)).status).toBe(500);
});

test.each([true, false])('a dropped answer: had the site got the request? %s', async (passOn) => {
  door.place({ deed: { kind: 'drop', passOn } });
  await expect(post(APPLY)).rejects.toThrow();
  expect(reached.length > 0).toBe(passOn);
});

test('what hangs ends when the door behaves', async () => {
  const rule = door.place({ deed: { kind: 'hang', passOn: false } });
  const waiting = post(APPLY);
  await expect.poll(() => rule.met).toBe(1);
  door.behave();
  await expect(waiting).rejects.toThrow();
  expect((await post(APPLY)).status).toBe(200);
});

test('an answer that breaks off, is changed, or comes slowly', async () => {
  door.place({ times: 1, deed: { kind: 'cut' } });
  await expect((await post(APPLY)).text()).rejects.toThrow();
  door.place({ times: 1, deed: { kind: 'change', body: (text) => text.replace('two', '2') } });
  expect(await (await post(APPLY)).json()).toEqual({ receipts: ['one', '2', 'three'] });
  door.place({ times: 1, deed: { kind: 'trickle', bytes: 10, everyMs: 1 } });
  expect(await (await post(APPLY)).text()).toBe(ANSWER);
});

test('a flood goes on until the caller has enough', async () => {
  door.place({ deed: { kind: 'flood', bytes: 1e12 } });
  const stop = new AbortController();
  const response = await post(APPLY, '', stop.signal);
  const { value } = (await response.body?.getReader().read()) ?? {};
  expect(value?.length).toBeGreaterThan(0);
  stop.abort();
});

test('a shut door refuses, and opens at the same address', async () => {
  await door.shut();
  await expect(post(APPLY)).rejects.toThrow();
  await door.open();
  expect((await post(APPLY)).status).toBe(200);
});
