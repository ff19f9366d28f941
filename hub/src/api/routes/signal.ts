/**
 * `/api/v1/signals/:installation`: a site says that it has something new.
 *
 * Always true: nothing is believed before the signature over the body as it came is verified; an
 * unknown installation and a wrong signature are answered alike.
 */
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { SignalSchema } from '#contract/messages.ts';
import { Fault } from '../../errors.ts';
import { type Api, says } from '../api-instance.ts';
import type { Operations } from '../operations.ts';
import { isSigned } from '../signature.ts';

/** Two short members. */
const BODY_BYTES = 4096;
/** A site signals once per request of a visitor that changed something. */
const LIMIT = { max: 1200, timeWindow: '1 minute' };

export function signalRoutes(api: Api, operations: Operations, nowMs: () => number): void {
  api.removeAllContentTypeParsers();
  api.addContentTypeParser(
    'application/json',
    { parseAs: 'string', bodyLimit: BODY_BYTES },
    (_request: FastifyRequest, body: string, done: (error: null, body: string) => void) =>
      done(null, body),
  );
  api.route({
    method: 'POST',
    url: '/signals/:installation',
    config: { access: 'nobody', rateLimit: LIMIT },
    schema: {
      ...says('A site has something new', z.object({ accepted: z.literal(true) })),
      params: z.object({ installation: z.uuid() }),
    },
    handler: async (request) => {
      const { installation } = request.params;
      const body = typeof request.body === 'string' ? request.body : '';
      const header = request.headers['x-rollcall-signature'];
      const signal = { header: header?.toString(), body, nowMs: nowMs() };
      if (!isSigned(signal, await operations.signalSecret(installation))) throw refused();
      await operations.acceptSignal(installation, parse(body));
      return { accepted: true as const };
    },
  });
}

const refused = (): Fault => new Fault('signal.refused', 'The signal is not signed as it must be.');

function parse(body: string): z.output<typeof SignalSchema> {
  try {
    return SignalSchema.parse(JSON.parse(body));
  } catch {
    throw new Fault('request.invalid', 'The signal is signed but not understood.');
  }
}
