/** What happened to sites, when, who said what of it, and what is still to be done. */
import type { SiteEvent, SiteEventQuery } from '../api/schemas/site-event.ts';
import type { SiteEventRow } from '../sync/ports.ts';
import { moment, siteNamed } from './names.ts';
import type { OperationPorts } from './ports.ts';
import { standing, whatToDo } from './what-stands.ts';

type Ports = Pick<OperationPorts, 'registry' | 'views' | 'store'>;

export async function readSiteEvents(
  ports: Ports,
  { site, limit }: SiteEventQuery,
): Promise<readonly SiteEvent[]> {
  const { registry, views } = ports;
  const installation =
    site === undefined ? {} : { installation: (await siteNamed(registry, site)).installation };
  const rows = await views.siteEvents({ ...installation, limit });
  const sites = await registry.sites();
  const open = await openOnes(ports);
  return rows.map((row): SiteEvent => {
    const name = sites.find(({ installation }) => installation === row.installation)?.name;
    const { atMs, code, message, actor } = row;
    // Of the same thing that happened several times the last one is the one to be answered.
    const stands = name !== undefined && open.delete(keyOf(row));
    const next = stands ? whatToDo(code, name) : null;
    return { at: moment(atMs), site: name ?? 'removed site', code, message, by: actor, next };
  });
}

const keyOf = ({ installation, code }: Pick<SiteEventRow, 'installation' | 'code'>): string =>
  `${installation} ${code}`;

/** What still waits for a person. */
async function openOnes({ registry, store }: Ports): Promise<Set<string>> {
  const open = new Set<string>();
  const nowMs = await store.nowMs();
  for (const installation of await registry.installations()) {
    const { id, state, trouble } = installation;
    const note = (code: string): unknown => open.add(keyOf({ installation: id, code }));
    if (state === 'attention' && trouble !== null) note(trouble.code);
    for (const { code } of standing(installation, await registry.news(id), nowMs)) note(code);
  }
  return open;
}
