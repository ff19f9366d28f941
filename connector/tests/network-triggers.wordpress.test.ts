/** What an account, a site or a role brings about inside a network, from every way it can come about. No hub. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { signIn } from '#lab/sign-in.ts';
import type { Visitor } from '#lab/visitor.ts';
import { applicationPassword, basic } from './connected-site.ts';
import { type NetworkSite, startNetwork } from './network-site.ts';

/** A plugin that registers people itself, and one whose listener changes roles. */
const STRANGERS = {
  'strangers.php': `<?php
add_action( 'init', function () {
	if ( isset( $_GET['join_as'] ) ) { wp_insert_user( array( 'user_login' => $_GET['join_as'], 'user_pass' => 'x', 'user_email' => $_GET['join_as'] . '@people.test', 'role' => 'contributor' ) ); exit( 'joined' ); }
} );
add_action( 'set_user_role', function ( $id, $role ) {
	if ( get_site_option( 'test_meddles' ) && 'author' === $role && 2 !== get_current_blog_id() ) { ( new WP_User( $id ) )->add_role( 'contributor' ); }
}, 10, 2 );
`,
};

let net: NetworkSite;
let admin: Visitor;
beforeAll(async () => {
  net = await startNetwork(
    'network-triggers',
    ['shop', 'news', 'attic', 'ghost', 'apart'],
    STRANGERS,
  );
  await net.site.php(`update_blog_option( 3, 'default_role', 'author' );
    update_blog_option( 5, 'default_role', 'nobody-defines-it' );
    update_blog_status( 4, 'archived', 1 );`);
  // Triggers are off until somebody switches them on.
  await net.site.php("wpmu_create_user( 'alone', 'x', 'alone@people.test' );");
  await net.become({ alone: '- - - - - -' });
  await net.settings({ new_account: true, excluded: [6] });
  ({ visitor: admin } = await signIn(net.site, net.site.adminLogin, net.site.adminPassword));
});
afterAll(() => net?.stop());

describe('a new account joins every site with its default role, however it came about', () => {
  test('a plugin registers it on the front end of a sub-site; the main site counts like any other', async () => {
    expect(await (await net.site.request('/shop/?join_as=front')).text()).toBe('joined');
    await net.become({ front: 'subscriber contributor author - subscriber -' });
  });

  test('a network administrator adds it', async () => {
    const path = '/wp-admin/network/user-new.php';
    const form = await admin.form(path, 'adduser');
    await admin.submit(`${path}?action=add-user`, {
      ...form,
      'user[username]': 'bynetwork',
      'user[email]': 'bynetwork@people.test',
    });
    await net.become({ bynetwork: 'subscriber subscriber author - subscriber -' });
  });

  test('a site administrator adds it without a confirmation, with a role', async () => {
    await admin.submit('/shop/wp-admin/user-new.php', {
      ...(await admin.form('/shop/wp-admin/user-new.php', 'createuser')),
      user_login: 'bysite',
      email: 'bysite@people.test',
      role: 'editor',
      noconfirmation: '1',
    });
    await net.become({ bysite: 'subscriber editor author - subscriber -' });
  });

  test('it is invited to a sub-site and activates; what WordPress does then is nobody’s removal', async () => {
    await admin.submit('/shop/wp-admin/user-new.php', {
      ...(await admin.form('/shop/wp-admin/user-new.php', 'createuser')),
      user_login: 'invited',
      email: 'invited@people.test',
      role: 'author',
    });
    const key = await net.json<string>(
      `global $wpdb; echo wp_json_encode( $wpdb->get_var( "SELECT activation_key FROM $wpdb->signups WHERE user_login = 'invited'" ) );`,
    );
    await net.site.request(`/wp-activate.php?key=${key}`, { redirect: 'follow' });
    await net.site.request('/wp-activate.php', {
      headers: { cookie: '', 'content-type': 'application/x-www-form-urlencoded' },
      method: 'POST',
      body: new URLSearchParams({ key }),
    });
    await net.become({ invited: 'subscriber author author - subscriber -' });
  });

  test('WP-CLI makes it, REST makes it, SQL makes it', async () => {
    await net.site.wp('user', 'create', 'bycli', 'bycli@people.test', `--url=${net.site.url}/news`);
    const headers = {
      'content-type': 'application/json',
      ...basic(net.site.adminLogin, await applicationPassword(net.site, net.site.adminLogin)),
    };
    const made = await net.site.request('/shop/wp-json/wp/v2/users', {
      method: 'POST',
      headers,
      body: JSON.stringify({
        username: 'byrest',
        email: 'byrest@people.test',
        password: 'x',
        roles: ['editor'],
      }),
    });
    expect(made.status).toBe(201);
    await net.become({
      bycli: 'subscriber subscriber author - subscriber -',
      byrest: 'subscriber editor author - subscriber -',
    });
    await net.site.php(
      `global $wpdb; $wpdb->insert( $wpdb->users, array( 'user_login' => 'bysql', 'user_email' => 'bysql@people.test', 'user_nicename' => 'bysql' ) ); do_action( 'rollcall_network_look' );`,
    );
    // Whoever was there when the trigger was switched on is not new.
    await net.become({
      bysql: 'subscriber subscriber author - subscriber -',
      alone: '- - - - - -',
    });
  });

  test('a request that dies right after it made the account has lost nothing', async () => {
    await net.site
      .php(
        `add_action( 'user_register', static function () { posix_kill( getmypid(), 9 ); }, PHP_INT_MAX );
       wpmu_create_user( 'killed', 'x', 'killed@people.test' );`,
      )
      .catch(() => undefined);
    await net.site.php("do_action( 'rollcall_network_turn' );");
    await net.become({ killed: 'subscriber subscriber author - subscriber -' });
  });
});

