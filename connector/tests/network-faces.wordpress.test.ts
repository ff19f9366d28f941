/** Networks from WP-CLI, Network Admin and a site's own page. No hub is ever connected here. */
import { afterAll, beforeAll, expect, it, test } from 'vitest';
import { activatePlugin } from '#lab/activate-plugin.ts';
import { signIn } from '#lab/sign-in.ts';
import { type Site, startSite } from '#lab/start-site.ts';
import { type Fields, formFields, type Visitor } from '#lab/visitor.ts';
import { CONNECTOR } from './connected-site.ts';
import { BEST } from './engines.ts';

let site: Site;
const SHOP = 2;
const BLOG = 3;
const HOSTILE = `<script>alert("x")</script>`;

beforeAll(async () => {
  site = await startSite({
    ...BEST.options,
    name: 'network-faces',
    multisite: true,
    connector: CONNECTOR,
    muPlugins: {
      'helper.php': `<?php
        add_filter( 'user_has_cap', function ( $caps, $needed, $args, $user ) {
          return 'helper' === $user->user_login ? $caps + array( 'manage_network_users' => true ) : $caps;
        }, 10, 4 );`,
    },
  });
  await activatePlugin(site);
  await site.php(`$_SERVER['REMOTE_ADDR'] = '127.0.0.1';
    foreach ( array( 'shop' => 'Shop', 'blog' => 'Blog' ) as $path => $title ) {
      wpmu_create_blog( get_network()->domain, "/$path/", $title, 1 );
    }
    update_blog_option( 3, 'blogname', '${HOSTILE}' );
    for ( $i = 1; $i <= 20; $i++ ) { wpmu_create_user( "anna$i", 'x', "anna$i@example.com" ); }
    grant_super_admin( wpmu_create_user( 'root', 'x', 'root@example.com' ) );
    $boss = wpmu_create_user( 'shopboss', 'x', 'shopboss@example.com' );
    add_user_to_blog( 2, $boss, 'administrator' );
    add_user_to_blog( 3, wpmu_create_user( 'blogboss', 'x', 'blogboss@example.com' ), 'administrator' );
    wpmu_create_user( 'helper', 'x', 'helper@example.com' );`);
});
afterAll(() => site?.stop());

const network = (...args: string[]): Promise<string> => site.wp('rollcall', 'network', ...args);
const json = async (...args: string[]) => JSON.parse(await network(...args, '--format=json'));
const refused = (...args: string[]) => site.wpTry('rollcall', 'network', ...args);
/** Logins of who is on a site with a role. */
const members = async (blog: number, role: string): Promise<string[]> =>
  JSON.parse(
    await site.php(
      `echo wp_json_encode( wp_list_pluck( get_users( array( 'blog_id' => ${blog}, 'role' => '${role}', 'orderby' => 'ID' ) ), 'user_login' ) );`,
    ),
  );

it('shows and sets from the command line what happens by itself', async () => {
  expect(await json('list')).toEqual([
    expect.objectContaining({ network: 1, sites: 3, accounts: 25, new_account: 'off' }),
  ]);
  expect(await json('triggers', '--new-site=on', '--role-sites=all')).toMatchObject({
    new_account: 'off',
    new_site: 'on',
    role_sites: 'all',
  });
  await network('triggers', '--new-site=off');
  await network('exclude', 'shop', `${site.url}/blog/`);
  await network('include', String(BLOG));
  await network('privileged', 'allow', 'administrator');
  const shown = await json('show');
  expect(shown).toMatchObject({
    new_site: false,
    excluded: [SHOP],
    privileged_roles: ['administrator'],
  });
  expect(shown.sites).toMatchObject([
    { site: 1, default_role: 'subscriber', closed: '' },
    { site: SHOP, url: `${site.url}/shop`, members: 2, closed: 'excluded' },
    { site: BLOG, name: HOSTILE, closed: '' },
  ]);
  await network('include', 'shop');
  await network('privileged', 'forbid', 'administrator');
  expect(await json('show', '1')).toMatchObject({ excluded: [], privileged_roles: [] });
  const wrongs = [
    ['triggers', '--new-site=perhaps'],
    ['triggers', '--role-sites=some'],
    ['exclude', 'elsewhere'],
    ['show', '7'],
    ['privileged', 'give', 'administrator'],
    ['sync', '--people=nobody', '--dry-run'],
    ['sync', '--sites=2,99', '--dry-run'],
    ['sync', '--format=json'],
    ['copy-roles', '--from=9', '--people=anna1', '--yes'],
    ['run', '00000000-0000-4000-8000-000000000000'],
  ];
  await Promise.all(
    wrongs.map(async (wrong) => {
      const { exitCode, stderr } = await refused(...wrong);
      expect([wrong, exitCode, stderr]).toEqual([wrong, 1, expect.stringMatching(/^Error: .+\./m)]);
    }),
  );
});

