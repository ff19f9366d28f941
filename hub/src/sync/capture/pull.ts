/**
 * Pulls one installation's outbox.
 *
 * Does: read a page of changes, and in one transaction remember the rows, learn, spread; then
 * label the accounts that are new to the hub. The acknowledgement goes with the next page.
 * Does not: decide who gets what, or send anything.
 * Always true: a crash anywhere repeats or finishes it, never halves it (I7); a row is learned
 * once per (row, revision).
 * On failure: throws `Fault`; nothing was changed here, and the site gives the same rows again.
 */
import { randomUUID } from 'node:crypto';
import type { ChangeRow, ChangesAnswer } from '#contract/messages.ts';
import type { Identity, Lane } from '../../model/identity.ts';
import { type InstallationId, identityUid, wordPressId } from '../../model/ids.ts';
import { type LogEntry, markedUnconfirmed } from '../../model/log-entry.ts';
import { sitesOf, type Topology } from '../../model/route.ts';
import type { Reason } from '../../reasons.ts';
import type { CapturedChange, Connection, SitePort, Store, Transaction } from '../ports.ts';
import type { Learned, SpreadBatch } from '../spread-batch.ts';
import { askForLabels } from './ask-for-labels.ts';
import { type Lesson, learn, learnGone } from './learn.ts';
import { sentThere } from './sent-there.ts';
import { endedUnheard, overwritten } from './unheard.ts';
import { isUntold, untold } from './untold.ts';

/** Rows per page: full states are a few kB each, and one page is one transaction. */
export const PAGE_ROWS = 500;

export interface PullInput {
  readonly installation: InstallationId;
  readonly connection: Connection;
  readonly topology: Topology;
  /** Epoch and head as last seen; null: never pulled. */
  readonly cursor: { readonly epoch: string | null; readonly head: number };
  /** Told of the sum over the site's list of sites, before anything is learned: gives what holds from there on. */
  readonly hearSites?: (sum: string | undefined) => Promise<Topology>;
}

export interface PullPorts {
  readonly store: Store;
  readonly site: SitePort;
  readonly spreadBatch: SpreadBatch;
}

export interface Pulled {
  readonly rows: number;
  readonly more: boolean;
  /** Rows that were not read before, and whose stamps can be believed. */
  readonly news: number;
  /** The site is not what it was: its outbox began anew or went back. Nothing was learned. */
  readonly rewound: boolean;
  /** The site's sentence about values that it holds back; null: it holds none. */
  readonly outside?: string | null | undefined;
}

export async function pull(input: PullInput, ports: PullPorts): Promise<Pulled> {
  const { store, site } = ports;
  const { installation, connection } = input;
  const ack = await store.unacknowledged(installation);
  const restamp = await store.restamps(installation);
  const request = { ack, limit: PAGE_ROWS, ...(restamp.length > 0 ? { restamp } : {}) };
  const { answer, labelledBefore } = await askForLabels(
    { store, installation },
    () => site.changes(connection, request),
    ({ rows }) => rows.flatMap((row) => row.account ?? []),
  );
  if (isRewound(input.cursor, answer)) return { rows: 0, more: false, news: 0, rewound: true };
  if (ack.length > 0) await store.markAcknowledged(installation, ack);
  if (restamp.length > 0) await store.clearRestamps(installation, restamp);
  // Whoever lost their place on a site because that was closed is judged by its being closed.
  const topology = (await input.hearSites?.(answer.sites_sum)) ?? input.topology;
  const learned = (tx: Transaction) =>
    learnPage(tx, answer, { ...input, topology, labelledBefore }, ports.spreadBatch);
  const { fresh, future } = await store.transaction(learned);
  await label(input, ports);
  const more = answer.more || future > 0 || answer.rows.length > 0;
  const { outside } = answer;
  return { rows: answer.rows.length, more, news: fresh - future, rewound: false, outside };
}

