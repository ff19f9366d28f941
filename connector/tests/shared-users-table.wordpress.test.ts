/**
 * Three installations over one users table (CUSTOM_USER_TABLE): a network, whose table it is, and two single sites with
 * prefixes of their own in the same database. What lies beside the users table is one for all of them.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { activatePlugin } from '#lab/activate-plugin.ts';
import { nativeMissing, type Site, startSite } from '#lab/start-site.ts';
import {
  applicationPassword,
  ask,
  basic,
  CONNECTOR,
  type ConnectedSite,
  connect,
  connectedSite,
  connectRequest,
  erase,
  fault,
  fields,
  HUB,
  past,
  write,
} from './connected-site.ts';

const missing = nativeMissing();
if (missing !== null)
  console.warn(`Sites over one users table need MariaDB; to run them: ${missing}`);

describe.skipIf(missing !== null)('one users table', () => {
  let brand: Site;
  let shop: Site;
  let club: Site;
  let hub: ConnectedSite;
  beforeAll(async () => {
    const start = (name: string, multisite: boolean) =>
      startSite({ engine: 'native', name, multisite, connector: CONNECTOR });
    [brand, shop, club] = await Promise.all([
      start('shared-brand', true),
      start('shared-shop', false),
      start('shared-club', false),
    ]);
    await share(shop, 'shop_');
    await share(club, 'club_');
    for (const site of [brand, shop, club]) await activatePlugin(site);
    const { credential } = await connect(brand);
    hub = connectedSite(brand, credential);
  });
  afterAll(() => Promise.all([shop?.stop(), club?.stop(), brand?.stop()]));

  /** Moves a site into the database of the network, over its users table. */
  async function share(site: Site, prefix: string): Promise<void> {
    const file = join(site.dir, 'wp-config.php');
    const text = await readFile(file, 'utf8');
    const [from = ''] = /(?<='DB_NAME', ')[^']+/u.exec(text) ?? [];
    const to = await brand.php(`global $wpdb;
      foreach ( $wpdb->get_col( 'SHOW TABLES FROM ${from}' ) as $table ) {
        if ( ! in_array( $table, array( 'wp_users', 'wp_usermeta' ), true ) ) {
          $wpdb->query( "RENAME TABLE ${from}.$table TO " . DB_NAME . '.' . preg_replace( '/^wp_/', '${prefix}', $table ) );
        }
      }
      $wpdb->query( "UPDATE ${prefix}options SET option_name = '${prefix}user_roles' WHERE option_name = 'wp_user_roles'" );
      update_user_meta( 1, '${prefix}capabilities', array( 'administrator' => true ) );
      echo DB_NAME;`);
    const shared = text
      .replace(`'${from}'`, `'${to}'`)
      .replace("= 'wp_';", `= '${prefix}';`)
      .replace(
        '<?php',
        "<?php define( 'CUSTOM_USER_TABLE', 'wp_users' ); define( 'CUSTOM_USER_META_TABLE', 'wp_usermeta' );",
      );
    await writeFile(file, shared);
  }

  const connectAs = async (site: Site, id: string) =>
    ask(site, 'connect', connectRequest({ hub: { ...HUB, id, name: 'Hub' } }), {
      headers: basic(site.adminLogin, await applicationPassword(site, site.adminLogin)),
    });
  const ANOTHER = '22222222-2222-4222-8222-222222222222';
  const bound = (site: Site) => site.php('echo wp_json_encode( Rollcall_Settings::is_bound() );');
  /** Roles at the network's main site, and those of another installation. */
  const roles = async (login: string, prefix: string): Promise<unknown> =>
    JSON.parse(
      await brand.php(`$u = get_user_by( 'login', '${login}' );
        echo wp_json_encode( $u ? array( array_values( $u->roles ), array_keys( array_filter( (array) get_user_meta( $u->ID, '${prefix}capabilities', true ) ) ) ) : null );`),
    );
  /** Somebody whom the hub knows, with what was stored for other installations. */
  const known = async (login: string, elsewhere: Readonly<Record<string, string>> = {}) => {
    const operation = write({
      login,
      fields: fields({ email: `${login}@people.test`, 'role:author': true }, past(50)),
    });
    const { id = 0 } = await hub.one(operation);
    for (const [prefix, role] of Object.entries(elsewhere)) {
      await brand.php(
        `update_user_meta( ${id}, '${prefix}capabilities', array( '${role}' => true ) );`,
      );
    }
    return { uid: operation.uid, id: id ?? 0 };
  };

  test('T240: a second installation is bound to no hub beside one that is, and nothing is lost by trying', async () => {
    await known('waits');
    await brand.php(
      `wp_update_user( array( 'ID' => get_user_by( 'login', 'waits' )->ID, 'first_name' => 'Waits' ) );`,
    );
    for (const id of [ANOTHER, HUB.id]) {
      const answer = await connectAs(shop, id);
      expect(fault(answer)).toEqual([409, 'hub.bound_beside']);
      expect(JSON.stringify(answer.body)).toContain(new URL(brand.url).host);
    }
    expect([await bound(shop), await bound(brand)]).toEqual(['false', 'true']);
    expect(
      await brand.php(
        `global $wpdb; echo $wpdb->get_var( "SELECT COUNT(*) FROM $wpdb->users WHERE user_login LIKE 'rollcall-hub%'" );`,
      ),
    ).toBe('1');
    const { rows } = await hub.changes();
    expect(rows.map(({ account }) => account?.login)).toContain('waits');
    // Its own hub connects the bound one again.
    const { credential } = await connect(brand);
    hub = connectedSite(brand, credential);
  });

  test('T241: who administers another installation over the same users table is not changed from outside', async () => {
    const rename = async (who: Awaited<ReturnType<typeof known>>) => {
      const receipt = await hub.one(
        write({ ...who, create: null, fields: fields({ last_name: 'Taken' }, Date.now()) }),
      );
      return receipt.reason ?? receipt.result;
    };
    expect(await rename(await known('shopboss', { shop_: 'administrator' }))).toBe(
      'target.privileged_account',
    );
    expect(await rename(await known('shopauthor', { shop_: 'author' }))).toBe('updated');
    // What an installation has left behind that is no longer there gives nobody power.
    expect(await rename(await known('former', { gone_: 'administrator' }))).toBe('updated');
  });

  test('T242: a delete that comes to one installation leaves who has roles on another one', async () => {
    const [both, here] = [await known('both', { shop_: 'author' }), await known('here')];
    const end = (who: typeof both) =>
      hub.one(erase({ ...who, blog: 1, gone: [Date.now(), 3], reassign: null }));
    expect(await end(both)).toMatchObject({
      result: 'updated',
      reason: 'target.member_elsewhere',
    });
    expect((await end(here)).result).toBe('deleted');
    expect([await roles('both', 'shop_'), await roles('here', 'shop_')]).toEqual([
      [[], ['author']],
      null,
    ]);
  });

  test('what is changed on another one is read with the accounts, and who came about there is told', async () => {
    const { id } = await known('twice');
    await hub.changes((await hub.changes()).rows.map(({ row, rev }) => [row, rev] as const));
    await shop.php(`wp_update_user( array( 'ID' => ${id}, 'first_name' => 'On Shop' ) );
      wp_insert_user( array( 'user_login' => 'fromshop', 'user_email' => 'fromshop@people.test', 'user_pass' => 'x', 'role' => 'author' ) );`);
    expect((await hub.account(id)).fields?.['first_name']?.v).toBe('On Shop');
    await brand.php('Rollcall_Newcomers::look( true );');
    const told = (await hub.changes()).rows.map(({ account }) => account?.login);
    expect(told).toContain('fromshop');
    expect(await roles('fromshop', 'shop_')).toEqual([[], ['author']]);
  });

  test('T243: deleting the plugin on one takes nothing that another one needs', async () => {
    const waiting = async () => (await hub.changes()).rows.map(({ account }) => account?.login);
    const before = await waiting();
    expect(before).toContain('fromshop');
    await club.wp('plugin', 'uninstall', 'rollcall-connector', '--deactivate', '--skip-delete');
    expect(await waiting()).toEqual(before);
    expect(
      await club.php(
        `global $wpdb; echo wp_json_encode( $wpdb->get_col( "SELECT option_name FROM $wpdb->options WHERE option_name LIKE '%rollcall%'" ) );`,
      ),
    ).toBe('[]');
  });

  test('once the first is released another one is bound, and the first one is refused then', async () => {
    await activatePlugin(club);
    await hub.post('disconnect', { hub: HUB });
    expect((await connectAs(shop, ANOTHER)).status).toBe(200);
    expect(fault(await connectAs(club, ANOTHER))).toEqual([409, 'hub.bound_beside']);
    expect(fault(await connectAs(brand, HUB.id))).toEqual([409, 'hub.bound_beside']);
    // What was noted over another users table, as a copy of a database brings it along, binds nobody.
    const noted = (users: string) =>
      club.php(
        `Rollcall_Facts::set( Rollcall_Neighbours::FACT, DB_NAME . '.shop_options ' . DB_NAME . '.${users}' ); echo wp_json_encode( Rollcall_Neighbours::another_is_bound() );`,
      );
    expect([await noted('old_users'), await noted('wp_users')]).toEqual(['false', 'true']);
    // Its hub's account is nobody whom the network's own fills take in.
    const filled =
      await brand.php(`$run = Rollcall_Network_Runs::begin( wp_generate_uuid4(), 1, array( 'action' => 'fill' ), 'cli', 'test' );
      while ( $run['next'] ) { $run = Rollcall_Network_Runs::page( $run['id'], $run['next'], 20 ); }
      echo wp_json_encode( array( $run['state'], get_users( array( 'blog_id' => 1, 'login' => 'shopauthor', 'fields' => 'ID' ) ) !== array(), get_users( array( 'blog_id' => 1, 'search' => 'rollcall-hub*', 'fields' => 'ID' ) ) ) );`);
    expect(filled).toBe('["done",true,[]]');
    // Who has power over the network has it here, be it as a super admin alone.
    const power = (login: string) =>
      shop.php(
        `echo wp_json_encode( Rollcall_Privilege::power_of( get_user_by( 'login', '${login}' )->ID ) );`,
      );
    await brand.php(
      `foreach ( array( 'above', 'below' ) as $login ) { $id = wpmu_create_user( $login, 'x', "$login@people.test" ); add_user_to_blog( 1, $id, 'subscriber' ); }
       grant_super_admin( get_user_by( 'login', 'above' )->ID );`,
    );
    expect([await power('above'), await power('below')]).toEqual([
      '{"roles":[],"other":true}',
      'null',
    ]);
  });
});