it('previews, fills, copies roles and takes back from the command line, and a plugin active on one site alone hears it', async () => {
  await site.php(`
    file_put_contents( WP_PLUGIN_DIR . '/ears.php', "<?php // Plugin Name: Ears
      add_action( 'add_user_to_blog', function ( \\$id, \\$role, \\$blog ) { update_option( 'heard', get_option( 'heard', 0 ) + 1 ); }, 10, 3 );" );
    switch_to_blog( ${BLOG} ); update_option( 'active_plugins', array( 'ears.php' ) );`);
  const heard = () => site.php(`echo get_blog_option( ${BLOG}, 'heard', 0 );`);
  const two = ['sync', '--people=anna1,anna2@example.com,root', '--sites=shop,blog'];
  expect(await json(...two, '--dry-run')).toMatchObject({
    add: 4,
    skipped: { 'network.super_admin': 2 },
    sites: [
      { blog: SHOP, add: 2 },
      { blog: BLOG, add: 2 },
    ],
  });
  expect(await members(SHOP, 'subscriber')).toEqual([]);
  expect(await network(...two, '--dry-run')).toContain('To add: 4, to change: 0, unchanged: 0.');

  const run = await json(...two, '--yes');
  expect(run).toMatchObject({ state: 'done', by: 'WP-CLI', counts: { added: 4, done: 6 } });
  expect(await members(SHOP, 'subscriber')).toEqual(['anna1', 'anna2']);
  expect(await members(BLOG, 'subscriber')).toEqual(['anna1', 'anna2']);
  if (site.engine === 'native') expect(await heard()).toBe('2');
  expect(await json(...two, '--yes')).toMatchObject({ counts: { added: 0, unchanged: 4 } });

  await site.php(
    `( new WP_User( get_user_by( 'login', 'anna1' )->ID, '', ${SHOP} ) )->set_role( 'author' );`,
  );
  const copied = ['copy-roles', '--from=shop', '--people=anna1,anna3', '--memberships=all'];
  expect(await json(...copied, '--yes')).toMatchObject({
    state: 'done',
    counts: { added: 1, changed: 1, skipped: { 'network.no_role': 2 } },
  });
  expect(await members(BLOG, 'author')).toEqual(['anna1']);
  expect(await members(1, 'author')).toEqual(['anna1']);

  expect((await json('runs')).map(({ id }: { id: string }) => id)[2]).toBe(run.id);
  expect((await json('run', run.id, '--rows')).rows).toHaveLength(4);
  expect(await network('run', run.id)).toContain('Fill: 2 sites, 3 people');
  expect((await refused('pause', run.id)).exitCode).toBe(1);

  // One of the four was touched since, and of another one the roles were copied.
  expect(await json('undo', run.id, '--yes')).toMatchObject({
    state: 'undone',
    counts: { removed: 2, kept: 2, left: { 'network.changed_since': 1 } },
  });
  expect(await members(SHOP, 'subscriber')).toEqual([]);
  expect(await members(BLOG, 'author')).toEqual(['anna1']);
  expect(await network('run', run.id)).toContain('left: network.changed_since');
  // Once the copy is taken back, so is what it had changed.
  await network('undo', (await json('runs'))[0].id, '--yes');
  const rest = { removed: 3, kept: 1, left: {} };
  expect(await json('undo', run.id, '--yes')).toMatchObject({ state: 'undone', counts: rest });
  expect(await members(BLOG, 'author')).toEqual([]);
  expect((await refused('undo', run.id, '--yes')).stderr).toContain('Nothing of this run is left');
  // One whose process was killed is gone on with, and one of another network is none.
  const killed = '22222222-2222-4222-8222-222222222222';
  await site.php(
    `Rollcall_Network_Runs::begin( '${killed}', 1, array( 'action' => 'fill', 'people' => array( 1 ) ), 'cli', 'WP-CLI' );`,
  );
  expect(await json('resume', killed)).toMatchObject({ state: 'done', counts: { done: 3 } });
  await site.php(
    `global $wpdb; $wpdb->query( 'UPDATE ' . Rollcall_Network_Tables::runs() . " SET network = 9 WHERE id = '${killed}'" );`,
  );
  expect((await refused('run', killed)).stderr).toContain('There is no such run');
  const later = await json('sync', '--people=anna4', '--sites=blog', '--yes', '--background');
  expect(later).toMatchObject({ state: 'running', driver: 'cron', counts: { added: 0 } });
  expect(await workOn(later.id)).toBe('done');
  expect(await members(BLOG, 'subscriber')).toContain('anna4');
});

