/**
 * From what a person types to the REST root of a WordPress with the connector.
 *
 * Does: GET requests without credentials; tells apart why it can't go on.
 * Always true: the root found is on the host that was typed (but for www and http → https). What
 * was found at a public address is not followed to a private one.
 * On failure: throws `Fault`: `request.invalid`, `site.dns`, `.tls`, `.unreachable`, `.timeout`,
 * `.redirected`, `.forbidden_address`, `.not_wordpress`, `.no_connector`, `.app_passwords_off`.
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { REST_NAMESPACE } from '#contract/version.ts';
import { Fault } from '../errors.ts';
import { answerFault, isFromConnector, restError } from './answer-fault.ts';
import { followGet } from './follow-get.ts';
import { restRoots } from './rest-roots.ts';
import { addressesOf, cleanRoot, isSameHost, parseUrl, routeUrl } from './rest-url.ts';
import { parseJson } from './stray-output.ts';
import type { Answered, Wire } from './wire.ts';

export interface Discovered {
  /** Ends with `/wp-json/` or `?rest_route=/`, or as the site has it. */
  readonly restUrl: string;
  /** The site's own title; empty where the REST index is closed to strangers. */
  readonly title: string;
  /** It is at a public address, so it never leads to a private one. */
  readonly publicOnly: boolean;
}

/** @param known it was found at a public address before, and is looked for at public ones only */
export async function discoverSite(wire: Wire, typed: string, known = false): Promise<Discovered> {
  const page = await firstPage(wire, typed, known);
  const publicOnly = page.reach === 'public';
  const roots = restRoots(page);
  for (const root of roots) {
    const index = await indexAt(wire, root, publicOnly);
    if (index !== null) return { ...(await judge(wire, index, page)), publicOnly };
  }
  // Some sites show their index to nobody, and yet answer everything else.
  for (const root of roots) {
    if (await connectorAnswers(wire, root, publicOnly)) {
      return { restUrl: root, title: '', publicOnly };
    }
  }
  throw nothingAt(page);
}

/** What a WordPress shows of itself before anybody signs in, with or without the connector. */
export interface Front {
  readonly restUrl: string;
  readonly publicOnly: boolean;
  /** Where `wp-login.php` and `wp-admin/` are; ends with a slash. */
  readonly wordpressUrl: string;
}

/**
 * Where people sign in. Nothing is typed into a site that takes no Application Passwords: it is not
 * reached by https, or does not want any.
 */
export async function frontOf(wire: Wire, typed: string): Promise<Front> {
  const page = await firstPage(wire, typed, false);
  const publicOnly = page.reach === 'public';
  for (const root of restRoots(page)) {
    const index = await indexAt(wire, root, publicOnly);
    if (index === null) continue;
    if (!index.applicationPasswords) throw passwordsOff(index, page, new URL(root).host);
    return { restUrl: index.restUrl, publicOnly, wordpressUrl: wordpressUrl(index, page) };
  }
  throw nothingAt(page);
}

/** As the site says where that is on the host that was asked for, else beside its REST root. */
function wordpressUrl({ home, restUrl }: Index, page: Answered): string {
  const at = new URL(page.url);
  const told = home !== null && isSameHost(home, at) ? home.pathname : null;
  const path = told ?? new URL(restUrl).pathname.replace(/wp-json\/?$/u, '');
  return `${at.origin}${path.replace(/\/*$/u, '/')}`;
}

/** Without a login the connector refuses; nobody else says so in its way. */
async function connectorAnswers(wire: Wire, root: string, publicOnly: boolean): Promise<boolean> {
  const url = routeUrl(root, `${REST_NAMESPACE}/status`);
  const headers = { 'content-type': 'application/json' };
  const asked = { method: 'POST', url, publicOnly, headers, body: '{}' } as const;
  const answer = await wire.send(asked).catch(elsewhere);
  return answer !== null && isFromConnector(answer);
}

function nothingAt(page: Answered): Fault {
  const { host } = new URL(page.url);
  const detail = { host, status: page.status };
  if (page.status === 401 || page.status === 403) {
    return new Fault('site.refused', `${host} asks strangers for a login.`, { detail });
  }
  const message = `There is no WordPress at ${host}, or its REST API is off.`;
  return new Fault('site.not_wordpress', message, { detail });
}

