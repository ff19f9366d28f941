/** Two networks of one installation, each at its own address: what comes about on one stays on it. No hub but where one is named. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { signIn } from '#lab/sign-in.ts';
import { nativeMissing } from '#lab/start-site.ts';
import { waitUntil } from '#lab/wait-until.ts';
import { HUB } from './connected-site.ts';
import { type NetworkSite, startNetwork } from './network-site.ts';

/** A plugin that registers people itself; whom a hub has bound. */
const SIGN_UP = {
  'sign-up.php': `<?php
add_action( 'init', function () {
	if ( isset( $_GET['join_as'] ) ) { $id = wpmu_create_user( $_GET['join_as'], 'x', $_GET['join_as'] . '@people.test' ); add_user_to_blog( get_current_blog_id(), $id, 'author' ); exit( 'joined' ); }
} );
`,
};

const missing = nativeMissing();
if (missing !== null) console.warn(`Networks at two addresses need a native site: ${missing}`);

describe.skipIf(missing !== null)('of two networks', () => {
  let net: NetworkSite;
  /** Runs PHP on a site of the second network, as WP-CLI does. */
  const there = async <T>(code: string): Promise<T> =>
    JSON.parse(await net.site.wp('eval', code, `--url=${net.site.url}/other/`));
  beforeAll(async () => {
    net = await startNetwork('several-networks', ['shop'], SIGN_UP);
    // Main site 3 and a site 4 of its own.
    await net.site.php(`global $wpdb; $d = get_network()->domain;
      $wpdb->insert( $wpdb->site, array( 'domain' => $d, 'path' => '/other/' ) );
      define( 'UPLOADBLOGSDIR', 'wp-content/blogs.dir' );
      $boss = wpmu_create_user( 'boss', 'boss pass', 'boss@people.test' );
      foreach ( array( 'site_name' => 'Other', 'siteurl' => "http://$d/other/", 'site_admins' => array( 'boss' ), 'active_sitewide_plugins' => get_network_option( 1, 'active_sitewide_plugins' ) ) as $name => $value ) { update_network_option( 2, $name, $value ); }
      foreach ( array( '/other/', '/other/den/' ) as $path ) { wp_insert_site( array( 'domain' => $d, 'path' => $path, 'network_id' => 2, 'user_id' => $boss, 'title' => $path ) ); }
      update_network_option( 2, 'main_site', 3 );`);
    const config = join(net.site.dir, 'wp-config.php');
    const here = (other: string, main: string) =>
      `0 === strpos( ( isset( $_SERVER['REQUEST_URI'] ) ? $_SERVER['REQUEST_URI'] : '' ) . '/', '/other/' ) ? ${other} : ${main}`;
    const text = await readFile(config, 'utf8');
    await writeFile(
      config,
      text
        .replace("'PATH_CURRENT_SITE', '/'", `'PATH_CURRENT_SITE', ${here("'/other/'", "'/'")}`)
        .replace("'SITE_ID_CURRENT_SITE', 1", `'SITE_ID_CURRENT_SITE', ${here('2', '1')}`)
        .replace("'BLOG_ID_CURRENT_SITE', 1", `'BLOG_ID_CURRENT_SITE', ${here('3', '1')}`),
    );
  });
  afterAll(() => net?.stop());

  /** Roles on the four sites: main and shop of the first network, main and den of the second. */
  const roles = (login: string): Promise<string> =>
    net.json(`$user = get_user_by( 'login', '${login}' ); $all = array();
      foreach ( array( 1, 2, 3, 4 ) as $blog ) { $all[] = is_user_member_of_blog( $user->ID, $blog ) ? implode( '+', ( new WP_User( $user->ID, '', $blog ) )->roles ) : '-'; }
      echo wp_json_encode( implode( ' ', $all ) );`);
  const become = async (login: string, expected: string) => {
    await waitUntil(async () => (await roles(login)) === expected, 30_000).catch(() => undefined);
    expect(await roles(login)).toBe(expected);
  };
  const turns = async () => {
    await net.site.php("do_action( 'rollcall_network_turn' );");
    await there("do_action( 'rollcall_network_turn' ); echo 1;");
  };
  const set = (part: string) =>
    there(
      `$all = array(); foreach ( array( 1, 2 ) as $network ) { $all[] = ! is_wp_error( Rollcall_Network_Settings::change( $network, array( ${part} ) ) ); } echo wp_json_encode( $all );`,
    );

  test('an account joins the sites of the one on which it came about, a new site is joined by its network’s members, and a role stays inside', async () => {
    expect(await there('echo wp_json_encode( get_current_network_id() );')).toBe(2);
    await set("'new_account' => true, 'new_site' => true");
    const joins = async (path: string, login: string) =>
      expect(await (await net.site.request(`${path}?join_as=${login}`)).text()).toBe('joined');
    await joins('/other/den/', 'olga');
    // Before the first network has looked for whom no hook told it of.
    await net.site.php("add_user_to_blog( 1, get_user_by( 'login', 'olga' )->ID, 'editor' );");
    await joins('/shop/', 'sven');
    await turns();
    await become('olga', 'editor - subscriber author');
    await become('sven', 'subscriber author - -');
    await set("'new_account' => false");
    await there(
      "echo (int) wpmu_create_blog( get_network()->domain, '/other/late/', 'late', 1, array(), 2 );",
    );
    await turns();
    const late = await net.json<string[]>(
      "echo wp_json_encode( wp_list_pluck( get_users( array( 'blog_id' => 5 ) ), 'user_login' ) );",
    );
    // The first person is made a member of the site that they create; Boss administers its network.
    expect(late.toSorted()).toEqual(['admin', 'olga']);
    await set("'new_site' => false, 'role_change' => true, 'role_sites' => 'all'");
    await net.site.php(
      "switch_to_blog( 4 ); get_user_by( 'login', 'olga' )->set_role( 'contributor' );",
    );
    await turns();
    await become('olga', 'editor - contributor contributor');
    await net.site.php("get_user_by( 'login', 'olga' )->set_role( 'author' );");
    await turns();
    await become('olga', 'author author contributor contributor');
    await set("'role_change' => false");
  });

  test('whom a person took off a site of one stays off there, and is filled in on the sites of both as their own rules say', async () => {
    await net.site.php(`wpmu_create_user( 'hans', 'x', 'hans@people.test' ); $id = get_user_by( 'login', 'hans' )->ID;
      foreach ( array( 1, 2, 3, 4 ) as $blog ) { add_user_to_blog( $blog, $id, 'author' ); }
      foreach ( array( 2, 4 ) as $blog ) { remove_user_from_blog( $id, $blog ); }`);
    const fill =
      "$run = Rollcall_Network_Runs::begin( wp_generate_uuid4(), get_current_network_id(), array( 'action' => 'fill' ), 'cli', 'test' ); while ( $run['next'] ) { $run = Rollcall_Network_Runs::page( $run['id'], $run['next'], 20 ); } echo wp_json_encode( $run['counts']['skipped'] );";
    expect(await net.json(fill)).toMatchObject({ 'network.removed_before': 1 });
    expect(await there(fill)).toMatchObject({ 'network.removed_before': 1 });
    expect(await roles('hans')).toBe('author - author -');
    // Who is a member of no site of a network is none of its everybody.
    expect(await roles('sven')).toBe('subscriber author - -');
  });

  test('T236: neither writes to a site that is read-only, whichever network it is of', async () => {
    await net.site.php(`Rollcall_Site_Guard::set_read_only( 4, true ); Rollcall_Site_Guard::set_read_only( 2, true );
      $id = wpmu_create_user( 'ida', 'x', 'ida@people.test' ); add_user_to_blog( 1, $id, 'author' ); add_user_to_blog( 3, $id, 'author' );`);
    const refusals = (blog: number) =>
      `echo wp_json_encode( Rollcall_Network_Sites::refusal( get_current_network_id(), ${blog}, Rollcall_Network_Settings::fresh( get_current_network_id() ) ) );`;
    expect(await net.json(refusals(2))).toBe('target.read_only');
    expect(await there(refusals(4))).toBe('target.read_only');
    await net.site.php(
      'Rollcall_Site_Guard::set_read_only( 4, false ); Rollcall_Site_Guard::set_read_only( 2, false );',
    );
  });

  test('T237: who administers the second one neither releases the installation from its hub nor changes its whitelist', async () => {
    await net.site.php(
      `Rollcall_Settings::bind( array( 'hub_id' => '${HUB.id}', 'term' => 1, 'hub_name' => 'Hub', 'keys' => array(), 'meta' => array(), 'signal' => null, 'service_user_id' => 0, 'offset_ms' => 0 ) );`,
    );
    const state = () =>
      net.json<[boolean, boolean]>(
        'echo wp_json_encode( array( Rollcall_Settings::is_bound(), Rollcall_Whitelist::is_on() ) );',
      );
    const { visitor } = await signIn(net.site, 'boss', 'boss pass', '/other');
    expect((await visitor.request('/other/wp-admin/network/')).status).toBe(200);
    const page = '/other/wp-admin/admin.php?page=rollcall';
    const text = await (await visitor.request(page)).text();
    expect(text).toContain('All networks of this installation share this connection');
    expect([text.includes('name="release"'), text.includes('tab=whitelist')]).toEqual([
      false,
      false,
    ]);
    const form = await visitor.form(page, 'rollcall-guard');
    const post = '/other/wp-admin/admin-post.php';
    expect((await visitor.submit(post, { ...form, release: '1' })).status).toBe(403);
    expect(
      (await visitor.submit(post, { ...form, action: 'rollcall_whitelist', on: '1' })).status,
    ).toBe(403);
    expect(
      (await visitor.submit(post, { ...form, action: 'rollcall_moved', copy: '1' })).status,
    ).toBe(403);
    expect(await state()).toEqual([true, false]);
    // The first network's administrator does, on either.
    await net.site.php("update_network_option( 2, 'site_admins', array( 'boss', 'admin' ) );");
    const { visitor: admin } = await signIn(
      net.site,
      net.site.adminLogin,
      net.site.adminPassword,
      '/other',
    );
    const fields = await admin.form(page, 'rollcall-guard');
    await admin.submit(post, { ...fields, release: '1' });
    expect(await state()).toEqual([false, false]);
  });

  test('T238: an installation that comes from a version without networks gets its tables with the next request, and its triggers work', async () => {
    await net.site.php(
      `Rollcall_Network_Tables::drop(); foreach ( array( 1, 2 ) as $network ) { update_network_option( $network, 'rollcall_tables_version', '7' ); }`,
    );
    expect((await net.site.request('/other/')).status).toBe(200);
    await set("'new_account' => true");
    expect(await (await net.site.request('/other/den/?join_as=nora')).text()).toBe('joined');
    await turns();
    await become('nora', '- - subscriber author');
    expect(
      await net.json(
        "echo wp_json_encode( array( get_network_option( 1, 'rollcall_tables_version' ) === Rollcall_Plugin::TABLES_VERSION, get_network_option( 2, 'rollcall_tables_version' ) === Rollcall_Plugin::TABLES_VERSION ) );",
      ),
    ).toEqual([true, true]);
  });
});
