/**
 * Does one sign-in count for all sites of a network, and can people sign in at each of them?
 *
 * Does: ask the main site and a few others of each network what their cookies look like, and say in one sentence what
 * is wrong and what to put into wp-config.php.
 * Does not: change anything, nor learn keys or salts: whether those are the same everywhere can't be seen from outside.
 */
import type { StatusAnswer } from '#contract/messages.ts';
import type { Check } from '../api/schemas/doctor.ts';
import { Fault } from '../errors.ts';
import { type Reason, reasonSentence } from '../reasons.ts';
import type { SiteRecord } from '../sync/ports.ts';
import type { OperationPorts } from './ports.ts';

export type CookieFacts = NonNullable<StatusAnswer['cookies']>;
export interface Asked {
  readonly name: string;
  readonly url: string;
  readonly cookies: CookieFacts;
}

/** Of each network: its main site, and so many others whose addresses differ in kind. */
const MOST_ASKED = 4;

export async function signOnChecks(
  { registry, site: port }: Pick<OperationPorts, 'registry' | 'site'>,
  sites: readonly SiteRecord[],
  active: ReadonlySet<string>,
): Promise<Check[]> {
  const networks = new Map<string, SiteRecord[]>();
  for (const site of sites) {
    if (site.network == null || site.closed != null || !active.has(site.installation)) continue;
    const key = `${site.installation} ${site.network}`;
    networks.set(key, [...(networks.get(key) ?? []), site]);
  }
  const checks: Check[] = [];
  for (const members of networks.values()) {
    const asked: Asked[] = [];
    for (const { installation, name, url, restUrl } of toAsk(members)) {
      try {
        const connection = { ...(await registry.connection(installation)), restUrl };
        const { cookies } = await port.status(connection);
        if (cookies !== undefined) asked.push({ name, url, cookies });
      } catch (fault) {
        // What keeps it from answering is told by its own checks.
        if (!(fault instanceof Fault)) throw fault;
      }
    }
    checks.push(...signOnProblems(asked));
  }
  return checks;
}

/** The first, and then each that lies where none before it does: below another domain, or at another depth. */
function toAsk(members: readonly SiteRecord[]): readonly SiteRecord[] {
  const kinds = new Map<string, SiteRecord>();
  const main = hostOf(members[0]?.url ?? '');
  for (const site of members) {
    const host = hostOf(site.url);
    const kind =
      host === main ? `path ${pathOf(site.url) === '/'}` : isWithin(host, main) ? 'below' : host;
    if (!kinds.has(kind)) kinds.set(kind, site);
  }
  return [...kinds.values()].slice(0, MOST_ASKED);
}

/** Pure. @param asked the main site first */
export function signOnProblems(asked: readonly Asked[]): Check[] {
  const [main, ...others] = asked;
  if (main === undefined || others.length === 0) return [];
  return asked.flatMap((site) => {
    const problem = domainProblem(site, main) ?? pathProblem(site, main) ?? nameProblem(site, main);
    return problem === null ? [] : [{ subject: site.name, what: 'sign-in', ...problem }];
  });
}

type Problem = Pick<Check, 'level' | 'code' | 'message' | 'next'>;
const warn = (code: Reason, message: string, next: string): Problem => ({
  level: 'warning',
  code,
  message: `${message} ${reasonSentence(code)}`,
  next,
});
const GUIDE = 'See docs/guides/single-sign-on-on-a-network.md.';

function domainProblem({ url, cookies }: Asked, main: Asked): Problem | null {
  const host = hostOf(url);
  const network = bare(cookies.network);
  const domain = cookies.domain === null ? null : bare(cookies.domain);
  if (domain !== null && !isWithin(host, domain)) {
    return {
      ...warn(
        'installation.cookie_rejected',
        `COOKIE_DOMAIN is “${cookies.domain}” at ${host}.`,
        `In wp-config.php set COOKIE_DOMAIN by the host: “.${network}” below ${network}, and '' at ${host}. ${GUIDE}`,
      ),
      level: 'problem',
    };
  }
  if (!isWithin(host, network)) {
    return hostOf(main.url) === host
      ? null
      : {
          level: 'ok',
          code: 'installation.mapped_domain' satisfies Reason,
          message: `${host}: ${reasonSentence('installation.mapped_domain')}`,
          next: null,
        };
  }
  if (!cookies.subdomains || (domain !== null && isWithin(network, domain))) return null;
  const set = cookies.domain === null ? 'empty' : `“${cookies.domain}”`;
  return warn(
    'installation.cookie_domain',
    `COOKIE_DOMAIN is ${set} at ${host}.`,
    `In wp-config.php: define( 'COOKIE_DOMAIN', '.${network}' ); or take the line out: WordPress then sets it so. ${GUIDE}`,
  );
}

function pathProblem({ url, cookies }: Asked, main: Asked): Problem | null {
  const root = hostOf(url) === hostOf(main.url) ? main.cookies : cookies;
  const wrong = (
    [
      ['COOKIEPATH', cookies.path, [cookies.home, root.home]],
      ['SITECOOKIEPATH', cookies.site_path, [cookies.home, root.home]],
      ['ADMIN_COOKIE_PATH', cookies.admin_path, [cookies.admin, root.admin]],
    ] as const
  ).find(([, path, places]) => places.some((place) => !covers(path || cookies.home, place)));
  if (wrong === undefined) return null;
  const [name, path] = wrong;
  return warn(
    'installation.cookie_path',
    `${name} is “${path}” at ${url}.`,
    `In wp-config.php: define( '${name}', '/' ); or take the line out. ${GUIDE}`,
  );
}

function nameProblem({ url, cookies }: Asked, main: Asked): Problem | null {
  if (cookies.name === main.cookies.name || !isWithin(hostOf(url), bare(cookies.network))) {
    return null;
  }
  return warn(
    'installation.cookie_name',
    `COOKIEHASH at ${hostOf(url)} is not that of ${hostOf(main.url)}.`,
    `In wp-config.php: define( 'COOKIEHASH', md5( '${bare(cookies.network)}' ) ); the same for all sites, or take the line out. ${GUIDE}`,
  );
}

/** As browsers match a cookie's path. An empty one is the folder of the sign-in page. */
const covers = (path: string, place: string): boolean =>
  place === path || place.startsWith(path.endsWith('/') ? path : `${path}/`);

const isWithin = (host: string, domain: string): boolean =>
  host === domain || host.endsWith(`.${domain}`);
const bare = (domain: string): string =>
  domain
    .toLowerCase()
    .replace(/^\./u, '')
    .replace(/:\d+$/u, '')
    .replace(/^www\./u, '');
const hostOf = (url: string): string =>
  URL.canParse(url) ? new URL(url).hostname.replace(/^www\./u, '') : '';
const pathOf = (url: string): string => (URL.canParse(url) ? new URL(url).pathname : '/');
