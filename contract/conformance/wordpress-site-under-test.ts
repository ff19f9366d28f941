/**
 * A real site with the connector, as the conformance suite wants it.
 *
 * Does: connect it as a hub does, and speak to it through the hub's own client; act through
 * WordPress's functions, many acts in one process.
 * Always true: after each act the connector settles as at the end of a request; the wire has
 * nothing of the suite's own between hub and connector.
 */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { installationId } from '#hub/model/ids.ts';
import type { Connection } from '#hub/sync/ports.ts';
import { connectSite } from '#hub/wordpress/connect.ts';
import { createSiteClient } from '#hub/wordpress/site-client.ts';
import { createWire, type Wire } from '#hub/wordpress/wire.ts';
import { activatePlugin } from '#lab/activate-plugin.ts';
import { type Site, type SiteOptions, startSite } from '#lab/start-site.ts';
import { type Act, PATTERN, type Present, type SiteUnderTest } from './site-under-test.ts';

const CONNECTOR = fileURLToPath(new URL('../../connector', import.meta.url));
const KEY = 7;
const META = ['phone', 'tags'] as const;
const ELDERS = ['elder-1', 'elder-2'];

export interface WordPressUnderTest extends SiteUnderTest {
  readonly site: Site;
}

export async function wordPressSiteUnderTest(
  options: Pick<SiteOptions, 'engine' | 'version'>,
): Promise<WordPressUnderTest> {
  const site = await startSite({ ...options, name: 'conformance', connector: CONNECTOR });
  const wire = createWire();
  const stop = async () => {
    await wire.close();
    await site.stop();
  };
  try {
    const connection = await connect(site, wire);
    return {
      site,
      port: createSiteClient(wire),
      connection,
      key: KEY,
      meta: META,
      elders: ELDERS,
      administrator: site.adminLogin,
      people: (acts) => people(site, acts),
      read: (logins) => read(site, logins),
      mailsPerLink: 1,
      mails: async () => (await site.mails()).length,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function connect(site: Site, wire: Wire): Promise<Connection> {
  // Before the plugin is there: nobody sees these come about.
  await site.php(`foreach ( ${literal(ELDERS)} as $login ) {
    wp_insert_user( array( 'user_login' => $login, 'user_email' => "$login@people.test", 'user_pass' => 'old', 'role' => 'subscriber' ) );
  }`);
  await activatePlugin(site);
  const password = await site.php(`echo WP_Application_Passwords::create_new_application_password(
    get_user_by( 'login', ${literal(site.adminLogin)} )->ID, array( 'name' => 'connect' ) )[0];`);
  const hub = { id: randomUUID(), term: 1 };
  const restUrl = `${site.url}/wp-json/`;
  const { credential } = await connectSite(
    wire,
    { restUrl, publicOnly: false, administrator: { user: site.adminLogin, password } },
    {
      hub: { ...hub, name: 'Conformance' },
      keys: { '1': KEY },
      signal: null,
      meta: [...META, PATTERN],
      revoke_caller: true,
    },
  );
  return {
    installation: installationId(randomUUID()),
    restUrl,
    publicOnly: false,
    credential,
    hub,
  };
}

/** Any JSON as a PHP expression, whatever quotes it holds. */
const literal = (value: unknown): string =>
  `json_decode( base64_decode( '${Buffer.from(JSON.stringify(value)).toString('base64')}' ), true )`;

/** Rows that come about in one millisecond have no order: an act takes at least that long. */
const ACTS = `
  require_once ABSPATH . 'wp-admin/includes/user.php';
  // Hashing well would only cost time.
  add_filter( 'wp_hash_password_options', function () { return array( 'cost' => 4 ); } );
  $columns = array( 'email' => 'user_email', 'url' => 'user_url', 'password' => 'user_pass' );
  $must = function ( $result ) { if ( is_wp_error( $result ) ) { throw new Exception( $result->get_error_message() ); } return $result; };
  foreach ( $acts as $act ) {
    $user = get_user_by( 'login', $act['login'] );
    $id   = $user ? $user->ID : 0;
    if ( ! $id && 'register' !== $act['do'] ) { throw new Exception( 'nobody is called ' . $act['login'] ); }
    switch ( $act['do'] ) {
      case 'register':
        $must( wp_insert_user( array( 'user_login' => $act['login'], 'user_email' => $act['email'], 'user_pass' => 'first', 'role' => $act['role'] ?? 'subscriber' ) ) );
        break;
      case 'edit':
        $data = array( 'ID' => $id );
        foreach ( $act['changes'] as $name => $value ) { $data[ $columns[ $name ] ?? $name ] = wp_slash( $value ); }
        $must( wp_update_user( $data ) );
        break;
      case 'meta':
        delete_user_meta( $id, $act['key'] );
        foreach ( $act['rows'] as $row ) { add_user_meta( $id, $act['key'], wp_slash( $row ) ); }
        break;
      case 'role':
        $act['has'] ? $user->add_role( $act['role'] ) : $user->remove_role( $act['role'] );
        break;
      case 'remove':
        wp_delete_user( $id );
        break;
      case 'publish':
        $must( wp_insert_post( array( 'post_title' => 'Kept', 'post_status' => 'publish', 'post_author' => $id ), true ) );
        break;
      case 'confirm':
        foreach ( Rollcall_Proof_Store::open() as $proof ) {
          if ( 'mail' === $proof['kind'] && $id === $proof['id'] ) { Rollcall_Proofs::confirm( $proof ); }
        }
        break;
      case 'sign in':
        do_action( 'wp_login', $act['login'], $must( wp_authenticate( $act['login'], $act['password'] ) ) );
        Rollcall_Proof_Password::settle();
        break;
      case 'reject incoming':
        Rollcall_Ledger::set_switches( $id, array( 'reject_incoming' => true ) );
        break;
      case 'consent':
        Rollcall_Consent::allow( 1, $act['roles'] );
        break;
      case 'open guard':
        Rollcall_Consent::forget();
        $urls = array_map( function ( $url ) { return array( 'name' => $url, 'url' => $url, 'active' => true ); }, $act['urls'] );
        Rollcall_Settings::update( array( 'read_only' => array(), 'grantable' => array(), 'whitelist' => array() ) );
        Rollcall_Whitelist::save( array( 'entries' => array_map( array( 'Rollcall_Whitelist', 'clean' ), array_merge( Rollcall_Whitelist::entries(), $urls ) ) ) );
    }
    Rollcall_Capture::settle_now();
    usleep( 1100 );
  }
  global $wpdb;
  echo wp_json_encode( array_map( function ( $row ) { return array( $row->user_login, (int) $row->ID ); },
    $wpdb->get_results( "SELECT ID, user_login FROM $wpdb->users" ) ) );`;

const IdsSchema = z.array(z.tuple([z.string(), z.number()]));

async function people(site: Site, acts: readonly Act[]): Promise<ReadonlyMap<string, number>> {
  const answer = await site.php(`$acts = ${literal(acts)}; ${ACTS}`);
  return new Map(IdsSchema.parse(JSON.parse(answer)));
}

const READ = `
  $out = array();
  foreach ( $logins as $login ) {
    $user = get_user_by( 'login', $login );
    if ( ! $user ) { continue; }
    $fields = array( 'email' => $user->user_email, 'url' => $user->user_url, 'display_name' => $user->display_name, 'password' => $user->user_pass );
    foreach ( array( 'first_name', 'last_name', 'nickname', 'description', 'locale' ) as $key ) { $fields[ $key ] = get_user_meta( $user->ID, $key, true ); }
    $meta = array();
    foreach ( $keys as $key ) { $meta[ $key ] = get_user_meta( $user->ID, $key, false ); }
    $out[] = array( $login, array( 'id' => $user->ID, 'fields' => $fields, 'meta' => (object) $meta, 'roles' => array_values( $user->roles ) ) );
  }
  echo wp_json_encode( $out );`;

const PresentSchema = z.array(
  z.tuple([
    z.string(),
    z.object({
      id: z.number(),
      fields: z.record(z.string(), z.string()),
      meta: z.record(z.string(), z.array(z.unknown())),
      roles: z.array(z.string()),
    }),
  ]),
);

async function read(site: Site, logins: readonly string[]): Promise<ReadonlyMap<string, Present>> {
  const code = `$logins = ${literal(logins)}; $keys = ${literal(META)}; ${READ}`;
  return new Map(PresentSchema.parse(JSON.parse(await site.php(code))));
}
