/** The hub forgets accounts under an alarm, and what was on its way to them; nothing is deleted anywhere. */
import type { InstallationId } from '../../model/ids.ts';
import { sitesOf, type Topology } from '../../model/route.ts';
import type { AlarmedAccount, Transaction } from '../../sync/ports.ts';
import type { OperationPorts } from '../ports.ts';

/** Answers those that were under the alarm still, and are not any more. */
export type Do = (
  ports: OperationPorts,
  installation: InstallationId,
  rows: readonly AlarmedAccount[],
) => Promise<readonly AlarmedAccount[]>;

export const forget: Do = async (ports, installation, rows) => {
  const topology = await ports.registry.topology();
  return ports.store.transaction((tx) => letGo(tx, installation, rows, topology));
};

export async function letGo(
  tx: Transaction,
  installation: InstallationId,
  rows: readonly AlarmedAccount[],
  topology: Topology,
): Promise<readonly AlarmedAccount[]> {
  const keys = sitesOf(topology, installation).map(({ key }) => key);
  const identities = await tx.lockByUid(rows.map(({ uid }) => uid));
  const still = rows.filter(
    ({ uid, alarm }) => identities.get(uid)?.accounts.get(installation)?.alarm === alarm,
  );
  await tx.save(
    still.flatMap(({ uid }) => {
      const identity = identities.get(uid);
      if (identity === undefined) return [];
      const accounts = new Map(identity.accounts);
      const deliveries = new Map(identity.deliveries);
      const stopped = new Map(identity.stopped);
      accounts.delete(installation);
      for (const key of keys) {
        deliveries.delete(key);
        stopped.delete(key);
      }
      return { ...identity, accounts, deliveries, stopped };
    }),
  );
  return still;
}
