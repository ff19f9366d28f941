/**
 * What the people of the demo do in their browsers, beyond what every test needs (lab/sign-in.ts).
 *
 * Always true: every step is a form of WordPress's own, opened and sent like a browser does.
 * On failure: what WordPress refuses is an outcome with the text it showed; a page without the form throws.
 */
import { type Outcome, passwordLink, signIn, usePasswordLink } from '#lab/sign-in.ts';
import type { Site } from '#lab/start-site.ts';
import type { Fields, Visitor } from '#lab/visitor.ts';

export async function enter(site: Site, login: string, password: string): Promise<Visitor> {
  const { ok, message, visitor } = await signIn(site, login, password);
  if (!ok) throw new Error(`${login} can’t sign in at ${site.url}: ${message}`);
  return visitor;
}

export const enterAsAdmin = (site: Site): Promise<Visitor> =>
  enter(site, site.adminLogin, site.adminPassword);

/** Follows the link in the newest mail to this address. */
export async function choosePassword(
  site: Site,
  email: string,
  password: string,
): Promise<Outcome> {
  const mail = (await site.mails()).findLast(({ to }) => to === email);
  if (mail === undefined) return { ok: false, message: `no mail to ${email}` };
  return usePasswordLink(site, passwordLink(mail), password);
}

export interface OpenForm {
  save(fields: Fields): Promise<Outcome>;
}

/** A profile that is open in the browser, ready to be saved: one's own, or with `userId` somebody else's. */
export async function openProfile(visitor: Visitor, userId?: number): Promise<OpenForm> {
  const path =
    userId === undefined ? '/wp-admin/profile.php' : `/wp-admin/user-edit.php?user_id=${userId}`;
  const form = await visitor.form(path, 'your-profile');
  // A browser sends the password fields only when a new password was asked for.
  const { pass1: _pass1, pass2: _pass2, pw_weak: _weak, ...present } = form;
  return {
    async save(fields) {
      const response = await visitor.submit(path, { ...present, ...fields });
      return outcome(response, 'updated=');
    },
  };
}

/** Users → Delete, and the page that asks once more. */
export async function deleteInAdmin(visitor: Visitor, userId: number): Promise<Outcome> {
  const list = await (await visitor.request('/wp-admin/users.php')).text();
  const link = new RegExp(`users\\.php\\?action=delete&amp;user=${userId}&amp;[^'"]+`).exec(list);
  if (link === null) return { ok: false, message: `no link to delete account ${userId}` };
  const path = `/wp-admin/${link[0].replaceAll('&amp;', '&')}`;
  const form = await visitor.form(path, 'updateusers');
  return outcome(await visitor.submit('/wp-admin/users.php', form), 'update=del');
}

async function outcome(response: Response, sign: string): Promise<Outcome> {
  const ok = (response.headers.get('location') ?? '').includes(sign);
  const page = await response.text();
  const message = /<div id="(?:message|login_error)[^>]*>([\s\S]*?)<\/div>/.exec(page)?.[1] ?? '';
  return { ok, message: message.replaceAll(/<[^>]+>/g, '').trim() || `HTTP ${response.status}` };
}
