/** Callers who are somebody, but not the hub; and the hub's credential where it should not be. */
import { request as rawRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RestErrorSchema } from '#contract/messages.ts';
import { restAs, signIn } from '#lab/sign-in.ts';
import { type Site, startSite } from '#lab/start-site.ts';
import { Visitor } from '#lab/visitor.ts';
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
  startConnectedSite,
  stateOf,
  write,
} from './connected-site.ts';
import { BEST } from './engines.ts';

const FILL = { action: 'fill', sites: 'all', people: 'all', add_back: true };
const RUN = '00000000-0000-4000-8000-000000000601';

/** A well-formed request for each route of the hub's own. */
const REQUESTS: Readonly<Record<string, unknown>> = {
  disconnect: { hub: HUB },
  settings: { hub: HUB, meta: [] },
  changes: { hub: HUB, ack: [], limit: 10 },
  accounts: { hub: HUB, after: 0, limit: 10, detail: 'state' },
  digests: { hub: HUB, blog: 1, after: 0, limit: 10, fields: ['email'] },
  labels: { hub: HUB, labels: [] },
  apply: { hub: HUB, dry_run: false, operations: [write({ login: 'never-made' })] },
  stamp: { hub: HUB, stamps: [] },
  proofs: { hub: HUB, proofs: [] },
  outside: { hub: HUB, take: 'nothing', after: 0 },
  credential: { hub: HUB },
  guard: { hub: HUB, blog: 1, read_only: true },
  erase: { hub: HUB, erasures: [] },
  switches: { hub: HUB, switches: [{ id: 1, login: 'admin', stop_outgoing: true }] },
  'network/show': { hub: HUB },
  'network/settings': { hub: HUB, network: 1, new_account: true },
  'network/preview': { hub: HUB, network: 1, spec: FILL, after: 0 },
  'network/begin': { hub: HUB, id: RUN, network: 1, spec: FILL, by: 'nobody' },
  'network/page': { hub: HUB, run: RUN, blog: 1 },
  'network/control': { hub: HUB, run: RUN, do: 'undo' },
  'network/runs': { hub: HUB, network: 1, limit: 10 },
  'network/rows': { hub: HUB, run: RUN, limit: 10 },
};

const make = (site: Site, login: string, role: string): Promise<string> =>
  site.php(
    `wp_insert_user( array( 'user_login' => '${login}', 'user_pass' => '${login} pass', 'user_email' => '${login}@example.com', 'role' => '${role}' ) );`,
  );
const idOf = async (site: Site): Promise<number> =>
  Number(await site.php(`echo (int) get_user_by( 'login', 'rollcall-hub' )->ID;`));

/** A request whose path nobody tidies up on the way, as fetch would. */
function raw(
  site: Site,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body = '',
): Promise<{ readonly status: number; readonly text: string; readonly cookies: string }> {
  const { hostname, port } = new URL(site.url);
  return new Promise((resolve, reject) => {
    const asking = rawRequest({ hostname, port, method, path, headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (part: string) => {
        text += part;
      });
      answer.on('end', () => {
        const cookies = (answer.headers['set-cookie'] ?? []).join();
        resolve({ status: answer.statusCode ?? 0, text, cookies });
      });
    });
    asking.on('error', reject);
    asking.end(body);
  });
}