const PAGE = '/wp-admin/network/admin.php?page=rollcall-network';
const edit = (action: string) => `/wp-admin/network/edit.php?action=rollcall_network_${action}`;
const person = async (login: string, path = ''): Promise<Visitor> =>
  (await signIn(site, login, login === 'admin' ? site.adminPassword : 'x', path)).visitor;
const see = async (who: Visitor, path: string): Promise<string> => (await who.request(path)).text();
const settings = async () =>
  JSON.parse(await site.php(`echo wp_json_encode( Rollcall_Network_Settings::fresh( 1 ) );`));
/** Works on what is there to the end, as WordPress's cron does. */
const workOn = (id: string) =>
  site.php(`do { do_action( Rollcall_Network_Cron::HOOK ); $run = Rollcall_Network_Runs::find( '${id}' ); }
    while ( 'running' === $run['state'] || 'undoing' === $run['state'] ); echo $run['state'];`);
const runOf = (response: Response): string =>
  new URL(response.headers.get('location') ?? '', site.url).searchParams.get('run') ?? '';
/** What the script on the page would read. */
async function look(who: Visitor, page: string): Promise<{ inside: string; works: boolean }> {
  const address = /data-address="([^"]+)"/.exec(page)?.[1] ?? '';
  const { pathname, search } = new URL(address.replaceAll('&#038;', '&'));
  return JSON.parse(await (await who.request(pathname + search)).text()).data;
}

