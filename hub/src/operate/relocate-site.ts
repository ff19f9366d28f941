/**
 * An installation answers at another address than before.
 *
 * Does: find the REST root from an address, look with the installation's own credential whether the very
 * same installation answers there, and remember the new addresses.
 * Does not: send anything of any account there; the credential goes to an address that the site itself
 * redirects to on its own host, or that an operator has named.
 * Always true: what stopped the installation for another reason stops it still. What was found at a public address is
 * not looked for at a private one, and what a site says of its own address is believed as little as when it was added.
 * On failure: throws `Fault` (`site.*`); it is spoken to where it was.
 */
import type { StatusAnswer } from '#contract/messages.ts';
import { Fault } from '../errors.ts';
import type { InstallationId } from '../model/ids.ts';
import type { Reason } from '../reasons.ts';
import type { Installation } from '../sync/ports.ts';
import type { Door, OperationPorts } from './ports.ts';
import { hostOf, restRootOf } from './rest-root-of.ts';

type Ports = Pick<OperationPorts, 'registry' | 'site' | 'introductions' | 'store'>;

export interface Relocated {
  readonly from: string;
  readonly to: string;
}

/** To an address that an operator named; without one, to wherever its own host redirects. */
export async function relocateSite(
  ports: Ports,
  id: InstallationId,
  named?: string,
): Promise<Relocated> {
  const { registry } = ports;
  const installation = await registry.installation(id);
  const found = await lookFor(ports, installation, named);
  const { restUrl } = found;
  const connection = await registry.connection(id);
  const publicOnly = connection.publicOnly || found.publicOnly;
  const status = await ports.site.status({ ...connection, restUrl, publicOnly });
  refuseAnother(installation, status, new URL(restUrl).host);
  await refuseTwo(ports, installation, status);
  // The root that was found is one that works; what the site itself says may be what redirects.
  const sites = status.sites.map((site, at) => ({
    blog: site.blog,
    url: site.url,
    restUrl: at === 0 ? restUrl : restRootOf({ restUrl }, status, site),
  }));
  await registry.relocate(id, { restUrl, publicOnly, home: status.home, sites });
  if (isAboutThePlace(installation.trouble?.code)) {
    await registry.updateInstallation(id, {
      state: 'active',
      trouble: null,
      failures: 0,
      retryAtMs: 0,
    });
  }
  return { from: installation.restUrl, to: restUrl };
}

async function lookFor(
  { registry, introductions }: Ports,
  { id, restUrl, publicOnly }: Installation,
  named: string | undefined,
): Promise<Pick<Door, 'restUrl' | 'publicOnly'>> {
  if (named !== undefined) return introductions.discover(named);
  const mine = (await registry.sites()).find((site) => site.installation === id);
  return introductions.discover(ownAddress(restUrl, mine?.url ?? ''), publicOnly);
}

/** On the host where it is spoken to. The address that a site gives itself may be anybody's. */
function ownAddress(restUrl: string, told: string): string {
  const root = new URL(restUrl);
  const page = URL.canParse(told) ? new URL(told) : null;
  const isHome = page !== null && hostOf(page) === hostOf(root);
  return `${root.origin}${isHome ? page.pathname : root.pathname.replace(/wp-json\/?$/u, '')}`;
}

/**
 * After a redirect: tries whether the site stands at another address of its own host (https, with or
 * without www, another folder). False: it doesn't, or not reachably.
 */
export async function followSite(ports: Ports, id: InstallationId): Promise<boolean> {
  const { registry, store } = ports;
  const before = await registry.installation(id);
  try {
    const { from, to } = await relocateSite(ports, id);
    if (from === to) return false;
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    return false;
  }
  const atMs = await store.nowMs();
  await registry.noteNews(id, { found: { from: before.restUrl, atMs } });
  const { restUrl } = await registry.installation(id);
  await registry.noteEvent(id, {
    code: 'installation.found_again' satisfies Reason,
    message: `${before.restUrl} redirected to ${restUrl}, where the site is spoken to from now on.`,
    actor: null,
  });
  return true;
}

/**
 * Somebody said “moved” on a copy: the same database answers at both addresses, each for itself. Then
 * nobody can say which is meant, and the hub stays with the one it knows.
 */
async function refuseTwo(
  { registry, site }: Ports,
  installation: Installation,
  there: StatusAnswer,
): Promise<void> {
  if (there.home === installation.home) return;
  const here = await site.status(await registry.connection(installation.id)).catch(() => null);
  if (here?.store !== there.store || here.home === there.home) return;
  if (here.bound?.home_matches !== true) return;
  const sentence = `Both ${here.home} and ${there.home} answer as this site; one of them is a copy.`;
  throw new Fault('site.two_of_one', sentence);
}

function refuseAnother(installation: Installation, status: StatusAnswer, host: string): void {
  if (status.store !== installation.store) {
    const sentence = `The site at ${host} is another installation than the one connected from ${installation.home}.`;
    throw new Fault('site.another', sentence);
  }
  if (status.bound?.home_matches !== true) {
    const sentence = `The site at ${host} has not been told whether it moved or is a copy.`;
    throw new Fault('site.moved', sentence);
  }
}

/** Everything that has to do with where and how the site is reached; not what became of its data. */
const isAboutThePlace = (code: string | undefined): boolean =>
  code?.startsWith('site.') === true && code !== 'site.mark_mismatch';
