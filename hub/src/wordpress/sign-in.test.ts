/** Sign-in forms as WordPress and the plugins in front of it show them. Real ones: e2e/ways-to-connect. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Fault } from '../errors.ts';
import { isOlder } from '../model/connector-version.ts';
import { makePassword, signIn, signOut } from './sign-in.ts';
import { type Behaviour, json, type StrangeServer, strangeServer } from './test/strange-server.ts';
import { createWire, type Wire } from './wire.ts';

const PASSWORD = ' a pass & word + ü ';
const FORM = '<form name="loginform"><input name="log"><input type="password" name="pwd"></form>';
const COOKIE = 'wordpress_logged_in_0123=admin%7Cx; path=/; HttpOnly';
const GONE = 'wordpress_logged_in_0123=%20; expires=Thu, 01 Jan 1970 00:00:01 GMT; path=/';

let server: StrangeServer;
let wire: Wire;
beforeAll(async () => {
  server = await strangeServer();
  wire = createWire();
});
afterAll(async () => {
  await wire.close();
  await server.close();
});

interface Habits {
  readonly form?: string;
  readonly formStatus?: number;
  readonly answer?: { status: number; headers?: Record<string, string | string[]>; text?: string };
  readonly nonce?: string;
  readonly made?: readonly [number, unknown];
}

const wordpress =
  (habits: Habits): Behaviour =>
  ({ method, url }, answer) => {
    if (url.startsWith('/wp/wp-login.php') && method === 'GET') {
      answer.writeHead(habits.formStatus ?? 200, {
        'set-cookie': 'wordpress_test_cookie=WP; path=/',
      });
      return void answer.end(habits.form ?? FORM);
    }
    if (url.startsWith('/wp/wp-login.php')) {
      const given = habits.answer ?? {
        status: 302,
        headers: { 'set-cookie': COOKIE, location: '/' },
      };
      answer.writeHead(given.status, given.headers ?? {});
      return void answer.end(given.text ?? '');
    }
    if (url.includes('action=rest-nonce')) return void answer.end(habits.nonce ?? '0123456789');
    const [status, content] = habits.made ?? [201, { password: 'abcd EFGH 1234 ijkl MNOP 5678' }];
    return json(answer, status, content);
  };

const front = () => ({
  restUrl: `${server.url}/wp/wp-json/`,
  publicOnly: false,
  wordpressUrl: `${server.url}/wp/`,
});
const enter = async (habits: Habits) => {
  server.behave(wordpress(habits));
  const signedIn = await signIn(wire, front(), { user: 'admin', password: PASSWORD });
  return makePassword(wire, signedIn);
};

async function faultOf(work: Promise<unknown>): Promise<Fault> {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof Fault) return error;
  throw new Error('this should have been refused', { cause: error });
}

describe('signing in with a name and a password', () => {
  it('goes through the form and ends in an Application Password', async () => {
    expect(await enter({})).toEqual({ user: 'admin', password: 'abcdEFGH1234ijklMNOP5678' });
    const posted = server.heard.find(({ method }) => method === 'POST');
    expect(new URLSearchParams(posted?.body).get('pwd')).toBe(PASSWORD);
    const last = server.heard.at(-1);
    expect(last?.url).toBe('/wp/wp-json/wp/v2/users/me/application-passwords');
    expect(last?.headers['x-wp-nonce']).toBe('0123456789');
    expect(last?.headers.cookie).toContain('wordpress_logged_in_0123=');
  });

  it.each([
    ['a wrong password', { answer: { status: 200, text: FORM } }, 'site.sign_in_failed'],
    [
      'a second factor on a page of its own',
      {
        answer: {
          status: 200,
          headers: { 'set-cookie': [COOKIE, GONE] },
          text: '<input name="authcode">',
        },
      },
      'site.sign_in_blocked',
    ],
    [
      'a second factor behind a redirect',
      { answer: { status: 302, headers: { location: '/2fa' } } },
      'site.sign_in_blocked',
    ],
    [
      'a captcha',
      { form: `${FORM}<div class="cf-turnstile"></div>`, answer: { status: 200, text: FORM } },
      'site.sign_in_blocked',
    ],
    ['a sign-in page elsewhere', { formStatus: 404, form: 'Not found' }, 'site.sign_in_blocked'],
    [
      'a lock after too many tries',
      { answer: { status: 403, text: 'no' } },
      'site.sign_in_blocked',
    ],
    ['an administration that is closed', { nonce: '0' }, 'site.sign_in_blocked'],
    [
      'no Application Passwords',
      { made: [501, { code: 'application_passwords_disabled' }] as const },
      'site.app_passwords_off',
    ],
    [
      'an account that may not',
      { made: [403, { code: 'rest_cannot_create_application_passwords' }] as const },
      'site.not_administrator',
    ],
  ])('tells %s', async (_, habits, code) => {
    const fault = await faultOf(enter(habits));
    expect(fault.code).toBe(code);
    const said = JSON.stringify([fault, fault.message, fault.next]);
    expect(said).not.toContain(PASSWORD.trim());
  });

  it('is not tried over plain http at a public address', async () => {
    const heard = server.heard.length;
    const there = { ...front(), publicOnly: true };
    const fault = await faultOf(signIn(wire, there, { user: 'admin', password: PASSWORD }));
    expect(fault.code).toBe('site.sign_in_blocked');
    expect(server.heard.length).toBe(heard);
  });

  it('reads a page that is made to be slow to read in time', async () => {
    const hostile = '<input '.repeat(400_000);
    const startedMs = performance.now();
    const fault = await faultOf(
      enter({ form: `${FORM}${hostile}`, answer: { status: 200, text: hostile } }),
    );
    expect(fault.code).toBe('site.sign_in_blocked');
    expect(performance.now() - startedMs).toBeLessThan(30_000);
  });

  it('signs out, and holds no cookie afterwards', async () => {
    server.behave(wordpress({}));
    const signedIn = await signIn(wire, front(), { user: 'admin', password: PASSWORD });
    const link = '<a href="/wp/wp-login.php?action=logout&amp;_wpnonce=abcdef0123">out</a>';
    server.behave(wordpress({ form: link }));
    await signOut(wire, signedIn);
    expect(server.heard.at(-1)?.url).toBe('/wp/wp-login.php?action=logout&_wpnonce=abcdef0123');
    expect(signedIn.session.cookies.size).toBe(0);
  });
});

it.each([
  ['0.1.0', '0.1.0', false],
  ['0.1.0', '0.1.1', true],
  ['0.9', '0.10.0', true],
  ['1.0.0', '0.10.0', false],
  ['', '0.1.0', true],
])('“%s” is older than “%s”: %s', (version, than, older) => {
  expect(isOlder(version, than)).toBe(older);
});
