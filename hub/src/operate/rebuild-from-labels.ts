/**
 * The store of the hub was lost, and nobody has a backup: a new hub has connected the sites again, and takes the
 * labels of the lost one for its own, where all agrees.
 *
 * Does: read who carries which label on every site; make one person of those who carry the same one.
 * Does not: trust a label by itself, touch anybody who is not under an alarm for it, or decide about those
 * whom only one site knows.
 * Always true: label, login and e-mail address are the same on every site that shows the label, each has one
 * account with it, and none of these is privileged. One site that disagrees, or shows it twice, and nobody with
 * this label is taken for anybody. Repeating it is safe, also when more sites have come.
 * On failure: a site that can't be read stops all of it: what it would have said may be what disagrees.
 */
import type { AccountState } from '#contract/account-state.ts';
import type { Rebuilt } from '../api/schemas/recovery.ts';
import type { Account, Identity } from '../model/identity.ts';
import { type IdentityUid, type InstallationId, identityUid, wordPressId } from '../model/ids.ts';
import type { Topology } from '../model/route.ts';
import type { Reason } from '../reasons.ts';
import { accountPages } from '../sync/account-pages.ts';
import type { AlarmedAccount, Transaction } from '../sync/ports.ts';
import { letGo } from './alarms/let-go.ts';
import { readStates } from './alarms/read-states.ts';
import { operatorNamed } from './names.ts';
import type { OperationPorts } from './ports.ts';
import { linkRow } from './prove-link.ts';
import { wakeEverything } from './wake-everything.ts';

const MISMATCH: Reason = 'identity.label_mismatch';
const PAGE_ROWS = 500;
/** People in one transaction. */
const AT_ONCE = 100;

/** Looks only, unless `by` says who wants it done. */
export async function rebuildFromLabels(
  ports: OperationPorts,
  by: string | null,
): Promise<Rebuilt> {
  const installations = [
    ...new Set((await ports.registry.sites()).map(({ installation }) => installation)),
  ];
  const carriers = await carriersOf(ports, installations);
  const alarmed = await alarmedOn(ports, installations);
  const groups = [...carriers.values()].flatMap((group) =>
    group !== null && agree(group, alarmed) ? [group] : [],
  );
  const accounts = groups.reduce((sum, group) => sum + group.length, 0);
  let persons = groups.length;
  let joined = accounts;
  if (by !== null) {
    [persons, joined] = [0, 0];
    for (let at = 0; at < groups.length; at += AT_ONCE) {
      const some = await readAgain(ports, groups.slice(at, at + AT_ONCE));
      const still = some.filter((group) => agree(group, alarmed));
      const done = await joinThem(ports, still, alarmed, by);
      persons += done.length;
      joined += done.reduce((sum, group) => sum + group.length, 0);
    }
    for (const id of installations) await ports.wake.pull(id);
    await wakeEverything(ports);
  }
  return { done: by !== null, persons, accounts: joined, unclear: alarmed.size - joined };
}

interface Carrier<State = Told> {
  readonly installation: InstallationId;
  readonly state: State;
}
/** Of millions of accounts no more is kept than what must agree. */
type Told = Pick<AccountState, 'id' | 'uid' | 'login' | 'email' | 'label_ok' | 'privileged'>;
type Group<State = Told> = readonly Carrier<State>[];
/** By installation and id. */
type Alarmed = ReadonlyMap<string, AlarmedAccount>;
const placeOf = (installation: InstallationId, wpId: number): string => `${installation} ${wpId}`;

/** By label; null: an installation shows it twice. */
async function carriersOf(
  { registry, site }: OperationPorts,
  installations: readonly InstallationId[],
): Promise<Map<string, Carrier[] | null>> {
  const carriers = new Map<string, Carrier[] | null>();
  for (const installation of installations) {
    const connection = await registry.connection(installation);
    const asked = { limit: PAGE_ROWS, detail: 'who' } as const;
    for await (const page of accountPages(site, connection, asked)) {
      for (const { id, uid, login, email, label_ok, privileged } of page.accounts) {
        if (uid === null) continue;
        const carrier = { installation, state: { id, uid, login, email, label_ok, privileged } };
        const others = carriers.get(uid);
        if (others === undefined) carriers.set(uid, [carrier]);
        else if (others?.at(-1)?.installation === installation) carriers.set(uid, null);
        else others?.push(carrier);
      }
    }
  }
  return carriers;
}

/** All of it was read long ago by now, on a large site. Who is no longer there makes no group agree. */
async function readAgain(
  ports: OperationPorts,
  groups: readonly Group[],
): Promise<Group<AccountState>[]> {
  const states = new Map<string, AccountState>();
  for (const installation of new Set(groups.flat().map((carrier) => carrier.installation))) {
    const mine = groups.flat().filter((carrier) => carrier.installation === installation);
    const ids = mine.map(({ state }) => wordPressId(state.id));
    for (const state of await readStates(ports, installation, ids, 'who')) {
      states.set(placeOf(installation, state.id), state);
    }
  }
  return groups.flatMap((group) => {
    const now = group.flatMap(({ installation, state }) => {
      const found = states.get(placeOf(installation, state.id));
      return found?.uid === state.uid ? { installation, state: found } : [];
    });
    return now.length === group.length ? [now] : [];
  });
}

