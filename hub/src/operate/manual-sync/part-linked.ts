/**
 * Takes back a link that a run made, where nothing came of it: the account on the target is somebody of its own again.
 *
 * Always true: two are parted only where this run alone said that they are one, no value of the one was ever brought
 * to the other, none is on its way, and the person has no account besides. The account gets a uid that nobody had; the
 * uid from before stays an alias for ever. Its site is told first. Whoever dies after that finds the same uid again,
 * as it follows from run and account; an account that is read in between is under an alarm, and never linked.
 * On failure: what could not be parted is labelled as before.
 */
import { createHash } from 'node:crypto';
import type { AccountState } from '#contract/account-state.ts';
import type { Account, Identity } from '../../model/identity.ts';
import { type IdentityUid, identityUid, type SiteKey, type WordPressId } from '../../model/ids.ts';
import type { LogEntry } from '../../model/log-entry.ts';
import { sitesOf, type Topology } from '../../model/route.ts';
import type { OtherSide, SyncRunRecord, SyncStep } from '../../model/sync-run.ts';
import type { Reason } from '../../reasons.ts';
import type { SiteRecord, Transaction } from '../../sync/ports.ts';
import { operatorNamed } from '../names.ts';
import type { OperationPorts } from '../ports.ts';
import { linkRow } from '../prove-link.ts';

interface There {
  readonly run: SyncRunRecord;
  readonly source: SiteRecord;
  readonly target: SiteRecord;
  readonly topology: Topology;
  /** Accounts of the target as they are now. */
  readonly states: ReadonlyMap<number, AccountState>;
}

/** The run linked the two and did nothing else. */
export const onlyLinked = ({ what, kept, stamps }: SyncStep): boolean =>
  what === 'link' && kept !== null && Object.keys(stamps ?? {}).length === 0;

interface Parting {
  readonly step: SyncStep;
  readonly other: OtherSide;
  readonly account: Account;
  readonly from: IdentityUid;
  readonly uid: IdentityUid;
}

/** By the account on the source: null where the two were parted, else why they stay linked. */
export async function partLinked(
  ports: OperationPorts,
  given: Omit<There, 'topology'>,
  steps: readonly SyncStep[],
): Promise<ReadonlyMap<WordPressId, Reason | null>> {
  const verdicts = new Map<WordPressId, Reason | null>();
  if (steps.length === 0) return verdicts;
  const there = { ...given, topology: await ports.registry.topology() };
  const asked = steps.map(({ uid }) => uid);
  const persons = await ports.store.transaction((tx) => tx.lockByUid(asked));
  const partings: Parting[] = [];
  for (const step of steps) {
    const found = lookAt(there, step, persons.get(step.uid));
    const why = 'why' in found ? found.why : await whyTheyCrossed(ports, there, found);
    verdicts.set(step.wpId, why);
    if (why === null && !('why' in found)) partings.push(found);
  }
  const labelled = await relabel(ports, there, partings, (one) => ({
    uid: one.uid,
    was: there.states.get(one.account.wpId)?.uid ?? one.from,
  }));
  const parted = await ports.store.transaction((tx) => part(tx, there, labelled));
  const stay = partings.filter((one) => !parted.has(one));
  for (const { step } of stay) verdicts.set(step.wpId, 'run.undo_crossed');
  const wronged = stay.filter((one) => labelled.includes(one));
  await relabel(ports, there, wronged, (one) => ({ uid: one.from, was: one.uid }));
  return verdicts;
}

function lookAt(
  there: There,
  step: SyncStep,
  identity: Identity | undefined,
): Parting | { readonly why: Reason } {
  const other = step.sides?.others.find(({ login }) => login === step.other);
  // The plan does not say which account it is.
  if (other === undefined) return { why: 'run.undo_linked' };
  const mine = identity?.accounts.get(there.source.installation);
  const account = identity?.accounts.get(there.target.installation);
  const state = account && there.states.get(account.wpId);
  if (identity === undefined || mine?.wpId !== step.wpId || state === undefined)
    return { why: 'target.account_missing' };
  if (account === undefined || account.wpId !== other.id) return { why: 'target.account_missing' };
  const uid = uidAfter(there.run, step);
  const why =
    refusalOf(mine) ?? refusalOf(account) ?? whyNoLabel(state, account, [identity.uid, uid]);
  if (why !== null) return { why };
  if (identity.deliveries.size > 0 || [mine, account].some((one) => holdsOfOthers(there, one)))
    return { why: 'run.undo_crossed' };
  if (identity.accounts.size > 2) return { why: 'run.undo_linked' };
  return { step, other, account, from: identity.uid, uid };
}

function refusalOf({ gone, alarm, privileged }: Account): Reason | null {
  if (gone !== null) return 'identity.deleted';
  if (alarm !== null) return 'identity.label_mismatch';
  return privileged ? 'target.privileged_account' : null;
}

