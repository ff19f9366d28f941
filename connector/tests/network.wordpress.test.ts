import { rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  ApplyAnswerSchema,
  type Operation,
  type Receipt,
  type StatusAnswer,
  StatusAnswerSchema,
} from '#contract/messages.ts';
import { signIn } from '#lab/sign-in.ts';
import { type Site, startSite } from '#lab/start-site.ts';
import {
  applicationPassword,
  ask,
  basic,
  type ConnectedSite,
  connect,
  connectedSite,
  connectRequest,
  erase,
  fault,
  fields,
  HUB,
  parsed,
  past,
  write,
} from './connected-site.ts';
import { BEST } from './engines.ts';

let site: Site;
let hub: ConnectedSite;
const SHOP = 2;
const SHOP_KEY = 8;
beforeAll(async () => {
  const connector = fileURLToPath(new URL('..', import.meta.url));
  site = await startSite({ ...BEST.options, name: 'network', multisite: true, connector });
  await site.wp('site', 'create', '--slug=shop');
  await site.wp('plugin', 'activate', 'rollcall-connector', '--network');
  const { credential } = await connect(site, { keys: { '1': 7, '2': SHOP_KEY } });
  hub = connectedSite(site, credential);
});
afterAll(async () => {
  await site?.stop();
});

/** One operation by the REST URL of the sub-site that it is for. */
async function onShop(operation: Operation): Promise<Receipt> {
  const response = await site.request('/shop/wp-json/rollcall/v1/apply', {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...basic(hub.credential.user, hub.credential.password),
    },
    body: JSON.stringify({ hub: HUB, dry_run: false, operations: [operation] }),
  });
  const [receipt] = ApplyAnswerSchema.parse(await response.json()).receipts;
  if (receipt === undefined) throw new Error('no receipt');
  return receipt;
}
/** `fetch` names the host of the address; a browser would find this one there. */
function askAs(host: string, url: string, headers: Record<string, string>): Promise<StatusAnswer> {
  return new Promise((resolve, reject) => {
    const options = {
      method: 'POST',
      headers: { host, 'content-type': 'application/json', ...headers },
    };
    request(`${url}/?rest_route=/rollcall/v1/status`, options, (response) => {
      let text = '';
      response.on('data', (part: Buffer) => {
        text += part.toString();
      });
      response.on('end', () => {
        resolve(StatusAnswerSchema.parse(JSON.parse(text)));
      });
    })
      .on('error', reject)
      .end(JSON.stringify({ hub: HUB }));
  });
}
const rolesOn = (blog: number, id: number): Promise<string> =>
  site.php(`echo implode( ' ', ( new WP_User( ${id}, '', ${blog} ) )->roles );`);

it('tells of every site, and is connected by a super admin only', async () => {
  const status = parsed(StatusAnswerSchema, await hub.post('status', { hub: HUB }));
  expect(status.multisite).toBe(true);
  expect(status.sites.map(({ blog, url }) => [blog, new URL(url).pathname])).toEqual([
    [1, '/'],
    [SHOP, '/shop'],
  ]);
  await site.php(
    `$id = wpmu_create_user( 'shopadmin', 'x', 'shopadmin@example.com' ); add_user_to_blog( 1, $id, 'administrator' );`,
  );
  const headers = basic('shopadmin', await applicationPassword(site, 'shopadmin'));
  expect(fault(await ask(site, 'connect', connectRequest(), { headers }))).toEqual([
    403,
    'administrator.credential',
  ]);
});

it('creates an account as a member of the very site that it is for', async () => {
  const operation = write({
    blog: SHOP,
    create: {
      login: 'shopper',
      registered: '2020-01-02 03:04:05',
      born: [past(90), 3],
      default_role: true,
    },
    fields: fields({ email: 'shopper@example.com', 'role:author': true }, past(50)),
  });
  const { id = 0, result } = await onShop(operation);
  expect(result).toBe('created');
  expect([await rolesOn(SHOP, id), await rolesOn(1, id)]).toEqual(['author', '']);
  expect(
    await site.php(
      `echo implode( ',', array_keys( get_blogs_of_user( ${id} ) ) ), ' ', get_user_meta( ${id}, 'primary_blog', true );`,
    ),
  ).toBe('2 2');
  const account = await hub.account(id);
  expect(account.roles?.['2']?.['author']?.s).toEqual(operation.fields['role:author']?.s);
  const { rows } = await hub.changes();
  expect(rows.filter((row) => row.account?.id === id)).toEqual([]);
});

