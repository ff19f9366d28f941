/**
 * A door in front of a real site that can do whatever networks, hosts and broken sites do.
 *
 * Does: pass every HTTP request on and its answer back; where a rule says so, do something wrong instead. Write down
 *   what was asked, for questions like "how often?".
 * Does not: listen on anything but 127.0.0.1, or change a request that it passes on, but for
 *   `Accept-Encoding`.
 * Always true: without a rule it is invisible; the first rule that meets a request decides, later rules first.
 *   Shutting and opening keep address and rules.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { request as ask } from 'undici';
import { type Deed, misdo } from './faulty-deeds.ts';
import { freePort } from './free-port.ts';
import type { Site } from './site.ts';

export type { Deed } from './faulty-deeds.ts';

export interface Heard {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** `apply` for `/wp-json/rollcall/v1/apply`, `/?rest_route=/rollcall/v1/apply` too; '' for anything else. */
  readonly route: string;
  /** As JSON, an envelope opened; undefined when it is none. */
  readonly body: unknown;
  readonly atMs: number;
}

export interface Rule {
  /** Of `rollcall/v1`; left out: every request. */
  readonly route?: string;
  /** Only requests of which this is true. */
  readonly when?: (heard: Heard) => boolean;
  /** Only after so many others that it would have met. */
  readonly after?: number;
  /** Only so often. */
  readonly times?: number;
  readonly deed: Deed;
}

export interface PlacedRule {
  /** How many requests it has met so far. */
  readonly met: number;
  lift(): void;
}

export interface FaultyDoor {
  /** Without a slash at the end. */
  readonly url: string;
  /** What was asked since `forget()`, in order, whatever became of it. */
  readonly heard: readonly Heard[];
  place(rule: Rule): PlacedRule;
  /** Lifts all rules, and ends what still hangs because of them. */
  behave(): void;
  forget(): void;
  /** Connections are refused, as on a host that is down. */
  shut(): Promise<void>;
  open(): Promise<void>;
  /** For ever. Safe to repeat. */
  close(): Promise<void>;
}

/** A door that leads to this address, at an address of its own. */
export async function openDoor(leadsTo: string): Promise<FaultyDoor> {
  const door = new Door(leadsTo, await freePort());
  await door.open();
  return door;
}

/**
 * A door that is the site's only address from now on: WordPress itself says so in every link. `site.request()` still
 * goes past it, as do `wp()` and `php()`. For single sites: a network keeps its addresses elsewhere, too.
 */
export async function doorBefore(site: Site): Promise<FaultyDoor> {
  const door = await openDoor(site.url);
  await site.php(
    `update_option( 'home', '${door.url}' ); update_option( 'siteurl', '${door.url}' );`,
  );
  return door;
}

interface Placed {
  readonly rule: Rule;
  candidates: number;
  met: number;
}

class Door implements FaultyDoor {
  readonly url: string;
  heard: Heard[] = [];
  readonly #leadsTo: string;
  readonly #port: number;
  #placed: Placed[] = [];
  #hanging = new AbortController();
  #server: Server | null = null;

  constructor(leadsTo: string, port: number) {
    this.#leadsTo = leadsTo;
    this.#port = port;
    this.url = `http://127.0.0.1:${port}`;
  }

  place(rule: Rule): PlacedRule {
    const placed: Placed = { rule, candidates: 0, met: 0 };
    this.#placed.unshift(placed);
    return {
      get met() {
        return placed.met;
      },
      lift: () => {
        this.#placed = this.#placed.filter((other) => other !== placed);
      },
    };
  }

  behave(): void {
    this.#placed = [];
    this.#hanging.abort();
    this.#hanging = new AbortController();
  }

  forget(): void {
    this.heard = [];
  }

  async open(): Promise<void> {
    if (this.#server !== null) return;
    const server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, '127.0.0.1', resolve);
    });
  }

  async shut(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    const ended = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await ended;
  }

  async close(): Promise<void> {
    this.behave();
    await this.shut();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const heard = hear(request, body);
    this.heard.push(heard);
    const deed = this.#deedFor(heard);
    const pass = () => passOn(this.#leadsTo, request, body);
    if (deed === null) await answer(response, await pass());
    else await misdo(deed, { response, pass, ended: this.#hanging.signal });
  }

  #deedFor(heard: Heard): Deed | null {
    for (const placed of this.#placed) {
      const { route, when, after = 0, times = Number.POSITIVE_INFINITY, deed } = placed.rule;
      if (route !== undefined && route !== heard.route) continue;
      if (when !== undefined && !when(heard)) continue;
      placed.candidates += 1;
      if (placed.candidates <= after || placed.met >= times) continue;
      placed.met += 1;
      return deed;
    }
    return null;
  }
}

function hear(request: IncomingMessage, body: Buffer): Heard {
  const url = request.url ?? '/';
  const route = /\/rollcall\/v1\/([\w/-]+)/u.exec(decodeURIComponent(url))?.[1] ?? '';
  return { method: request.method ?? '', url, route, body: jsonIn(body), atMs: Date.now() };
}

function jsonIn(body: Buffer): unknown {
  try {
    const data: unknown = JSON.parse(body.toString('utf8'));
    const packed = typeof data === 'object' && data !== null && 'z' in data ? data.z : undefined;
    if (typeof packed !== 'string') return data;
    return JSON.parse(gunzipSync(Buffer.from(packed, 'base64')).toString('utf8'));
  } catch {
    return undefined;
  }
}

/** What the site answers, whole. */
export interface Passed {
  readonly status: number;
  readonly headers: [string, string][];
  readonly body: Buffer;
}

/** Of one connection only, or no longer right once the body was read. */
const NOT_PASSED = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'expect',
  // So that an answer comes as text that a deed can change.
  'accept-encoding',
]);

async function passOn(leadsTo: string, request: IncomingMessage, body: Buffer): Promise<Passed> {
  const answer = await ask(leadsTo + (request.url ?? '/'), {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the server has parsed it
    method: (request.method ?? 'GET') as 'GET',
    headers: passed(request.rawHeaders).flat(),
    body: body.length === 0 ? null : body,
  });
  const headers = Object.entries(answer.headers).flatMap(([name, value = []]) =>
    [value].flat().flatMap((one) => [name, one]),
  );
  return {
    status: answer.statusCode,
    headers: passed(headers),
    body: Buffer.from(await answer.body.arrayBuffer()),
  };
}

/** @param headers name, value, name, value… */
function passed(headers: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const [name = '', value = ''] = headers.slice(at, at + 2);
    if (!NOT_PASSED.has(name.toLowerCase())) pairs.push([name, value]);
  }
  return pairs;
}

async function answer(response: ServerResponse, passed: Passed): Promise<void> {
  response.writeHead(passed.status, passed.headers.flat());
  response.end(passed.body);
}
