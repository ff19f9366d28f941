/**
 * Reads an installation again for a hub that was restored from a backup: the site knows more than it.
 *
 * Does: take for known what the site holds; know accounts again by the label that this hub had given
 * them since; in the end spread what it did not know, from where it is.
 * Does not: delete, create or send anything, or let anything travel before all sites were read.
 * Always true: two accounts become one person by a label only where login and e-mail agree, too, and
 * neither is privileged; everybody else gets an alarm and waits for a person. Repeating it is safe.
 * On failure: throws `Fault`; what was learned so far is true, and still waits to be spread.
 */
import type { AccountState } from '#contract/account-state.ts';
import type { Label } from '#contract/messages.ts';
import { ACCOUNT, type KnownKey } from '../../model/field.ts';
import type { Account, Delivery, Identity } from '../../model/identity.ts';
import {
  type IdentityUid,
  type InstallationId,
  identityUid,
  type SiteKey,
  wordPressId,
} from '../../model/ids.ts';
import { sitesOf } from '../../model/route.ts';
import { isFromBefore, isNewer, type Stamp } from '../../model/stamp.ts';
import type { Reason } from '../../reasons.ts';
import { accountPages } from '../account-pages.ts';
import type { Transaction } from '../ports.ts';
import type { SpreadBatch } from '../spread-batch.ts';
import { knownByLabel } from './known-by-label.ts';
import { learn } from './learn.ts';
import {
  keepLessons,
  label,
  PAGE_ROWS,
  type PullInput,
  type PullPorts,
  type Taught,
} from './pull.ts';
import {
  type Read,
  readElsewhere,
  readKnown,
  readStranger,
  relabel,
  type Span,
  wentBack,
} from './reread.ts';
import { spreadRecovered } from './spread-recovered.ts';

/**
 * Each step is made for all sites before the next one. First those whom the hub knows, then those whom
 * it doesn't: whether a label and an account agree is seen only when the other accounts are known as
 * they are today. What is spread goes to accounts that are all known by then.
 */
export type Step = 'known' | 'unknown' | 'spread';

export interface Recovered {
  readonly accounts: number;
  /** Not known to the hub, but carrying a label that it had given: known again. */
  readonly takenOver: number;
  /** No longer there. */
  readonly vanished: number;
  /** Somebody else than the hub knows, or nobody can say who. */
  readonly mismatched: number;
  /** The highest key of a site that was met in a stamp: no other site may get it. */
  readonly highestKey: number;
}

export const NOTHING_RECOVERED: Recovered = {
  accounts: 0,
  takenOver: 0,
  vanished: 0,
  mismatched: 0,
  highestKey: 0,
};

const VANISHED: Reason = 'account.vanished';
const HELD: Reason = 'delete.before_restore';

export async function recover(input: PullInput, step: Step, ports: PullPorts): Promise<Recovered> {
  if (step === 'spread') {
    await spreadRecovered(input, ports);
    return NOTHING_RECOVERED;
  }
  let total = NOTHING_RECOVERED;
  const asked = { limit: PAGE_ROWS, detail: 'state' } as const;
  for await (const page of accountPages(ports.site, input.connection, asked)) {
    const span = { after: page.after, upTo: page.next };
    const { found, labels } = await ports.store.transaction((tx) =>
      step === 'known'
        ? readThoseKnown(tx, page.accounts, span, input)
        : readTheOthers(tx, page.accounts, input),
    );
    if (labels.length > 0) await relabel(labels, input, ports);
    total = sumOfRecovered(total, found);
  }
  if (step === 'known') await label(input, ports);
  return total;
}

interface PageRead {
  readonly found: Recovered;
  readonly labels: readonly Label[];
}

async function readThoseKnown(
  tx: Transaction,
  states: readonly AccountState[],
  span: Span,
  input: PullInput,
): Promise<PageRead> {
  const { installation, topology } = input;
  const here = states.map((state) => wordPressId(state.id));
  const believed = await tx.livingAccounts(installation, span);
  const known = await tx.lockByAccount(installation, [...here, ...believed]);
  const labelled = await lockLabelled(tx, states);
  const keys = sitesOf(topology, installation).map(({ key }) => key);
  const read = states.flatMap((state): Read[] => {
    const identity = known.get(wordPressId(state.id));
    if (identity === undefined) return [];
    const now = readKnown(state, identity, labelled, installation);
    return [{ ...now, identity: withHeldDeletes(now.identity, keys) }];
  });
  const result = await keep(tx, read, input);
  const vanished = believed.filter((id) => !here.includes(id)).flatMap((id) => known.get(id) ?? []);
  await tx.save(vanished.map((identity) => withoutAccount(identity, installation, keys)));
  const highestKey = Math.max(0, ...states.flatMap(keysIn));
  return { ...result, found: { ...result.found, vanished: vanished.length, highestKey } };
}

async function readTheOthers(
  tx: Transaction,
  states: readonly AccountState[],
  input: PullInput,
): Promise<PageRead> {
  const ids = states.map((state) => wordPressId(state.id));
  const known = await tx.lockByAccount(input.installation, ids);
  const strangers = states.filter((state) => !known.has(wordPressId(state.id)));
  const ended = await tx.endedAccounts(
    input.installation,
    strangers.map((state) => wordPressId(state.id)),
  );
  const labelled = await lockLabelled(tx, strangers);
  const taken = new Set<string>();
  const read = strangers.map(
    (state): Read =>
      knownByLabel(state, labelled, input.installation, taken) ??
      readStranger(state, ended.get(wordPressId(state.id)) ?? []),
  );
  return keep(tx, read, input);
}

