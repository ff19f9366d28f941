/**
 * Opens the store's database: PGlite in a data folder, or PostgreSQL at a URL.
 *
 * Does: open, check that it answers, bring its tables up to date.
 * Always true: both kinds return the same JavaScript types (bigint as number, jsonb parsed);
 * no message holds a secret part of a URL.
 * On failure: a Fault `data.*` or `database.unreachable`; nothing stays open.
 */
import type { PGlite } from '@electric-sql/pglite';
import { Kysely, type LogConfig, PostgresDialect } from 'kysely';
import pg from 'pg';
import { Fault } from '../errors.ts';
import { openDataFolder } from './data-folder.ts';
import { migrate } from './migrate.ts';
import { pgliteDialect } from './pglite-dialect.ts';
import { withFaults } from './storage-fault.ts';
import type { Tables } from './tables.ts';

export type Database = {
  readonly kysely: Kysely<Tables>;
  /** Repeating it is safe. */
  close(): Promise<void>;
} & (
  | { readonly kind: 'pglite'; readonly lite: PGlite }
  | { readonly kind: 'postgres'; readonly pool: pg.Pool; readonly url: string }
);

export type DatabaseSource = { readonly dataFolder: string } | { readonly databaseUrl: string };

export interface OpenOptions {
  /** Sees every statement, e.g. to count them. */
  readonly log?: LogConfig;
  /** PostgreSQL connections of this process for the store; pg-boss has its own few. */
  readonly connections?: number;
  /** False: the store is left at the version that it has. */
  readonly migrates?: boolean;
}

/** Enough for the workers of one process; a managed PostgreSQL often allows 100 in all. */
const CONNECTIONS = 10;
const CONNECT_TIMEOUT_MS = 5_000;

export async function openDatabase(
  source: DatabaseSource,
  options: OpenOptions = {},
): Promise<Database> {
  const database =
    'dataFolder' in source
      ? await openPglite(source.dataFolder, options)
      : await openPostgres(source.databaseUrl, options);
  try {
    if (options.migrates !== false) await migrate(database.kysely);
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}

async function openPglite(folder: string, options: OpenOptions): Promise<Database> {
  const open = await openDataFolder(folder);
  const { lite } = open;
  const kysely = new Kysely<Tables>({ dialect: pgliteDialect(lite), ...logOf(options) });
  return { kind: 'pglite', kysely, lite, close: once(() => open.close()) };
}

async function openPostgres(url: string, options: OpenOptions): Promise<Database> {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.connections ?? CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    types: { getTypeParser: parserOf },
  });
  // A connection that dies while idle is replaced; without a listener it would end the process.
  pool.on('error', () => {});
  try {
    await pool.query('select 1');
  } catch (error) {
    await pool.end();
    throw unreachable(url, error);
  }
  const kysely = new Kysely<Tables>({
    dialect: new PostgresDialect({ pool: withFaults(pool) }),
    ...logOf(options),
  });
  return { kind: 'postgres', kysely, pool, url, close: once(() => kysely.destroy()) };
}

/** bigint: a number while it is exact, as PGlite does. */
const parseBigint = (text: string): number | bigint => {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
};

const parserOf: typeof pg.types.getTypeParser = (oid, format) =>
  oid === pg.types.builtins.INT8 && format !== 'binary'
    ? parseBigint
    : pg.types.getTypeParser(oid, format);

/** Names host and database, never login or password; the driver's own message may hold both. */
function unreachable(url: string, error: unknown): Fault {
  const code =
    typeof error === 'object' && error !== null && 'code' in error
      ? ` (${String(error.code)})`
      : '';
  return new Fault(
    'database.unreachable',
    `PostgreSQL at ${placeOf(url)} can’t be reached${code}.`,
  );
}

function placeOf(url: string): string {
  try {
    const { hostname, port, pathname } = new URL(url);
    return `${hostname || 'a local socket'}${port === '' ? '' : `:${port}`}${pathname}`;
  } catch {
    return 'DATABASE_URL';
  }
}

const logOf = (options: OpenOptions): { log?: LogConfig } =>
  options.log === undefined ? {} : { log: options.log };

function once(close: () => Promise<void>): () => Promise<void> {
  let closing: Promise<void> | undefined;
  return () => {
    closing ??= close();
    return closing;
  };
}
