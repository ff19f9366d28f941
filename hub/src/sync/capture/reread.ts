/**
 * Reads an installation anew that is not what the hub believed: a backup was put back, or tables
 * were written past WordPress.
 *
 * Does: let go of every stamp known there, learn each account as it is, and have read elsewhere who
 * went back, so that newer values travel to them along the routes.
 * Does not: create, delete or re-attach anybody. Who is missing, is back, or is somebody else gets
 * an alarm and waits for a person.
 * Always true: repeating it is safe; a crash leaves alarms and stamps that are true.
 * On failure: throws `Fault`; what was learned so far stands.
 */
import type { AccountState } from '#contract/account-state.ts';
import type { Label } from '#contract/messages.ts';
import type { Account, Identity } from '../../model/identity.ts';
import {
  type IdentityUid,
  type InstallationId,
  identityUid,
  type WordPressId,
  wordPressId,
} from '../../model/ids.ts';
import { sitesOf } from '../../model/route.ts';
import { compareStamps, isNewer } from '../../model/stamp.ts';
import type { Reason } from '../../reasons.ts';
import { accountPages } from '../account-pages.ts';
import type { Ended, Transaction } from '../ports.ts';
import { learn } from './learn.ts';
import { withoutOldBirth } from './old-birth.ts';
import {
  keepLessons,
  label,
  newIdentity,
  PAGE_ROWS,
  type PullInput,
  type PullPorts,
  type Taught,
} from './pull.ts';
import { sentThere } from './sent-there.ts';

export interface Reread {
  readonly accounts: number;
  /** Hold less than the hub knew. */
  readonly wentBack: number;
  readonly vanished: number;
  readonly reappeared: number;
  /** Somebody else has the id, or the label says something else. */
  readonly mismatched: number;
}

const VANISHED: Reason = 'account.vanished';
const REAPPEARED: Reason = 'account.reappeared';
const NOTHING: Reread = { accounts: 0, wentBack: 0, vanished: 0, reappeared: 0, mismatched: 0 };

export async function reread(input: PullInput, ports: PullPorts): Promise<Reread> {
  let total = NOTHING;
  const asked = { limit: PAGE_ROWS, detail: 'state' } as const;
  for await (const page of accountPages(ports.site, input.connection, asked)) {
    const span = { after: page.after, upTo: page.next };
    const { found, labels } = await ports.store.transaction((tx) =>
      readPage(tx, page.accounts, span, input, ports),
    );
    if (labels.length > 0) await relabel(labels, input, ports);
    total = sumOf(total, found);
  }
  await label(input, ports);
  return total;
}

/**
 * The same for some accounts that hold less than the hub believed, while everything else goes on.
 *
 * Always true: whoever the hub learned something of meanwhile is left alone.
 */
export async function rereadSome(
  ids: readonly WordPressId[],
  input: PullInput,
  ports: PullPorts,
): Promise<Reread> {
  const { installation } = input;
  const before = await ports.store.transaction((tx) => tx.lockByAccount(installation, ids));
  const request = { after: 0, limit: PAGE_ROWS, ids: [...ids], detail: 'state' } as const;
  const { accounts, next } = await ports.site.accounts(input.connection, request);
  const { found, labels } = await ports.store.transaction(async (tx) => {
    const now = await tx.lockByAccount(installation, ids);
    const still = ids.filter(
      (id) =>
        (next === null || id <= next) && isAsBefore(before.get(id), now.get(id), installation),
    );
    const states = accounts.filter(({ id }) => still.includes(wordPressId(id)));
    return readPage(tx, states, { ids: still }, input, ports);
  });
  if (labels.length > 0) await relabel(labels, input, ports);
  return found;
}

function isAsBefore(
  before: Identity | undefined,
  now: Identity | undefined,
  installation: InstallationId,
): boolean {
  const [was, is] = [before, now].map((identity) => identity?.accounts.get(installation));
  if (was === undefined || is === undefined || is.gone !== null) return false;
  const same = [...is.known].every(([key, stamp]) => {
    const then = was.known.get(key);
    return then !== undefined && compareStamps(stamp, then) === 0;
  });
  return same && is.known.size === was.known.size;
}

/** A part of the ids of an installation; `upTo` null: to the end. */
export interface Span {
  readonly after: number;
  readonly upTo: number | null;
}

async function readPage(
  tx: Transaction,
  states: readonly AccountState[],
  span: Span | { readonly ids: readonly WordPressId[] },
  input: PullInput,
  { spreadBatch }: PullPorts,
): Promise<{ found: Reread; labels: readonly Label[] }> {
  const { installation, topology } = input;
  const here = new Set(states.map((state) => wordPressId(state.id)));
  const believed = 'ids' in span ? span.ids : await tx.livingAccounts(installation, span);
  const known = await tx.lockByAccount(installation, [...here, ...believed]);
  const ended = await tx.endedAccounts(installation, [...here]);
  const uids = states.flatMap(({ uid }) => (uid === null ? [] : identityUid(uid)));
  const labelled = uids.length > 0 ? await tx.lockByUid(uids) : new Map<IdentityUid, Identity>();
  const nowMs = await tx.nowMs();
  const asked = { again: true, asNew: false, restored: true } as const;
  const context = { topology, nowMs, lane: 'bulk', ...asked } as const;
  const sites = sitesOf(topology, installation);
  const unknown = states.filter((state) => !known.has(wordPressId(state.id)));
  const sent = await sentThere(tx, unknown, input);
  const read = states.map((state): Read => {
    const id = wordPressId(state.id);
    const identity = known.get(id);
    if (identity !== undefined) return readKnown(state, identity, labelled, installation);
    const stranger = readStranger(state, ended.get(id) ?? []);
    const created = sent.get(state.id);
    return created === undefined ? stranger : { ...stranger, identity: created, alarm: null };
  });
  const lessons = read.map(({ state, identity, formerUids, before, alarm }): Taught => {
    const lesson = learn(state, { ...context, identity, formerUids, installation, sites, alarm });
    const taught = { id: state.id, lesson, login: state.login, actor: null };
    return withoutOldBirth(taught, before);
  });
  await keepLessons(tx, lessons, input, context, spreadBatch);
  const vanished = believed.filter((id) => !here.has(id));
  await alarmVanished(tx, vanished, known, installation);
  const behind = lessons.filter(
    ({ lesson }, at) =>
      lesson.alarm === null && wentBack(read[at]?.before ?? null, lesson.identity, installation),
  );
  for (const { lesson } of behind) await readElsewhere(tx, lesson.identity, installation);
  const alarms = lessons.map(({ lesson }) => lesson.alarm);
  return {
    found: {
      accounts: states.length,
      wentBack: behind.length,
      vanished: vanished.length,
      reappeared: alarms.filter((alarm) => alarm === REAPPEARED).length,
      mismatched: alarms.filter((alarm) => alarm === 'identity.label_mismatch').length,
    },
    labels: read.flatMap(({ label: wanted }, at) =>
      wanted !== null && alarms[at] === null ? wanted : [],
    ),
  };
}