async function lockLabelled(
  tx: Transaction,
  states: readonly AccountState[],
): Promise<ReadonlyMap<IdentityUid, Identity>> {
  const uids = states.flatMap(({ uid }) => (uid === null ? [] : identityUid(uid)));
  return uids.length > 0 ? await tx.lockByUid(uids) : new Map<IdentityUid, Identity>();
}

/** Stores what was read, lets nothing travel yet, and remembers whose values must. */
async function keep(tx: Transaction, read: readonly Read[], input: PullInput): Promise<PageRead> {
  const { installation, topology } = input;
  const nowMs = await tx.nowMs();
  const context = { topology, nowMs, lane: 'bulk', again: false, asNew: false } as const;
  const sites = sitesOf(topology, installation);
  const lessons = read.map(({ state, identity, formerUids, before, alarm }): Taught => {
    const lesson = learn(state, { ...context, identity, formerUids, installation, sites, alarm });
    const kept = withBirthOf(before, lesson.identity, installation);
    const quiet = { ...lesson, identity: kept, superseded: [] };
    return { id: state.id, lesson: quiet, login: state.login, actor: null };
  });
  const well = read.flatMap((account, at) => {
    const lesson = lessons[at]?.lesson;
    return lesson === undefined || lesson.alarm !== null
      ? []
      : { ...account, after: lesson.identity };
  });
  await keepLessons(tx, lessons, input, context, saveOnly);
  const told = well.filter(({ before, after }) => knowsMore(after, before, installation));
  await tx.queueRefresh(
    installation,
    told.map(({ state }) => wordPressId(state.id)),
  );
  for (const { before, after } of well) {
    if (wentBack(before, after, installation)) await readElsewhere(tx, after, installation);
  }
  const takenOver = well.filter(({ before, state }) => before === null && state.uid !== null);
  return {
    found: {
      ...NOTHING_RECOVERED,
      accounts: read.length,
      takenOver: takenOver.length,
      mismatched: read.length - well.length,
    },
    labels: well.flatMap(({ label: wanted }) => wanted ?? []),
  };
}

/** Of somebody whom the backup did not know nobody can say whether the birth was spread. */
function withBirthOf(
  before: Account | null,
  identity: Identity,
  installation: InstallationId,
): Identity {
  const account = identity.accounts.get(installation);
  if (account === undefined || before?.known.has(ACCOUNT) === true) return identity;
  const known = new Map(account.known);
  known.delete(ACCOUNT);
  return {
    ...identity,
    accounts: new Map(identity.accounts).set(installation, { ...account, known }),
  };
}

function knowsMore(now: Identity, before: Account | null, installation: InstallationId): boolean {
  if (before === null) return true;
  const known = now.accounts.get(installation)?.known ?? new Map<KnownKey, Stamp>();
  return [...known].some(
    ([key, stamp]) => !isFromBefore(stamp) && isNewer(stamp, before.known.get(key)),
  );
}

const saveOnly: SpreadBatch = async (tx, _context, learned, log) => {
  await tx.save(learned.map(({ identity }) => identity));
  await tx.appendLog(log);
};

/** A delete that waited when the backup was made may have been taken back since. */
function withHeldDeletes(identity: Identity, keys: readonly SiteKey[]): Identity {
  const deliveries = new Map(identity.deliveries);
  for (const [target, delivery] of deliveries) {
    if (!keys.includes(target) || delivery.gone === null) continue;
    const held: Delivery = { ...delivery, held: HELD, version: delivery.version + 1 };
    deliveries.set(target, held);
  }
  return { ...identity, deliveries };
}

/**
 * Not there any more: by a delete that the backup still has on its way, or nobody can say why. Then the
 * person is not created elsewhere either by what the backup had on its way.
 */
function withoutAccount(
  identity: Identity,
  installation: InstallationId,
  keys: readonly SiteKey[],
): Identity {
  const account = identity.accounts.get(installation);
  if (account === undefined) return identity;
  const deliveries = new Map(identity.deliveries);
  const done = keys
    .map((key) => deliveries.get(key)?.gone)
    .find((gone) => gone != null && gone.how === 'delete');
  for (const [target, delivery] of deliveries) {
    if (delivery.birth !== null || keys.includes(target)) deliveries.delete(target);
  }
  const ended = done == null ? { ...account, alarm: VANISHED } : { ...account, gone: done.stamp };
  return { ...identity, deliveries, accounts: new Map(identity.accounts).set(installation, ended) };
}

function keysIn({ fields, roles }: AccountState): number[] {
  const stamped = [fields ?? {}, ...Object.values(roles ?? {})];
  return stamped.flatMap((values) => Object.values(values).map(({ s }) => s[1]));
}

const sumOfRecovered = (a: Recovered, b: Recovered): Recovered => ({
  accounts: a.accounts + b.accounts,
  takenOver: a.takenOver + b.takenOver,
  vanished: a.vanished + b.vanished,
  mismatched: a.mismatched + b.mismatched,
  highestKey: Math.max(a.highestKey, b.highestKey),
});
