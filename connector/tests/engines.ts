/**
 * Which WordPress the tests of the connector run on.
 *
 * Native sites (PHP-FPM, nginx, MariaDB) are what hosts run, and several times as fast: wherever the
 * machine has them they are used, and SQLite keeps one small test of its own (sqlite.wordpress.test.ts).
 */
import { nativeMissing, type SiteOptions } from '#lab/start-site.ts';

export interface Engine {
  readonly name: string;
  readonly options: Pick<SiteOptions, 'engine' | 'version' | 'host'>;
}

export const SQLITE: Engine = {
  name: 'SQLite, WordPress 7.1',
  options: { engine: 'wasm', version: '7.1' },
};

const native = (version: '7.1' | '6.8' | '6.1'): Engine => ({
  name: `MariaDB, WordPress ${version}`,
  options: { engine: 'native', version },
});

const missing = nativeMissing();
if (missing !== null) console.warn(`Tests run on SQLite alone; to run them natively: ${missing}`);

export const BEST: Engine = missing === null ? native('7.1') : SQLITE;
/** For what WordPress does in another way on the oldest version that we support. */
export const BEST_AND_OLDEST: readonly Engine[] =
  missing === null ? [BEST, native('6.1')] : [SQLITE];
export const EVERY_VERSION: readonly Engine[] =
  missing === null ? [BEST, native('6.8'), native('6.1')] : [SQLITE];