/** Tells the site who its accounts are; repeated until the site has confirmed each. */
export async function label(
  input: PullInput,
  { store, site }: Pick<PullPorts, 'store' | 'site'>,
): Promise<void> {
  for (;;) {
    const labels = await store.unlabelled(input.installation, PAGE_ROWS);
    if (labels.length === 0) return;
    const results = await site.labels(input.connection, labels);
    const settled = results.filter((entry) => entry.result !== 'missing');
    const good = settled.filter((entry) => entry.result !== 'mismatch');
    const confirmed = new Set(good.map((entry) => entry.id));
    const told = labels.filter((entry) => confirmed.has(entry.id));
    await store.markLabelled(input.installation, told);
    await alarmRefused(results, input, store);
    if (told.length < labels.length || labels.length < PAGE_ROWS) return;
  }
}

/** What a person must look at where a site takes no label. */
const REFUSED: Readonly<Record<string, Reason>> = {
  mismatch: 'identity.label_mismatch',
  missing: 'account.vanished',
};

/**
 * The account has another login than the hub knows, or somebody else's label; or it is gone. Whoever
 * was deleted a moment ago is no longer under the alarm once that change arrives: nothing else
 * would tell the others of it.
 */
async function alarmRefused(
  results: Awaited<ReturnType<SitePort['labels']>>,
  { installation }: PullInput,
  store: Store,
): Promise<void> {
  const refused = results.flatMap(({ id, result }) => {
    const alarm = REFUSED[result];
    return alarm === undefined ? [] : ([[wordPressId(id), alarm]] as const);
  });
  if (refused.length === 0) return;
  await store.transaction(async (tx) => {
    const identities = await tx.lockByAccount(
      installation,
      refused.map(([id]) => id),
    );
    await tx.save(
      refused.flatMap(([id, alarm]) => {
        const identity = identities.get(id);
        const account = identity?.accounts.get(installation);
        if (identity === undefined || account === undefined || account.gone !== null) return [];
        const accounts = new Map(identity.accounts).set(installation, { ...account, alarm });
        return [{ ...identity, accounts }];
      }),
    );
  });
}

const isRewound = (cursor: PullInput['cursor'], answer: ChangesAnswer): boolean =>
  cursor.epoch !== null && (cursor.epoch !== answer.epoch || answer.head < cursor.head);

async function learnPage(
  tx: Transaction,
  answer: ChangesAnswer,
  input: PullInput & { readonly labelledBefore: ReadonlySet<number> },
  spreadBatch: SpreadBatch,
): Promise<{ readonly fresh: number; readonly future: number }> {
  const { installation, topology } = input;
  const nowMs = await tx.nowMs();
  const unseen = await tx.appendChanges(installation, answer.rows.map(toChange));
  const rows = unseen.flatMap((index) => answer.rows[index] ?? []);
  const lane: Lane = answer.more ? 'bulk' : 'people';
  const { labelledBefore } = input;
  const context = { topology, nowMs, lane, again: false, asNew: false, labelledBefore };
  let future = 0;
  await logEndedUnheard(tx, rows, input);
  for (const wave of oncePerAccount(rows)) {
    const lessons = await learnRows(tx, wave, input, context);
    await keepLessons(tx, lessons, input, context, spreadBatch);
    future += lessons.filter((entry) => entry.lesson.restamp).length;
  }
  await logUnsent(tx, rows, input);
  await tx.setCursor(installation, { epoch: answer.epoch, head: answer.head });
  return { fresh: rows.length, future };
}

/**
 * Several rows of one account are learned one after the other: each lesson builds on what is known
 * when it begins. Nearly always it is one wave.
 */
function oncePerAccount(rows: readonly ChangeRow[]): ChangeRow[][] {
  const waves: ChangeRow[][] = [[]];
  const seen = new Map<number, number>();
  for (const row of rows) {
    const id = row.account?.id ?? row.gone?.id ?? 0;
    const place = seen.get(id) ?? 0;
    seen.set(id, place + 1);
    const wave = waves[place];
    if (wave === undefined) waves.push([row]);
    else wave.push(row);
  }
  return waves;
}