it('sets, counts, begins, follows, pauses and ends an action in Network Admin', async () => {
  const admin = await person('admin');
  const tab = `${PAGE}&tab=settings`;
  const asked = await admin.form(tab, 'rollcall-network-settings');
  const save = (more: Fields) => admin.submit(edit('settings'), { ...asked, ...more });
  await save({ new_account: '1', role_sites: 'all', 'privileged[]': 'administrator' });
  expect(await settings()).toMatchObject({
    new_account: true,
    role_change: false,
    role_sites: 'all',
    privileged_roles: ['administrator'],
  });
  // Another role that only a sub-site has; the page had not shown it when the next one saves.
  await save({ privileged_more: 'shop_boss' });
  expect(await settings()).toMatchObject({ new_account: false, privileged_roles: ['shop_boss'] });
  await save({});
  expect((await settings()).privileged_roles).toEqual(['shop_boss']);
  await network('privileged', 'forbid', 'shop_boss');

  const list = await admin.form(PAGE, 'rollcall-network-sites');
  const chosen = { ...list, 'sites[]': String(BLOG) };
  await admin.submit(edit('sites'), { ...chosen, action: 'exclude' });
  expect((await settings()).excluded).toEqual([BLOG]);
  await admin.submit(edit('sites'), { ...chosen, action: '-1', action2: 'include' });
  expect((await settings()).excluded).toEqual([]);
  const filled = await admin.submit(edit('sites'), { ...chosen, action: 'fill' });
  expect(filled.headers.get('location')).toContain('sites=3');

  const form = await admin.form(`${PAGE}&tab=action`, 'rollcall-network-action');
  const wrong = await admin.submit(`${PAGE}&tab=action`, { ...form, people: 'anna5\nnobody' });
  const said = await wrong.text();
  expect(said).toContain('There is no user “nobody”.');
  expect(formFields(said, 'rollcall-network-action')?.['people']).toBe('anna5\nnobody');
  const typed = { ...form, people: 'anna5\nANNA6@example.com, root', sites: 'shop' };
  const counted = await (await admin.submit(`${PAGE}&tab=action`, typed)).text();
  expect(counted).toContain('Fill: 1 site, 3 people');
  expect(counted).toContain('1: The account is a super admin.');
  const begin = formFields(counted, 'rollcall-network-begin') ?? {};
  const run = runOf(await admin.submit(edit('begin'), begin));
  // A second click begins nothing more.
  expect(runOf(await admin.submit(edit('begin'), begin))).toBe(run);
  expect(await members(SHOP, 'subscriber')).not.toContain('anna5');

  const at = `${PAGE}&tab=runs&run=${run}`;
  const page = await see(admin, at);
  expect(await look(admin, page)).toMatchObject({ works: true, spoken: 'Running, 0 percent' });
  const control = formFields(page, 'rollcall-run-control') ?? {};
  await admin.submit(edit('control'), { ...control, do: 'pause' });
  expect(await json('run', run)).toMatchObject({ state: 'paused', by: 'admin', driver: 'cron' });
  await admin.submit(edit('control'), { ...control, do: 'resume' });
  expect(await workOn(run)).toBe('done');
  const ended = await look(admin, page);
  expect(ended.works).toBe(false);
  expect(ended.inside).toContain('3 of 3 memberships looked at');
  expect(await members(SHOP, 'subscriber')).toEqual(expect.arrayContaining(['anna5', 'anna6']));
  expect(await see(admin, at)).toContain('<td>anna6</td><td>Shop</td>');
  expect(await see(admin, `${PAGE}&tab=runs`)).toContain('Fill: 1 site, 3 people');
  const undo = async () => {
    await admin.submit(edit('control'), { ...control, do: 'undo' });
    expect(await workOn(run)).toBe('undone');
    return see(admin, at);
  };
  await network('exclude', 'shop');
  const stays = await undo();
  for (const words of ['Not taken back yet', 'or excluded', 'Undo the rest'])
    expect(stays).toContain(words);
  await network('include', 'shop');
  const back = await undo();
  expect(back).toContain('2 of 2 memberships looked at');
  expect(back).not.toContain('Undo the rest');
  expect(await members(SHOP, 'subscriber')).not.toContain('anna5');
});