it('gives a role on one site without touching the others', async () => {
  const operation = write({
    fields: fields({ email: 'both@example.com', 'role:author': true }, past(50)),
  });
  const { id = 0 } = await hub.one(operation);
  const change = { uid: operation.uid, id, create: null };
  await hub.one(
    write({ ...change, blog: SHOP, fields: fields({ 'role:contributor': true }, past(40)) }),
  );
  expect([await rolesOn(SHOP, id), await rolesOn(1, id)]).toEqual(['contributor', 'author']);
  const gone: [number, number] = [past(5), 3];
  expect(
    (await hub.one(erase({ uid: operation.uid, id, blog: SHOP, how: 'strip', gone }))).result,
  ).toBe('updated');
  expect([await rolesOn(SHOP, id), await rolesOn(1, id)]).toEqual(['', 'author']);
});

it('never changes a super admin, nor who administers any of its sites', async () => {
  await site.php(`$id = wpmu_create_user( 'overseer', 'x', 'overseer@example.com' ); grant_super_admin( $id );
    $id = wpmu_create_user( 'keeper', 'x', 'keeper@example.com' ); add_user_to_blog( ${SHOP}, $id, 'administrator' );`);
  for (const login of ['overseer', 'keeper']) {
    const operation = write({ create: null, fields: fields({ last_name: 'No' }, past(1)) });
    const id = Number(
      await site.php(
        `$id = get_user_by( 'login', '${login}' )->ID; Rollcall_Ledger::label( $id, '${operation.uid}' ); echo $id;`,
      ),
    );
    expect([login, (await hub.one({ ...operation, id })).reason]).toEqual([
      login,
      'target.privileged_account',
    ]);
  }
});

it('T177: takes the consent of one site for that site alone, and never for a super admin', async () => {
  const privileged = { account: ['administrator'], roles: ['administrator'] };
  const role = 'role:administrator';
  const person = async (login: string, code: string) => {
    const { uid } = write();
    const id = await site.php(
      `$id = wpmu_create_user( '${login}', 'x', '${login}@example.com' ); ${code} Rollcall_Ledger::label( $id, '${uid}' ); Rollcall_Capture::settle_now(); echo $id;`,
    );
    return { uid, id: Number(id), create: null, privileged };
  };
  const here = await person('here', `add_user_to_blog( ${SHOP}, $id, 'administrator' );`);
  const there = await person('there', `add_user_to_blog( 1, $id, 'administrator' );`);
  const both = await person(
    'atboth',
    `add_user_to_blog( 1, $id, 'administrator' ); add_user_to_blog( ${SHOP}, $id, 'administrator' );`,
  );
  const above = await person(
    'above',
    `add_user_to_blog( ${SHOP}, $id, 'administrator' ); grant_super_admin( $id );`,
  );
  const plain = await person('plainone', `add_user_to_blog( 1, $id, 'subscriber' );`);
  // As the site's own administrator does it: a super admin is none of those whom it could cover.
  await site.php(`switch_to_blog( ${SHOP} ); Rollcall_Consent::allow( ${SHOP}, array( 'administrator' ) );
    add_role( 'boss', 'Boss', array( 'manage_network_users' => true ) ); Rollcall_Consent::allow( ${SHOP}, array( 'boss' ) );`);
  const { sites } = parsed(StatusAnswerSchema, await hub.post('status', { hub: HUB }));
  expect(sites.map(({ consents }) => consents)).toEqual([[], ['administrator']]);
  const rename = (who: typeof here, blog: number) =>
    write({ ...who, blog, fields: fields({ last_name: 'Named' }, Date.now()) });
  const give = (who: typeof here, blog: number) =>
    write({ ...who, blog, fields: fields({ [role]: true }, Date.now()) });
  expect((await onShop(rename(here, SHOP))).result).toBe('updated');
  const refused = [
    [there, 1, 'account.not_consented'],
    [there, SHOP, 'target.privileged_account'],
    [here, 1, 'target.privileged_account'],
    [both, SHOP, 'target.privileged_account'],
    [above, SHOP, 'target.privileged_account'],
  ] as const;
  for (const [who, blog, reason] of refused) {
    const receipt = blog === 1 ? await hub.one(rename(who, 1)) : await onShop(rename(who, SHOP));
    expect([who.id, blog, receipt.reason]).toEqual([who.id, blog, reason]);
  }
  expect((await hub.one(give(plain, 1))).reason).toBe('role.not_consented');
  expect((await onShop(give(plain, SHOP))).result).toBe('updated');
  expect([await rolesOn(SHOP, plain.id), await rolesOn(1, plain.id)]).toEqual([
    'administrator',
    'subscriber',
  ]);
  expect((await hub.account(both.id)).privileged_by).toEqual({
    roles: { '1': ['administrator'], [SHOP]: ['administrator'] },
    other: false,
  });
  await site.php('Rollcall_Consent::forget();');
});

