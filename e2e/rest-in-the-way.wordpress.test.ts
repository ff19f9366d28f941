/**
 * Sites that close their REST API to visitors, hide it, give it another address, print around its answers, or live
 * at odd addresses: each is connected and then runs, or says in one sentence why not.
 */
import { rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Host, nativeMissing, type Site, startSite } from '#lab/start-site.ts';
import { waitUntil } from '#lab/wait-until.ts';
import {
  CONNECTOR,
  createAccount,
  ENGINE,
  person,
  REST_MS,
  type Stage,
  startStage,
} from './stage.ts';

const missing = nativeMissing();
if (missing !== null) console.warn(`Web servers in the way need native sites: ${missing}`);

/** The snippets that people paste, switched on by an option of the site. */
const HABITS = `<?php
$habit = get_option( 'lab_habit' );
if ( 'members only' === $habit ) {
	add_filter( 'rest_authentication_errors', function ( $result ) {
		return $result || is_user_logged_in() ? $result : new WP_Error( 'rest_not_logged_in', 'Members only.', array( 'status' => 401 ) );
	} );
}
if ( 'editors only' === $habit ) {
	add_filter( 'rest_authentication_errors', function ( $result ) {
		return $result || current_user_can( 'edit_posts' ) ? $result : new WP_Error( 'rest_forbidden', 'REST is closed.', array( 'status' => 403 ) );
	} );
}
if ( 'no index' === $habit ) {
	add_filter( 'rest_endpoints', function ( $endpoints ) { unset( $endpoints['/'] ); return $endpoints; } );
	remove_action( 'wp_head', 'rest_output_link_wp_head' );
	remove_action( 'template_redirect', 'rest_output_link_header', 11 );
}
if ( 'hidden namespaces' === $habit ) {
	add_filter( 'rest_index', function ( $response ) { $response->data['namespaces'] = array( 'oembed/1.0' ); return $response; } );
}
if ( 'visitors sent home' === $habit ) {
	add_action( 'rest_api_init', function () { if ( ! is_user_logged_in() && 'GET' === $_SERVER['REQUEST_METHOD'] ) { wp_redirect( home_url( '/' ) ); exit; } } );
}
if ( 'renamed by a theme' === $habit ) {
	add_action( 'after_setup_theme', function () { add_filter( 'rest_url_prefix', function () { return 'api'; } ); } );
}
if ( 'prints' === $habit && isset( $_SERVER['REQUEST_URI'] ) && strpos( $_SERVER['REQUEST_URI'], 'rollcall' ) ) {
	while ( ob_get_level() ) { ob_end_flush(); }
	echo "\\xEF\\xBB\\xBF\\n<br /><b>Notice</b>: Undefined index: x {\\"} in y.php\\n";
	flush();
	register_shutdown_function( function () { echo "\\n<!-- made in 0.1 s -->"; } );
}
`;

let stage: Stage;
let open: Site;
let odd: Site;
const started: Site[] = [];
const folders: string[] = [];
beforeAll(async () => {
  stage = await startStage({ sites: ['open'], routes: [] });
  open = stage.site('open');
  odd = await oddSite('odd');
});
afterAll(async () => {
  for (const site of started) await site.stop();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
  await stage?.end();
});

async function oddSite(name: string, host?: Host): Promise<Site> {
  const site = await startSite({
    name,
    engine: host === undefined ? ENGINE : 'native',
    connector: CONNECTOR,
    muPlugins: { 'habits.php': HABITS },
    ...(host === undefined ? {} : { host }),
  });
  started.push(site);
  await site.wp('plugin', 'activate', 'rollcall-connector');
  return site;
}

let count = 0;
/** Connects, sends an account there and an edit of it back, compares, and lets the site go again. */
async function runs(site: Site, url = site.url): Promise<void> {
  const login = `visitor${++count}`;
  await connect(site, url);
  try {
    await stage.hub.route(open.name, site.name, { both: true });
    await createAccount(open, login, { firstName: 'Anna', role: 'author' });
    await stage.hub.rest();
    await site.php(
      `wp_update_user( array( 'ID' => get_user_by( 'login', '${login}' )->ID, 'first_name' => 'From ${site.name}' ) );`,
    );
    await stage.hub.rest();
    const [here, there] = await Promise.all([person(open, login), person(site, login)]);
    expect(here).toMatchObject({ firstName: `From ${site.name}`, roles: ['author'] });
    expect(there).toEqual({ ...here, id: there?.id });
  } finally {
    await stage.hub.call('DELETE', `/sites/${site.name}`);
  }
}

async function connect(site: Site, url: string): Promise<void> {
  const appPassword = (
    await site.php(
      `echo WP_Application_Passwords::create_new_application_password( 1, array( 'name' => 'Lab ${++count}' ) )[0];`,
    )
  ).trim();
  await stage.hub.call('POST', '/sites', {
    url,
    name: site.name,
    user: site.adminLogin,
    appPassword,
  });
}

async function withHabit(habit: string, work: () => Promise<void>): Promise<void> {
  await odd.php(`update_option( 'lab_habit', '${habit}' );`);
  try {
    await work();
  } finally {
    await odd.php(`update_option( 'lab_habit', '' );`);
  }
}

