/** Values that no site could take: they stay where they are, named in the log, and hold up nobody. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nativeMissing, type Site } from '#lab/start-site.ts';
import { accountsOf } from './source-faults.ts';
import { createAccount, person, type Stage, startStage } from './stage.ts';

const missing = nativeMissing();
if (missing !== null) console.warn(`Broken text needs MariaDB: ${missing}`);

describe.skipIf(missing !== null)('a value that cannot be told', () => {
  let stage: Stage;
  let shop: Site;
  let blog: Site;

  beforeAll(async () => {
    stage = await startStage({
      sites: ['shop', 'blog'],
      routes: ['shop>blog'],
      rules: { meta: ['phone', 'tags'] },
    });
    [shop, blog] = [stage.site('shop'), stage.site('blog')];
  });
  afterAll(() => stage?.end());

  const heldOf = async (login: string) =>
    (await stage.hub.log(`&account=${login}&status=held`)).map(({ reason, fields }) => [
      reason,
      fields,
    ]);

  test('T125: broken text, NUL, a huge object: each is named, all else goes on', async () => {
    const logins = ['bytes', 'no-login', 'no-email', 'nul', 'huge', 'well'];
    for (const login of logins) await createAccount(shop, login);
    await stage.hub.rest();
    const before = await accountsOf(blog);
    await shop.php(`global $wpdb;
      // As tables that were imported as latin1 hold it: bytes that are no UTF-8.
      $wpdb->query( "ALTER TABLE $wpdb->users MODIFY user_login VARBINARY(60) NOT NULL DEFAULT '', MODIFY user_email VARBINARY(100) NOT NULL DEFAULT '', MODIFY display_name VARBINARY(250) NOT NULL DEFAULT ''" );
      $ids = array();
      foreach ( array( '${logins.join("', '")}' ) as $login ) { $ids[ $login ] = get_user_by( 'login', $login )->ID; }
      foreach ( array( 'bytes' => 'display_name', 'no-login' => 'user_login', 'no-email' => 'user_email' ) as $login => $column ) {
        $wpdb->query( "UPDATE $wpdb->users SET $column = CONCAT( '$login', UNHEX( 'E9FF' ) ) WHERE ID = " . $ids[ $login ] );
      }
      foreach ( $ids as $login => $id ) { update_user_meta( $id, 'first_name', 'Edited' ); }
      update_user_meta( $ids['nul'], 'description', "before\\0after" );
      update_user_meta( $ids['huge'], 'tags', (object) array( 'a' => str_repeat( 'x', 3000000 ) ) );`);
    await stage.hub.rest();
    const after = await accountsOf(blog);
    const edited = (login: string) => ({ ...before[login], first_name: 'Edited' });
    expect(after).toEqual({
      bytes: edited('bytes'),
      'no-login': before['no-login'],
      'no-email': edited('no-email'),
      nul: { ...edited('nul'), description: expect.stringMatching(/^(before.after)?$/u) },
      huge: edited('huge'),
      well: edited('well'),
    });
    expect(await heldOf('bytes')).toEqual([['value.encoding', ['display_name']]]);
    expect(await heldOf('no-login')).toEqual([['value.encoding', []]]);
    expect(await heldOf('no-email')).toEqual([['value.encoding', ['email']]]);
    expect(await heldOf('huge')).toEqual([['value.too_large', ['meta:tags']]]);
    expect(await heldOf('well')).toEqual([]);
    expect(await person(shop, 'well')).toMatchObject({ firstName: 'Edited' });
  });
});
