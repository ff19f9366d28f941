/**
 * A plugin of the source writes accounts inside a transaction of its own: what it commits arrives,
 * however late; what it rolls back does not; and nobody else waits for it.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nativeMissing, type Site } from '#lab/start-site.ts';
import { waitUntil } from '#lab/wait-until.ts';
import { accountsOf, FAULTS, hold, visit } from './source-faults.ts';
import { createAccount, person, REST_MS, type Stage, startStage } from './stage.ts';

const missing = nativeMissing();
if (missing !== null) console.warn(`Transactions need MariaDB: ${missing}`);

describe.skipIf(missing !== null)('a transaction of another plugin', () => {
  let stage: Stage;
  let shop: Site;
  let blog: Site;

  beforeAll(async () => {
    stage = await startStage({
      sites: [{ name: 'shop', muPlugins: FAULTS }, 'blog'],
      routes: ['shop>blog'],
      rules: { meta: ['phone'] },
    });
    [shop, blog] = [stage.site('shop'), stage.site('blog')];
  });
  afterAll(() => stage?.end());

  const id = (login: string) => `get_user_by( 'login', '${login}' )->ID`;

  /** Edits, creates and deletes, and stands still before its end. */
  const inTransaction = (name: string, end: 'COMMIT' | 'ROLLBACK') => `global $wpdb;
    $wpdb->query( 'START TRANSACTION' );
    wp_update_user( array( 'ID' => ${id(`${name}-edited`)}, 'first_name' => 'In between', 'user_url' => 'https://in-between.test' ) );
    ( new WP_User( ${id(`${name}-edited`)} ) )->set_role( 'author' );
    wp_insert_user( array( 'user_login' => '${name}-made', 'user_email' => '${name}-made@people.test', 'user_pass' => 'their password', 'first_name' => 'Made' ) );
    wp_delete_user( ${id(`${name}-deleted`)} );
    rollcall_test_hold();
    $wpdb->query( '${end}' );
    ${end === 'ROLLBACK' ? 'wp_cache_flush();' : ''}`;

  test.each(['COMMIT', 'ROLLBACK'] as const)(
    'T114: ends with %s after others were read and acknowledged; nobody waits for it',
    async (end) => {
      const name = end.toLowerCase();
      await createAccount(shop, `${name}-edited`, { firstName: 'Before' });
      await createAccount(shop, `${name}-deleted`);
      await createAccount(shop, `${name}-beside`);
      await stage.hub.rest();
      const before = await accountsOf(blog);
      const held = await hold(shop);
      const visiting = visit(shop, inTransaction(name, end));
      await held.reached();
      // The head's row is free: everybody who saves an account has to write it.
      await shop.php(
        `global $wpdb; $wpdb->suppress_errors();
        $free = $wpdb->query( 'SELECT counter FROM ' . Rollcall_Tables::facts() . " WHERE name = 'head' FOR UPDATE NOWAIT" );
        if ( false === $free ) { throw new RuntimeException( $wpdb->last_error ); }`,
      );
      // A column of the users table: WordPress's own update of a meta can wait for the transaction.
      await shop.php(
        `wp_update_user( array( 'ID' => ${id(`${name}-beside`)}, 'display_name' => 'Beside' ) );`,
      );
      const arrived = async () => (await person(blog, `${name}-beside`))?.displayName === 'Beside';
      await waitUntil(arrived, REST_MS);
      await stage.hub.settled(['shop']);
      await held.go();
      await visiting;
      await stage.hub.rest();
      expect(await accountsOf(blog)).toEqual(await accountsOf(shop));
      const after = await accountsOf(blog);
      if (end === 'ROLLBACK') {
        expect(after[`${name}-edited`]).toEqual(before[`${name}-edited`]);
        expect(Object.keys(after)).toEqual(Object.keys(before));
      } else {
        expect(after[`${name}-edited`]).toMatchObject({ first_name: 'In between' });
        expect(Object.keys(after)).toContain(`${name}-made`);
        expect(Object.keys(after)).not.toContain(`${name}-deleted`);
      }
    },
  );

  test('T115: edits of the same request after a rollback are not lost with it', async () => {
    await createAccount(shop, 'again', { firstName: 'Before' });
    await stage.hub.rest();
    await visit(
      shop,
      `global $wpdb;
      $wpdb->query( 'START TRANSACTION' );
      update_user_meta( ${id('again')}, 'first_name', 'Rolled back' );
      $wpdb->query( 'ROLLBACK' );
      wp_cache_flush();
      update_user_meta( ${id('again')}, 'last_name', 'Kept' );`,
    );
    await stage.hub.rest();
    expect(await person(shop, 'again')).toMatchObject({ firstName: 'Before', lastName: 'Kept' });
    expect(await accountsOf(blog)).toEqual(await accountsOf(shop));
  });
});
