/**
 * What people do on a WordPress site, through its real pages: sign in, register, edit their profile, reset a
 * password, call the REST API.
 *
 * Always true: every step is an HTTP request that a browser would send too; nothing is done behind WordPress's back.
 * On failure: what WordPress itself refuses is an outcome (`ok: false` with the text it showed), not an error.
 */
import type { Mail, Site } from './site.ts';
import { type Fields, formFields, Visitor } from './visitor.ts';

export interface Outcome {
  readonly ok: boolean;
  /** What WordPress said on the page, without markup; empty when it only redirected. */
  readonly message: string;
}

export interface SignIn extends Outcome {
  /** For a `Cookie` header. */
  readonly cookies: string;
  readonly visitor: Visitor;
}

/** `path` names a site of a network: `/shop`. */
export async function signIn(
  site: Site,
  login: string,
  password: string,
  path = '',
): Promise<SignIn> {
  const visitor = new Visitor(site);
  const form = await visitor.form(`${path}/wp-login.php`, 'loginform');
  const response = await visitor.submit(`${path}/wp-login.php`, {
    ...form,
    log: login,
    pwd: password,
    testcookie: '1',
  });
  const ok = response.status === 302 && visitor.cookies.includes('wordpress_logged_in_');
  return { ok, message: notice(await response.text()), cookies: visitor.cookies, visitor };
}

/** Needs the option `users_can_register`. WordPress mails a link to choose a password with. */
export async function register(site: Site, login: string, email: string): Promise<Outcome> {
  const visitor = new Visitor(site);
  const path = '/wp-login.php?action=register';
  const page = await visitor.request(path);
  const form = formFields(await page.text(), 'registerform');
  if (form === undefined) return { ok: false, message: 'the site shows no registration form' };
  const response = await visitor.submit(path, { ...form, user_login: login, user_email: email });
  const location = response.headers.get('location') ?? '';
  return { ok: location.includes('checkemail=registered'), message: notice(await response.text()) };
}

/** Changes one's own profile; `fields` by the form's names: `first_name`, `email`, `description`, `pass1` with `pass2`… */
export async function editProfile(visitor: Visitor, fields: Fields): Promise<Outcome> {
  const form = await visitor.form('/wp-admin/profile.php', 'your-profile');
  // The form carries empty password fields that a browser sends only when one asked for a new password.
  const { pass1: _pass1, pass2: _pass2, pw_weak: _weak, ...kept } = form;
  const response = await visitor.submit('/wp-admin/profile.php', { ...kept, ...fields });
  const ok = (response.headers.get('location') ?? '').includes('updated=');
  return { ok, message: notice(await response.text()) };
}

/** Follows the link that confirms a changed address, from the mail to that address. */
export async function confirmEmail(visitor: Visitor, mail: Mail): Promise<Outcome> {
  const link = /https?:\/\/[^/\s]+(\/\S*[?&]newuseremail=[^\s>]*)/.exec(mail.message)?.[1];
  if (link === undefined) throw new Error(`no link that confirms an address in: ${mail.message}`);
  const response = await visitor.request(link);
  const ok = (response.headers.get('location') ?? '').includes('updated=');
  return { ok, message: notice(await response.text()) };
}

export type RestCall = (path: string, init?: RequestInit) => Promise<Response>;

/** The REST API as this person: cookies and nonce. `path` as in `/wp/v2/users/me?context=edit`. */
export async function restAs(visitor: Visitor): Promise<RestCall> {
  const answer = await visitor.request('/wp-admin/admin-ajax.php?action=rest-nonce');
  const nonce = await answer.text();
  return (path, init = {}) => {
    const [route = '', query = ''] = path.split('?');
    const headers = new Headers(init.headers);
    headers.set('x-wp-nonce', nonce);
    if (typeof init.body === 'string') headers.set('content-type', 'application/json');
    // Works with plain and with pretty permalinks.
    return visitor.request(`/?rest_route=${encodeURI(route)}&${query}`, { ...init, headers });
  };
}

/** The "Lost your password?" form, the link from its mail, and the form behind the link. */
export async function resetPassword(
  site: Site,
  loginOrEmail: string,
  password: string,
): Promise<Outcome> {
  const visitor = new Visitor(site);
  const path = '/wp-login.php?action=lostpassword';
  const form = await visitor.form(path, 'lostpasswordform');
  const before = (await site.mails()).length;
  const response = await visitor.submit(path, { ...form, user_login: loginOrEmail });
  const mail = (await site.mails())[before];
  if (mail === undefined) return { ok: false, message: notice(await response.text()) };
  return usePasswordLink(site, passwordLink(mail), password);
}

/** The path of the link to choose a password with, from a reset or a welcome mail. */
export function passwordLink(mail: Mail): string {
  const link = /https?:\/\/[^/\s]+(\/\S*[?&]action=rp[^\s>]*)/.exec(mail.message)?.[1];
  if (link === undefined) throw new Error(`no link to choose a password in: ${mail.message}`);
  return link;
}

export async function usePasswordLink(
  site: Site,
  link: string,
  password: string,
): Promise<Outcome> {
  const visitor = new Visitor(site);
  const landing = await visitor.request(link);
  const next = landing.headers.get('location');
  if (next === null) return { ok: false, message: notice(await landing.text()) };
  const page = await (await visitor.request(pathOf(next, site))).text();
  const form = formFields(page, 'resetpassform');
  if (form === undefined) return { ok: false, message: notice(page) };
  const { pw_weak: _weak, ...kept } = form;
  const fields = { ...kept, pass1: password, pass2: password };
  const response = await visitor.submit('/wp-login.php?action=resetpass', fields);
  const result = await response.text();
  return { ok: !/id=["']resetpassform/.test(result) && response.ok, message: notice(result) };
}

function pathOf(location: string, site: Site): string {
  const url = new URL(location, `${site.url}/wp-login.php`);
  return url.pathname + url.search;
}

/** The text of the notices on a classic page. */
function notice(page: string): string {
  const found = [
    ...page.matchAll(
      /<(div|p)\b[^>]*(?:id="login_error"|class="[^"]*\b(?:notice|message|error)\b[^"]*")[^>]*>([\s\S]*?)<\/\1>/g,
    ),
  ];
  return found
    .map(([, , html = '']) =>
      html
        .replaceAll(/<[^>]+>/g, ' ')
        .replaceAll(/\s+/g, ' ')
        .trim(),
    )
    .join(' ');
}
