/** A fastify scope whose routes take their types from zod schemas. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import type { Access } from './operations.ts';
import { ErrorSchema } from './schemas/words.ts';

export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** What every route says: one sentence, its answer, and who may call it. */
export const says = <Answer extends z.ZodType>(summary: string, answer: Answer) => ({
  summary,
  response: { 200: answer, '4xx': ErrorSchema, '5xx': ErrorSchema },
});

export const access = (least: Access) => ({ config: { access: least } });
