/**
 * Where a WordPress's REST API may be, told from one of its pages.
 *
 * Sources: WordPress announces it in a `Link` header and a `<link>` element with the relation
 * `https://api.w.org/` (core `rest_output_link_header`, `rest_output_link_wp_head`).
 */
import { cleanRoot, isSameHost, parseUrl } from './rest-url.ts';
import type { Answered } from './wire.ts';

/** Roots to try, best first: announced ones, then the usual places at and above the page. */
export function restRoots(page: Answered): readonly string[] {
  const announced = announcedRoot(page);
  const guessed = guessedRoots(new URL(page.url));
  return [...new Set(announced === null ? guessed : [announced, ...guessed])];
}

/** The announced root, when it is on the host of the page: a credential will go there. */
export function announcedRoot(page: Answered): string | null {
  const target = fromHeader(page.header('link')) ?? fromHead(page.text);
  const root = target === null ? null : cleanRoot(target, page.url);
  const url = root === null ? null : parseUrl(root);
  const at = new URL(page.url);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) return null;
  // Behind a proxy that ends TLS, WordPress may take itself for http.
  if (at.protocol === 'https:' && url.protocol === 'http:') url.protocol = 'https:';
  return isSameHost(url, at) ? url.href : null;
}

function fromHeader(header: string | null): string | null {
  const match = /<([^>]*)>\s*;\s*rel="?https:\/\/api\.w\.org\/"?/iu.exec(header ?? '');
  return match?.[1] ?? null;
}

/** WordPress writes it early; a page's first part is enough. */
const HEAD_CHARACTERS = 200_000;

function fromHead(html: string): string | null {
  const head = html.slice(0, HEAD_CHARACTERS);
  for (const [tag] of head.matchAll(/<link\s[^>]{0,2000}>/giu)) {
    if (!/rel=["']https:\/\/api\.w\.org\/["']/iu.test(tag)) continue;
    return /href=["']([^"']*)["']/iu.exec(tag)?.[1]?.replaceAll('&#038;', '&') ?? null;
  }
  return null;
}

/** Deeper than this nobody installs WordPress. */
const MOST_PARENTS = 4;

function guessedRoots(page: URL): string[] {
  const parts = page.pathname.split('/').slice(1, -1);
  const folders: string[] = [];
  for (let depth = Math.min(parts.length, MOST_PARENTS); depth >= 0; depth -= 1) {
    folders.push(['', ...parts.slice(0, depth), ''].join('/'));
  }
  return folders.flatMap((folder) => [
    `${page.origin}${folder}wp-json/`,
    `${page.origin}${folder}?rest_route=/`,
  ]);
}
