/**
 * Who stands there is somebody new: gets an identity and a label of its own. The person whom the hub
 * took it for keeps every other account.
 */
import type { AccountState } from '#contract/account-state.ts';
import type { Identity } from '../../model/identity.ts';
import {
  type IdentityUid,
  type InstallationId,
  identityUid,
  wordPressId,
} from '../../model/ids.ts';
import { type Do, letGo } from './let-go.ts';
import { readStates } from './read-states.ts';

export const takeAsNew: Do = async (ports, installation, rows) => {
  const connection = await ports.registry.connection(installation);
  const ids = rows.map(({ wpId }) => wpId);
  const states = await readStates(ports, installation, ids, 'who');
  const topology = await ports.registry.topology();
  const persons = states.map((state) => ({ state, uid: identityUid(ports.newId()) }));
  const labels = persons.map(({ state, uid }) => ({
    id: state.id,
    uid,
    login: state.login,
    ...(state.uid === null ? {} : { was: state.uid }),
  }));
  const results = await ports.site.labels(connection, labels);
  const good = new Set<number>(
    results.flatMap(({ id, result }) => (result === 'labelled' || result === 'already' ? id : [])),
  );
  const settled = rows.filter(({ wpId }) => good.has(wpId));
  return ports.store.transaction(async (tx) => {
    const gone = await letGo(tx, installation, settled, topology);
    const taken = new Set<number>(gone.map(({ wpId }) => wpId));
    const newcomers = persons.filter(({ state }) => taken.has(state.id));
    await tx.save(newcomers.map(({ state, uid }) => newPerson(uid, state, installation)));
    await tx.queueRefresh(
      installation,
      gone.map(({ wpId }) => wpId),
    );
    return gone;
  });
};

function newPerson(uid: IdentityUid, state: AccountState, installation: InstallationId): Identity {
  const account = {
    installation,
    wpId: wordPressId(state.id),
    login: state.login,
    email: state.email,
    registered: state.registered,
    privileged: state.privileged,
    outgoingStopped: state.switches.stop_outgoing,
    incomingRejected: state.switches.reject_incoming,
    labelled: true,
    known: new Map(),
    roles: new Map(),
    gone: null,
    alarm: null,
  };
  const accounts = new Map([[installation, account]]);
  return { uid, accounts, deliveries: new Map(), stopped: new Map() };
}
