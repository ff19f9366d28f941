/**
 * A person's browser on a WordPress, as far as signing in needs one: cookies, and pages of its own host.
 *
 * Does not: follow redirects, leave the address that it was made for, or write anything down.
 * Always true: cookies go to that one address only and end with this object.
 */
import { routeUrl } from './rest-url.ts';
import type { Answered, Asked, Wire } from './wire.ts';

export interface Session {
  /** Where `wp-login.php` and `wp-admin/` are; ends with a slash. */
  readonly wordpressUrl: string;
  readonly publicOnly: boolean;
  readonly restUrl: string;
  readonly cookies: Map<string, string>;
}

/** @param path below the WordPress address */
export async function visit(
  wire: Wire,
  session: Session,
  path: string,
  asked: Pick<Asked, 'body'> & { readonly type?: string } = {},
): Promise<Answered> {
  const answer = await wire.send({
    method: asked.body === undefined ? 'GET' : 'POST',
    url: new URL(path, session.wordpressUrl).href,
    publicOnly: session.publicOnly,
    headers: {
      accept: 'text/html,*/*',
      cookie: cookieHeader(session),
      // Security plugins compare it, as with any form.
      referer: new URL('wp-login.php', session.wordpressUrl).href,
      ...(asked.body === undefined ? {} : { 'content-type': asked.type ?? FORM }),
    },
    ...(asked.body === undefined ? {} : { body: asked.body }),
  });
  for (const line of answer.setCookies ?? []) keep(session, line);
  return { ...answer, text: answer.text.slice(0, LONGEST_PAGE) };
}

/** Characters. Pages of wp-admin that matter here are far shorter, and a hostile one must not keep us reading. */
const LONGEST_PAGE = 500_000;

const FORM = 'application/x-www-form-urlencoded';

export const isSignedIn = ({ cookies }: Session): boolean =>
  [...cookies.keys()].some((name) => name.startsWith('wordpress_logged_in_'));

/** Names the person to REST: WordPress believes a cookie there only beside its nonce. */
export const restHeaders = (session: Session, nonce: string): Record<string, string> => ({
  cookie: cookieHeader(session),
  'x-wp-nonce': nonce,
});

/** REST is asked where the cookies belong, whatever host the site's own links name. */
export const restRootOf = ({ restUrl, wordpressUrl }: Session): string => {
  const root = new URL(restUrl);
  const at = new URL(wordpressUrl);
  root.protocol = at.protocol;
  root.host = at.host;
  return routeUrl(root.href, '');
};

const cookieHeader = ({ cookies }: Session): string =>
  [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');

/** RFC 6265 §5.2, as far as WordPress uses it: a cookie is ended by a moment that is over. */
function keep({ cookies }: Session, line: string): void {
  const [pair = '', ...attributes] = line.split(';');
  const at = pair.indexOf('=');
  if (at < 1) return;
  const name = pair.slice(0, at).trim();
  const value = pair.slice(at + 1).trim();
  const isOver = attributes.some((attribute) => {
    const [key = '', text = ''] = attribute.split('=');
    if (/^\s*max-age$/iu.test(key)) return Number(text) <= 0;
    return /^\s*expires$/iu.test(key) && Date.parse(text) < Date.now();
  });
  if (isOver || value === '') cookies.delete(name);
  else cookies.set(name, value);
}
