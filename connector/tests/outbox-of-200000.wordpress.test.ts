/**
 * An outbox of 200,000 rows: a page costs what a page of a small one costs, an acknowledgement
 * finds its rows by id, and a visitor's save is one row more.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nativeMissing } from '#lab/start-site.ts';
import { BEST } from './engines.ts';
import { type ReadSite, readSite } from './read-site.ts';

const SMALL = 2_000;
const LARGE = 200_000;
/** Account n of the bulk has this id, plus n. */
const FIRST_ID = 1_000;
const LEFT = 2_000;
const PAGE = 500;
/** Beside the rows of the page, states and the ledger are read: a fixed number for each account. */
const MOST_READS = PAGE * 60;

const missing = nativeMissing();
if (missing !== null) console.warn(`An outbox of this size needs MariaDB: ${missing}`);

describe.skipIf(missing !== null)('an outbox of 200,000 rows', () => {
  let home: ReadSite;

  beforeAll(async () => {
    home = await readSite({ name: 'large', ...BEST.options });
    await grow(1, SMALL);
  });
  afterAll(() => home?.site.stop());

  /** Accounts by SQL with an outbox row each, as an import that went through the hooks leaves them. */
  const grow = (from: number, to: number) =>
    home.php(`global $wpdb;
      foreach ( array(
        "INSERT INTO $wpdb->users (ID, user_login, user_pass, user_nicename, user_email, user_registered, display_name)
          SELECT ${FIRST_ID} + seq, CONCAT( 'bulk', seq ), 'x', CONCAT( 'bulk', seq ), CONCAT( 'bulk', seq, '@people.test' ), '2026-01-01', 'Bulk' FROM seq_${from}_to_${to}",
        'INSERT INTO ' . Rollcall_Tables::accounts() . " (user_id, watch, fields) SELECT ${FIRST_ID} + seq, 1, '{}' FROM seq_${from}_to_${to}",
        'INSERT INTO ' . Rollcall_Tables::outbox() . " (subject, id, user_id, state, queued_ms, opened_ms, at_ms, actor, gone)
          SELECT CONCAT( 'u:', ${FIRST_ID} + seq ), LPAD( HEX( seq * 7919 % 999983 * 1000000 + seq ), 16, '0' ), ${FIRST_ID} + seq, 'ready', 1700000000000 + seq, 1700000000000, 1700000000000, '{\\"kind\\":\\"cli\\"}', '' FROM seq_${from}_to_${to}",
        'UPDATE ' . Rollcall_Tables::outbox() . ' SET id = LOWER( id )',
      ) as $statement ) {
        if ( false === $wpdb->query( $statement ) ) { throw new RuntimeException( $wpdb->last_error ); }
      }
      $wpdb->query( 'ANALYZE TABLE ' . Rollcall_Tables::outbox() );`);

  /** Rows that the database reads or writes meanwhile. */
  const handled = async (code: string): Promise<number> =>
    Number(
      await home.php(`global $wpdb;
        $sum = static function () { global $wpdb; $all = 0; foreach ( $wpdb->get_results( "SHOW SESSION STATUS WHERE Variable_name LIKE 'Handler_read%' OR Variable_name IN ( 'Handler_write', 'Handler_update', 'Handler_delete' )" ) as $row ) { $all += $row->Value; } return $all; };
        Rollcall_Life::epoch();
        $before = $sum(); $idle = $sum() - $before; $before = $sum();
        ${code}
        echo $sum() - $before - $idle;`),
    );

  const measure = async () => ({
    page: await handled(`Rollcall_Outbox::page( ${PAGE} + 1 );`),
    ack: await handled(
      `Rollcall_Outbox::ack( array_map( static function ( $row ) { return array( $row->id, (int) $row->rev + 1 ); }, Rollcall_Outbox::page( 100 ) ) );`,
    ),
    save: await handled(
      `update_user_meta( 1, 'first_name', uniqid() ); Rollcall_Capture::settle_now();`,
    ),
  });

  it('T119: is read by the page, acknowledged by id and written by the row, however long it is', async () => {
    const small = await measure();
    const page = await home.changes({ limit: PAGE });
    expect(page).toMatchObject({ more: true, rows: { length: PAGE } });
    await home.drain();
    await grow(SMALL + 1, LARGE);
    const large = await measure();
    expect(small.page).toBeLessThan(MOST_READS);
    for (const what of ['page', 'ack', 'save'] as const) {
      expect(
        [what, large[what] <= small[what] * 2 + 100],
        JSON.stringify({ small, large }),
      ).toEqual([what, true]);
    }
  });

  it('T120: hands out a person’s edit in its turn, oldest first, and loses none on the way', async () => {
    await home.php("update_user_meta( 1, 'first_name', 'Last in the queue' );");
    expect(await home.backlog()).toBeGreaterThan(LARGE - SMALL);
    let { rows, more } = await home.changes({ limit: 1000 });
    const first = rows.map(({ account }) => account?.login);
    expect(first[0]).toBe(`bulk${SMALL + 1}`);
    // Not the whole of it: the first and the last thousand.
    await home.php(
      `$GLOBALS['wpdb']->query( 'DELETE FROM ' . Rollcall_Tables::outbox() . ' WHERE user_id BETWEEN ${FIRST_ID + SMALL + LEFT / 2 + 1} AND ${FIRST_ID + LARGE - LEFT / 2}' );`,
    );
    const seen = new Set<string | undefined>();
    for (; rows.length > 0; ) {
      for (const { account } of rows) seen.add(account?.login);
      ({ rows, more } = await home.changes({
        limit: 1000,
        ack: rows.map(({ row, rev }) => [row, rev]),
      }));
    }
    expect(more).toBe(false);
    expect([...seen].at(-1)).toBe(home.site.adminLogin);
    expect(seen.size).toBe(LEFT + 1);
  });
});
