/** What an account, a site or a role brings about inside a network, from every way it can come about. No hub. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { signIn } from '#lab/sign-in.ts';
import { formFields, Visitor } from '#lab/visitor.ts';
import { waitUntil } from '#lab/wait-until.ts';
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

describe('every other door', () => {
  /** Everybody’s memberships by login: sites are made here, so by site. */
  const on = (login: string): Promise<Record<string, string>> =>
    net.json(
      `$all = array(); $id = get_user_by( 'login', '${login}' )->ID; wp_cache_flush();
       foreach ( Rollcall_Network_Sites::ids( 1 ) as $blog ) { if ( is_user_member_of_blog( $id, $blog ) ) { $all[ trim( get_site( $blog )->path, '/' ) ] = implode( '+', ( new WP_User( $id, '', $blog ) )->roles ); } }
       echo wp_json_encode( (object) $all );`,
    );
  async function becomes(login: string, expected: Record<string, string>): Promise<void> {
    await waitUntil(async () => {
      if (net.site.engine === 'wasm') await net.site.php("do_action( 'rollcall_network_turn' );");
      return JSON.stringify(await on(login)) === JSON.stringify(expected);
    }, 30_000).catch(() => undefined);
    expect(await on(login)).toEqual(expected);
  }
  const everywhere = { '': 'subscriber', shop: 'subscriber', news: 'author', ghost: 'subscriber' };
  /** A site whose tables are copied by SQL; SQLite is no place for that. */
  const bySql = (): string[] => (net.site.engine === 'native' ? ['bysql'] : []);
  const keyOf = (login: string): Promise<string | null> =>
    net.json(
      `global $wpdb; echo wp_json_encode( $wpdb->get_var( "SELECT activation_key FROM $wpdb->signups WHERE user_login = '${login}'" ) );`,
    );
  /** On the network’s own page, which the registration link of every site leads to. */
  async function signUp(login: string, site: string | null): Promise<void> {
    const person = new Visitor(net.site);
    const leads = await person.request('/shop/wp-login.php?action=register');
    expect(leads.headers.get('location')).toContain('wp-signup.php');
    const form = await person.form('/wp-signup.php', 'setupform');
    const asked = { ...form, user_name: login, user_email: `${login}@people.test` };
    const signupFor = site === null ? 'user' : 'blog';
    const answer = await person.submit('/wp-signup.php', { ...asked, signup_for: signupFor });
    const next = formFields(await answer.text(), 'setupform');
    if (site !== null)
      await person.submit('/wp-signup.php', { ...next, blogname: site, blog_title: 'Of theirs' });
    await person.submit('/wp-activate.php', { key: (await keyOf(login)) ?? '' });
  }

  test('people sign up by themselves, also with a site of their own; Network Admin makes a site for somebody new; SQL makes one', async () => {
    await net.site.php("update_site_option( 'registration', 'all' );");
    await net.settings({ new_account: true, new_site: true });
    await signUp('signedup', null);
    const first = { ...everywhere, fresh: 'subscriber' };
    await becomes('signedup', first);
    await signUp('withsite', 'theirs');
    await becomes('withsite', { ...first, theirs: 'administrator' });
    await becomes('signedup', { ...first, theirs: 'subscriber' });
    const path = '/wp-admin/network/site-new.php';
    const page = await (await admin.request(path)).text();
    const [, nonce = ''] = /name="_wpnonce_add-blog" value="([0-9a-f]+)"/u.exec(page) ?? [];
    await admin.submit(`${path}?action=add-site`, {
      '_wpnonce_add-blog': nonce,
      'blog[domain]': 'made',
      'blog[title]': 'Made',
      'blog[email]': 'made@people.test',
    });
    const second = { ...first, theirs: 'subscriber', made: 'subscriber' };
    await becomes('signedup', second);
    await becomes('made', { ...second, made: 'administrator' });
    if (bySql().length > 0)
      await net.site.php(`global $wpdb; $p = $wpdb->base_prefix;
      $wpdb->insert( $wpdb->blogs, array( 'site_id' => 1, 'domain' => get_network()->domain, 'path' => '/bysql/' ) ); $n = $wpdb->insert_id;
      foreach ( array( 'options', 'posts' ) as $table ) { $wpdb->query( "CREATE TABLE {$p}{$n}_$table LIKE {$p}2_$table" ); }
      $wpdb->query( "INSERT INTO {$p}{$n}_options SELECT option_id, REPLACE( option_name, '{$p}2_', '{$p}{$n}_' ), option_value, autoload FROM {$p}2_options" );
      do_action( 'rollcall_network_look' );`);
    await becomes('made', {
      ...second,
      made: 'administrator',
      ...Object.fromEntries(bySql().map((site) => [site, 'subscriber'])),
    });
    await net.settings({ new_account: false, new_site: false });
  });

  test('a role is changed on the Users screen, in a profile, over REST and by WP-CLI', async () => {
    await net.settings({ role_change: true, role_sites: 'existing' });
    const id = await net.json<number>(
      "echo wp_json_encode( get_user_by( 'login', 'signedup' )->ID );",
    );
    const sites = ['', 'shop', 'news', 'ghost', 'fresh', 'theirs', 'made', ...bySql()];
    const all = (role: string) => Object.fromEntries(sites.map((site) => [site, role]));
    const users = '/shop/wp-admin/users.php';
    const page = await (await admin.request(users)).text();
    const [, nonce = ''] = /name="_wpnonce" value="([0-9a-f]+)"/u.exec(page) ?? [];
    const change = { _wpnonce: nonce, 'users[]': String(id), new_role: 'editor', changeit: '1' };
    await admin.request(`${users}?${new URLSearchParams(change).toString()}`);
    await becomes('signedup', all('editor'));
    const profile = `/news/wp-admin/user-edit.php?user_id=${id}`;
    const form = await admin.form(profile, 'your-profile');
    await admin.submit(profile, { ...form, role: 'author' });
    await becomes('signedup', all('author'));
    const password = await applicationPassword(net.site, net.site.adminLogin);
    await net.site.request(`/ghost/wp-json/wp/v2/users/${id}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...basic(net.site.adminLogin, password) },
      body: JSON.stringify({ roles: ['contributor'] }),
    });
    await becomes('signedup', all('contributor'));
    await net.site.wp('user', 'set-role', 'signedup', 'editor', `--url=${net.site.url}/fresh`);
    await becomes('signedup', all('editor'));
    await net.settings({ role_change: false });
  });
});
