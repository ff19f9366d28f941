/**
 * What goes wrong in a command, as a person reads it: one sentence and the next step.
 *
 * Always true: no stack is shown unless ROLLCALL_DEBUG=1 asks for it.
 */
import { Fault } from '../errors.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';

export class Failure extends Error {
  readonly code: string;
  readonly next: string;
  readonly exit: ExitCode;
  /** Finds the place in the hub's log. */
  readonly id: string | null;

  constructor(failure: {
    code: string;
    message: string;
    next: string;
    exit: ExitCode;
    id?: string;
    cause?: unknown;
  }) {
    super(failure.message, failure.cause === undefined ? undefined : { cause: failure.cause });
    this.name = 'Failure';
    this.code = failure.code;
    this.next = failure.next;
    this.exit = failure.exit;
    this.id = failure.id ?? null;
  }
}

export const usage = (message: string, next = 'Add --help to see what it takes.'): Failure =>
  new Failure({ code: 'request.invalid', message, next, exit: EXIT.usage });

export function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof Fault) {
    const { code, message, next } = error;
    return new Failure({ code, message, next, exit: exitFor(code), cause: error });
  }
  return new Failure({
    code: 'internal.fault',
    message: 'Rollcall itself failed at this command.',
    next: 'Run it again with ROLLCALL_DEBUG=1 to see where, and look into the hub’s log.',
    exit: EXIT.fault,
    cause: error,
  });
}

/** Faults that keep a hub from starting. */
const NO_HUB = /^(hub|data|secret|database|port)\./u;

export function exitFor(code: string): ExitCode {
  if (code === 'internal.fault') return EXIT.fault;
  if (code.startsWith('auth.')) return EXIT.forbidden;
  if (code === 'request.invalid') return EXIT.usage;
  return NO_HUB.test(code) ? EXIT.hub : EXIT.failed;
}
