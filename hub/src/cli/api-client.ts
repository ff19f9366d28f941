/**
 * The hub's HTTP API, as a command uses it.
 *
 * Does: one request, its answer parsed by the API's own schema.
 * Always true: the token goes to the hub's address only (no redirect is followed).
 * On failure: throws `Failure` with what the hub said, or `hub.unreachable`.
 */
import type { z } from 'zod';
import { ErrorSchema } from '../api/schemas/words.ts';
import { FAULTS } from '../errors.ts';
import { EXIT } from './exit-codes.ts';
import { exitFor, Failure } from './failure.ts';

export interface HubAddress {
  readonly url: string;
  readonly token: string;
}

export interface ApiClient {
  get<Schema extends z.ZodType>(path: string, schema: Schema, signal?: AbortSignal): Answer<Schema>;
  send<Schema extends z.ZodType>(
    method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body: unknown,
    schema: Schema,
  ): Answer<Schema>;
  /** An answer that is no JSON, as it comes. */
  bytes(method: 'POST', path: string): Promise<AsyncIterable<Uint8Array>>;
}
type Answer<Schema extends z.ZodType> = Promise<z.output<Schema>>;

export function createApiClient(hub: HubAddress): ApiClient {
  return {
    get: async (path, schema, signal) =>
      parse(await ask(hub, path, { signal: signal ?? null }), schema),
    send: async (method, path, body, schema) =>
      parse(await ask(hub, path, { method, ...json(body) }), schema),
    bytes: async (method, path) => {
      const response = await ask(hub, path, { method });
      if (!response.ok) throw refusal(response, await response.json().catch(() => undefined));
      if (response.body === null) throw notAHub(response, undefined);
      return arriving(hub, response.body);
    },
  };
}

const json = (body: unknown): RequestInit =>
  body === undefined
    ? {}
    : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };

async function ask(hub: HubAddress, path: string, init: RequestInit): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set('authorization', `Bearer ${hub.token}`);
  try {
    return await fetch(`${hub.url.replace(/\/+$/u, '')}/api/v1${path}`, {
      ...init,
      headers,
      redirect: 'error',
    });
  } catch (error) {
    throw unreachable(hub.url, error);
  }
}

/** All of it, or a failure: a hub that goes away half-way is none that has answered. */
async function* arriving(
  hub: HubAddress,
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw unreachable(hub.url, error);
  }
}

export const unreachable = (url: string, cause?: unknown): Failure =>
  new Failure({
    code: 'hub.unreachable',
    message: `No hub answers at ${url}.`,
    next: FAULTS['hub.unreachable'].next,
    exit: EXIT.hub,
    cause,
  });

async function parse<Schema extends z.ZodType>(response: Response, schema: Schema): Answer<Schema> {
  const body: unknown = await response.json().catch(() => undefined);
  if (!response.ok) throw refusal(response, body);
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw notAHub(response, parsed.error);
}

function refusal(response: Response, body: unknown): Failure {
  const parsed = ErrorSchema.safeParse(body);
  if (!parsed.success) return notAHub(response, parsed.error);
  const { code, message, next, id } = parsed.data.error;
  return new Failure({ code, message, next, exit: exitFor(code), id });
}

const notAHub = (response: Response, cause: unknown): Failure =>
  new Failure({
    code: 'hub.unreachable',
    message: `What answers at ${new URL(response.url).origin} is no Rollcall hub, or one of another version.`,
    next: 'Check --url, and use the command line of the hub’s own version.',
    exit: EXIT.hub,
    cause,
  });