/** Before anything is learned: of who has ended nothing is found afterwards. */
async function logEndedUnheard(
  tx: Transaction,
  rows: readonly ChangeRow[],
  { installation, topology }: PullInput,
): Promise<void> {
  const home = sitesOf(topology, installation)[0]?.key;
  const ids = rows.flatMap((row) => row.gone?.id ?? []);
  if (home === undefined || ids.length === 0) return;
  const known = await tx.lockByAccount(installation, ids.map(wordPressId));
  const log = rows.flatMap((row) => endedUnheard(row, known, home));
  if (log.length > 0) await tx.appendLog(log);
}

/**
 * What no delivery will show. Accounts that are told of have an identity by now; one that can't be
 * told of may have none.
 */
async function logUnsent(
  tx: Transaction,
  rows: readonly ChangeRow[],
  { installation, topology }: PullInput,
): Promise<void> {
  const [home, ...others] = sitesOf(topology, installation);
  const unsent = rows.filter((row) => isUntold(row) || row.overwritten !== undefined);
  if (home === undefined || unsent.length === 0) return;
  const ids = unsent.flatMap((row) => row.account?.id ?? row.error?.id ?? []);
  const identities = await tx.lockByAccount(installation, ids.map(wordPressId));
  const log = unsent.flatMap((row) => [
    ...untold(row, identities, home.key),
    ...overwritten(row, identities, [home, ...others]),
  ]);
  if (log.length > 0) await tx.appendLog(log);
}

export interface LearnContext {
  readonly topology: Topology;
  readonly nowMs: number;
  readonly lane: Lane;
  readonly again: boolean;
  readonly asNew: boolean;
  readonly asked?: boolean;
  readonly restored?: boolean;
  readonly labelledBefore?: ReadonlySet<number>;
}

export interface Taught {
  readonly id: number;
  readonly lesson: Lesson;
  readonly login: string;
  readonly actor: string | null;
}

/**
 * Stores what was learned, spreads it, frees what waited for an address that is free now, and
 * has future stamps made anew.
 */
export async function keepLessons(
  tx: Transaction,
  lessons: readonly Taught[],
  input: PullInput,
  context: LearnContext,
  spreadBatch: SpreadBatch,
): Promise<void> {
  const learned = lessons.map(
    ({ lesson, actor }): Learned => ({
      identity: lesson.identity,
      holding: lesson.alarm === null ? lesson.holding : null,
      actor,
    }),
  );
  const log = lessons.flatMap((taught) => logOf(taught, input));
  await spreadBatch(tx, context, learned, log);
  const future = lessons.filter((taught) => taught.lesson.restamp);
  await tx.queueRestamp(
    input.installation,
    future.map((taught) => wordPressId(taught.id)),
  );
  const emails = lessons.flatMap(({ lesson }) => lesson.freedEmail ?? []);
  const logins = lessons.flatMap(({ lesson, login }) => (lesson.holding.gone ? login : []));
  if (emails.length + logins.length > 0) {
    await tx.releaseHeld(input.installation, { emails, logins });
    const moved = lessons.filter(({ lesson }) => lesson.freedEmail !== null || lesson.holding.gone);
    await tx.forgetLinksTo(
      input.installation,
      moved.map((taught) => wordPressId(taught.id)),
    );
  }
}

export async function learnRows(
  tx: Transaction,
  rows: readonly ChangeRow[],
  input: PullInput,
  context: LearnContext,
): Promise<Taught[]> {
  const identities = await identitiesOf(tx, rows, input);
  const formerUids = await formerUidsIn(tx, rows, identities);
  const sites = sitesOf(context.topology, input.installation);
  return rows.flatMap((row): Taught[] => {
    const id = row.account?.id ?? row.gone?.id;
    const identity = id === undefined ? undefined : identities.get(id);
    if (id === undefined || identity === undefined) return [];
    const { installation } = input;
    const staysHome = row.actor.outgoing_stopped === true;
    const learnInput = { ...context, identity, formerUids, installation, sites, staysHome };
    const lesson = row.account
      ? learn(row.account, learnInput)
      : row.gone
        ? learnGone(row.gone, learnInput)
        : null;
    const login = row.account?.login ?? row.gone?.login ?? '';
    return lesson === null ? [] : [{ id, lesson, login, actor: actorName(row) }];
  });
}

