/**
 * A site without the connector is connected with an administrator's name and password, by WordPress's own approve
 * page, and its hub's credential is rotated. Nothing that was obtained for that stays on the site.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ApprovalView, SiteTest, StartedApproval } from '#hub/api/schemas/site.ts';
import type { RunningHub } from '#hub/cli/hub-process.ts';
import { startHub } from '#hub/main.ts';
import { signIn } from '#lab/sign-in.ts';
import { type Site, startSite } from '#lab/start-site.ts';
import type { Visitor } from '#lab/visitor.ts';
import { waitUntil } from '#lab/wait-until.ts';
import { WASM_SIGNALS } from '#lab/wasm-signals.ts';
import { ENGINE, Hub, POLL_SECONDS, REST_MS } from './stage.ts';

/** What security plugins do at the sign-in form, and hosts to plugins, switched on by an option. */
const HABITS = `<?php
$habit = get_option( 'lab_habit' );
if ( 'second factor' === $habit ) {
	add_action( 'wp_login', function ( $login, $user ) {
		WP_Session_Tokens::get_instance( $user->ID )->destroy_all();
		wp_clear_auth_cookie();
		die( '<form action="wp-login.php?action=validate_2fa"><input name="authcode"></form>' );
	}, 10, 2 );
}
if ( 'captcha' === $habit ) {
	add_action( 'login_form', function () { echo '<div class="g-recaptcha"></div>'; } );
	add_filter( 'authenticate', function () { return new WP_Error( 'captcha', 'Are you a robot?' ); }, 99 );
}
if ( 'strips' === $habit ) {
	unset( $_SERVER['HTTP_AUTHORIZATION'], $_SERVER['HTTP_X_ROLLCALL_AUTHORIZATION'], $_SERVER['PHP_AUTH_USER'], $_SERVER['PHP_AUTH_PW'] );
}
if ( 'no passwords' === $habit ) {
	add_filter( 'wp_is_application_passwords_available', '__return_false' );
}
if ( 'no files' === $habit ) {
	define( 'DISALLOW_FILE_MODS', true );
}
`;

let site: Site;
let folder: string;
let running: RunningHub;
let hub: Hub;
let visitor: Visitor;
/** What came by and must not have been kept. */
const secrets: string[] = [];

beforeAll(async () => {
  site = await startSite({
    name: 'front-door',
    engine: ENGINE,
    // The oldest where that can run; in WebAssembly the newest does.
    ...(ENGINE === 'native' ? { version: '6.1' as const } : {}),
    muPlugins: { 'habits.php': HABITS, ...(ENGINE === 'native' ? {} : WASM_SIGNALS) },
  });
  folder = await mkdtemp(join(tmpdir(), 'rollcall-hub-'));
  running = await startHub({ dataFolder: folder, port: 0, pollSeconds: POLL_SECONDS });
  hub = new Hub(running);
}, 120_000);
afterAll(async () => {
  await running?.stop();
  await site?.stop();
  await rm(folder, { recursive: true, force: true });
});

const habit = (name: string) => site.php(`update_option( 'lab_habit', '${name}' );`);

interface Left {
  readonly passwords: number;
  readonly sessions: number;
  readonly connector: boolean;
  readonly bound: boolean;
  readonly plugins: readonly string[];
}
/** What the administrator's account holds, and what runs. */
async function left(): Promise<Left> {
  const found: Left = JSON.parse(
    await site.php(`$id = get_user_by( 'login', '${site.adminLogin}' )->ID;
    echo wp_json_encode( array(
      'passwords' => count( WP_Application_Passwords::get_user_application_passwords( $id ) ),
      'sessions' => count( WP_Session_Tokens::get_instance( $id )->get_all() ),
      'connector' => class_exists( 'Rollcall_Settings' ),
      'bound' => class_exists( 'Rollcall_Settings' ) && Rollcall_Settings::is_bound(),
      'plugins' => array_values( (array) get_option( 'active_plugins' ) ),
    ) );`),
  );
  return found;
}

