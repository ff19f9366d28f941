/**
 * The connector on a real network: the golden fixtures in order, then the facts of the suite.
 *
 * ROLLCALL_RECORD_FIXTURES=1 writes down what the connector answers instead; read the difference before you commit it.
 */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { installationId } from '#hub/model/ids.ts';
import { askingSites } from '#hub/wordpress/ask-site.ts';
import { connectSite } from '#hub/wordpress/connect.ts';
import { networkClient } from '#hub/wordpress/network-client.ts';
import { createWire } from '#hub/wordpress/wire.ts';
import { activatePlugin } from '#lab/activate-plugin.ts';
import { nativeMissing, type Site, startSite } from '#lab/start-site.ts';
import { describeNetworks, type NetworkUnderTest } from './conformance/networks.ts';
import { FIXTURES_FOLDER } from './fixtures.ts';
import { readNetworkFixtures } from './network-fixtures.ts';

const CONNECTOR = fileURLToPath(new URL('../connector', import.meta.url));
const RECORD = process.env['ROLLCALL_RECORD_FIXTURES'] !== undefined;
/** The fixtures name it. */
const HUB = { id: '11111111-1111-4111-8111-111111111111', term: 1 };
const ENGINE = nativeMissing() === null ? 'native' : 'wasm';

const PREPARE = `
  for ( $i = 1; $i <= 3; $i++ ) { wpmu_create_user( "p$i", 'x', "p$i@people.test" ); }
  foreach ( array( 'shop', 'press' ) as $slug ) {
    wp_insert_site( array( 'domain' => get_network()->domain, 'path' => get_network()->path . $slug . '/', 'title' => ucfirst( $slug ), 'user_id' => 1 ) );
  }
  $ids = array();
  foreach ( array( 'admin', 'p1', 'p2', 'p3' ) as $login ) { $ids[] = get_user_by( 'login', $login )->ID; }
  echo wp_json_encode( array( $ids, WP_Application_Passwords::create_new_application_password( $ids[0], array( 'name' => 'connect' ) )[0] ) );`;

const PreparedSchema = z.tuple([
  z.tuple([z.number(), z.number(), z.number(), z.number()]),
  z.string(),
]);

interface RealNetwork extends NetworkUnderTest {
  readonly site: Site;
  readonly authorization: string;
}

async function startNetwork(): Promise<RealNetwork> {
  const site = await startSite({
    engine: ENGINE,
    name: 'network',
    multisite: true,
    connector: CONNECTOR,
  });
  const wire = createWire();
  await activatePlugin(site);
  const [[admin, ...people], password] = PreparedSchema.parse(JSON.parse(await site.php(PREPARE)));
  const restUrl = `${site.url}/wp-json/`;
  const { credential } = await connectSite(
    wire,
    { restUrl, publicOnly: false, administrator: { user: site.adminLogin, password } },
    {
      hub: { ...HUB, name: 'Conformance' },
      keys: { '1': 7, '2': 8, '3': 9 },
      signal: null,
      meta: [],
      revoke_caller: true,
    },
  );
  const roots = new Map([1, 2, 3].map((blog) => [blog, `${site.url}${PATHS[blog]}wp-json/`]));
  const installation = installationId(randomUUID());
  const { user, password: secret } = credential;
  return {
    site,
    authorization: `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`,
    port: networkClient(askingSites(wire)),
    at: (blog) => ({
      installation,
      restUrl: roots.get(blog) ?? restUrl,
      publicOnly: false,
      credential,
      hub: HUB,
    }),
    sites: [1, 2, 3],
    superAdmin: admin,
    people,
    reset: async (members) => {
      await site.php(`$members = json_decode( '${JSON.stringify(members)}', true ); ${RESET}`);
    },
    exclude: async (blogs) => {
      await site.php(
        `Rollcall_Network_Settings::change( 1, array( 'excluded' => json_decode( '${JSON.stringify(blogs)}' ) ) );`,
      );
    },
    give: async (blog, id, role) => {
      await site.php(`( new WP_User( ${id}, '', ${blog} ) )->set_role( '${role}' );`);
    },
    roles: async (blog, id) =>
      z
        .array(z.string())
        .nullable()
        .parse(
          JSON.parse(
            await site.php(
              `echo wp_json_encode( is_user_member_of_blog( ${id}, ${blog} ) ? array_values( ( new WP_User( ${id}, '', ${blog} ) )->roles ) : null );`,
            ),
          ),
        ),
    stop: async () => {
      await wire.close();
      await site.stop();
    },
  };
}

const PATHS: Readonly<Record<number, string>> = { 1: '/', 2: '/shop/', 3: '/press/' };

/** The hub's account has its capability from its membership. Past the hooks: whom a test takes off a site nobody has removed. */
const RESET = `global $wpdb;
  foreach ( array( 1, 2, 3 ) as $blog ) {
    $wpdb->query( $wpdb->prepare( "DELETE FROM $wpdb->usermeta WHERE meta_key IN ( %s, %s ) AND user_id <> " . Rollcall_Settings::service_user_id(), $wpdb->get_blog_prefix( $blog ) . 'capabilities', $wpdb->get_blog_prefix( $blog ) . 'user_level' ) );
  }
  delete_network_option( 1, Rollcall_Network_Settings::OPTION );
  wp_cache_flush();
  foreach ( $members as $member ) { add_user_to_blog( $member[0], $member[1], $member[2] ); }`;

describe('the connector', () => {
  let under: RealNetwork;

  const VOLATILE = new Set('began_ms ended_ms message rest_url url'.split(' '));
  const steady = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(steady);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [
        key,
        VOLATILE.has(key) && typeof inner !== 'object' ? typeof inner : steady(inner),
      ]),
    );
  };

  describeNetworks(async () => {
    under = await startNetwork();
    return under;
  });

  it('answers the fixtures as they say', async () => {
    for (const fixture of readNetworkFixtures()) {
      const response = await under.site.request(`/wp-json/rollcall/v1/${fixture.route}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: under.authorization },
        body: JSON.stringify(fixture.request),
      });
      const answer: unknown = await response.json();
      if (RECORD) {
        const { name, ...rest } = fixture;
        const text = JSON.stringify({ ...rest, status: response.status, answer }, null, 2);
        writeFileSync(new URL(name, FIXTURES_FOLDER), `${text}\n`);
        continue;
      }
      expect([fixture.name, response.status]).toEqual([fixture.name, fixture.status]);
      expect(steady(answer)).toEqual(steady(fixture.answer));
    }
  });

  it('gives its hub a credential that opens nothing but its own routes', async () => {
    for (const path of ['/wp-json/wp/v2/users/me', '/shop/wp-json/wp/v2/users/me']) {
      const headers = { authorization: under.authorization };
      expect((await under.site.request(path, { headers })).status).toBe(401);
    }
    const stranger = await under.site.request('/wp-json/rollcall/v1/network/show', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ hub: HUB }),
    });
    expect(stranger.status).toBe(401);
  });

  it('leaves no notice of PHP behind', async () => {
    const log = (await under.site.debugLog()).split('\n');
    const ours = log.filter((line) => /rollcall/iu.test(line.replace(/ in \S+\/tree\//u, ' ')));
    expect(ours).toEqual([]);
  });
});
