/** The sites of a document: which are here, what of them changes, which are to be connected or to go. */
import type { Config, ConfigSite } from '../../api/schemas/config.ts';
import type { ArrangedSite, Arrangement } from '../../model/arrangement.ts';
import type { SiteRules } from '../../model/route.ts';
import { refuseRoles } from '../change-site.ts';
import type { Findings } from './findings.ts';

interface PlannedSites {
  readonly sites: readonly ArrangedSite[];
  readonly toConnect: readonly { readonly name: string; readonly url: string }[];
  readonly notInFile: readonly ArrangedSite[];
}

export function planSites(
  now: Arrangement,
  { sites: wanted }: Config,
  remove: boolean,
  findings: Findings,
): PlannedSites {
  if (wanted === undefined) return { sites: now.sites, toConnect: [], notInFile: [] };
  findings.twice(wanted.map(({ name }, at) => ({ path: `sites[${at}].name`, name })));
  const byName = new Map(now.sites.map((site) => [site.name.toLowerCase(), site]));
  const byAddress = new Map(now.sites.map((site) => [address(site.url), site]));
  const changed = new Map<ArrangedSite, ArrangedSite>();
  const toConnect: { name: string; url: string }[] = [];
  for (const [at, site] of wanted.entries()) {
    const here = byName.get(site.name.toLowerCase());
    const other = byAddress.get(address(site.url));
    if (here !== undefined) {
      changed.set(here, changedSite(here, site, `sites[${at}]`, findings));
    } else if (other === undefined) toConnect.push({ name: site.name, url: site.url });
    else {
      const sentence = `The site at this address is called “${other.name}” here.`;
      findings.say(`sites[${at}].name`, sentence, 'Use that name in the file.');
    }
  }
  const notInFile = now.sites.filter((site) => !changed.has(site));
  const gone = remove ? whole(now, notInFile, findings) : [];
  const sites = now.sites
    .filter((site) => !gone.includes(site))
    .map((site) => changed.get(site) ?? site);
  return { sites, toConnect, notInFile };
}

function changedSite(
  here: ArrangedSite,
  wanted: ConfigSite,
  path: string,
  findings: Findings,
): ArrangedSite {
  const { name: _, url, status, createMissing, log, ...rules } = wanted;
  if (address(url) !== address(here.url)) {
    const next = `“rollcall site moved ${here.name}” says that it moved; else correct the address.`;
    findings.say(`${path}.url`, `“${here.name}” is at ${here.url} here.`, next);
  }
  for (const [field, roles] of [
    ['syncRoles', rules.syncRoles ?? []],
    ['roleMap', Object.values(rules.roleMap ?? {}).flat()],
  ] as const) {
    findings.attempt(`${path}.${field}`, () => refuseRoles(here, roles));
  }
  return {
    ...here,
    status: status ?? here.status,
    createMissing: createMissing ?? here.createMissing,
    rules: { ...here.rules, ...given(rules) },
    log: { on: log?.on ?? here.log.on, days: log?.days === undefined ? here.log.days : log.days },
  };
}

const given = (rules: { [Rule in keyof SiteRules]?: SiteRules[Rule] | undefined }): object =>
  Object.fromEntries(Object.entries(rules).filter(([, value]) => value !== undefined));

/** The sites of one installation go together or not at all. */
function whole(
  { sites }: Arrangement,
  gone: readonly ArrangedSite[],
  findings: Findings,
): readonly ArrangedSite[] {
  for (const site of gone) {
    const stays = sites.find(
      (other) => other.installation === site.installation && !gone.includes(other),
    );
    if (stays === undefined) continue;
    const sentence = `“${site.name}” can’t be removed without “${stays.name}”: they are sites of one network.`;
    findings.say('sites', sentence, 'Name both in the list of sites, or neither.');
  }
  return gone;
}

/** Scheme and a slash at the end make no other site. */
function address(url: string): string {
  const typed = url.includes('://') ? url : `https://${url}`;
  if (!URL.canParse(typed)) return url;
  const { host, pathname } = new URL(typed);
  return `${host}${pathname.replace(/\/+$/u, '')}`.toLowerCase();
}