/** Without a scheme https comes first; http only when nothing there speaks TLS. */
async function firstPage(wire: Wire, typed: string, publicOnly: boolean): Promise<Answered> {
  const [first, second] = addressesOf(typed) ?? [];
  if (first === undefined) {
    throw new Fault(
      'request.invalid',
      'The address of the site is not a web address, or it holds a login.',
    );
  }
  try {
    return await followGet(wire, first, publicOnly);
  } catch (error) {
    if (second === undefined || !(error instanceof Fault) || !speaksNoTls(error)) throw error;
    return await followGet(wire, second, publicOnly).catch((later: unknown) => {
      // The first fault says more than "http is closed, too".
      throw later instanceof Fault && later.code === 'site.unreachable' ? error : later;
    });
  }
}

/** A bad certificate is not among these: nobody is led from https to http by one. */
const NO_TLS = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPROTO',
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_HTTP_REQUEST',
  'UND_ERR_SOCKET',
]);
const speaksNoTls = (fault: Fault): boolean => NO_TLS.has(String(fault.detail['errno']));

interface Index {
  readonly restUrl: string;
  readonly title: string;
  /** Null: the index is closed to strangers; the connector's own route will tell. */
  readonly namespaces: readonly string[] | null;
  readonly applicationPasswords: boolean;
  /** As WordPress sees its own address. */
  readonly home: URL | null;
}

const IndexSchema = z.object({
  name: z.string().optional(),
  url: z.string().optional(),
  namespaces: z.array(z.string()),
  /** PHP writes an empty map as a list. */
  authentication: z.union([z.record(z.string(), z.unknown()), z.array(z.unknown())]).optional(),
});

/** The whole index lists every argument of every route: hundreds of kilobytes. */
const INDEX_FIELDS = '_fields=name,url,namespaces,authentication';

async function indexAt(wire: Wire, root: string, publicOnly: boolean): Promise<Index | null> {
  const url = new URL(routeUrl(root, ''));
  // Page caches keep GETs: the index from before the plugin was activated would be no use.
  const query = `${INDEX_FIELDS}&rollcall=${randomUUID()}`;
  url.search = url.search === '' ? query : `${url.search.slice(1)}&${query}`;
  const answer = await followGet(wire, url, publicOnly).catch(elsewhere);
  if (answer === null) return null;
  const restUrl = cleanRoot(answer.url, answer.url) ?? root;
  const error = restError(answer);
  if (error !== null && (answer.status === 401 || answer.status === 403)) {
    return { restUrl, title: '', namespaces: null, applicationPasswords: true, home: null };
  }
  if (answer.status >= 500 || answer.status === 429) throw answerFault(answer, []);
  const parsed = IndexSchema.safeParse(parseJson(answer.text));
  if (answer.status !== 200 || !parsed.success) return null;
  const { name, namespaces, authentication, url: home = '' } = parsed.data;
  const applicationPasswords =
    !Array.isArray(authentication) && authentication?.['application-passwords'] !== undefined;
  return { restUrl, title: name ?? '', namespaces, applicationPasswords, home: parseUrl(home) };
}

/** A guess that redirects away or breaks off is no REST root; a site that is down is a fault. */
function elsewhere(error: unknown): null {
  if (error instanceof Fault && ['site.redirected', 'site.bad_answer'].includes(error.code)) {
    return null;
  }
  throw error;
}

async function judge(
  wire: Wire,
  index: Index,
  page: Answered,
): Promise<Omit<Discovered, 'publicOnly'>> {
  const { restUrl, title, namespaces } = index;
  const { host } = new URL(restUrl);
  const hidden = namespaces !== null && !namespaces.includes(REST_NAMESPACE);
  if (hidden && !(await connectorAnswers(wire, restUrl, page.reach === 'public'))) {
    throw new Fault('site.no_connector', `The Rollcall Connector is not active on ${host}.`, {
      detail: { host },
    });
  }
  if (!index.applicationPasswords) throw passwordsOff(index, page, host);
  return { restUrl, title };
}

function passwordsOff({ home }: Index, page: Answered, host: string): Fault {
  const unaware = new URL(page.url).protocol === 'https:' && home?.protocol === 'http:';
  const message = unaware
    ? `${host} is reached by https, but its WordPress does not know that (a proxy ends TLS before it), and so takes no Application Passwords.`
    : `Application Passwords are switched off on ${host}.`;
  return new Fault('site.app_passwords_off', message, { detail: { host } });
}