it('ends an account on the whole network, its content on every site going to the heir', async () => {
  const operation = write({
    blog: SHOP,
    fields: fields({ email: 'writer@example.com', 'role:author': true }, past(50)),
  });
  const { id = 0 } = await onShop(operation);
  const { id: heir } = await hub.one(write({ login: 'networkheir' }));
  const post = await site.php(
    `switch_to_blog( ${SHOP} ); echo wp_insert_post( array( 'post_title' => 'Kept', 'post_status' => 'publish', 'post_author' => ${id} ) );`,
  );
  const end = erase({ uid: operation.uid, id, blog: SHOP });
  expect((await hub.one(end)).reason).toBe('target.content_without_heir');
  expect((await hub.one({ ...end, reassign: 'networkheir' })).result).toBe('deleted');
  expect(
    await site.php(
      `switch_to_blog( ${SHOP} ); echo get_post( ${post} )->post_author, get_userdata( ${id} ) ? ' there' : ' gone';`,
    ),
  ).toBe(`${heir} gone`);
});

it('T983: a delete that arrives takes somebody off its own site who is a member of others', async () => {
  const create = {
    login: 'two',
    registered: '2020-01-02 03:04:05',
    born: [past(90), 3] as [number, number],
    default_role: true,
  };
  const author = fields({ email: 'two@example.com', 'role:author': true }, past(50));
  const operation = write({ create, fields: author, blog: SHOP });
  const { id = 0 } = await onShop(operation);
  // Who is there already becomes a member where it would have been created, and no more than once.
  const join = write({ create, uid: operation.uid, id, fields: {} });
  expect(await hub.one(join)).toMatchObject({ result: 'updated', id });
  expect((await hub.one(join)).result).toBe('unchanged');
  expect([await rolesOn(SHOP, id), await rolesOn(1, id)]).toEqual(['author', 'subscriber']);
  const end = erase({ uid: operation.uid, id, blog: SHOP, reassign: null });
  const receipt = await hub.one(end);
  expect([receipt.result, receipt.reason]).toEqual(['updated', 'target.member_elsewhere']);
  const member = `echo wp_json_encode( array_keys( get_blogs_of_user( ${id} ) ) );`;
  expect(await site.php(member)).toBe('[1]');
  expect((await hub.changes()).rows.filter((row) => row.account?.id === id)).toEqual([]);
  expect((await hub.account(id)).roles?.['2']?.['author']).toMatchObject({ v: false });
  expect((await hub.one(erase({ uid: operation.uid, id, blog: 1 }))).result).toBe('deleted');
  expect(await site.php(`echo get_userdata( ${id} ) ? 'there' : 'gone';`)).toBe('gone');
});

it('has switches of accounts and the whitelist in the hands of super admins', async () => {
  const who = await hub.one(write({ login: 'switched' }));
  const id = who.id ?? 0;
  const { visitor } = await signIn(site, site.adminLogin, site.adminPassword);
  const path = '/wp-admin/network/users.php';
  const list = await (await visitor.request(path)).text();
  expect(list).toContain('rollcall_incoming');
  const nonce = /name="_wpnonce" value="([0-9a-f]+)"/u.exec(list)?.[1] ?? '';
  const fields = { action: 'rollcall_reject_incoming', 'allusers[]': String(id) };
  expect((await visitor.submit(`${path}?action=allusers`, fields)).status).toBe(403);
  const done = await visitor.submit(`${path}?action=allusers`, { ...fields, _wpnonce: nonce });
  expect(done.headers.get('location')).toContain('rollcall_switched=1');
  expect((await hub.account(id)).switches.reject_incoming).toBe(true);
  const keeper = await signIn(site, 'keeper', 'x');
  expect(keeper.ok).toBe(true);
  const page = '/shop/wp-admin/admin.php?page=rollcall&tab=whitelist';
  const shown = await (await keeper.visitor.request(page)).text();
  expect([shown.includes('rollcall-guard'), shown.includes('rollcall-whitelist')]).toEqual([
    true,
    false,
  ]);
});

