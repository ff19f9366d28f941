/**
 * Signing in at a WordPress with an administrator's name and password, once.
 *
 * Does: what a browser does with `wp-login.php`; then an Application Password through REST; signs out.
 * Does not: keep name, password or cookies; get past a second factor or a captcha.
 * Always true: the password goes to the sign-in form of the address that was typed, and nowhere else; no fault
 * holds it.
 * On failure: throws `Fault`: `site.sign_in_failed`, `site.sign_in_blocked`, `site.not_administrator`,
 * `site.app_passwords_off`, or the wire's.
 */
import { Fault } from '../errors.ts';
import type { Credential } from '../sync/ports.ts';
import { askCore, textIn } from './core-rest.ts';
import type { Front } from './discover.ts';
import { isSignedIn, restHeaders, restRootOf, type Session, visit } from './session.ts';
import type { Answered, Wire } from './wire.ts';

export interface SignedIn {
  readonly session: Session;
  readonly nonce: string;
  /** As it was typed: a login, or an e-mail address. */
  readonly user: string;
  /** Which Application Password was made, to end it. */
  made: string | null;
}

/** Names Rollcall among a person's Application Passwords; the connector knows it, too. */
export const APP_ID = '5b0c8a52-3c1e-4a57-9d3f-6f1f2a7c9e10';

export async function signIn(wire: Wire, front: Front, login: Credential): Promise<SignedIn> {
  const session: Session = { ...front, cookies: new Map() };
  // Whoever stands in between could have said that this site takes passwords so.
  if (front.publicOnly && front.wordpressUrl.startsWith('http:')) throw readable(front);
  const form = await visit(wire, session, 'wp-login.php');
  if (!hasPasswordField(form)) throw noForm(form);
  const body = new URLSearchParams({
    log: login.user,
    pwd: login.password,
    testcookie: '1',
    redirect_to: new URL('wp-admin/', front.wordpressUrl).href,
    'wp-submit': 'Log In',
  });
  const answer = await visit(wire, session, 'wp-login.php', { body: body.toString() });
  if (!isSignedIn(session)) throw notSignedIn(form, answer);
  return { session, nonce: await nonceOf(wire, session), user: login.user, made: null };
}

async function nonceOf(wire: Wire, session: Session): Promise<string> {
  const answer = await visit(wire, session, 'wp-admin/admin-ajax.php?action=rest-nonce');
  const nonce = answer.text.trim();
  if (answer.status === 200 && /^[0-9a-f]{10}$/u.test(nonce)) return nonce;
  throw blocked(answer, 'lets this account sign in, but does not let it on from there');
}

/** An Application Password of the person's own, under a name that says whose it is. */
export async function makePassword(wire: Wire, signedIn: SignedIn): Promise<Credential> {
  const { session, nonce, user } = signedIn;
  const made = await askCore(wire, {
    restUrl: restRootOf(session),
    publicOnly: session.publicOnly,
    headers: restHeaders(session, nonce),
    method: 'POST',
    route: 'wp/v2/users/me/application-passwords',
    body: { app_id: APP_ID, name: `Rollcall, connecting (${new Date().toISOString()})` },
  });
  const password = textIn(made.content, 'password').replaceAll(' ', '');
  const uuid = textIn(made.content, 'uuid');
  signedIn.made = /^[0-9a-f-]{36}$/iu.test(uuid) ? uuid : null;
  if (password !== '') return { user, password };
  throw noPassword(made.answer, textIn(made.content, 'code'));
}

/** Best effort: what can't be signed out ends by itself, and nobody holds its cookies any more. */
export async function signOut(wire: Wire, signedIn: SignedIn): Promise<void> {
  const { session } = signedIn;
  try {
    await endPassword(wire, signedIn);
    const asks = await visit(wire, session, 'wp-login.php?action=logout');
    const nonce = /action=logout&(?:amp;|#0?38;)?[^"']{0,500}?_wpnonce=([0-9a-f]{10})/u.exec(
      asks.text,
    );
    if (nonce !== null) {
      await visit(wire, session, `wp-login.php?action=logout&_wpnonce=${nonce[1] ?? ''}`);
    }
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
  }
  session.cookies.clear();
}

/** The connector may have ended it already; a host that strips credentials leaves only this way. */
async function endPassword(wire: Wire, { session, nonce, made }: SignedIn): Promise<void> {
  if (made === null) return;
  await askCore(wire, {
    restUrl: restRootOf(session),
    publicOnly: session.publicOnly,
    headers: restHeaders(session, nonce),
    method: 'DELETE',
    route: `wp/v2/users/me/application-passwords/${made}`,
  });
}

const hasPasswordField = ({ status, text }: Answered): boolean =>
  status === 200 && /<input\b[^>]{0,500}\bname=["']pwd["']/iu.test(text);

/** The widgets of the usual services, and what plugins call a sum that is to be done. */
const CAPTCHA = /g-recaptcha|h-captcha|cf-turnstile|altcha|friendly-?captcha|captcha/iu;

function notSignedIn(form: Answered, answer: Answered): Fault {
  if (CAPTCHA.test(form.text)) return blocked(answer, 'asks for a captcha at sign-in');
  if (hasPasswordField(answer)) {
    const { host } = new URL(answer.url);
    const sentence = `${host} does not accept this name and password.`;
    return new Fault('site.sign_in_failed', sentence, { detail: { host } });
  }
  if (answer.status >= 400) return blocked(answer, `refuses to sign in (status ${answer.status})`);
  return blocked(answer, 'asks for more than a password at sign-in, such as a second factor');
}

const readable = ({ wordpressUrl }: Front): Fault => {
  const { host } = new URL(wordpressUrl);
  const sentence = `${host} is reached by plain http, where anybody on the way could read the password.`;
  return new Fault('site.sign_in_blocked', sentence, { detail: { host } });
};

const noForm = (answer: Answered): Fault =>
  blocked(answer, 'shows no sign-in form at wp-login.php');

function noPassword(answer: Answered, code: string): Fault {
  const { host } = new URL(answer.url);
  const detail = { host, status: answer.status };
  if (/^(application_passwords_disabled|rest_no_route$)/u.test(code)) {
    const sentence = `Application Passwords are off for this account on ${host}.`;
    return new Fault('site.app_passwords_off', sentence, { detail });
  }
  if (code === 'rest_cannot_create_application_passwords') {
    const sentence = `${host}: this account may not make Application Passwords.`;
    return new Fault('site.not_administrator', sentence, { detail });
  }
  return blocked(answer, 'does not make an Application Password for this account');
}

function blocked(answer: Answered, what: string): Fault {
  const { host } = new URL(answer.url);
  return new Fault('site.sign_in_blocked', `${host} ${what}.`, {
    detail: { host, status: answer.status },
  });
}