test('T971: who lacks the capability, or the nonce, changes nothing in Network Admin, and settings take more than actions', async () => {
  const admin = await person('admin');
  const helper = await person('helper');
  const boss = await person('shopboss', '/shop');
  const before = JSON.stringify([await settings(), await json('runs')]);
  const asked = await admin.form(`${PAGE}&tab=settings`, 'rollcall-network-settings');
  const list = await admin.form(PAGE, 'rollcall-network-sites');
  const spec = JSON.stringify({ action: 'fill', sites: [SHOP] });
  const begin = { id: '11111111-1111-4111-8111-111111111111', spec };
  const named = { ...asked, 'privileged[]': 'administrator', site_admins: '1' };
  const exclude = { ...list, 'sites[]': '3', action: 'exclude' };
  // Even with a nonce of their own.
  const signed = async (who: Visitor, login: string, what: string, fields: Fields) => ({
    ...fields,
    _wpnonce: await nonceFor(who, login, `rollcall_network_${what}`),
  });
  const bulk = (who: Visitor, login: string) => nonceFor(who, login, 'bulk-rollcall-sites');
  for (const [who, path, fields] of [
    [admin, edit('settings'), { ...named, _wpnonce: '' }],
    [admin, edit('sites'), { ...exclude, _wpnonce: '' }],
    [admin, edit('begin'), begin],
    [helper, edit('settings'), await signed(helper, 'helper', 'settings', named)],
    [helper, edit('sites'), { ...exclude, _wpnonce: await bulk(helper, 'helper') }],
    [boss, edit('settings'), await signed(boss, 'shopboss', 'settings', named)],
    [boss, edit('sites'), { ...exclude, _wpnonce: await bulk(boss, 'shopboss') }],
    [boss, edit('begin'), await signed(boss, 'shopboss', 'begin', begin)],
  ] as const) {
    expect([path, (await who.submit(path, fields)).status]).toEqual([path, 403]);
  }
  expect((await boss.request(PAGE)).status).toBe(403);
  // A run of another network (see above).
  const elsewhere = '22222222-2222-4222-8222-222222222222';
  const there = await see(admin, `${PAGE}&tab=runs&run=${elsewhere}`);
  expect(there).toContain('There is no such run');
  expect(there.includes('rollcall-run-bar')).toBe(false);
  const nonce = await nonceFor(admin, 'admin', `rollcall_network_control_1_${elsewhere}`);
  const undo = { run: elsewhere, do: 'undo', _wpnonce: nonce };
  expect((await admin.submit(edit('control'), undo)).status).toBe(404);
  const theirs = await see(helper, PAGE);
  expect(theirs).toContain('rollcall-network-sites');
  expect(theirs).not.toContain('value="exclude"');
  expect(theirs).not.toContain('tab=settings');
  // Counting is an action.
  const own = await helper.form(`${PAGE}&tab=action`, 'rollcall-network-action');
  const counted = await helper.submit(`${PAGE}&tab=action`, { ...own, sites: 'shop' });
  expect(formFields(await counted.text(), 'rollcall-network-begin')?.['spec']).toContain('[2]');
  expect(JSON.stringify([await settings(), await json('runs')])).toBe(before);
});

const FILL = '/wp-admin/admin.php?page=rollcall-fill';
const POST = '/wp-admin/admin-post.php';

test('T972: an administrator of a site fills that site alone, and only where the network allows it', async () => {
  const boss = await person('shopboss', '/shop');
  expect((await boss.request(`/shop${FILL}`)).status).toBe(403);
  await network('triggers', '--site-admins=on');
  // Who may promote users may use it, also without User Sync's other page.
  await site.php(`switch_to_blog( ${SHOP} ); add_role( 'recruiter', 'Recruiter', array( 'read' => true, 'promote_users' => true ) );
    add_user_to_blog( ${SHOP}, get_user_by( 'login', 'anna7' )->ID, 'recruiter' );
    add_user_to_blog( ${SHOP}, get_user_by( 'login', 'anna8' )->ID, 'editor' );`);
  const recruiter = await person('anna7', '/shop');
  expect(await recruiter.form(`/shop${FILL}`, 'rollcall-site-fill')).toHaveProperty('_wpnonce');
  const editor = await person('anna8', '/shop');
  expect((await editor.request(`/shop${FILL}`)).status).toBe(403);
  const form = await boss.form(`/shop${FILL}`, 'rollcall-site-fill');
  await network('triggers', '--site-admins=off');
  expect((await boss.submit(`/shop${POST}`, form)).status).toBe(403);
  await network('triggers', '--site-admins=on');
  const more = { sites: '3', blog: '3', spec: JSON.stringify({ action: 'fill', add_back: true }) };
  expect((await boss.submit(`/shop${POST}`, { ...form, _wpnonce: '' })).status).toBe(403);
  // Not of that site; then a member of it, but no administrator.
  expect((await boss.submit(`/blog${POST}`, form)).status).toBe(403);
  await site.php(`add_user_to_blog( ${BLOG}, get_user_by( 'login', 'shopboss' )->ID, 'author' );`);
  expect((await boss.submit(`/blog${POST}`, form)).status).toBe(403);
  // An administrator of both: what was asked on the one says nothing on the other.
  const both = `( new WP_User( get_user_by( 'login', 'shopboss' )->ID, '', ${BLOG} ) )`;
  await site.php(`${both}->set_role( 'administrator' );`);
  expect((await boss.submit(`/blog${POST}`, form)).status).toBe(403);
  await site.php(`${both}->set_role( 'author' );`);

  const blog = await members(BLOG, 'subscriber');
  const run = runOf(await boss.submit(`/shop${POST}`, { ...form, ...more }));
  expect(await json('run', run)).toMatchObject({
    spec: { action: 'fill', sites: [SHOP], people: 'all', add_back: false },
    by: `site:${SHOP} shopboss`,
  });
  expect(await workOn(run)).toBe('done');
  expect(await members(SHOP, 'subscriber')).toContain('anna20');
  expect(await members(BLOG, 'subscriber')).toEqual(blog);
  const page = await see(boss, `/shop${FILL}&run=${run}`);
  expect(page).toContain('Done');
  expect((await look(boss, page)).works).toBe(false);
});