const add = async (more: object): Promise<{ status: number; code: string }> => {
  const body = { url: site.url, name: 'Shop', user: site.adminLogin, ...more };
  const answer = await hub.raw('POST', '/sites', body);
  const said: { error?: { code: string } } = JSON.parse(await answer.text());
  return { status: answer.status, code: said.error?.code ?? '' };
};

describe('with an administrator’s name and password', () => {
  const untouched = { passwords: 0, sessions: 0, connector: false, bound: false };

  it.each([
    ['', { password: 'wrong' }, 'site.sign_in_failed'],
    ['second factor', {}, 'site.sign_in_blocked'],
    ['captcha', {}, 'site.sign_in_blocked'],
    ['no files', { install: true }, 'site.install_refused'],
    ['', {}, 'site.no_connector'],
  ])('%s %o: %s, and nothing is left there', async (name, more, code) => {
    await habit(name);
    expect(await add({ password: site.adminPassword, ...more })).toEqual({ status: 422, code });
    await habit('');
    expect(await left()).toMatchObject(untouched);
  });

  it('the connector is uploaded and activated, the site connected, and what opened it ends', async () => {
    const password = site.adminPassword;
    expect(await add({ password, install: true })).toMatchObject({ status: 200 });
    expect(await left()).toEqual({
      passwords: 0,
      sessions: 0,
      connector: true,
      bound: true,
      plugins: ['rollcall-connector/rollcall-connector.php'],
    });
    await hub.rest();
  });

  it('a look before connecting leaves nothing, and a site that is connected is said to be', async () => {
    const body = {
      url: site.url,
      name: 'Shop',
      user: site.adminLogin,
      password: site.adminPassword,
    };
    expect(await hub.call('POST', '/site-checks', body)).toMatchObject({ renews: true });
    expect(await left()).toMatchObject({ passwords: 0, sessions: 0, bound: true });
  });

  it('an older connector is replaced', async () => {
    const file = 'rollcall-connector/rollcall-connector.php';
    await site.php(`$f = WP_PLUGIN_DIR . '/${file}';
      file_put_contents( $f, preg_replace( '/^( \\* Version:\\s*)\\S+/m', '\${1}0.0.1', file_get_contents( $f ) ) );`);
    const version = () =>
      site.php(`require_once ABSPATH . 'wp-admin/includes/plugin.php';
        echo get_plugin_data( WP_PLUGIN_DIR . '/${file}' )['Version'];`);
    expect(await version()).toBe('0.0.1');
    expect(await add({ password: site.adminPassword, install: true })).toMatchObject({
      status: 200,
    });
    expect(await version()).toBe('0.1.0');
    expect(await left()).toMatchObject({ passwords: 0, sessions: 0, bound: true });
  });
});

describe('by WordPress’s approve page', () => {
  let started: StartedApproval;
  beforeAll(async () => {
    ({ visitor } = await signIn(site, site.adminLogin, site.adminPassword));
  });
  beforeEach(async () => {
    started = await hub.call('POST', '/site-approvals', { url: site.url, name: 'Shop' });
  });

  const state = async () =>
    (await hub.call<ApprovalView>('GET', `/site-approvals/${started.id}`)).state;

  /** The page as its form is sent without scripts; where WordPress leads to. */
  async function answerPage(button: 'approve' | 'reject'): Promise<string> {
    const page = new URL(started.approveUrl);
    const shown = await (await visitor.request(`${page.pathname}${page.search}`)).text();
    const nonce = /name="_wpnonce" value="([0-9a-f]+)"/u.exec(shown)?.[1] ?? '';
    const asked = Object.fromEntries(page.searchParams);
    const fields = { action: 'authorize_application_password', _wpnonce: nonce, [button]: '1' };
    const answer = await visitor.submit(page.pathname, { ...asked, ...fields });
    return answer.headers.get('location') ?? '';
  }
  const visit = (address: string) => fetch(address, { redirect: 'manual' });

  it('an approval connects the site; the password in the address has ended, and is good for once', async () => {
    const back = await answerPage('approve');
    expect(new URL(back).searchParams.get('password')).toMatch(/\S{20}/u);
    const query = new URL(back).searchParams;
    secrets.push(query.get('password') ?? '', query.get('state') ?? '');
    expect((await left()).passwords).toBe(1);
    const answer = await visit(back);
    expect([answer.status, answer.headers.get('location')]).toEqual([303, 'done']);
    await waitUntil(async () => (await state()) !== 'connecting', REST_MS);
    expect(await state()).toBe('connected');
    expect((await left()).passwords).toBe(0);
    expect((await visit(back)).headers.get('location')).toBe('ended');
    await hub.rest();
  });

  it('a refusal connects nothing', async () => {
    const answer = await visit(await answerPage('reject'));
    expect(answer.headers.get('location')).toBe('refused');
    expect(await state()).toBe('rejected');
    expect((await left()).passwords).toBe(0);
  });

  it('a password that is none fails, and a secret that is none changes nothing', async () => {
    const back = new URL(new URL(started.approveUrl).searchParams.get('success_url') ?? '');
    back.searchParams.set('user_login', site.adminLogin);
    back.searchParams.set('password', 'abcdEFGH1234ijklMNOP5678');
    const other = new URL(back);
    other.searchParams.set('state', 'x'.repeat(43));
    expect((await visit(other.href)).headers.get('location')).toBe('ended');
    expect(await state()).toBe('open');
    expect((await visit(back.href)).headers.get('location')).toBe('done');
    await waitUntil(async () => (await state()) !== 'connecting', REST_MS);
    const view = await hub.call<ApprovalView>('GET', `/site-approvals/${started.id}`);
    expect(view).toMatchObject({ state: 'failed', fault: { code: 'site.wrong_password' } });
  });
});

