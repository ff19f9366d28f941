/**
 * Addresses: REST roots, routes below them, and which hosts count as the same.
 *
 * Does: pure work on URLs. Does not: any I/O. Throws nothing; what is no address gives null.
 */

/** Null instead of a throw; `URL.parse` is younger than the Node versions we support. */
export const parseUrl = (text: string, base?: string): URL | null =>
  URL.canParse(text, base) ? new URL(text, base) : null;

/** Full address of a route. Roots look like `…/wp-json/` or, with plain permalinks, `…/?rest_route=/`. */
export function routeUrl(restRoot: string, route: string): string {
  const url = new URL(restRoot);
  const plain = url.searchParams.get('rest_route');
  if (plain === null) {
    url.pathname = `${url.pathname.replace(/\/+$/u, '')}/${route}`;
    return url.href;
  }
  url.searchParams.set('rest_route', `${plain.replace(/\/+$/u, '')}/${route}`);
  // Slashes as WordPress itself writes them: some firewalls dislike %2F.
  url.search = url.search.replaceAll('%2F', '/');
  return url.href;
}

/** The REST root in canonical form: path with a slash at its end, no fragment, no credentials. */
export function cleanRoot(root: string, base: string): string | null {
  const url = parseUrl(root, base);
  if (url === null) return null;
  const plain = url.searchParams.get('rest_route');
  if (plain !== null) return `${url.origin}${url.pathname}?rest_route=/`;
  return `${url.origin}${url.pathname.replace(/\/*$/u, '/')}`;
}

const withoutWww = (hostname: string): string => hostname.replace(/^www\./u, '');

/** The same site but for scheme and www; an explicit port must be the same, too. */
export function isSameHost(a: URL, b: URL): boolean {
  return withoutWww(a.hostname) === withoutWww(b.hostname) && a.port === b.port;
}

const SCHEME = /^[a-z][a-z0-9+.-]*:\/\//iu;

/** What to try for what a person typed, best first; null: it is no web address. */
export function addressesOf(typed: string): readonly URL[] | null {
  const text = typed.trim();
  if (text === '' || /\s/u.test(text)) return null;
  const candidates = SCHEME.test(text) ? [text] : [`https://${text}`, `http://${text}`];
  const urls: URL[] = [];
  for (const candidate of candidates) {
    const url = parseUrl(candidate);
    if (url === null || !isWebAddress(url)) return null;
    url.hash = '';
    urls.push(url);
  }
  return urls;
}

const isWebAddress = (url: URL): boolean =>
  (url.protocol === 'https:' || url.protocol === 'http:') &&
  url.hostname !== '' &&
  url.username === '' &&
  url.password === '';