export interface Read {
  readonly state: AccountState;
  /** With an account that knows nothing any more. */
  readonly identity: Identity;
  readonly before: Account | null;
  readonly formerUids: ReadonlySet<string>;
  readonly alarm: Reason | null;
  /** The site is to carry this label again. */
  readonly label: Label | null;
}

/** Login and date of registration tell whether an account without its label is still the same one. */
export function readKnown(
  state: AccountState,
  identity: Identity,
  labelled: ReadonlyMap<IdentityUid, Identity>,
  installation: InstallationId,
): Read {
  const before = identity.accounts.get(installation) ?? null;
  const bare = { state, identity, before, formerUids: new Set<string>(), label: null };
  if (before === null) return { ...bare, alarm: 'identity.label_mismatch' };
  if (before.alarm === REAPPEARED) return { ...bare, alarm: REAPPEARED };
  const label = { id: state.id, uid: identity.uid, login: state.login };
  const forgotten = { ...before, known: new Map(), labelled: false, alarm: null };
  const identityNow = {
    ...identity,
    accounts: new Map(identity.accounts).set(installation, forgotten),
  };
  const now = { ...bare, identity: identityNow, alarm: null };
  if (state.uid === null) {
    const same = before.login === state.login && before.registered === state.registered;
    return same ? { ...now, label } : { ...bare, alarm: 'identity.label_mismatch' };
  }
  if (state.uid === identity.uid) return now;
  const became = labelled.get(identityUid(state.uid))?.uid === identity.uid;
  if (!became) return { ...bare, alarm: 'identity.label_mismatch' };
  return { ...now, formerUids: new Set([state.uid]), label: { ...label, was: state.uid } };
}

/**
 * Somebody the hub has no living account of: new, or deleted since the backup was made. Whom the hub itself
 * has created there is known by `sentThere`. A label that
 * the hub gave to somebody else is an alarm as ever.
 */
export function readStranger(state: AccountState, ended: readonly Ended[]): Read {
  const back = ended.some(
    ({ login, registered }) => login === state.login && registered === state.registered,
  );
  return {
    state,
    identity: newIdentity(),
    before: null,
    formerUids: new Set(),
    alarm: back ? REAPPEARED : null,
    label: null,
  };
}

async function alarmVanished(
  tx: Transaction,
  vanished: readonly WordPressId[],
  known: ReadonlyMap<WordPressId, Identity>,
  installation: InstallationId,
): Promise<void> {
  const alarmed = vanished.flatMap((id) => {
    const identity = known.get(id);
    const account = identity?.accounts.get(installation);
    if (identity === undefined || account === undefined) return [];
    const accounts = new Map(identity.accounts);
    return { ...identity, accounts: accounts.set(installation, { ...account, alarm: VANISHED }) };
  });
  await tx.save(alarmed);
}

export function wentBack(
  before: Account | null,
  identity: Identity,
  installation: InstallationId,
): boolean {
  const now = identity.accounts.get(installation)?.known;
  if (before === null || now === undefined) return false;
  return [...before.known].some(([key, stamp]) => isNewer(stamp, now.get(key)));
}

/** Values that the hub does not keep are read where they are; they travel back from there. */
export async function readElsewhere(
  tx: Transaction,
  identity: Identity,
  here: InstallationId,
): Promise<void> {
  for (const { installation, gone, alarm, wpId } of identity.accounts.values()) {
    if (installation === here || gone !== null || alarm !== null) continue;
    await tx.queueRefresh(installation, [wpId]);
  }
}

export async function relabel(
  labels: readonly Label[],
  { connection, installation }: PullInput,
  { site, store }: Pick<PullPorts, 'site' | 'store'>,
): Promise<void> {
  const results = await site.labels(connection, labels);
  const good = results.filter(({ result }) => result === 'labelled' || result === 'already');
  const uids = new Map(labels.map(({ id, uid }) => [id, uid]));
  await store.markLabelled(
    installation,
    good.map(({ id }) => ({ id, uid: uids.get(id) ?? '' })),
  );
}

const sumOf = (a: Reread, b: Reread): Reread => ({
  accounts: a.accounts + b.accounts,
  wentBack: a.wentBack + b.wentBack,
  vanished: a.vanished + b.vanished,
  reappeared: a.reappeared + b.reappeared,
  mismatched: a.mismatched + b.mismatched,
});