it('a site that comes, is archived, moves or ends is told, though a cache or a plugin leaves it out', async () => {
  const listed = async () => {
    const { sites, sites_sum } = parsed(StatusAnswerSchema, await hub.post('status', { hub: HUB }));
    expect((await hub.changes()).sites_sum).toBe(sites_sum);
    const told = sites.map(({ blog, network, closed, url }) => [
      blog,
      network,
      closed,
      new URL(url).pathname,
    ]);
    return { told, sum: sites_sum };
  };
  const main = [1, 1, null, '/'];
  const shop = [SHOP, 1, null, '/shop'];
  const before = await listed();
  expect(before.told).toEqual([main, shop]);
  const club = Number(await site.wp('site', 'create', '--slug=club', '--porcelain'));
  await site.php(`file_put_contents( WPMU_PLUGIN_DIR . '/hides.php',
    '<?php add_filter( "sites_pre_query", "__return_empty_array" );' );`);
  const came = await listed();
  expect(came.told).toEqual([main, shop, [club, 1, null, '/club']]);
  await site.php(`update_blog_status( ${club}, 'archived', 1 );`);
  const archived = await listed();
  expect(archived.told[2]).toEqual([club, 1, 'archived', '/club']);
  await site.php(`wp_update_site( ${club}, array( 'path' => '/members/', 'archived' => 0 ) );
    switch_to_blog( ${club} );
    foreach ( array( 'home', 'siteurl' ) as $url ) { update_option( $url, str_replace( '/club', '/members', get_option( $url ) ) ); }`);
  const moved = await listed();
  expect(moved.told[2]).toEqual([club, 1, null, '/members']);
  await site.php(`unlink( WPMU_PLUGIN_DIR . '/hides.php' ); wp_delete_site( ${club} );`);
  const ended = await listed();
  expect(ended.told).toEqual(before.told);
  expect(ended.sum).toBe(before.sum);
  expect(new Set([before, came, archived, moved].map(({ sum }) => sum)).size).toBe(4);
});

it('hears of a site that is missing from the list for a while, as long as its hub has a key for it, and takes none for a site that is none', async () => {
  const keep = (keys: Record<string, number>) => hub.post('settings', { hub: HUB, keys });
  const keys = () => site.php('echo wp_json_encode( Rollcall_Settings::keys() );');
  const before = await keys();
  await keep({ '1': 7, '2': SHOP_KEY, '99': 12 });
  expect(await keys()).toBe(before);
  const id = Number(await site.php(`echo get_user_by( 'login', 'shopper' )->ID;`));
  await site.php(`global $wpdb; $row = $wpdb->get_row( "SELECT * FROM $wpdb->blogs WHERE blog_id = ${SHOP}", ARRAY_A );
    update_site_option( 'kept_row', $row ); $wpdb->delete( $wpdb->blogs, array( 'blog_id' => ${SHOP} ) ); clean_blog_cache( ${SHOP} );`);
  await keep({ '1': 7, '2': SHOP_KEY });
  await site.php(`( new WP_User( ${id}, '', ${SHOP} ) )->set_role( 'editor' );`);
  await site.php(
    `global $wpdb; $wpdb->insert( $wpdb->blogs, get_site_option( 'kept_row' ) ); clean_blog_cache( ${SHOP} );`,
  );
  expect(await keys()).toBe(before);
  const { rows } = await hub.changes();
  const told = rows.find((row) => row.account?.id === id)?.account?.roles?.['2'];
  expect(told).toMatchObject({
    editor: { v: true, s: [expect.any(Number), 7] },
    author: { v: false, s: [expect.any(Number), 7] },
  });
});

