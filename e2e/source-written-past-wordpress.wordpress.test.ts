/**
 * Accounts that are changed while nobody looks: by plain SQL, or while the connector is switched
 * off. What changed and who is new is found and sent; who is gone is not guessed.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Site } from '#lab/start-site.ts';
import { accountsOf } from './source-faults.ts';
import { createAccount, person, type Stage, startStage } from './stage.ts';

let stage: Stage;
let shop: Site;
let blog: Site;

beforeAll(async () => {
  stage = await startStage({
    sites: ['shop', 'blog'],
    routes: ['shop>blog'],
    rules: { meta: ['phone'] },
  });
  [shop, blog] = [stage.site('shop'), stage.site('blog')];
});
afterAll(() => stage?.end());

/** Statements on the shop's database; `{id:LOGIN}` is an account. */
const sql = (...statements: string[]) =>
  shop.php(`global $wpdb; foreach ( ${JSON.stringify(statements).replaceAll('$', '\\$')} as $s ) {
    $s = preg_replace_callback( '/\\{id:([^}]+)\\}/', static function ( $m ) { global $wpdb; return (string) $wpdb->get_var( $wpdb->prepare( "SELECT ID FROM $wpdb->users WHERE user_login = %s", $m[1] ) ); }, $s );
    if ( false === $wpdb->query( $s ) ) { throw new RuntimeException( $wpdb->last_error ); }
  }
  wp_cache_flush();`);

/** Somebody is made by SQL alone, with a role and a name. */
const madeBySql = (login: string) =>
  sql(
    `INSERT INTO wp_users (user_login, user_pass, user_nicename, user_email, user_registered, display_name) VALUES ('${login}', '$P$BSKqUOVQMNdOwzJ0jXBRMlGhDlbCaB.', '${login}', '${login}@people.test', '2026-01-02 03:04:05', 'By SQL')`,
    `INSERT INTO wp_usermeta (user_id, meta_key, meta_value) VALUES ({id:${login}}, 'wp_capabilities', 'a:1:{s:6:"author";b:1;}'), ({id:${login}}, 'first_name', 'By SQL'), ({id:${login}}, 'nickname', '${login}')`,
  );
/** The connector waits a minute for whoever makes an account to tell of it. */
const aMinuteLater = () =>
  shop.php(`$fact = json_decode( Rollcall_Facts::get( 'newcomers' ), true ); $fact['since'] -= 61000;
    Rollcall_Facts::set( 'newcomers', wp_json_encode( $fact ) );`);
/** Another change of the account makes the hub read it. */
const touch = (login: string) =>
  shop.php(`update_user_meta( get_user_by( 'login', '${login}' )->ID, 'phone', uniqid() );`);

test('T116: users, meta and roles changed by SQL go out when the account is read', async () => {
  await createAccount(shop, 'sql', { firstName: 'Old', role: 'author' });
  await stage.hub.rest();
  await sql(
    `UPDATE wp_users SET display_name = 'By SQL', user_email = 'by-sql@people.test' WHERE ID = {id:sql}`,
    `UPDATE wp_usermeta SET meta_value = 'By SQL' WHERE user_id = {id:sql} AND meta_key = 'first_name'`,
    `UPDATE wp_usermeta SET meta_value = 'a:1:{s:11:"contributor";b:1;}' WHERE user_id = {id:sql} AND meta_key = 'wp_capabilities'`,
  );
  await touch('sql');
  await stage.hub.rest();
  expect(await person(blog, 'sql')).toMatchObject({
    firstName: 'By SQL',
    email: 'by-sql@people.test',
    displayName: 'By SQL',
    roles: ['contributor'],
  });
  expect(await accountsOf(blog)).toEqual(await accountsOf(shop));
});

test('T117: an account made by SQL goes out once nobody can still be making it', async () => {
  await madeBySql('made');
  await touch('sql');
  await stage.hub.rest();
  expect(await person(blog, 'made')).toBeNull();
  // The minute for the accounts before it may have begun already; then comes its own.
  for (let minute = 0; minute < 2; minute += 1) {
    await aMinuteLater();
    await touch('sql');
    await stage.hub.rest();
  }
  expect(await person(blog, 'made')).toMatchObject({ firstName: 'By SQL', roles: ['author'] });
  expect(await accountsOf(blog)).toEqual(await accountsOf(shop));
});

test('T118: a week without the connector: edits and new accounts arrive, deletes are not guessed', async () => {
  for (const login of ['edited', 'gone', 'untouched']) await createAccount(shop, login);
  await stage.hub.rest();
  const before = await accountsOf(blog);
  await shop.wp('plugin', 'deactivate', 'rollcall-connector');
  await shop.php(
    `wp_update_user( array( 'ID' => get_user_by( 'login', 'edited' )->ID, 'first_name' => 'Meanwhile', 'user_pass' => 'a new password' ) );
    wp_insert_user( array( 'user_login' => 'new', 'user_email' => 'new@people.test', 'user_pass' => 'their password', 'role' => 'author' ) );
    require_once ABSPATH . 'wp-admin/includes/user.php'; wp_delete_user( get_user_by( 'login', 'gone' )->ID );`,
  );
  await shop.wp('plugin', 'activate', 'rollcall-connector');
  // Its credential ended with the deactivation; the operator connects it again.
  await stage.hub.connect(shop);
  await stage.hub.rest();
  const { gone, ...there } = await accountsOf(blog);
  expect(gone).toEqual(before['gone']);
  expect(there).toEqual(await accountsOf(shop));
  expect(there).toMatchObject({
    edited: { first_name: 'Meanwhile' },
    new: { roles: ['author'] },
    untouched: before['untouched'],
  });
});
