/** Discovery, connecting and the client against a real WordPress with the real connector. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Site, startSite } from '#lab/start-site.ts';
import { Fault } from '../errors.ts';
import { installationId } from '../model/ids.ts';
import type { Connection, Credential } from '../sync/ports.ts';
import { connectSite, readStatus } from './connect.ts';
import { discoverSite } from './discover.ts';
import { createSiteClient } from './site-client.ts';
import { createWire, type Wire } from './wire.ts';

/** What hosts, firewalls and security plugins do, switched on by an option of the site. */
const HABITS = `<?php
$habit = get_option( 'lab_habit' );
$ours = false !== strpos( $_SERVER['REQUEST_URI'], 'rollcall/v1/' );
if ( 'strips' === $habit || 'strips both' === $habit ) {
	unset( $_SERVER['HTTP_AUTHORIZATION'], $_SERVER['PHP_AUTH_USER'], $_SERVER['PHP_AUTH_PW'] );
}
if ( 'strips both' === $habit ) {
	unset( $_SERVER['HTTP_X_ROLLCALL_AUTHORIZATION'] );
}
if ( 'no passwords' === $habit ) {
	add_filter( 'wp_is_application_passwords_available', '__return_false' );
}
if ( 'not for this one' === $habit ) {
	add_filter( 'wp_is_application_passwords_available_for_user', '__return_false' );
}
if ( 'firewall' === $habit && $ours && 0 !== strpos( file_get_contents( 'php://input' ), '{"z":' ) ) {
	http_response_code( 403 );
	die( '<h1>Forbidden</h1>' );
}
if ( 'maintenance' === $habit && $ours ) {
	http_response_code( 503 );
	die( '<h1>Briefly unavailable</h1>' );
}
if ( 'members only' === $habit ) {
	add_filter( 'rest_authentication_errors', function ( $result ) {
		return $result || is_user_logged_in() ? $result : new WP_Error( 'rest_not_logged_in', 'Members only.', array( 'status' => 401 ) );
	}, 200 );
}
`;

let site: Site;
let wire: Wire;
let admin: Credential;
let editor: Credential;

const passwordOf = async (login: string): Promise<Credential> => ({
  user: login,
  password: await site.wp('user', 'application-password', 'create', login, 'test', '--porcelain'),
});
const habit = (name: string) => site.php(`update_option( 'lab_habit', '${name}' );`);

beforeAll(async () => {
  wire = createWire();
  site = await startSite({
    name: 'front-door',
    connector: fileURLToPath(new URL('../../../connector', import.meta.url)),
    muPlugins: { 'habits.php': HABITS },
  });
});
afterAll(async () => {
  await wire.close();
  await site.stop();
});

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => null,
    (error: unknown) => error,
  );
  if (error === null) return 'fine';
  if (error instanceof Fault) return error.code;
  throw error;
}

describe('before it is connected', () => {
  it('a site without the connector is told from one with it', async () => {
    expect(await codeOf(discoverSite(wire, site.url))).toBe('site.no_connector');
    await site.wp('plugin', 'activate', 'rollcall-connector');
    expect(await codeOf(discoverSite(wire, site.url))).toBe('fine');
  });

  it.each(['/', '/?p=1', '/wp-admin/', '/no/such/page/'])('is found from “%s”', async (path) => {
    const found = await discoverSite(wire, site.url + path);
    expect(found).toEqual({
      restUrl: `${site.url}/wp-json/`,
      title: expect.any(String),
      publicOnly: false,
    });
  });

  it('is found without a scheme, and with plain permalinks', async () => {
    const typed = site.url.replace('http://', '');
    expect((await discoverSite(wire, typed)).restUrl).toBe(`${site.url}/wp-json/`);
    await site.php("update_option( 'permalink_structure', '' );");
    const plain = await discoverSite(wire, site.url);
    await site.php("update_option( 'permalink_structure', '/%postname%/' );");
    expect(plain.restUrl).toMatch(/rest_route=\/$/u);
  });
});

