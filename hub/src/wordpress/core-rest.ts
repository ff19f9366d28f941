/**
 * WordPress's own REST API, as far as a login that is used once needs it.
 *
 * Does: one request as whoever the given headers sign in.
 * Always true: `DELETE` travels as POST with WordPress's own override header: hosts refuse the method itself.
 * On failure: throws `Fault` from the wire; what WordPress refuses is an answer.
 */
import { z } from 'zod';
import { routeUrl } from './rest-url.ts';
import { parseJson } from './stray-output.ts';
import type { Answered, Wire } from './wire.ts';

export interface CoreCall {
  readonly restUrl: string;
  readonly publicOnly: boolean;
  /** Below the REST root. */
  readonly route: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** What signs the caller in. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Readonly<Record<string, unknown>>;
}

export interface CoreAnswer {
  readonly answer: Answered;
  readonly content: Readonly<Record<string, unknown>>;
}

export async function askCore(wire: Wire, call: CoreCall): Promise<CoreAnswer> {
  const { restUrl, publicOnly, route, method, headers, body } = call;
  const answer = await wire.send({
    method: method === 'GET' ? 'GET' : 'POST',
    url: routeUrl(restUrl, route),
    publicOnly,
    headers: {
      ...headers,
      'content-type': 'application/json',
      ...(method === 'DELETE' ? { 'x-http-method-override': 'DELETE' } : {}),
    },
    ...(method === 'GET' ? {} : { body: JSON.stringify(body ?? {}) }),
  });
  const content = ObjectSchema.safeParse(parseJson(answer.text));
  return { answer, content: content.success ? content.data : {} };
}

const ObjectSchema = z.record(z.string(), z.unknown());

/** Text of a field, empty where there is none. */
export const textIn = (content: CoreAnswer['content'], name: string): string => {
  const value = content[name];
  return typeof value === 'string' ? value : '';
};
