/**
 * One HTTP exchange with a site, within limits.
 *
 * Does: pooled keep-alive connections, time and size limits, gzip, and the check where a socket leads.
 * Does not: follow redirects, judge the status, keep a header for later.
 * Always true: it ends within `totalMs`, and no more than `answerBytes` are held.
 * On failure: throws `Fault` named by the socket's error code, without a cause.
 */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { Agent, request } from 'undici';
import { Fault } from '../errors.ts';
import {
  type ConnectOptions,
  guardedConnect,
  type Reach,
  type Resolve,
} from './guarded-connect.ts';
import { socketFault } from './socket-fault.ts';

export interface WireLimits {
  readonly connectMs: number;
  readonly totalMs: number;
  readonly answerBytes: number;
  /** Connections to one site at a time: a shared host has few PHP workers. */
  readonly connections: number;
}
export const WIRE_LIMITS: WireLimits = {
  connectMs: 10_000,
  totalMs: 60_000,
  answerBytes: 64 * 1024 * 1024,
  connections: 4,
};

export interface Asked {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Not to be reached at a private address. Forbidden ones are never reached. */
  readonly publicOnly?: boolean;
}

export interface Answered {
  readonly url: string;
  readonly status: number;
  /** Lower-case name; several of one name are joined with a comma. */
  header(name: string): string | null;
  /** One `Set-Cookie` header each. Sites set some only where a person signs in. */
  readonly setCookies?: readonly string[];
  readonly text: string;
  readonly reach: Reach;
}

export interface Wire {
  send(asked: Asked): Promise<Answered>;
  close(): Promise<void>;
}

export interface WireOptions {
  /** Certificates to trust besides the usual ones (PEM). */
  readonly ca?: string;
  /** Instead of the system's name service; for tests. */
  readonly resolve?: Resolve;
}

export function createWire(limits: WireLimits = WIRE_LIMITS, options: WireOptions = {}): Wire {
  const reached = new Map<string, Reach>();
  const open = agentOf(limits, {
    ...options,
    publicOnly: false,
    reached: (...at) => reached.set(...at),
  });
  const publicOnly = agentOf(limits, { ...options, publicOnly: true });
  return {
    async send(asked) {
      if (asked.publicOnly === true) {
        return { ...(await exchange(publicOnly, limits, asked)), reach: 'public' };
      }
      const answer = await exchange(open, limits, asked);
      return { ...answer, reach: reached.get(new URL(asked.url).origin) ?? 'public' };
    },
    async close() {
      await Promise.all([open.destroy(), publicOnly.destroy()]);
    },
  };
}

function agentOf(
  limits: WireLimits,
  options: WireOptions & Pick<ConnectOptions, 'publicOnly' | 'reached'>,
): Agent {
  return new Agent({
    connections: limits.connections,
    connect: guardedConnect({ ...options, timeoutMs: limits.connectMs }),
    headersTimeout: limits.totalMs,
    bodyTimeout: limits.totalMs,
    maxResponseSize: limits.answerBytes,
  });
}

async function exchange(
  agent: Agent,
  limits: WireLimits,
  asked: Asked,
): Promise<Omit<Answered, 'reach'>> {
  const { host } = new URL(asked.url);
  let moment: 'asking' | 'reading' = 'asking';
  try {
    const answer = await request(asked.url, {
      method: asked.method,
      headers: { ...COMMON_HEADERS, ...asked.headers },
      body: asked.body ?? null,
      dispatcher: agent,
      signal: AbortSignal.timeout(limits.totalMs),
    });
    moment = 'reading';
    const raw = Buffer.from(await answer.body.arrayBuffer());
    const header = headerReader(answer.headers);
    const text = await readable(raw, header('content-encoding'), limits.answerBytes);
    const setCookies = [answer.headers['set-cookie'] ?? []].flat();
    return { url: asked.url, status: answer.statusCode, header, setCookies, text };
  } catch (error) {
    throw error instanceof Fault ? error : socketFault(error, host, moment);
  }
}

const COMMON_HEADERS = {
  accept: 'application/json',
  'accept-encoding': 'gzip',
  'user-agent': 'Rollcall-Hub',
};

function headerReader(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Answered['header'] {
  return (name) => {
    const value = headers[name];
    if (value === undefined) return null;
    return Array.isArray(value) ? value.join(', ') : value;
  };
}

const inflate = promisify(gunzip);

async function readable(raw: Buffer, encoding: string | null, most: number): Promise<string> {
  const zipped = encoding === 'gzip' || encoding === 'x-gzip';
  const plain = zipped ? await inflate(raw, { maxOutputLength: most }) : raw;
  return plain.toString('utf8');
}