it('T223: a list of sites that can’t be read, or lacks this very site, is never told', async () => {
  const before = parsed(StatusAnswerSchema, await hub.post('status', { hub: HUB }));
  const switches = {
    // WordPress itself is up by then, as it is with an object cache.
    gone: `global $wpdb;
      add_filter( 'rest_request_before_callbacks', function ( $r ) { global $wpdb; $wpdb->query( "ALTER TABLE {$wpdb->blogs} RENAME TO {$wpdb->blogs}_away" ); return $r; } );
      add_action( 'shutdown', function () { global $wpdb; $wpdb->query( "ALTER TABLE {$wpdb->blogs}_away RENAME TO {$wpdb->blogs}" ); } );`,
    short: `add_filter( 'query', function ( $q ) { return str_replace( 'WHERE site_id IN', 'WHERE blog_id > 1 AND site_id IN', $q ); } );`,
    empty: `add_filter( 'query', function ( $q ) { return str_replace( 'WHERE site_id IN', 'WHERE blog_id < 0 AND site_id IN', $q ); } );`,
  };
  const file = join(site.dir, 'wp-content', 'mu-plugins', 'blogs-away.php');
  for (const [how, code] of Object.entries(switches)) {
    await writeFile(
      file,
      `<?php if ( str_contains( $_SERVER['REQUEST_URI'] ?? '', 'rollcall/v1' ) ) { ${code} }`,
    );
    const answers = [
      await hub.post('status', { hub: HUB }),
      await hub.post('changes', { hub: HUB, ack: [], limit: 10 }),
    ];
    await rm(file);
    for (const answer of answers) {
      expect([how, ...fault(answer)]).toEqual([how, 503, 'site.database']);
    }
  }
  const after = parsed(StatusAnswerSchema, await hub.post('status', { hub: HUB }));
  expect([after.sites, after.sites_sum]).toEqual([before.sites, before.sites_sum]);
});

it('another plugin for the same thing is named, be it active on the network or on one site of it', async () => {
  const named = async (): Promise<string[]> => {
    const { warnings } = parsed(StatusAnswerSchema, await hub.post('status', { hub: HUB }));
    return warnings
      .filter(({ code }) => code === 'installation.other_sync')
      .map(({ message }) => message.split(' is active')[0] ?? '');
  };
  const plugin = (act: string): Promise<string> =>
    site.php(`require_once ABSPATH . 'wp-admin/includes/plugin.php';
      foreach ( array( 'wpm-user-sync/wpm-user-sync.php', 'wowown-harmony-user-sync/harmony.php' ) as $file ) {
        wp_mkdir_p( dirname( WP_PLUGIN_DIR . "/$file" ) );
        file_put_contents( WP_PLUGIN_DIR . "/$file", "<?php\\n/* Plugin Name: Other */" );
      }
      wp_cache_delete( 'plugins', 'plugins' );
      ${act}`);
  expect(await named()).toEqual([]);
  await plugin(`activate_plugin( 'wpm-user-sync/wpm-user-sync.php', '', true );`);
  expect(await named()).toEqual(['WPM User Sync']);
  await plugin(`switch_to_blog( ${SHOP} );
    activate_plugin( 'wowown-harmony-user-sync/harmony.php' );
    restore_current_blog();`);
  expect(await named()).toEqual(['HarmonyUser Sync, WPM User Sync']);
  await plugin(`deactivate_plugins( 'wpm-user-sync/wpm-user-sync.php', false, true );
    switch_to_blog( ${SHOP} );
    deactivate_plugins( 'wowown-harmony-user-sync/harmony.php' );
    restore_current_blog();`);
  expect(await named()).toEqual([]);
});

it('refuses a site that is not one of its own, and leaves no notice of PHP behind', async () => {
  expect((await hub.one(write({ blog: 99 }))).reason).toBe('target.site_missing');
  // WordPress itself deprecates things in its multisite code on newer PHP.
  const lines = (await site.debugLog()).split('\n');
  expect(lines.filter((line) => line.includes('rollcall'))).toEqual([]);
});

