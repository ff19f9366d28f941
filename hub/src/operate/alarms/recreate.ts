/**
 * An account that vanished is created again, from every site that has the person and a route to
 * here. Who is nowhere else stays as he is: there is nothing to make the account of.
 */
import type { Identity } from '../../model/identity.ts';
import type { IdentityUid, InstallationId, WordPressId } from '../../model/ids.ts';
import { sitesOf } from '../../model/route.ts';
import type { AlarmedAccount } from '../../sync/ports.ts';
import { type Do, letGo } from './let-go.ts';
import { readStates } from './read-states.ts';

export const recreate: Do = async (ports, installation, rows) => {
  const topology = await ports.registry.topology();
  const here = new Set(sitesOf(topology, installation).map(({ key }) => key));
  const ways = topology.routes.flatMap(({ source, target }) => {
    const from = topology.sites.get(source)?.installation;
    return here.has(target) && from !== undefined && from !== installation ? { from, target } : [];
  });
  const identities = await ports.store.transaction((tx) =>
    tx.lockByUid(rows.map(({ uid }) => uid)),
  );
  // Read before anything is let go: a site that can't be asked leaves the alarms as they are.
  const offers = await Promise.all(
    ways.map(async ({ from, target }) => {
      const ids = rows.flatMap((row) => whereElse(row, identities, from) ?? []);
      return { from, target, states: await readStates(ports, from, ids, 'state') };
    }),
  );
  const found = rows.filter((row) =>
    ways.some(({ from }) => whereElse(row, identities, from) !== null),
  );
  const gone = await ports.store.transaction((tx) => letGo(tx, installation, found, topology));
  for (const { from, states, target } of offers) await ports.pipeline.offer(from, states, target);
  return gone;
};

function whereElse(
  { uid }: AlarmedAccount,
  identities: ReadonlyMap<IdentityUid, Identity>,
  from: InstallationId,
): WordPressId | null {
  const account = identities.get(uid)?.accounts.get(from);
  return account !== undefined && account.gone === null && account.alarm === null
    ? account.wpId
    : null;
}
