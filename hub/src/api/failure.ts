/**
 * Turns whatever went wrong into `{ error: { code, message, next, id } }`.
 *
 * Always true: the answer holds no stack, no path and no text of an unexpected error; `id` finds
 * the place in the log.
 */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { Fault } from '../errors.ts';
import type { ErrorBody } from './schemas/words.ts';

export function answerFailure(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const fault = asFault(error);
  const level = fault.status >= 500 ? 'error' : 'info';
  request.log[level](
    { err: fault.status >= 500 ? error : fault, id: request.id },
    'request failed',
  );
  const body = errorBody(fault, request.id);
  void reply.status(fault.status).header('cache-control', 'no-store').send(body);
}

export const answerUnknownRoute = (request: FastifyRequest, reply: FastifyReply): void =>
  answerFailure(
    new Fault('request.not_found', 'There is nothing at this address.'),
    request,
    reply,
  );

const errorBody = (fault: Fault, id: string): ErrorBody => ({
  error: { code: fault.code, message: fault.message, next: fault.next, id },
});

function asFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  if (hasZodFastifySchemaValidationErrors(error)) return invalid(error);
  if (isFastifyError(error)) return fromFramework(error);
  return new Fault('internal.fault', 'The hub failed at this request.');
}

const isFastifyError = (error: unknown): error is FastifyError =>
  error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number';

/** What fastify refuses before a route is reached. Its own messages may hold what was sent. */
function fromFramework(error: FastifyError): Fault {
  const status = error.statusCode ?? 500;
  if (status === 413) return new Fault('request.too_large', 'The request is too large.');
  if (status === 415) return new Fault('request.wrong_type', 'The request is not JSON.');
  if (status === 429) return tooMany();
  if (status === 404) return new Fault('request.not_found', 'There is nothing at this address.');
  if (status >= 400 && status < 500) {
    return new Fault(
      'request.invalid',
      'The request could not be read: its address or its JSON is broken.',
    );
  }
  return new Fault('internal.fault', 'The hub failed at this request.');
}

export const tooMany = (): Fault =>
  new Fault('request.too_many', 'Too many requests of this kind came from there.');

interface ZodProblem {
  readonly instancePath: string;
  readonly message?: string | undefined;
}

/** The first problem is enough to go on; places are our own names, values are left out. */
function invalid(error: { readonly validation: readonly ZodProblem[] }): Fault {
  const [problem] = error.validation;
  const place = (problem?.instancePath ?? '')
    .split('/')
    .filter((part) => part !== '')
    .join('.');
  const what = problem?.message ?? 'is not as expected';
  const subject = place === '' ? 'The request' : `“${place.slice(0, 100)}”`;
  return new Fault('request.invalid', `${subject}: ${what}.`, { detail: { place } });
}