it('T987: several networks are one installation, and who administers any of them is never changed', async () => {
  const second = Number(
    await site.php(`global $wpdb;
      $main = get_network( 1 );
      $wpdb->insert( $wpdb->site, array( 'domain' => $main->domain, 'path' => '/second/' ) );
      $network = $wpdb->insert_id;
      update_network_option( $network, 'site_name', 'Second' );
      // Core asks for it where a network is not that of the request.
      defined( 'UPLOADBLOGSDIR' ) || define( 'UPLOADBLOGSDIR', 'wp-content/blogs.dir' );
      update_network_option( $network, 'siteurl', 'http://' . $main->domain . '/second/' );
      $site = wp_insert_site( array( 'domain' => $main->domain, 'path' => '/second/', 'network_id' => $network, 'user_id' => 1 ) );
      if ( is_wp_error( $site ) ) { throw new Exception( $site->get_error_message() ); }
      $id = wpmu_create_user( 'second', 'x', 'second@example.com' );
      update_network_option( $network, 'site_admins', array( 'second' ) );
      echo $site;`),
  );
  const told = async (path = '') => {
    const answer = await site.request(`${path}/?rest_route=/rollcall/v1/status`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...basic(hub.credential.user, hub.credential.password),
      },
      body: JSON.stringify({ hub: HUB }),
    });
    return StatusAnswerSchema.parse(await answer.json());
  };
  // Where the connector is not active nothing is told of a network, and it can be spoken to by none.
  expect((await told()).sites.map(({ network }) => network)).not.toContain(2);
  await site.php(
    `update_network_option( 2, 'active_sitewide_plugins', get_network_option( 1, 'active_sitewide_plugins' ) );`,
  );
  const main = await told();
  expect(main.sites.filter(({ network }) => network === 2).map(({ blog }) => blog)).toEqual([
    second,
  ]);
  // The same installation answers on both: one binding, one home, one outbox.
  const there = await told('/second');
  expect([there.bound, there.home, there.store, there.epoch, there.sites_sum]).toEqual([
    main.bound,
    main.home,
    main.store,
    main.epoch,
    main.sites_sum,
  ]);
  expect(there.sites.map(({ blog }) => blog)).toEqual(main.sites.map(({ blog }) => blog));
  const id = Number(await site.php(`echo get_user_by( 'login', 'second' )->ID;`));
  const operation = write({ id, create: null, fields: fields({ last_name: 'No' }, past(1)) });
  await site.php(`Rollcall_Ledger::label( ${id}, '${operation.uid}' );`);
  expect((await hub.one(operation)).reason).toBe('target.privileged_account');
});

// Last: the network has other addresses from here on.
it('on a network of subdomains the cookies of each site are told as they are there', async () => {
  await site.php(`global $wpdb;
    wp_insert_site( array( 'domain' => 'club.brand.test', 'path' => '/', 'network_id' => 1, 'user_id' => 1 ) );
    wp_insert_site( array( 'domain' => 'mapped.test', 'path' => '/', 'network_id' => 1, 'user_id' => 1 ) );
    $wpdb->update( $wpdb->site, array( 'domain' => 'brand.test' ), array( 'id' => 1 ) );
    $wpdb->update( $wpdb->blogs, array( 'domain' => 'brand.test' ), array( 'blog_id' => 1 ) );
    $file = ABSPATH . 'wp-config.php';
    $text = str_replace( "'SUBDOMAIN_INSTALL', false", "'SUBDOMAIN_INSTALL', true", file_get_contents( $file ) );
    $text = preg_replace( "/'DOMAIN_CURRENT_SITE', '[^']*'/", "'DOMAIN_CURRENT_SITE', 'brand.test'", $text );
    $line = "if ( file_exists( __DIR__ . '/as-the-guide-says' ) ) { define( 'COOKIE_DOMAIN', preg_match( '/(^|[.])brand[.]test$/', \\$_SERVER['HTTP_HOST'] ?? '' ) ? '.brand.test' : '' ); }";
    file_put_contents( $file, preg_replace( '/^<[?]php/', "<?php\n$line", $text ) );`);
  const { user, password } = hub.credential;
  const at = async (host: string) => {
    const status = await askAs(host, site.url, basic(user, password));
    return status.cookies;
  };
  const usual = { subdomains: true, network: 'brand.test', domain: '.brand.test', path: '/' };
  const main = await at('brand.test');
  expect(main).toMatchObject(usual);
  expect(await at('club.brand.test')).toEqual({ ...main, home: '/', admin: '/wp-admin/' });
  // WordPress itself gives a mapped domain cookies that no browser takes there.
  expect(await at('mapped.test')).toMatchObject(usual);
  // WP-CLI finds no site at the lab’s own address any more.
  await writeFile(join(site.dir, 'as-the-guide-says'), '');
  expect(await at('club.brand.test')).toMatchObject(usual);
  expect(await at('mapped.test')).toMatchObject({ ...usual, domain: null });
});
