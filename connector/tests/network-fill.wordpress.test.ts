/** Fills inside a network, by the connector alone: no hub is ever connected here. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { activatePlugin } from '#lab/activate-plugin.ts';
import { type Site, startSite } from '#lab/start-site.ts';
import { CONNECTOR } from './connected-site.ts';
import { BEST } from './engines.ts';

let site: Site;
beforeAll(async () => {
  site = await startSite({
    ...BEST.options,
    name: 'network-fill',
    multisite: true,
    connector: CONNECTOR,
  });
  await activatePlugin(site);
  for (const slug of ['shop', 'news', 'attic']) await site.wp('site', 'create', `--slug=${slug}`);
  await site.php(`
    for ( $i = 1; $i <= 5; $i++ ) { wpmu_create_user( "p$i", 'x', "p$i@people.test" ); }
    add_user_to_blog( 2, get_user_by( 'login', 'p1' )->ID, 'editor' );
    update_user_status( get_user_by( 'login', 'p5' )->ID, 'spam', 1 );
    update_blog_option( 3, 'default_role', 'author' );
    update_blog_status( 4, 'archived', 1 );`);
});
afterAll(() => site?.stop());

/** login => roles by site, as WordPress sees them. */
const members = async (): Promise<Record<string, string>> =>
  JSON.parse(
    await site.php(`$all = array();
      foreach ( get_users( array( 'blog_id' => 0 ) ) as $user ) {
        $roles = array();
        foreach ( array( 1, 2, 3, 4 ) as $blog ) { $roles[] = implode( '+', ( new WP_User( $user->ID, '', $blog ) )->roles ); }
        $all[ $user->user_login ] = implode( ',', $roles );
      }
      ksort( $all );
      echo wp_json_encode( $all );`),
  );

it('a fill gives each site’s default role to who has none, and leaves everybody else alone', async () => {
  const before = await members();
  const preview = JSON.parse(
    await site.php(
      `echo wp_json_encode( Rollcall_Network_Preview::page( array( 'action' => 'fill' ), 0 ) );`,
    ),
  );
  expect(await members()).toEqual(before);
  const run = JSON.parse(
    await site.php(`$id = wp_generate_uuid4();
      $run = Rollcall_Network_Runs::begin( $id, 1, array( 'action' => 'fill' ), 'cli', 'test' );
      while ( $run['next'] ) { $run = Rollcall_Network_Runs::page( $id, $run['next'], 20 ); }
      echo wp_json_encode( $run );`),
  );
  expect(run).toMatchObject({ state: 'done', next: null });
  expect(run.counts).toMatchObject({ total: 24, done: 24, added: 11 });
  expect(run.counts.skipped).toMatchObject({
    'network.account_spam': 3,
    'network.site_closed': 6,
  });
  const counted = preview.sites.reduce((sum: number, { add }: { add: number }) => sum + add, 0);
  expect(counted).toBe(run.counts.added);
  expect(await members()).toMatchObject({
    p1: 'subscriber,editor,author,',
    p2: 'subscriber,subscriber,author,',
    p5: ',,,',
  });
});
