/**
 * Kysely on PGlite.
 *
 * Does: run a Kysely transaction as PGlite's own `transaction()`, so that nobody else's
 * statement (pg-boss shares the instance) can slip into it.
 * Does not: open or close the instance; it belongs to whoever opened it.
 * Always true: PGlite has one connection; a query outside a transaction waits for the one inside.
 */
import type { PGlite, Transaction } from '@electric-sql/pglite';
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from 'kysely';

export const pgliteDialect = (lite: PGlite): Dialect => ({
  createAdapter: () => new PostgresAdapter(),
  createDriver: () => pgliteDriver(lite),
  createIntrospector: (db) => new PostgresIntrospector(db),
  createQueryCompiler: () => new PostgresQueryCompiler(),
});

const pgliteDriver = (lite: PGlite): Driver => {
  const connections = new WeakMap<DatabaseConnection, PGliteConnection>();
  const of = (connection: DatabaseConnection): PGliteConnection => {
    const found = connections.get(connection);
    if (found === undefined) throw new Error('This connection is of another database.');
    return found;
  };
  return {
    init: async () => {},
    acquireConnection: async () => {
      const connection = new PGliteConnection(lite);
      connections.set(connection, connection);
      return connection;
    },
    beginTransaction: (connection) => of(connection).begin(),
    commitTransaction: (connection) => of(connection).end('commit'),
    rollbackTransaction: (connection) => of(connection).end('rollback'),
    releaseConnection: async () => {},
    destroy: async () => {},
  };
};

class PGliteConnection implements DatabaseConnection {
  readonly #lite: PGlite;
  #open: { tx: Transaction; letGo: () => void } | null = null;
  #ended: Promise<void> = Promise.resolve();

  constructor(lite: PGlite) {
    this.#lite = lite;
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const { rows, affectedRows } = await (this.#open?.tx ?? this.#lite).query<Row>(query.sql, [
      ...query.parameters,
    ]);
    return { rows, numAffectedRows: BigInt(affectedRows ?? 0) };
  }

  // oxlint-disable-next-line require-yield
  async *streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw new Error('PGlite does not stream.');
  }

  /** Enters PGlite's `transaction()` and stays in it until `end`. */
  begin(): Promise<void> {
    return new Promise((entered, failed) => {
      const stay = (tx: Transaction) =>
        new Promise<void>((letGo) => {
          this.#open = { tx, letGo };
          entered();
        });
      this.#ended = this.#lite.transaction(stay);
      this.#ended.catch(failed);
    });
  }

  async end(how: 'commit' | 'rollback'): Promise<void> {
    if (this.#open === null) return;
    const { tx, letGo } = this.#open;
    this.#open = null;
    if (how === 'rollback') await tx.rollback();
    letGo();
    await this.#ended;
  }
}