describe('a new site', () => {
  test('is joined by everybody, as a run of its own that shows who was left out', async () => {
    await net.site.php(
      `Rollcall_Network_Settings::change( 1, array( 'new_account' => false, 'new_site' => true ) ); update_user_status( get_user_by( 'login', 'bycli' )->ID, 'spam', 1 );`,
    );
    await net.site.wp('site', 'create', '--slug=fresh');
    await net.become({
      front: 'subscriber contributor author - subscriber - subscriber',
      bycli: 'subscriber subscriber author - subscriber - -',
    });
    const [run] = await net.json<{ state: string; by: string; counts: { skipped: object } }[]>(
      'echo wp_json_encode( Rollcall_Network_Runs::recent( 1, null, 1 ) );',
    );
    expect(run).toMatchObject({ state: 'done', by: 'trigger' });
    expect(run?.counts.skipped).toEqual({ 'network.account_spam': 1 });
    await net.settings({ new_site: false });
  });
});

describe('a role that is changed on a site', () => {
  const role = (login: string, blog: number, to: string): Promise<string> =>
    net.site.php(
      `switch_to_blog( ${blog} ); get_user_by( 'login', '${login}' )->set_role( '${to}' );`,
    );

  test('goes to the account’s other sites, and to no others unless that is set; it does not cascade', async () => {
    await net.settings({ role_change: true });
    await net.site.php(`remove_user_from_blog( get_user_by( 'login', 'byrest' )->ID, 5 );
      update_site_option( 'test_meddles', 1 );`);
    await role('byrest', 2, 'author');
    // A listener of another plugin adds a role wherever it hears of the copy: that is copied nowhere.
    await net.become({
      byrest: 'author+contributor author author - - - author+contributor',
    });
    await net.site.php(`update_site_option( 'test_meddles', 0 );`);
    await net.settings({ role_sites: 'all' });
    await role('front', 3, 'editor');
    await net.become({ front: 'editor editor editor - editor - editor' });
    // Removed by hand: that stands for this trigger, too.
    await role('byrest', 1, 'editor');
    await net.become({ byrest: 'editor editor editor - - - editor' });
  });

  test('T961: an administrator’s role goes nowhere and is taken away nowhere unless it is named', async () => {
    await role('front', 2, 'administrator');
    await net.become({ front: 'editor administrator editor - editor - editor' });
    await role('front', 1, 'author');
    await net.become({ front: 'author administrator author - author - author' });
    await net.settings({ privileged_roles: ['administrator'] });
    await role('front', 5, 'administrator');
    await net.become({
      front: 'administrator administrator administrator - administrator - administrator',
    });
    await net.settings({ privileged_roles: [], role_change: false });
    await role('front', 5, 'author');
    await net.become({
      front: 'administrator administrator administrator - author - administrator',
    });
  });
});
