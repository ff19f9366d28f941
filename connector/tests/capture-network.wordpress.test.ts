/** What the connector sees on a network, where one account has memberships on many sites. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BEST } from './engines.ts';
import { type ReadSite, readSite } from './read-site.ts';

// One engine is enough here, the fastest there is: networks differ from single sites, not from engine to engine.
describe.each([BEST])('$name, network', ({ options }) => {
  let home: ReadSite;
  let made = 0;

  beforeAll(async () => {
    home = await readSite({ name: 'network', ...options, multisite: true });
  });
  afterAll(() => home?.site.stop());
  beforeEach(async () => {
    await home.drain();
  });

  async function somebody(): Promise<{ id: number; login: string }> {
    const login = `member${++made}`;
    const id = Number(
      await home.php(`echo Rollcall_Capture::quiet( static function () {
        $id = wp_insert_user( array( 'user_login' => '${login}', 'user_email' => '${login}@people.test', 'user_pass' => 'pass', 'role' => 'author' ) );
        return $id;
      } );`),
    );
    await home.account(login);
    return { id, login };
  }

  it('a membership that begins or ends is a change of that site’s roles alone', async () => {
    const { id } = await somebody();
    await home.php(`add_user_to_blog( 2, ${id}, 'editor' );`);
    const [began] = await home.drain();
    expect(began).toMatchObject({ kind: 'update', blog: 2 });
    expect(began?.account?.roles?.['1']).toEqual({ author: { v: true, s: [0, 11] } });
    const editor = began?.account?.roles?.['2']?.['editor'];
    expect(editor).toMatchObject({ v: true });
    expect(editor?.s[0]).toBeGreaterThan(0);
    expect(editor?.s[1]).toBe(12);
    await home.php(`remove_user_from_blog( ${id}, 2 );`);
    const [ended] = await home.drain();
    expect(ended?.account?.roles?.['2']?.['editor']?.v).toBe(false);
    expect(ended?.account?.roles?.['2']?.['editor']?.s[0]).toBeGreaterThan(editor?.s[0] ?? 0);
    expect(ended?.account?.roles?.['1']).toEqual({ author: { v: true, s: [0, 11] } });
  });

  it('a role set while switched to another site belongs to that site', async () => {
    const { id } = await somebody();
    await home.php(
      `switch_to_blog( 2 ); ( new WP_User( ${id} ) )->set_role( 'contributor' ); restore_current_blog();`,
    );
    const [row] = await home.drain();
    expect(row?.account?.roles).toMatchObject({
      '1': { author: { v: true, s: [0, 11] } },
      '2': { contributor: { v: true } },
    });
  });

  it('deleting on a site ends only the membership there; deleting from the network ends the account', async () => {
    const { id, login } = await somebody();
    await home.php(`require_once ABSPATH . 'wp-admin/includes/user.php'; wp_delete_user( ${id} );`);
    const [left] = await home.drain();
    expect(left).toMatchObject({ kind: 'update', account: { id } });
    expect(left?.account?.roles?.['1']?.['author']?.v).toBe(false);
    await home.php(
      `require_once ABSPATH . 'wp-admin/includes/user.php'; require_once ABSPATH . 'wp-admin/includes/ms.php'; wpmu_delete_user( ${id} );`,
    );
    const rows = await home.drain();
    expect(rows).toMatchObject([{ kind: 'delete', gone: { id, login } }]);
    expect(await home.backlog()).toBe(0);
  });

  it('an invitee who activates is a create with the memberships they end up with', async () => {
    await home.php(
      "add_filter( 'wpmu_signup_user_notification', '__return_false' ); add_filter( 'wpmu_welcome_user_notification', '__return_false' ); switch_to_blog( 2 ); wpmu_signup_user( 'invited', 'invited@people.test', array( 'add_to_blog' => 2, 'new_role' => 'author' ) ); restore_current_blog();",
    );
    expect(await home.backlog()).toBe(0);
    await home.php(
      "global $wpdb; $key = $wpdb->get_var( \"SELECT activation_key FROM {$wpdb->signups} WHERE user_login = 'invited'\" ); $r = wpmu_activate_signup( $key ); echo is_wp_error( $r ) ? $r->get_error_message() : '';",
    );
    const rows = await home.drain();
    expect(rows).toMatchObject([{ kind: 'create', account: { login: 'invited' } }]);
    expect(rows[0]?.account?.born[0]).toBeGreaterThan(0);
    expect(rows[0]?.account?.roles?.['2']?.['author']?.v).toBe(true);
  });

  it('becoming a super admin is told, though no field changes', async () => {
    const { id } = await somebody();
    await home.php(`grant_super_admin( ${id} );`);
    const [row] = await home.drain();
    expect(row).toMatchObject({ kind: 'update', account: { id, privileged: true } });
    await home.php(`revoke_super_admin( ${id} );`);
    expect((await home.drain())[0]).toMatchObject({ account: { id, privileged: false } });
  });

  it('what a fill inside the network writes is a change of its site, and leaves it like any other', async () => {
    const { id } = await somebody();
    await home.php(`$run = Rollcall_Network_Runs::begin( wp_generate_uuid4(), 1, array( 'action' => 'fill', 'sites' => array( 2 ), 'people' => array( ${id} ) ), 'cli', 'test' );
      Rollcall_Network_Runs::page( $run['id'], 2, 20 );`);
    const rows = await home.drain();
    expect(rows.filter(({ account }) => account?.id !== id)).toEqual([]);
    const row = rows.at(-1);
    expect(row).toMatchObject({ kind: 'update', blog: 2, account: { id } });
    const subscriber = row?.account?.roles?.['2']?.['subscriber'];
    expect(subscriber).toMatchObject({ v: true });
    expect(subscriber?.s[0]).toBeGreaterThan(0);
    expect(row?.account?.roles?.['1']).toEqual({ author: { v: true, s: [0, 11] } });
  });

  it('a site that joins later brings memberships of an unknown age; one that ends takes none away', async () => {
    const { id, login } = await somebody();
    const blog = Number(await home.site.wp('site', 'create', '--slug=third', '--porcelain'));
    await home.php(
      `Rollcall_Capture::quiet( static function () { add_user_to_blog( ${blog}, ${id}, 'author' ); } );`,
    );
    await home.account(login);
    await home.drain();
    await home.settings({ keys: { '1': 11, '2': 12, [blog]: 13 } });
    expect((await home.account(login)).roles?.[blog]).toEqual({ author: { v: true, s: [0, 13] } });
    expect(await home.backlog()).toBe(0);
    await home.php(
      `require_once ABSPATH . 'wp-admin/includes/user.php'; wp_delete_site( ${blog} );`,
    );
    expect(await home.backlog()).toBe(0);
    const { roles } = await home.account(login);
    expect(roles).not.toHaveProperty(String(blog));
    expect(await home.backlog()).toBe(0);
  });
});
