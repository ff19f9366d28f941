/**
 * Refuses calls that would wait for their own caller.
 *
 * Inside `Store.transaction` only the `Transaction` may be used: on PGlite there is one
 * connection and anything else would wait for the transaction that waits for it; on PostgreSQL
 * it would read past the transaction's own writes. Said at once instead of hanging.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

const inside = new AsyncLocalStorage<true>();

export const runInside = <T>(work: () => Promise<T>): Promise<T> => inside.run(true, work);

export function refuseInside(what: string): void {
  if (inside.getStore() === true) {
    throw new Error(`${what} was called inside a transaction; use what the transaction offers.`);
  }
}