describe('rotation', () => {
  it('replaces the credential: the one before has ended on the site, and the sync goes on', async () => {
    const passwords = () =>
      site.php(`echo wp_json_encode( array_values( wp_list_pluck(
        WP_Application_Passwords::get_user_application_passwords( Rollcall_Service_Account::id() ), 'uuid' ) ) );`);
    const before = await passwords();
    const done = await hub.call('POST', '/sites/Shop/rotate');
    expect(done).toEqual({ sites: ['Shop'], ended: true });
    const after = await passwords();
    expect([JSON.parse(before).length, JSON.parse(after).length]).toEqual([1, 1]);
    expect(after).not.toBe(before);
    await hub.rest();
    expect(await hub.call('POST', '/sites/Shop/test')).toMatchObject({ ok: true });
    const { sites } = await hub.call<{ sites: object[] }>('GET', '/sites');
    const version = expect.stringMatching(/^\d+\.\d+/u);
    expect(sites).toMatchObject([{ connector: '0.1.0', wordpress: version, updateDue: false }]);
  });

  it('an answer that was lost costs nothing: the next try ends what it left', async () => {
    await site.php('Rollcall_Service_Account::issue_next( "lost" );');
    await hub.call('POST', '/sites/Shop/rotate');
    const left = await site.php(`echo count(
      WP_Application_Passwords::get_user_application_passwords( Rollcall_Service_Account::id() ) );`);
    expect(left).toBe('1');
  });
});

describe('a test of the connection', () => {
  const code = async (): Promise<string | undefined> =>
    (await hub.call<SiteTest>('POST', '/sites/Shop/test')).fault?.code;

  it.each([
    ['strips', 'site.header_stripped'],
    ['no passwords', 'site.app_passwords_off'],
    ['', undefined],
  ])('on a host that “%s” says %s', async (name, expected) => {
    await habit(name);
    expect(await code()).toBe(expected);
  });

  it('tells a credential that has ended, and a plugin that is off', async () => {
    await site.php('Rollcall_Service_Account::revoke();');
    expect(await code()).toBe('site.credential_rejected');
    await site.php(`require_once ABSPATH . 'wp-admin/includes/plugin.php';
      deactivate_plugins( 'rollcall-connector/rollcall-connector.php' );`);
    expect(await code()).toBe('site.no_connector');
  });
});

it('nothing that came by is in what the hub keeps', async () => {
  await running.stop();
  secrets.push(site.adminPassword, encodeURIComponent(site.adminPassword));
  expect(secrets.every((secret) => secret.length > 7)).toBe(true);
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const file of files.filter((entry) => entry.isFile())) {
    const text = await readFile(join(file.parentPath, file.name), 'latin1');
    expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
  }
});