/**
 * Known accounts by the hub's own table. An unknown account is somebody new, unless the hub
 * itself has sent its creation there and the receipt was lost: then its label tells, also when it
 * ended meanwhile.
 */
async function identitiesOf(
  tx: Transaction,
  rows: readonly ChangeRow[],
  input: PullInput,
): Promise<Map<number, Identity>> {
  const ids = rows.flatMap((row) => row.account?.id ?? row.gone?.id ?? []);
  const known = await tx.lockByAccount(input.installation, ids.map(wordPressId));
  const found = new Map<number, Identity>(known);
  const unknown = rows.flatMap(({ account, gone }) => {
    const one = account ?? gone;
    return one === undefined || found.has(one.id) ? [] : one;
  });
  for (const [id, identity] of await sentThere(tx, unknown, input)) found.set(id, identity);
  for (const { account } of rows) {
    if (account !== undefined && !found.has(account.id)) found.set(account.id, newIdentity());
  }
  return found;
}

/**
 * Labels in these rows that are not the account's uid but became it: two identities were merged,
 * and the site has not been told yet.
 */
async function formerUidsIn(
  tx: Transaction,
  rows: readonly ChangeRow[],
  identities: ReadonlyMap<number, Identity>,
): Promise<ReadonlySet<string>> {
  const others = rows.flatMap(({ account, gone }) => {
    const row = account ?? gone;
    const identity = row && identities.get(row.id);
    const differs = row?.uid != null && identity !== undefined && row.uid !== identity.uid;
    return differs ? { uid: identityUid(row.uid ?? ''), became: identity.uid } : [];
  });
  if (others.length === 0) return new Set();
  const found = await tx.lockByUid(others.map(({ uid }) => uid));
  return new Set(
    others.filter(({ uid, became }) => found.get(uid)?.uid === became).map(({ uid }) => uid),
  );
}

export const newIdentity = (): Identity => ({
  uid: identityUid(randomUUID()),
  accounts: new Map(),
  deliveries: new Map(),
  stopped: new Map(),
});

function toChange(row: ChangeRow): CapturedChange {
  const uid = row.account?.uid ?? row.gone?.uid ?? null;
  return {
    row: row.row,
    rev: row.rev,
    kind: row.kind,
    wpId: row.account?.id ?? row.gone?.id ?? row.error?.id ?? null,
    uid: uid === null ? null : identityUid(uid),
    actor: row.error ?? row.actor,
    fields: [],
    atMs: row.at,
  };
}

function actorName({ actor }: ChangeRow): string {
  return actor.login === undefined ? actor.kind : `${actor.kind} ${actor.login}`;
}

/** What a person should see that no delivery shows: alarms, future stamps, lost conflicts. */
function logOf({ lesson, login, actor }: Taught, input: PullInput): LogEntry[] {
  const home = sitesOf(input.topology, input.installation)[0]?.key;
  if (home === undefined) return [];
  const base = {
    uid: lesson.identity.uid,
    login,
    source: home,
    action: 'update',
    path: [home],
    actor,
    delivery: null,
    attempts: 0,
    durationMs: null,
  } as const;
  const entries: LogEntry[] = [];
  if (lesson.alarm !== null) {
    entries.push({ ...base, target: home, status: 'held', reason: lesson.alarm, fields: [] });
  }
  if (lesson.restamp) {
    entries.push({ ...base, target: home, status: 'held', reason: 'stamp.in_future', fields: [] });
  }
  if (lesson.tooLarge.length > 0) {
    const [reason, fields] = ['value.too_large', lesson.tooLarge] as const;
    entries.push({ ...base, target: home, status: 'refused', reason, fields });
  }
  for (const { site, field, carried } of lesson.superseded) {
    const about = { fields: [field], ...markedUnconfirmed([field], carried) };
    const reason = 'conflict.superseded';
    entries.push({ ...base, target: site, status: 'superseded', reason, ...about });
  }
  return entries;
}
