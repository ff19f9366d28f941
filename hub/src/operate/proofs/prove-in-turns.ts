/**
 * After each pull: links out of the installation that its word may prove are looked at, some at a time.
 *
 * Always true: whoever backs off or waits for a person is not asked, and who fails is left alone for a while;
 * a pull waits for a bounded time; a link that came to nothing lets others go first.
 * On failure: a site that can't be asked is asked with a later pull. What was put off is forgotten with the
 * process, and looked at again.
 */
import { Fault } from '../../errors.ts';
import type { InstallationId } from '../../model/ids.ts';
import { firstUnmet } from '../../model/leaving.ts';
import type { Route, Topology } from '../../model/route.ts';
import type { UnprovenLink, Views } from '../../sync/ports.ts';
import { confirming, type Found, proveBySource, type SourcePorts } from './prove-by-source.ts';

type Ports = Omit<SourcePorts, 'mayAsk'> & { readonly views: Pick<Views, 'linksFrom'> };

/** Each costs some requests to two sites or more, and the pull's worker waits for them. */
const MOST_AT_ONCE = 20;
/** The same, where every answer takes its time: a turn of the pull itself. */
const TURN_MS = 20_000;
/** A link that nobody can prove now, or a site that failed: nothing is lost by waiting. */
const PUT_OFF_MS = 5 * 60_000;

export function provingInTurns(ports: Ports): (installation: InstallationId) => Promise<void> {
  const putOff = new Map<string, number>();
  return async (installation) => {
    const topology = await ports.registry.topology();
    if (confirming(topology, installation).length === 0) return;
    const nowMs = await ports.store.nowMs();
    for (const [what, untilMs] of putOff) if (untilMs <= nowMs) putOff.delete(what);
    const later = (what: string) => putOff.set(what, nowMs + PUT_OFF_MS);
    const asking = askingCarefully(ports, putOff, later);
    let looked = 0;
    for (const link of await ports.views.linksFrom(installation)) {
      const route = routeOf(link, installation, topology);
      if (route === undefined || putOff.has(nameOf(link))) continue;
      if (!(await asking.mayAsk(link.installation))) continue;
      if (looked === MOST_AT_ONCE || (await ports.store.nowMs()) >= nowMs + TURN_MS) return;
      looked += 1;
      await prove(asking, { link, route, topology, installation }, later);
    }
  };
}

async function prove(
  ports: SourcePorts,
  found: Found,
  later: (what: string) => unknown,
): Promise<void> {
  try {
    await proveBySource(ports, found);
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    // The site is left alone; the link is as good as before.
    if (fault.code.startsWith('site.')) return;
  }
  later(nameOf(found.link));
}

function askingCarefully(
  ports: Ports,
  putOff: ReadonlyMap<string, number>,
  later: (what: string) => unknown,
): SourcePorts {
  const { registry, site, store } = ports;
  return {
    ...ports,
    mayAsk: async (id) => {
      if (putOff.has(id)) return false;
      const { state, retryAtMs } = await registry.installation(id);
      // Whoever is removed is not asked by anybody.
      return state === 'removed' || (state === 'active' && retryAtMs <= (await store.nowMs()));
    },
    site: {
      accounts: async (connection, request) => {
        try {
          return await site.accounts(connection, request);
        } catch (fault) {
          later(connection.installation);
          throw fault;
        }
      },
    },
  };
}

const nameOf = ({ uid, installation, wpId }: UnprovenLink): string =>
  `${uid} ${installation} ${wpId}`;

const routeOf = (
  { installation, told }: UnprovenLink,
  from: InstallationId,
  topology: Topology,
): Route | undefined =>
  confirming(topology, from).find(
    ({ source, target, rules }) =>
      topology.sites.get(target)?.installation === installation &&
      firstUnmet(rules, told, source) === null,
  );
