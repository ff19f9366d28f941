/**
 * Sites as the hub remembers them, from what their installation says of them.
 *
 * Always true: a blog keeps its key for ever, as keys are part of every stamp. A name that the hub gives is no
 * other site's; what operators have said of a site stays.
 */
import type { StatusAnswer } from '#contract/messages.ts';
import { type InstallationId, type SiteKey, siteKey } from '../model/ids.ts';
import { USUAL_SITE_RULES } from '../model/route.ts';
import type { Registry, SiteRecord } from '../sync/ports.ts';
import type { Door } from './ports.ts';
import { restRootOf } from './rest-root-of.ts';

type Told = StatusAnswer['sites'][number];

/** @param mine sites that this installation has, and those that it had */
export async function keysFor(
  registry: Pick<Registry, 'reserveSiteKeys'>,
  told: readonly Pick<Told, 'blog'>[],
  mine: readonly SiteRecord[],
): Promise<Map<number, SiteKey>> {
  const keys = new Map(mine.map((site) => [site.blog, site.key]));
  const fresh = told.filter((site) => !keys.has(site.blog));
  const reserved = fresh.length > 0 ? await registry.reserveSiteKeys(fresh.length) : [];
  for (const [index, site] of fresh.entries()) keys.set(site.blog, reserved[index] ?? siteKey(0));
  return keys;
}

export function recordOf(
  site: Told,
  {
    installation,
    door,
    status,
    key,
    name,
    before,
  }: {
    readonly installation: InstallationId;
    readonly door: Pick<Door, 'restUrl'>;
    readonly status: Pick<StatusAnswer, 'multisite'>;
    readonly key: SiteKey;
    readonly name: string;
    readonly before: SiteRecord | undefined;
  },
): SiteRecord {
  return {
    key,
    installation,
    blog: site.blog,
    name,
    url: site.url,
    status: before?.status ?? 'active',
    network: site.network ?? null,
    closed: site.closed ?? null,
    createMissing: before?.createMissing ?? false,
    rules: before?.rules ?? USUAL_SITE_RULES,
    restUrl: restRootOf(door, status, site),
    roles: site.roles,
    defaultRole: site.default_role,
    consents: site.consents ?? [],
  };
}

/** “Brand Shop”; where another site has that name, the site's address stands behind it, then its number. */
export function freeName(
  main: string,
  site: Pick<Told, 'name' | 'url' | 'blog'>,
  taken: Set<string>,
): string {
  const title = clipped(`${main} ${site.name.trim() || site.blog}`);
  const place = URL.canParse(site.url) ? placeOf(new URL(site.url)) : String(site.blog);
  const names = [title, clipped(`${title} (${place})`), `${clipped(main)} #${site.blog}`];
  const free = names.find((name) => !taken.has(name.toLowerCase())) ?? numbered(title, taken);
  taken.add(free.toLowerCase());
  return free;
}

/** The longest that an operator may give is longer; these stand in tables. */
const LONGEST_NAME = 80;
const clipped = (name: string): string => Array.from(name).slice(0, LONGEST_NAME).join('').trim();

const placeOf = ({ hostname, pathname }: URL): string =>
  `${hostname}${pathname === '/' ? '' : pathname.replace(/\/$/u, '')}`;

function numbered(title: string, taken: ReadonlySet<string>): string {
  let number = 2;
  while (taken.has(`${title} ${number}`.toLowerCase())) number += 1;
  return `${title} ${number}`;
}
