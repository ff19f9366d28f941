/**
 * GET without credentials, following the redirects that a site makes to itself.
 *
 * Does: follow http → https, with and without www, and other paths; at most three times.
 * Does not: leave the host that was asked for, go from https to http or from a public address to a
 * private one, send a credential.
 * On failure: throws `Fault`; `site.redirected` names the host that it points to.
 */
import { Fault } from '../errors.ts';
import { redirectHost } from './answer-fault.ts';
import { isSameHost, parseUrl } from './rest-url.ts';
import type { Answered, Wire } from './wire.ts';

/** http → https, then www, then the trailing slash: more is a loop or somebody else's site. */
const MOST_REDIRECTS = 3;

export async function followGet(wire: Wire, start: URL, publicOnly = false): Promise<Answered> {
  let url = start;
  let within = publicOnly;
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects += 1) {
    const asked = { method: 'GET', url: url.href, headers: { accept: '*/*' } } as const;
    const answer = await wire.send({ ...asked, publicOnly: within });
    within ||= answer.reach === 'public';
    const next = nextAddress(answer);
    if (next === null) return answer;
    if (!staysHome(url, next)) throw leaves(url, answer);
    url = next;
  }
  throw new Fault('site.redirected', `${start.host} redirects in a circle.`, {
    detail: { host: start.host },
  });
}

function nextAddress(answer: Answered): URL | null {
  const location = answer.header('location');
  if (answer.status < 300 || answer.status >= 400 || location === null) return null;
  return parseUrl(location, answer.url);
}

function staysHome(from: URL, to: URL): boolean {
  if (from.protocol === to.protocol) return isSameHost(from, to);
  const secured = from.protocol === 'http:' && to.protocol === 'https:';
  // Another scheme has another port.
  return (
    secured && isSameHost(new URL(`http://${from.hostname}`), new URL(`http://${to.hostname}`))
  );
}

function leaves(from: URL, answer: Answered): Fault {
  const redirectsTo = redirectHost(answer) ?? 'somewhere else';
  return new Fault('site.redirected', `${from.host} redirects to ${redirectsTo}.`, {
    detail: { host: from.host, redirectsTo },
  });
}
