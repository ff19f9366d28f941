/**
 * The networks of connected installations, by the names that people use.
 *
 * Always true: any site of a network names it; what is said of it is asked of the network itself. A sub-site is
 * spoken to at an address that is no less safe than the one that the network was connected at.
 */
import type { Network, NetworkSpec } from '#contract/network-messages.ts';
import { Fault } from '../../errors.ts';
import type { Connection, Installation, SiteRecord } from '../../sync/ports.ts';
import { siteNamed } from '../names.ts';
import type { OperationPorts } from '../ports.ts';
import { hostOf, restRootOf } from '../rest-root-of.ts';

export interface FoundNetwork {
  readonly installation: Installation;
  /** At the main site of the installation. */
  readonly connection: Connection;
  readonly network: Network;
  /** What it is called here. */
  readonly name: string;
  nameOf(blog: number): string;
}

/** @throws Fault `site.unknown`, `network.unknown`, `site.*` */
export async function networkNamed(ports: OperationPorts, name: string): Promise<FoundNetwork> {
  const site = await siteNamed(ports.registry, name);
  const installation = await ports.registry.installation(site.installation);
  const found = await networksOf(ports, installation);
  const mine = found.find(({ network }) => network.sites.some(({ blog }) => blog === site.blog));
  if (mine !== undefined) return mine;
  throw new Fault('network.unknown', `“${site.name}” is a site of no network.`);
}

/** @param id of the network, as its installation knows it */
export async function networkOf(
  ports: OperationPorts,
  installation: string,
  id: number,
): Promise<FoundNetwork> {
  const at = await installationOf(ports, installation);
  const found = await networksOf(ports, at);
  const mine = found.find(({ network }) => network.id === id);
  if (mine !== undefined) return mine;
  throw gone();
}

export type Whereabouts = Pick<FoundNetwork, 'installation' | 'connection'>;

/** Without asking the network anything. @throws Fault `network.unknown`, `site.*` */
export async function whereaboutsOf(
  ports: OperationPorts,
  installation: string,
): Promise<Whereabouts> {
  const at = await installationOf(ports, installation);
  return { installation: at, connection: await ports.registry.connection(at.id) };
}

async function installationOf({ registry }: OperationPorts, id: string): Promise<Installation> {
  const all = await registry.installations();
  const at = all.find((one) => one.id === id);
  if (at?.multisite === true) return at;
  throw gone();
}

const gone = (): Fault =>
  new Fault('network.unknown', 'The network of this run is no longer there.');

/** All networks of one installation. */
export async function networksOf(
  ports: OperationPorts,
  installation: Installation,
): Promise<readonly FoundNetwork[]> {
  if (!installation.multisite) return [];
  const connection = await ports.registry.connection(installation.id);
  const sites = (await ports.registry.sites()).filter(
    (site) => site.installation === installation.id,
  );
  const networks = await asNetwork(() => ports.network.show(connection, null));
  return networks.map((network) => {
    const nameOf = namesOf(network, sites);
    return { installation, connection, network, name: nameOf(network.main), nameOf };
  });
}

function namesOf(network: Network, sites: readonly SiteRecord[]): (blog: number) => string {
  const names = new Map(sites.map(({ blog, name }) => [blog, name]));
  const told = new Map(network.sites.map(({ blog, name }) => [blog, name]));
  return (blog) => {
    const own = told.get(blog);
    return names.get(blog) ?? (own === undefined || own === '' ? `#${blog}` : `${own} (#${blog})`);
  };
}

/** A connector that answers all else: these routes alone are missing there. */
export async function asNetwork<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (fault) {
    if (!(fault instanceof Fault) || fault.code !== 'site.no_connector') throw fault;
    throw new Fault(
      'site.connector_too_old',
      'The connector there can’t keep memberships of a network yet.',
    );
  }
}

/** At the very site, so that the plugins of that site hear what is done. */
export function connectionTo(
  { connection, network }: Pick<FoundNetwork, 'connection' | 'network'>,
  blog: number,
): Connection {
  const site = network.sites.find((one) => one.blog === blog);
  if (site === undefined) return connection;
  const restUrl = restRootOf(connection, { multisite: true }, { rest_url: site.rest_url });
  return { ...connection, restUrl };
}

/** By its name here, its address, or `#` and its number. @throws Fault `site.unknown` */
export function blogNamed(found: FoundNetwork, name: string): number {
  const wanted = name.trim().toLowerCase();
  const { sites } = found.network;
  const site =
    sites.find(({ blog }) => found.nameOf(blog).toLowerCase() === wanted) ??
    sites.find(({ url }) => addressOf(url) === addressOf(wanted)) ??
    sites.find(({ blog }) => `#${blog}` === wanted);
  if (site !== undefined) return site.blog;
  throw new Fault('site.unknown', `“${found.name}” has no site “${name}” in its network.`);
}

function addressOf(text: string): string {
  const url = text.includes('://') ? text : `http://${text}`;
  if (!URL.canParse(url)) return text;
  const { port, pathname } = new URL(url);
  const at = port === '' ? '' : `:${port}`;
  return `${hostOf(new URL(url))}${at}${pathname.replace(/\/+$/u, '')}`.toLowerCase();
}

export const sitesOfSpec = (spec: NetworkSpec, { network }: FoundNetwork): number =>
  spec.sites === 'all' ? network.sites.length : spec.sites.length;
