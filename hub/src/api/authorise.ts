/**
 * Who is asking, and may they?
 *
 * Does: bearer tokens and the role that a route asks for.
 * Always true: checked before a body is read; a route that names no access asks for an owner.
 * On failure: throws `auth.required`, `auth.forbidden`, or `request.too_many` after many wrong tokens.
 */
import type { FastifyRequest } from 'fastify';
import { Fault } from '../errors.ts';
import { tooMany } from './failure.ts';
import { ACCESS, type Access, type Caller, type Operations } from './operations.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Null: the route needs no token. */
    caller: Caller | null;
  }
  interface FastifyContextConfig {
    /** The least role that may call the route; `nobody`: needs no token. */
    access?: Access | 'nobody';
  }
}

/** Counts one failure; true when there were too many from there. */
export type CountFailure = (request: FastifyRequest) => Promise<boolean>;

export function authorise(operations: Pick<Operations, 'verifyToken'>, failed: CountFailure) {
  return async (request: FastifyRequest): Promise<void> => {
    const needed = request.routeOptions.config.access ?? 'owner';
    if (needed === 'nobody') return;
    const token = bearer(request.headers.authorization);
    const caller = token === null ? null : await operations.verifyToken(token);
    if (caller === null) {
      if (await failed(request)) throw tooMany();
      const sentence = token === null ? 'A token is needed.' : 'This token is not known here.';
      throw new Fault('auth.required', sentence);
    }
    if (ACCESS.indexOf(caller.role) < ACCESS.indexOf(needed)) {
      throw new Fault('auth.forbidden', `This needs the role “${needed}”.`);
    }
    request.caller = caller;
  };
}

/** RFC 6750 §2.1. Longer than any token of ours is none. */
function bearer(header: string | undefined): string | null {
  const match = /^Bearer +([A-Za-z0-9._~+/=-]{1,512})$/iu.exec(header ?? '');
  return match?.[1] ?? null;
}
