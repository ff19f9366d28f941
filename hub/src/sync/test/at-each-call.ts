/**
 * A port whose calls are announced before and after, so that a test can end the process there.
 *
 * Always true: the announcement before a call comes before any effect of it, the one after it when
 * all its effects are there; inside a transaction there is one more before it commits.
 */
import type { Store } from '../ports.ts';

/** Throws, or ends the process, where the story is to end. */
export type Announce = (moment: string) => void;

export function atEachCall<Port extends object>(
  name: string,
  port: Port,
  announce: Announce,
): Port {
  return new Proxy(port, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        announce(`before ${name}.${String(key)}`);
        const result: unknown = Reflect.apply(value, target, args);
        if (!(result instanceof Promise)) return result;
        return result.then((settled: unknown) => {
          announce(`after ${name}.${String(key)}`);
          return settled;
        });
      };
    },
  });
}

export function storeAtEachCall(store: Store, announce: Announce): Store {
  const transaction: Store['transaction'] = (work) =>
    store.transaction(async (tx) => {
      const result = await work(tx);
      announce('before commit');
      return result;
    });
  const withCommit = new Proxy(store, {
    get: (target, key): unknown =>
      key === 'transaction' ? transaction : bound(target, Reflect.get(target, key)),
  });
  return atEachCall('store', withCommit, announce);
}

const bound = (target: object, value: unknown): unknown =>
  typeof value === 'function' ? value.bind(target) : value;
