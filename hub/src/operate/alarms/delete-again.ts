/**
 * Who was deleted and is there again is deleted there, too: now and by the operator's word, so that
 * it ends what was edited since the restore. It goes the way of every delete, limits and all.
 */
import type { AccountState } from '#contract/account-state.ts';
import type { Delivery, Identity } from '../../model/identity.ts';
import { deliveryId, type InstallationId } from '../../model/ids.ts';
import { sitesOf, type Topology } from '../../model/route.ts';
import { newerOf } from '../../model/stamp.ts';
import type { Ended } from '../../sync/ports.ts';
import type { OperationPorts } from '../ports.ts';
import { type Do, letGo } from './let-go.ts';
import { readStates } from './read-states.ts';

export const deleteAgain: Do = async (ports, installation, rows) => {
  const connection = await ports.registry.connection(installation);
  const topology = await ports.registry.topology();
  const ids = rows.map(({ wpId }) => wpId);
  const states = await readStates(ports, installation, ids, 'who');
  const ended = await ports.store.transaction((tx) => tx.endedAccounts(installation, ids));
  const once = states.flatMap((state) => {
    const row = rows.find(({ wpId }) => wpId === state.id);
    const was = row && ended.get(row.wpId)?.find((account) => isSame(account, state));
    return row === undefined || was === undefined ? [] : { state, row, uid: was.uid };
  });
  const bare = once.filter(({ state }) => state.uid === null);
  if (bare.length > 0) {
    const labels = bare.map(({ state, uid }) => ({ id: state.id, uid, login: state.login }));
    await ports.site.labels(connection, labels);
  }
  return ports.store.transaction(async (tx) => {
    const back = once.map(({ row }) => row);
    const gone = new Set(await letGo(tx, installation, back, topology));
    const again = once.filter(({ row }) => gone.has(row));
    const identities = await tx.lockByUid(again.map(({ uid }) => uid));
    const nowMs = await tx.nowMs();
    await tx.save(
      [...identities.values()].map((identity) =>
        withDelete(identity, installation, topology, { ports, nowMs }),
      ),
    );
    return [...gone];
  });
};

const isSame = (account: Ended, state: AccountState): boolean =>
  account.login === state.login && account.registered === state.registered;

function withDelete(
  identity: Identity,
  installation: InstallationId,
  topology: Topology,
  { ports, nowMs }: { ports: OperationPorts; nowMs: number },
): Identity {
  const [site] = sitesOf(topology, installation);
  const gone = identity.accounts.get(installation)?.gone;
  if (site === undefined || gone == null) return identity;
  const stamp = newerOf([nowMs, gone[1]], gone);
  const from = topology.routes.find(
    ({ source, target }) =>
      target === site.key &&
      identity.accounts.get(topology.sites.get(source)?.installation ?? installation)?.gone != null,
  );
  const delivery: Delivery = {
    id: deliveryId(ports.newId()),
    target: site.key,
    lane: 'people',
    fields: new Map(),
    birth: null,
    gone: { stamp, path: [from?.source ?? site.key], how: 'delete', ordered: true },
    held: null,
    actor: 'operator',
    attempts: 0,
    version: 1,
    notBeforeMs: 0,
  };
  return { ...identity, deliveries: new Map(identity.deliveries).set(site.key, delivery) };
}