describe('an administrator’s Application Password', () => {
  const status = (administrator: Credential) =>
    readStatus(wire, { restUrl: `${site.url}/wp-json/`, publicOnly: false, administrator });
  beforeAll(async () => {
    await site.wp('user', 'create', 'eddy', 'eddy@front-door.test', '--role=editor');
    admin = await passwordOf(site.adminLogin);
    editor = await passwordOf('eddy');
  });
  afterAll(() => habit('none'));

  it('opens the status', async () => {
    const answer = await status(admin);
    expect(answer.bound).toBeNull();
    expect(answer.sites).toHaveLength(1);
  });

  it('is told wrong from too weak', async () => {
    const wrong = { ...admin, password: 'abcd efgh ijkl mnop qrst uvwx' };
    expect(await codeOf(status(wrong))).toBe('site.wrong_password');
    expect(await codeOf(status({ ...admin, user: 'no-one' }))).toBe('site.wrong_password');
    expect(await codeOf(status({ ...admin, password: site.adminPassword }))).toBe(
      'site.wrong_password',
    );
    expect(await codeOf(status(editor))).toBe('site.not_administrator');
  });

  it.each([
    ['strips', 'fine'],
    ['strips both', 'site.header_stripped'],
    ['no passwords', 'site.app_passwords_off'],
    ['not for this one', 'site.app_passwords_off'],
    ['firewall', 'fine'],
    ['maintenance', 'site.server_error'],
    ['members only', 'fine'],
  ])('on a host that “%s”: %s', async (name, code) => {
    await habit(name);
    const found = discoverSite(wire, site.url).then(() => status(admin));
    expect(await codeOf(found)).toBe(code);
  });
});

describe('the hub’s own credential', () => {
  const hub = { id: '22222222-2222-4222-8222-222222222222', term: 2 };
  const request = {
    hub: { ...hub, name: 'Test hub' },
    keys: { '1': 7 },
    signal: null,
    meta: ['phone'],
    revoke_caller: false,
  };
  let connection: Connection;
  beforeAll(async () => {
    const { restUrl } = await discoverSite(wire, site.url);
    const { credential, status } = await connectSite(
      wire,
      { restUrl, publicOnly: false, administrator: admin },
      request,
    );
    expect(status.bound).toMatchObject({ hub: hub.id, term: 2, home_matches: true });
    const installation = installationId('11111111-1111-4111-8111-111111111111');
    connection = { installation, restUrl, publicOnly: false, credential, hub };
  });

  it('speaks to every route, by pretty and by plain permalinks', async () => {
    const client = createSiteClient(wire);
    for (const restUrl of [connection.restUrl, `${site.url}/?rest_route=/`]) {
      const at = { ...connection, restUrl };
      expect((await client.status(at)).bound?.hub).toBe(hub.id);
      expect((await client.changes(at, { ack: [], limit: 10 })).epoch).not.toBe('');
      const page = { after: 0, limit: 10, detail: 'state' } as const;
      expect((await client.accounts(at, page)).accounts.map((a) => a.login)).toContain('eddy');
      expect(await client.labels(at, [])).toEqual([]);
      expect((await client.apply(at, { operations: [], dryRun: true })).receipts).toEqual([]);
      await client.settings(at, { meta: ['phone', 'town'], offsetMs: 0 });
      expect(await client.stamp(at, [])).toEqual([]);
    }
  });

  it('passes a firewall in the envelope', async () => {
    await habit('firewall');
    const client = createSiteClient(wire);
    expect((await client.changes(connection, { ack: [], limit: 10 })).rows).toBeDefined();
    await habit('none');
  });

  it('is refused to another hub and to an older term', async () => {
    const client = createSiteClient(wire);
    const stranger = { id: '99999999-9999-4999-8999-999999999999', term: 9 };
    expect(await codeOf(client.status({ ...connection, hub: stranger }))).toBe('site.not_mine');
    const older = { ...connection, hub: { ...hub, term: 1 } };
    expect(await codeOf(client.changes(older, { ack: [], limit: 1 }))).toBe('site.superseded');
    const other = { ...request, hub: { ...stranger, name: 'Other' } };
    const door = { restUrl: connection.restUrl, publicOnly: false, administrator: admin };
    expect(await codeOf(connectSite(wire, door, other))).toBe('site.not_mine');
  });

  it('is renewed by connecting again, and the one before ends', async () => {
    const door = { restUrl: connection.restUrl, publicOnly: false, administrator: admin };
    const { credential } = await connectSite(wire, door, request);
    const client = createSiteClient(wire);
    expect(await codeOf(client.status(connection))).toBe('site.credential_rejected');
    connection = { ...connection, credential };
    expect(await codeOf(client.status(connection))).toBe('fine');
  });

  it('ends when the hub lets the site go', async () => {
    const client = createSiteClient(wire);
    await client.disconnect(connection);
    expect(await codeOf(client.status(connection))).toBe('site.released');
  });
});