describe('a REST API that is not open to everybody', () => {
  test.each([
    'members only',
    'editors only',
    'no index',
    'hidden namespaces',
    'visitors sent home',
    'renamed by a theme',
  ])('T910: a site with “%s” is connected and runs', (habit) => withHabit(habit, () => runs(odd)));

  test('T911: what a plugin prints around the answers is dropped', () =>
    withHabit('prints', () => runs(odd)));
});

describe('odd addresses', () => {
  test('T912: plain permalinks', async () => {
    await odd.php(`update_option( 'permalink_structure', '' );`);
    await runs(odd);
    await odd.php(`update_option( 'permalink_structure', '/%postname%/' );`);
  });

  // A tree that is also its own sub-folder: as WordPress “in its own directory”, and as a site in a path.
  test.skipIf(ENGINE !== 'native').each([
    ['core in a folder, home above it', '127.0.0.1', '', '/wp'],
    ['a site in a path', '127.0.0.1', '/wp', '/wp'],
    ['home at another host than WordPress', 'localhost', '', ''],
  ])('T913: %s', async (_, host, home, core) => {
    await symlink('.', join(odd.dir, 'wp')).catch(() => {});
    const address = `${odd.url.replace('127.0.0.1', host)}${home}`;
    await odd.php(
      `update_option( 'home', '${address}' ); update_option( 'siteurl', '${odd.url}${core}' );`,
    );
    try {
      await runs(odd, `${address}/`);
    } finally {
      await odd.php(
        `update_option( 'home', '${odd.url}' ); update_option( 'siteurl', '${odd.url}' );`,
      );
    }
  });
});

describe.skipIf(missing !== null)('a web server in the way', () => {
  test('T914: no Authorization header arrives at PHP: the connector’s own header does', async () => {
    await runs(await oddSite('strips', { parameters: { HTTP_AUTHORIZATION: '' } }));
  });

  test('T915: /wp-json/ is denied, ?rest_route= is not', async () => {
    const host = { nginx: { server: 'location ^~ /wp-json { return 403; }' } };
    await runs(await oddSite('denies', host));
  });

  test('T929: the web server takes no more than 60 kB at once: batches are sent in parts', async () => {
    const site = await oddSite('narrow', { nginx: { server: 'client_max_body_size 60k;' } });
    await connect(site, site.url);
    await stage.hub.route(open.name, site.name);
    // As random as passwords' hashes: packing makes little of it.
    await open.php(`for ( $i = 0; $i < 24; $i++ ) {
      wp_insert_user( array( 'user_login' => 'long' . $i, 'user_email' => 'long' . $i . '@people.test', 'user_pass' => '',
        'description' => base64_encode( random_bytes( 6000 ) ) ) );
    }`);
    await stage.hub.rest();
    const told = `echo wp_json_encode( wp_list_pluck( get_users( array( 'search' => 'long*', 'orderby' => 'login' ) ), 'description', 'user_login' ) );`;
    const texts: unknown = JSON.parse(await site.php(told));
    expect(Object.keys(texts ?? {})).toHaveLength(24);
    expect(texts).toEqual(JSON.parse(await open.php(told)));
    await stage.hub.call('DELETE', `/sites/${site.name}`);
  });

  test('T916: a cache that keeps every answer by its address, POST, too', async () => {
    await runs(await oddSite('caches', cachingHost('$host$request_uri')));
  });

  test('T917: a cache that ignores even the query: nothing old is believed, and it is said', async () => {
    const site = await oddSite('caches-all', cachingHost('$host$path_alone'));
    await connect(site, site.url).catch(() => {});
    await createAccount(site, 'unheard');
    await waitUntil(async () => {
      const { sites } = await stage.hub.status();
      const found = sites.find(({ name }) => name === site.name);
      return found?.trouble?.code === 'site.stale_answer';
    }, REST_MS);
    await stage.hub.call('DELETE', `/sites/${site.name}?force=true`);
  });

  test('T918: WordPress takes itself for http, where it takes no Application Passwords: it is said', async () => {
    const site = await oddSite('unaware');
    await site.wp('config', 'set', 'WP_ENVIRONMENT_TYPE', 'production');
    await expect(connect(site, site.url)).rejects.toThrow(/site\.app_passwords_off/u);
  });
});

/** Every answer is kept for an hour under this key, whatever it says of itself. */
function cachingHost(key: string): Host {
  const folder = join(tmpdir(), `rollcall-page-cache-${process.pid}-${++count}`);
  folders.push(folder);
  return {
    nginx: {
      http: `fastcgi_cache_path ${folder} keys_zone=pages:1m;
        map $request_uri $path_alone { ~^(?<path>[^?]*) $path; }`,
      php: `fastcgi_cache pages; fastcgi_cache_key ${key}; fastcgi_cache_methods GET HEAD POST;
        fastcgi_cache_valid 200 1h; fastcgi_ignore_headers Cache-Control Expires Set-Cookie Vary X-Accel-Expires;`,
    },
  };
}
