/**
 * A whole hub in a process that kills itself at a given point of its road.
 *
 * Does: load everything, wait for its order, start the hub, count what passes, and at the point
 * that the order names end by SIGKILL: no `finally`, no goodbye.
 * Always true: it is the hub that `rollcall serve` runs; only the wire to the sites and the
 * statements to the database are watched.
 */
import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import { Agent } from 'undici';
import { startHub } from '#hub/main.ts';

export interface KillOrder {
  readonly dataFolder: string;
  readonly databaseUrl: string | null;
  readonly port: number;
  /** Names of `passing()` below begin like this; '': any. */
  readonly moment: string;
  /** The so-manieth time, from 1. */
  readonly time: number;
}

let order: KillOrder | null = null;
let passed = 0;
/** What was last asked of a site: a commit after it is that stage's commit. */
let stage = 'start';

function passing(moment: string): void {
  if (order === null || !moment.startsWith(order.moment)) return;
  passed += 1;
  if (passed < order.time) return;
  process.send?.({ died: moment });
  process.kill(process.pid, 'SIGKILL');
}

/** Requests to sites: before they leave, and when the answer is there whole. */
function watchWire(): void {
  // oxlint-disable-next-line typescript/unbound-method -- called with its own `this` below
  const dispatch = Agent.prototype.dispatch;
  Agent.prototype.dispatch = function (options, handler) {
    const route = /rollcall(?:\/|%2F)v1(?:\/|%2F)(\w+)/u.exec(options.path)?.[1] ?? 'other';
    stage = route;
    passing(`before ${route}`);
    const watched = new Proxy(handler, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => {
          if (key === 'onResponseEnd' || key === 'onComplete') passing(`after ${route}`);
          return Reflect.apply(value, target, args);
        };
      },
    });
    return dispatch.call(this, options, watched);
  };
}

function watchPglite(): void {
  // oxlint-disable-next-line typescript/unbound-method -- called with its own `this` below
  const transaction = PGlite.prototype.transaction;
  PGlite.prototype.transaction = async function <T>(
    work: Parameters<typeof transaction<T>>[0],
  ): Promise<T> {
    const result = await transaction.call(this, async (tx) => {
      passing(`begin in ${stage}`);
      const done = await work(tx);
      passing(`before commit in ${stage}`);
      return done;
    });
    passing(`after commit in ${stage}`);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what `work` returned
    return result as T;
  };
}

function watchPostgres(): void {
  // oxlint-disable-next-line typescript/unbound-method -- called with its own `this` below
  const query = pg.Client.prototype.query;
  const watched = function (this: pg.Client, ...args: unknown[]): unknown {
    const [asked] = args;
    const text = typeof asked === 'string' ? asked : Object(asked).text;
    const word = typeof text === 'string' ? text.slice(0, 6).toLowerCase() : '';
    if (word === 'commit') passing(`before commit in ${stage}`);
    const result: unknown = Reflect.apply(query, this, args);
    if (word === 'begin') passing(`begin in ${stage}`);
    if (word === 'commit' && result instanceof Promise)
      void result.then(() => passing(`after commit in ${stage}`));
    return result;
  };
  Reflect.set(pg.Client.prototype, 'query', watched);
}

watchWire();
watchPglite();
watchPostgres();
process.once('message', (message: KillOrder) => {
  order = message;
  const { dataFolder, databaseUrl, port } = message;
  const database = databaseUrl === null ? {} : { databaseUrl };
  startHub({ dataFolder, ...database, port, pollSeconds: 1, settleDeletesSeconds: 1 }).then(
    (hub) => process.send?.({ url: hub.url, token: hub.token }),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    },
  );
});
// Whoever started it is gone: nobody would kill it any more.
process.once('disconnect', () => process.exit(1));
process.send?.({ ready: true });