test('T973: a run of another site, or of the network, is neither seen nor steered from a site’s own page', async () => {
  await network('triggers', '--site-admins=on');
  const shop = await person('shopboss', '/shop');
  const boss = await person('blogboss', '/blog');
  const begun = async (who: Visitor, path: string) =>
    runOf(await who.submit(path + POST, await who.form(path + FILL, 'rollcall-site-fill')));
  const theirs = await begun(shop, '/shop');
  const own = await begun(boss, '/blog');
  const whole = (await json('sync', '--sites=blog', '--people=anna1', '--yes')).id;
  const page = await see(boss, `/blog${FILL}&run=${own}`);
  const control = formFields(page, 'rollcall-run-control') ?? {};
  expect(page).not.toContain(theirs);
  for (const id of [theirs, whole]) {
    const seen = await see(boss, `/blog${FILL}&run=${id}`);
    expect(seen.includes('rollcall-run-bar')).toBe(false);
    // The nonce is for one run; with one for the other it is none of this site's.
    const steer = { ...control, run: id, do: 'cancel' };
    expect((await boss.submit(`/blog${POST}`, steer)).status).toBe(403);
    const nonce = async (name: string) => nonceFor(boss, 'blogboss', `${name}_${BLOG}_${id}`);
    const signed = { ...steer, _wpnonce: await nonce('rollcall_site_fill') };
    expect((await boss.submit(`/blog${POST}`, signed)).status).toBe(404);
    const begins = { ...signed, do: 'begin' };
    expect((await boss.submit(`/blog${POST}`, begins)).status).toBe(404);
    const ajax = `/blog/wp-admin/admin-ajax.php?action=rollcall_site_run&run=${id}&_wpnonce=`;
    expect((await boss.request(ajax)).status).toBe(403);
    expect((await boss.request(ajax + (await nonce('rollcall_site_run')))).status).toBe(404);
  }
  expect((await json('run', theirs)).state).toBe('running');
  await boss.submit(`/blog${POST}`, { ...control, do: 'cancel' });
  expect((await json('run', own)).state).toBe('cancelled');
});

test('T974: a site whose name is a script is shown with that name as text', async () => {
  const admin = await person('admin');
  const form = await admin.form(`${PAGE}&tab=action`, 'rollcall-network-action');
  const counted = await admin.submit(`${PAGE}&tab=action`, {
    ...form,
    sites: 'blog',
    people: 'anna9',
  });
  const preview = await counted.text();
  const run = runOf(
    await admin.submit(edit('begin'), formFields(preview, 'rollcall-network-begin') ?? {}),
  );
  expect(await workOn(run)).toBe('done');
  const pages = [await see(admin, PAGE), preview, await see(admin, `${PAGE}&tab=runs&run=${run}`)];
  for (const page of pages) {
    expect(page).toContain('&lt;script&gt;alert(');
    expect(page).not.toContain('<script>alert(');
  }
  expect(await site.debugLog()).toBe('');
});

/** A nonce as WordPress makes it for this session. */
const nonceFor = (who: Visitor, login: string, action: string): Promise<string> => {
  const cookie = /wordpress_logged_in_[0-9a-f]+=([^;]+)/.exec(who.cookies)?.[1] ?? '';
  return site.php(`$_COOKIE[ LOGGED_IN_COOKIE ] = urldecode( '${cookie}' );
    wp_set_current_user( get_user_by( 'login', '${login}' )->ID ); echo wp_create_nonce( '${action}' );`);
};