describe('a single site', () => {
  let hub: ConnectedSite;
  let site: Site;
  let id: number;
  beforeAll(async () => {
    hub = await startConnectedSite('callers', BEST);
    ({ site } = hub);
    await make(site, 'chief', 'administrator');
    await make(site, 'writer', 'editor');
    id = await idOf(site);
  });
  afterAll(() => site?.stop());

  const asHub = (): Record<string, string> => basic(hub.credential.user, hub.credential.password);
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const answersAsBefore = async (): Promise<void> =>
    expect((await hub.post('changes', REQUESTS['changes'])).status).toBe(200);
  const reconnect = async (): Promise<void> => {
    const { credential } = await connect(site);
    hub = connectedSite(site, credential);
    id = await idOf(site);
    await answersAsBefore();
  };

  it('T601: no Application Password but the hub’s opens a route of the hub’s', async () => {
    const routes = await site.php(
      `echo implode( ' ', array_keys( array_filter( Rollcall_Rest::ROUTES, static function ( $about ) { return 'hub' === $about[0]; } ) ) );`,
    );
    expect(routes.split(' ').sort()).toEqual(Object.keys(REQUESTS).sort());
    const before = await stateOf(site);
    for (const [login, status] of [
      ['chief', 403],
      ['writer', 403],
    ] as const) {
      const headers = basic(login, await applicationPassword(site, login));
      for (const [route, body] of Object.entries(REQUESTS)) {
        const answer = fault(await ask(site, route, body, { headers }));
        expect([login, route, ...answer]).toEqual([login, route, status, 'hub.credential']);
      }
    }
    const writer = { headers: basic('writer', await applicationPassword(site, 'writer')) };
    for (const route of ['status', 'connect']) {
      const answer = fault(await ask(site, route, connectRequest(), writer));
      expect(answer).toEqual([403, 'administrator.credential']);
    }
    expect(await stateOf(site)).toBe(before);
  });

  it('T602: an administrator’s cookie and nonce open no route at all', async () => {
    const { visitor } = await signIn(site, 'chief', 'chief pass');
    const rest = await restAs(visitor);
    expect((await rest('/wp/v2/users/me')).status).toBe(200);
    const before = await stateOf(site);
    for (const [route, body] of Object.entries({
      ...REQUESTS,
      status: {},
      connect: connectRequest(),
    })) {
      const init = { method: 'POST', body: JSON.stringify(body) };
      const answer = await rest(`/rollcall/v1/${route}`, init);
      const { data } = RestErrorSchema.parse(await answer.json());
      const reason = route in REQUESTS ? 'hub.credential' : 'administrator.credential';
      expect([route, answer.status, data?.reason]).toEqual([route, 403, reason]);
    }
    expect(await stateOf(site)).toBe(before);
  });

  it('T611: no header about addresses or accounts lets anybody in', async () => {
    const claims = {
      'x-forwarded-for': '127.0.0.1',
      'x-real-ip': '127.0.0.1',
      'client-ip': '127.0.0.1',
      forwarded: 'for=127.0.0.1',
      'x-forwarded-user': 'rollcall-hub',
      'remote-user': 'rollcall-hub',
      'x-original-url': '/wp-json/rollcall/v1/changes',
      'x-http-method-override': 'POST',
    };
    const headers = { ...claims, ...basic('rollcall-hub', 'guessed password') };
    for (const [route, body] of Object.entries(REQUESTS)) {
      expect([route, ...fault(await ask(site, route, body, { headers: claims }))]).toEqual([
        route,
        401,
        'hub.credential',
      ]);
      expect((await ask(site, route, body, { headers })).status).toBe(401);
    }
  });

  describe('the hub’s credential', () => {
    const ME = '"slug":"rollcall-hub"';
    const attempts: ReadonlyArray<readonly [method: string, path: string, body?: string]> = [
      ['GET', '/wp-json/wp/v2/users/me'],
      ['GET', '/wp-json/wp/v2/users/me?_envelope'],
      ['GET', '/wp-json/wp/v2/users/me?_fields=slug,capabilities&context=edit'],
      ['GET', '/?rest_route=/wp/v2/users/me'],
      ['GET', '/index.php?rest_route=/wp/v2/users/me'],
      ['GET', '/wp-json/rollcall/v1/../../wp/v2/users/me'],
      ['GET', '/wp-json/rollcall/v1/..%2f..%2fwp%2fv2%2fusers%2fme'],
      ['GET', '/wp-json/rollcall/v1/%2e%2e/%2e%2e/wp/v2/users/me'],
      ['GET', '//wp-json/rollcall/v1/../wp/v2/users/me'],
      ['GET', '/wp-json/wp/v2/users/me/wp-json/rollcall/v1/status'],
      ['GET', '/wp-json/wp/v2/users/me?x=/wp-json/rollcall/v1/status'],
      ['GET', '/?rest_route=/wp/v2/users/me&x=/wp-json/rollcall/v1/status'],
      ['GET', '/wp-json/rollcall/v1/status?rest_route=/wp/v2/users/me'],
      ['GET', '/?rest_route[]=/rollcall/v1/status&rest_route=/wp/v2/users/me'],
      ['POST', '/wp-json/rollcall/v1/status', 'rest_route=/wp/v2/users/me&_method=GET'],
      ['POST', '/?rest_route=/rollcall/v1/status', 'rest_route=/wp/v2/users/me&_method=GET'],
      ['POST', '/wp-json/wp/v2/users/me?_method=GET', 'x=1'],
      ['POST', '/wp-json/wp/v2/posts', 'title=x&status=publish'],
      [
        'POST',
        '/wp-json/wp/v2/users',
        'username=x&email=x@example.com&password=x&roles=administrator',
      ],
      ['GET', '/wp-json/wp/v2/settings'],
      ['GET', '/wp-json/wp/v2/plugins'],
      ['GET', '/wp-json/wp-site-health/v1/tests/background-updates'],
      ['GET', '/wp-json/ROLLCALL/v1/../../wp/v2/users/me'],
      ['POST', '/wp-json/batch/v1', 'requests[0][path]=/wp/v2/posts&requests[0][body][title]=x'],
      [
        'POST',
        '/wp-json/rollcall/v1/status',
        'rest_route=/batch/v1&requests[0][path]=/rollcall/v1/none&requests[1][path]=/wp/v2/posts&requests[1][body][title]=x',
      ],
      ['GET', '/wp-admin/'],
      ['GET', '/wp-admin/users.php'],
      ['GET', '/wp-admin/admin-ajax.php?action=rest-nonce'],
      ['GET', '/wp-admin/admin-ajax.php/wp-json/rollcall/v1/status?action=rest-nonce'],
      ['GET', '/wp-admin/profile.php/wp-json/rollcall/v1/status'],
      ['POST', '/wp-admin/admin-post.php', 'action=rollcall_guard&release=1'],
    ];

    it('T603: opens nothing besides rollcall/v1, however the path is written', async () => {
      const before = await stateOf(site);
      for (const [method, path, body = ''] of attempts) {
        for (const headers of [
          asHub(),
          { 'x-rollcall-authorization': asHub()['authorization'] ?? '' },
        ]) {
          const type = method === 'POST' ? form : {};
          const { status, text, cookies } = await raw(
            site,
            method,
            path,
            { ...headers, ...type },
            body,
          );
          expect([method, path, status >= 500]).toEqual([method, path, false]);
          expect([method, path, text.includes(ME)]).toEqual([method, path, false]);
          expect([method, path, /"capabilities"|"roles":/u.test(text)]).toEqual([
            method,
            path,
            false,
          ]);
          expect(cookies).not.toContain('wordpress_logged_in');
          if (path.includes('rest-nonce') && status === 200) expect(text).toBe('0');
        }
      }
      expect(await stateOf(site)).toBe(before);
      await answersAsBefore();
    });

    it('T604: signs in nowhere: not the form, not XML-RPC, not with a mailed link', async () => {
      const { user, password } = hub.credential;
      const { ok, visitor } = await signIn(site, user, password);
      expect([ok, visitor.cookies.includes('wordpress_logged_in_')]).toEqual([false, false]);
      const call = (method: string, ...params: readonly string[]): string =>
        `<?xml version="1.0"?><methodCall><methodName>${method}</methodName><params>${params
          .map((text) => `<param><value><string>${text}</string></value></param>`)
          .join('')}</params></methodCall>`;
      for (const path of ['/xmlrpc.php', '/xmlrpc.php/wp-json/rollcall/v1/status']) {
        for (const text of [
          call('wp.getUsersBlogs', user, password),
          call('wp.getProfile', '1', user, password),
        ]) {
          const answer = await raw(
            site,
            'POST',
            path,
            { ...asHub(), 'content-type': 'text/xml' },
            text,
          );
          expect([path, answer.text.includes('faultCode') || answer.status >= 400]).toEqual([
            path,
            true,
          ]);
          expect(answer.text).not.toContain('isAdmin');
        }
      }
      await site.forgetMails();
      const asking = new Visitor(site);
      const lost = await asking.form('/wp-login.php?action=lostpassword', 'lostpasswordform');
      await asking.submit('/wp-login.php?action=lostpassword', { ...lost, user_login: user });
      expect(await site.mails()).toEqual([]);
    });

    it('T605: ends when its account is given rights, and the account keeps none when it is renewed', async () => {
      for (const change of [
        `$u->add_role( 'administrator' );`,
        `$u->add_cap( 'manage_options' );`,
        `$u->remove_all_caps();`,
      ]) {
        await site.php(`$u = new WP_User( ${id} ); ${change}`);
        for (const [route, body] of Object.entries(REQUESTS)) {
          const answer = fault(await hub.post(route, body));
          expect([change, route, ...answer]).toEqual([change, route, 403, 'hub.credential']);
        }
        await reconnect();
        const caps = await site.php(
          `$u = new WP_User( ${id} ); echo wp_json_encode( array( $u->caps, $u->roles ) );`,
        );
        expect(JSON.parse(caps)).toEqual([{ rollcall_hub: true }, []]);
      }
      // What other plugins give to everybody does no harm.
      await site.php(`( new WP_User( ${id} ) )->add_role( 'subscriber' );`);
      await answersAsBefore();
    });

    it('T606: ends when an administrator deletes the account, and a person who gets its id is a person', async () => {
      await site.php(
        `require_once ABSPATH . 'wp-admin/includes/user.php'; wp_delete_user( ${id} );`,
      );
      expect((await hub.post('changes', REQUESTS['changes'])).status).toBe(401);
      expect(
        await site.php(`echo wp_json_encode( get_site_option( 'rollcall_credential' ) );`),
      ).toBe('false');
      await reconnect();
      // A restored users table: the plugin saw nothing of it.
      await site.php(`global $wpdb;
        $wpdb->update( $wpdb->users, array( 'user_login' => 'olga', 'user_nicename' => 'olga', 'user_email' => 'olga@example.com', 'user_pass' => wp_hash_password( 'olga pass' ) ), array( 'ID' => ${id} ) );
        delete_user_meta( ${id}, $wpdb->prefix . 'capabilities' );
        clean_user_cache( ${id} ); ( new WP_User( ${id} ) )->set_role( 'subscriber' );`);
      expect((await hub.post('changes', REQUESTS['changes'])).status).toBe(401);
      expect((await signIn(site, 'olga', 'olga pass')).ok).toBe(true);
      const olga = id;
      await reconnect();
      expect(id).not.toBe(olga);
      await site.php('Rollcall_Disconnect::release();');
      expect(await site.php(`echo get_userdata( ${olga} )->user_login;`)).toBe('olga');
      expect(await site.php(`echo (int) username_exists( 'rollcall-hub' );`)).toBe('0');
      expect((await hub.post('changes', REQUESTS['changes'])).status).toBe(401);
      await reconnect();
    });
  });

  it('that is no network says so, on every route below network/ and on its command line', async () => {
    for (const [route, body] of Object.entries(REQUESTS)) {
      if (!route.startsWith('network/')) continue;
      expect([route, ...fault(await hub.post(route, body))]).toEqual([
        route,
        404,
        'network.missing',
      ]);
    }
    for (const command of [['list'], ['runs'], ['sync', '--yes']]) {
      const { exitCode, stderr } = await site.wpTry('rollcall', 'network', ...command);
      expect([exitCode, stderr.trim()]).toEqual([
        1,
        'Error: This is a single site, not a network: there are no other sites that its accounts could join.',
      ]);
    }
  });

  it('T609: the very same batch again changes nothing, and an older one nothing that is newer', async () => {
    const birth = write({ login: 'replayed' });
    const created = { hub: HUB, dry_run: false, operations: [birth] };
    const first = await hub.post('apply', created);
    expect(JSON.stringify(first.body)).toContain('"created"');
    const person = Number(await site.php(`echo username_exists( 'replayed' );`));
    const born = await stateOf(site);
    const again = await hub.post('apply', created);
    expect(JSON.stringify(again.body)).not.toContain('"created"');
    expect(await stateOf(site)).toBe(born);

    const edit = (first_name: string, seconds: number) => ({
      hub: HUB,
      dry_run: false,
      operations: [
        write({
          uid: birth.uid,
          id: person,
          create: null,
          fields: fields({ first_name }, past(seconds)),
        }),
      ],
    });
    const older = edit('Older', 50);
    await hub.post('apply', older);
    await hub.post('apply', edit('Newer', 20));
    const newer = await stateOf(site);
    expect(newer).toContain('Newer');
    for (const old of [older, created, older]) await hub.post('apply', old);
    expect(await stateOf(site)).toBe(newer);

    await hub.one(erase({ uid: birth.uid, id: person }));
    const gone = await stateOf(site);
    for (const old of [created, older]) {
      expect(JSON.stringify((await hub.post('apply', old)).body)).toContain('identity.deleted');
    }
    expect(await stateOf(site)).toBe(gone);
  });

  it('leaves no notice of PHP behind', async () => {
    expect(await site.debugLog()).toBe('');
  });
});

