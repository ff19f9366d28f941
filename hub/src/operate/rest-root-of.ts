/**
 * At which REST root a site is spoken to. Pure.
 *
 * What a site says of its own address is not believed where it need not be: passwords travel there.
 * A single site is spoken to where it was found. A network's sites may have hosts of their own, and
 * only the network knows them; they are never led from https to http.
 */
import type { StatusAnswer } from '#contract/messages.ts';
import type { Door } from './ports.ts';

export function restRootOf(
  { restUrl }: Pick<Door, 'restUrl'>,
  status: Pick<StatusAnswer, 'multisite'>,
  site: Pick<StatusAnswer['sites'][number], 'rest_url'>,
): string {
  if (!status.multisite || !URL.canParse(site.rest_url)) return restUrl;
  const found = new URL(restUrl);
  const told = new URL(site.rest_url);
  if (told.username !== '' || told.password !== '') return restUrl;
  if (hostOf(told) === hostOf(found)) {
    // Behind a proxy a site may take itself for another scheme or port.
    told.protocol = found.protocol;
    told.port = found.port;
    if (found.searchParams.has('rest_route')) byQuery(told);
    return told.href;
  }
  const asSecure = told.protocol === 'https:' || told.protocol === found.protocol;
  return asSecure ? told.href : restUrl;
}

/** The host lets `?rest_route=` through and, it seems, not the path that WordPress names. */
function byQuery(root: URL): void {
  if (root.searchParams.has('rest_route')) return;
  root.pathname = root.pathname.replace(/[^/]+\/?$/u, '');
  root.search = '?rest_route=/';
}

/** www or not is one host. */
export const hostOf = (url: URL): string => url.hostname.replace(/^www\./u, '');
