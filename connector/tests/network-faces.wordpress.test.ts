/** Networks from WP-CLI, Network Admin and a site's own page. No hub is ever connected here. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { activatePlugin } from '#lab/activate-plugin.ts';
import { type Site, startSite } from '#lab/start-site.ts';
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
  });
  await activatePlugin(site);
  await site.php(`
    foreach ( array( 'shop' => 'Shop', 'blog' => 'Blog' ) as $path => $title ) {
      wpmu_create_blog( get_network()->domain, "/$path/", $title, 1 );
    }
    update_blog_option( 3, 'blogname', '${HOSTILE}' );
    for ( $i = 1; $i <= 20; $i++ ) { wpmu_create_user( "anna$i", 'x', "anna$i@example.com" ); }
    grant_super_admin( wpmu_create_user( 'root', 'x', 'root@example.com' ) );
    $boss = wpmu_create_user( 'shopboss', 'x', 'shopboss@example.com' );
    add_user_to_blog( 2, $boss, 'administrator' );`);
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
    expect.objectContaining({ network: 1, sites: 3, accounts: 23, new_account: 'off' }),
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
  for (const wrong of [
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
  ]) {
    const { exitCode, stderr } = await refused(...wrong);
    expect([wrong, exitCode, stderr]).toEqual([wrong, 1, expect.stringMatching(/^Error: .+\./m)]);
  }
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
});