async function alarmedOn(
  { views }: OperationPorts,
  installations: readonly InstallationId[],
): Promise<Map<string, AlarmedAccount>> {
  const found = new Map<string, AlarmedAccount>();
  for (const installation of installations) {
    let after: AlarmedAccount | undefined;
    do {
      const query = { installation, alarms: [MISMATCH], limit: PAGE_ROWS };
      const rows = await views.alarms(after === undefined ? query : { ...query, after });
      for (const row of rows) found.set(placeOf(installation, row.wpId), row);
      after = rows.length < PAGE_ROWS ? undefined : rows.at(-1);
    } while (after !== undefined);
  }
  return found;
}

/** Nobody on fewer than two sites: their label says nothing that a new one would not say. */
function agree(group: Group, alarmed: Alarmed): boolean {
  const [first] = group;
  if (first === undefined || group.length < 2) return false;
  if (new Set(group.map(({ installation }) => installation)).size < group.length) return false;
  if (!group.some((carrier) => rowOf(carrier, alarmed) !== undefined)) return false;
  return group.every(({ state }) => isSame(state, first.state));
}

const isSame = (one: Told, two: Told): boolean =>
  one.label_ok &&
  !one.privileged &&
  one.login === two.login &&
  one.email !== '' &&
  one.email.toLowerCase() === two.email.toLowerCase();

async function joinThem(
  { registry, store }: OperationPorts,
  groups: readonly Group<AccountState>[],
  alarmed: Alarmed,
  by: string,
): Promise<Group[]> {
  const topology = await registry.topology();
  const rows = groups.flat().flatMap((carrier) => rowOf(carrier, alarmed) ?? []);
  const labels = groups.flatMap(([first]) => identityUid(first?.state.uid ?? ''));
  return store.transaction(async (tx) => {
    // All at once: whoever locks one after the other may wait for somebody who waits for it.
    await tx.lockByUid([...labels, ...rows.map(({ uid }) => uid)]);
    const done: Group[] = [];
    for (const group of groups) {
      if (await joinOne(tx, group, { alarmed, topology, by })) done.push(group);
    }
    return done;
  });
}

const rowOf = ({ installation, state }: Carrier, alarmed: Alarmed): AlarmedAccount | undefined =>
  alarmed.get(placeOf(installation, state.id));

async function joinOne(
  tx: Transaction,
  group: Group<AccountState>,
  context: { readonly alarmed: Alarmed; readonly topology: Topology; readonly by: string },
): Promise<boolean> {
  const { alarmed, topology, by } = context;
  const uid = identityUid(group[0]?.state.uid ?? '');
  const before = (await tx.lockByUid([uid])).get(uid);
  const mine = group.filter((carrier) => rowOf(carrier, alarmed) !== undefined);
  const others = group.filter((carrier) => rowOf(carrier, alarmed) === undefined);
  const rows = mine.flatMap((carrier) => rowOf(carrier, alarmed) ?? []);
  if (!fits(before, uid, others, mine) || !(await areAlarmed(tx, rows))) return false;
  for (const row of rows) await letGo(tx, row.installation, [row], topology);
  const accounts = new Map(before?.accounts ?? []);
  for (const { installation, state } of mine) {
    accounts.set(installation, accountOf(installation, state));
    await tx.queueRefresh(installation, [wordPressId(state.id)]);
  }
  const empty = { deliveries: new Map(), stopped: new Map() };
  await tx.save([{ ...empty, ...before, uid, accounts }]);
  const login = group[0]?.state.login ?? '';
  await tx.appendLog([linkRow(uid, login, keysOf(group, topology), operatorNamed(by))]);
  return true;
}

/** Nobody has answered meanwhile. */
async function areAlarmed(tx: Transaction, rows: readonly AlarmedAccount[]): Promise<boolean> {
  const now = await tx.lockByUid(rows.map(({ uid }) => uid));
  return rows.every(
    ({ uid, installation, wpId }) =>
      now.get(uid)?.accounts.get(installation)?.wpId === wpId &&
      now.get(uid)?.accounts.get(installation)?.alarm === MISMATCH,
  );
}

/** The label is nobody's here yet, or that of the very accounts that it is shown by. */
function fits(before: Identity | undefined, uid: IdentityUid, others: Group, mine: Group): boolean {
  if (before === undefined) return others.length === 0;
  const known = [...before.accounts.values()];
  return (
    before.uid === uid &&
    known.length === others.length &&
    known.every((account) => others.some((carrier) => isHim(account, carrier))) &&
    mine.every(({ installation }) => !before.accounts.has(installation))
  );
}

const isHim = (account: Account, { installation, state }: Carrier): boolean =>
  account.installation === installation &&
  account.wpId === state.id &&
  account.gone === null &&
  account.alarm === null &&
  !account.privileged;

function keysOf(group: Group, { sites }: Topology) {
  const keyOn = (at: number) => {
    const found = [...sites.values()].find((site) => site.installation === group[at]?.installation);
    if (found === undefined) throw new Error('A site was removed while the labels were read.');
    return found.key;
  };
  return [keyOn(0), keyOn(1)] as const;
}

/** What it holds is learned when it is read; what was edited while there was no hub leaves then. */
const accountOf = (installation: InstallationId, state: AccountState): Account => ({
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
});
