/**
 * What a database's driver throws → the hub's own Fault, where it means that the store can't be
 * used now: the connection is gone, or there is no room left.
 *
 * Does not: touch any other error; what two transactions do to each other is told by its SQLSTATE
 * where it is caught.
 * Always true: the message holds neither address nor login, and nothing of the driver's own.
 */
import pg from 'pg';
import { Fault } from '../errors.ts';

export function asStorageFault(error: unknown): unknown {
  const state = sqlStateOf(error);
  if (state === DISK_FULL) return full(error);
  const lost = state === null ? isOfDriver(error) : LOST.test(state) || endsConnection(error);
  return lost ? new Fault('database.unreachable', 'PostgreSQL does not answer at present.') : error;
}

export const full = (cause?: unknown): Fault =>
  new Fault(
    'data.full',
    'There is no room left where the hub keeps its data. It waits and changes nothing.',
    cause instanceof Fault ? {} : { cause },
  );

const DISK_FULL = '53100';
/**
 * Connection exceptions; shut down, crashed or not up yet; gone for idling; too many connections;
 * a server that only reads, as after a fail-over.
 */
const LOST = /^(?:08...|57P0[1235]|53300|25006)$/u;

const endsConnection = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'severity' in error && error.severity === 'FATAL';

/** Null: not an answer of the database. */
function sqlStateOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null;
  const { code } = error;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/u.test(code) ? code : null;
}

/** What the driver says by itself is about the connection: a code of the socket, or a bare Error. */
const isOfDriver = (error: unknown): boolean =>
  error instanceof Error &&
  (error.constructor === Error || ('code' in error && /^E[A-Z]+$/u.test(String(error.code))));

/** The pool, with every failure of it as a Fault. */
export function withFaults(pool: pg.Pool): {
  connect(): Promise<pg.PoolClient>;
  end(): Promise<void>;
} {
  const watched = new WeakMap<pg.PoolClient, pg.PoolClient>();
  return {
    end: () => pool.end(),
    async connect() {
      const client = await pool.connect().catch(rethrow);
      const known = watched.get(client);
      if (known !== undefined) return known;
      // A connection that dies while a transaction waits on it would end the process.
      client.on('error', () => {});
      const proxy = watch(client);
      watched.set(client, proxy);
      return proxy;
    },
  };
}

const watch = (client: pg.PoolClient): pg.PoolClient =>
  new Proxy(client, {
    get(target, key): unknown {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== 'function') return value;
      if (key !== 'query') return value.bind(target);
      return async (...args: unknown[]): Promise<unknown> => {
        try {
          const answer: unknown = await Reflect.apply(value, target, args);
          return answer;
        } catch (error) {
          return rethrow(error);
        }
      };
    },
  });

function rethrow(error: unknown): never {
  throw asStorageFault(error);
}
