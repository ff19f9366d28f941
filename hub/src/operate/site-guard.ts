/**
 * A site's guard: looked at, and tightened.
 *
 * Always true: the site itself says what holds, and refuses what would loosen it; the hub keeps no copy but
 * of the privileged roles that may come.
 */
import { isDeepStrictEqual } from 'node:util';
import type { GuardAnswer } from '#contract/messages.ts';
import type { GuardQuery, GuardView, TightenGuard } from '../api/schemas/guard.ts';
import { Fault } from '../errors.ts';
import type { Reason } from '../reasons.ts';
import type { SiteRecord } from '../sync/ports.ts';
import { operatorNamed, siteNamed } from './names.ts';
import type { OperationPorts } from './ports.ts';

type Wanted = Omit<Parameters<OperationPorts['site']['guard']>[1], 'blog' | 'sources'>;

export async function guard(
  ports: OperationPorts,
  name: string,
  { address = '', url = '' }: GuardQuery,
): Promise<GuardView> {
  const site = await siteNamed(ports.registry, name);
  return ask(ports, site, address === '' && url === '' ? {} : { check: { address, url } });
}

/** @throws Fault `site.guard_refused`, `role.unknown`, `site.*`; nothing has changed then */
export async function tightenGuard(
  ports: OperationPorts,
  name: string,
  { readOnly, revokeRoles, whitelist }: TightenGuard,
  by: string,
): Promise<GuardView> {
  const site = await siteNamed(ports.registry, name);
  const view = await ask(ports, site, {
    ...(readOnly === undefined ? {} : { readOnly }),
    ...(revokeRoles === undefined ? {} : { revoke: revokeRoles }),
    ...(whitelist === undefined ? {} : { whitelist }),
  });
  const done = [
    ...(readOnly === true ? ['it prohibits incoming changes'] : []),
    ...(revokeRoles === undefined ? [] : [`the hub may not give ${revokeRoles.join(', ')}`]),
    ...(whitelist === true ? ['its whitelist is on'] : []),
  ];
  if (done.length > 0) {
    await ports.registry.noteEvent(site.installation, {
      code: 'target.guard_tightened' satisfies Reason,
      message: `The guard of “${site.name}” was tightened: ${done.join('; ')}.`,
      actor: operatorNamed(by),
    });
  }
  return view;
}

async function ask(ports: OperationPorts, site: SiteRecord, wanted: Wanted): Promise<GuardView> {
  const sources = await sourcesOf(ports, site);
  const connection = await ports.registry.connection(site.installation);
  const urls = sources.map(({ url }) => url);
  try {
    const asked = { blog: site.blog, sources: urls, ...wanted };
    const answer = await ports.site.guard(connection, asked);
    await hearConsents(ports, site, answer);
    return viewOf(site, sources, answer);
  } catch (fault) {
    throw isTooOld(fault) ? tooOld(site) : fault;
  }
}

/** What is decided by it is decided by what the site said last. */
async function hearConsents(
  { registry }: OperationPorts,
  { key, consents: before = [] }: SiteRecord,
  { consents = [] }: GuardAnswer,
): Promise<void> {
  if (!isDeepStrictEqual(before, consents)) await registry.updateSite(key, { consents });
}

async function sourcesOf({ registry }: OperationPorts, site: SiteRecord): Promise<SiteRecord[]> {
  const { routes } = await registry.topology();
  const keys = new Set(routes.filter(({ target }) => target === site.key).map((r) => r.source));
  return (await registry.sites()).filter(({ key }) => keys.has(key));
}

const viewOf = (
  site: SiteRecord,
  sources: readonly SiteRecord[],
  { read_only, grantable, consents, whitelist, caller, check, ...answer }: GuardAnswer,
): GuardView => ({
  site: site.name,
  readOnly: read_only,
  grantable,
  consents: consents ?? null,
  whitelist,
  caller,
  sources: sources.map(({ name, url }) => ({
    site: name,
    url,
    entry: answer.sources.find((source) => source.url === url)?.entry ?? null,
  })),
  check: check ?? null,
});

/** A connector that answers all else: this route alone is missing there. */
const isTooOld = (fault: unknown): boolean =>
  fault instanceof Fault && fault.code === 'site.no_connector';
const tooOld = ({ name }: SiteRecord): Fault =>
  new Fault('site.connector_too_old', `The connector on “${name}” can’t tell of its guard yet.`);