/** A label that is on its way to be replaced may be an older one. */
const whyNoLabel = (
  { uid, login }: AccountState,
  account: Account,
  good: readonly string[],
): Reason | null =>
  login === account.login && (!account.labelled || good.includes(uid ?? ''))
    ? null
    : 'identity.label_mismatch';

/** Of a field that was set since Rollcall is there, on a site that is not of this installation. */
function holdsOfOthers({ topology }: There, { installation, known }: Account): boolean {
  const own = new Set<SiteKey>(sitesOf(topology, installation).map(({ key }) => key));
  return [...known.values()].some(([ms, key]) => ms > 0 && !own.has(key));
}

/** More than this in the log of one person since the run: something went on. */
const MOST_ROWS = 100;

/** What was overwritten since shows in the log alone; without a log nobody can tell. */
async function whyTheyCrossed(
  { views }: OperationPorts,
  { run }: There,
  { from }: Parting,
): Promise<Reason | null> {
  const rows = await views.log({ uid: from, sinceMs: run.startedMs ?? 0, limit: MOST_ROWS });
  const links = rows.filter(({ action }) => action === 'link');
  const isOurs = links.length === 1 && links[0]?.actor === operatorNamed(run.startedBy);
  if (!isOurs) return 'run.undo_linked';
  const moved = rows.some(({ action, status }) => action !== 'link' && status === 'delivered');
  return moved || rows.length === MOST_ROWS ? 'run.undo_crossed' : null;
}

/** Those whose site carries the label now. */
async function relabel(
  { registry, site }: OperationPorts,
  { target }: There,
  partings: readonly Parting[],
  labelOf: (one: Parting) => { readonly uid: string; readonly was: string },
): Promise<readonly Parting[]> {
  if (partings.length === 0) return [];
  const connection = await registry.connection(target.installation);
  const labels = partings.map((one) => ({
    id: one.account.wpId,
    login: one.account.login,
    ...labelOf(one),
  }));
  const results = await site.labels(connection, labels);
  const good = new Set<number>(
    results.flatMap(({ id, result }) => (result === 'labelled' || result === 'already' ? id : [])),
  );
  return partings.filter(({ account }) => good.has(account.wpId));
}

/** Under the locks it is looked at once more. */
async function part(
  tx: Transaction,
  there: There,
  partings: readonly Parting[],
): Promise<ReadonlySet<Parting>> {
  const found = await tx.lockByUid(partings.map(({ from }) => from));
  const parted = new Set<Parting>();
  for (const one of partings) {
    const identity = found.get(one.from);
    const now = identity && lookAt(there, one.step, withoutOurAlarm(identity, there));
    if (identity === undefined || now === undefined || 'why' in now || now.from !== one.from)
      continue;
    await tx.save([withoutAccount(identity, there)]);
    const accounts = new Map([[one.account.installation, { ...now.account, labelled: true }]]);
    await tx.save([{ uid: one.uid, accounts, deliveries: new Map(), stopped: new Map() }]);
    const { wpId, installation } = one.account;
    await tx.saveLinks([{ uid: one.from, installation, wpId, by: one.other.by }]);
    await tx.appendLog([rowOf(there, one)]);
    parted.add(one);
  }
  return parted;
}

/** It was read between the new label and this: nobody else has a reason to disagree. */
function withoutOurAlarm(identity: Identity, { target }: There): Identity {
  const account = identity.accounts.get(target.installation);
  if (account?.alarm !== 'identity.label_mismatch') return identity;
  const accounts = new Map(identity.accounts);
  return { ...identity, accounts: accounts.set(target.installation, { ...account, alarm: null }) };
}

function withoutAccount(identity: Identity, { target, topology }: There): Identity {
  const accounts = new Map(identity.accounts);
  const stopped = new Map(identity.stopped);
  accounts.delete(target.installation);
  for (const { key } of sitesOf(topology, target.installation)) stopped.delete(key);
  return { ...identity, accounts, stopped };
}

function rowOf({ run, source, target }: There, { from, step }: Parting): LogEntry {
  const actor = operatorNamed(run.undoneBy ?? '');
  const row = linkRow(from, step.login, [source.key, target.key], actor);
  return { ...row, status: 'cancelled', reason: 'run.undone_link' satisfies Reason };
}

const UUID_HEX = 32;
/** Of version 8: made by a rule of our own (RFC 9562). */
function uidAfter({ id }: SyncRunRecord, { wpId, target }: SyncStep): IdentityUid {
  const hex = createHash('sha256').update(`parted ${id} ${wpId} ${target}`).digest('hex');
  const own = `${hex.slice(0, 12)}8${hex.slice(13, 16)}a${hex.slice(17, UUID_HEX)}`;
  return identityUid(own.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/u, '$1-$2-$3-$4-$5'));
}