describe('a network', () => {
  let hub: ConnectedSite;
  let site: Site;
  let id: number;
  beforeAll(async () => {
    site = await startSite({
      ...BEST.options,
      name: 'network',
      multisite: true,
      connector: CONNECTOR,
    });
    await site.wp('site', 'create', '--slug=shop');
    await site.wp('plugin', 'activate', 'rollcall-connector', '--network');
    await site.php(`foreach ( array( 'shopadmin' => 2, 'mainadmin' => 1 ) as $login => $blog ) {
      $id = wpmu_create_user( $login, $login . ' pass', $login . '@example.com' );
      add_user_to_blog( $blog, $id, 'administrator' ); }`);
    await reconnect();
  });
  afterAll(() => site?.stop());

  async function reconnect(): Promise<void> {
    const { credential } = await connect(site, { keys: { '1': 7, '2': 8 } });
    hub = connectedSite(site, credential);
    id = await idOf(site);
    expect((await hub.post('changes', REQUESTS['changes'])).status).toBe(200);
  }
  const on = (path: string, route: string, body: unknown, headers: Record<string, string>) =>
    raw(
      site,
      'POST',
      `${path}/wp-json/rollcall/v1/${route}`,
      { 'content-type': 'application/json', ...headers },
      JSON.stringify(body),
    );

  it('T601: an administrator of one of its sites opens no route, on no site', async () => {
    const before = await stateOf(site);
    for (const login of ['shopadmin', 'mainadmin']) {
      const headers = basic(login, await applicationPassword(site, login));
      for (const path of ['', '/shop']) {
        for (const [route, body] of Object.entries({
          ...REQUESTS,
          status: {},
          connect: connectRequest(),
        })) {
          const { status } = await on(path, route, body, headers);
          expect([login, path, route, status]).toEqual([login, path, route, 403]);
        }
      }
    }
    expect(await stateOf(site)).toBe(before);
  });

  it('T608: neither can make something of the hub’s account', async () => {
    const before = await stateOf(site);
    for (const [login, path] of [
      ['shopadmin', '/shop'],
      ['mainadmin', ''],
    ] as const) {
      const { visitor } = await signIn(site, login, `${login} pass`, path);
      const page = await (await visitor.request(`${path}/wp-admin/users.php`)).text();
      expect(page).toContain('_wpnonce');
      const nonce = /name="_wpnonce" value="([0-9a-f]+)"/u.exec(page)?.[1] ?? '';
      const query = `action=-1&new_role=administrator&changeit=Change&users[]=${id}&_wpnonce=${nonce}`;
      const answer = await visitor.request(`${path}/wp-admin/users.php?${query}`);
      expect([login, answer.status]).toEqual([login, 403]);
      const edit = await visitor.request(`${path}/wp-admin/user-edit.php?user_id=${id}`);
      expect([login, edit.status]).not.toEqual([login, 200]);
    }
    expect(await stateOf(site)).toBe(before);
    expect((await hub.post('changes', REQUESTS['changes'])).status).toBe(200);
  });

  it('T605: rights on any of its sites end the credential, and so does being a super admin', async () => {
    for (const change of [
      `add_user_to_blog( 2, ${id}, 'administrator' );`,
      `require_once ABSPATH . 'wp-admin/includes/ms.php'; grant_super_admin( ${id} );`,
    ]) {
      await site.php(change);
      for (const path of ['', '/shop']) {
        const { status, text } = await on(
          path,
          'changes',
          REQUESTS['changes'],
          basic(hub.credential.user, hub.credential.password),
        );
        expect([change, path, status, text.includes('hub.credential')]).toEqual([
          change,
          path,
          403,
          true,
        ]);
      }
      await reconnect();
      const rights = await site.php(
        `echo (int) is_super_admin( ${id} ), implode( ',', array_keys( get_blogs_of_user( ${id}, true ) ) ), wp_json_encode( ( new WP_User( ${id} ) )->caps );`,
      );
      expect(rights).toBe('01{"rollcall_hub":true}');
    }
  });

  it('T605: the credential ends with the plugin, with the account and with the release', async () => {
    const asked = async () => (await hub.post('changes', REQUESTS['changes'])).status;
    await site.wp('plugin', 'deactivate', 'rollcall-connector', '--network');
    await site.wp('plugin', 'activate', 'rollcall-connector', '--network');
    expect(await asked()).toBe(401);
    await reconnect();
    await site.php(`require_once ABSPATH . 'wp-admin/includes/ms.php'; wpmu_delete_user( ${id} );`);
    expect(await asked()).toBe(401);
    await reconnect();
    await site.php('Rollcall_Disconnect::release();');
    expect(await asked()).toBe(401);
    expect(await site.php(`echo (int) username_exists( 'rollcall-hub' );`)).toBe('0');
  });
});
