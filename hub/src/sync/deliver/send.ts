/**
 * Sends what is due to one installation, in one lane.
 *
 * Does: claim, look once more, send, and in one transaction settle the receipts and spread what
 * the target now holds.
 * Does not: decide who gets what.
 * Always true: a receipt and what it spreads are one transaction (I7); a lease that is lost by a
 * crash runs out, and sending again is harmless.
 * On failure: throws `Fault` when the site can't be spoken to; the claims are given back.
 */
import type { Receipt } from '#contract/messages.ts';
import type { Lane } from '../../model/identity.ts';
import { type DeliveryId, type InstallationId, wordPressId } from '../../model/ids.ts';
import type { LogEntry, LogStatus } from '../../model/log-entry.ts';
import { routesOutOf, type Site, type Topology } from '../../model/route.ts';
import { compareStamps } from '../../model/stamp.ts';
import type { Reason } from '../../reasons.ts';
import type { Connection, SitePort, Store, Transaction } from '../ports.ts';
import type { Learned, SpreadBatch } from '../spread-batch.ts';
import { applyBatch, type Suspects } from './apply-batch.ts';
import { compose } from './compose.ts';
import { type DeletionLimit, holdsDeletes } from './deletion-limit.ts';
import { freeEnded, freeLeft } from './free.ts';
import { type Answered, type Item, logArrived, logBase, logCancelled, marked } from './item.ts';
import { keepUnsent } from './keep-unsent.ts';
import { refuseOthersIds } from './others-ids.ts';
import { privilegedIn, type Settled, settle } from './settle.ts';

/** Operations per request: some 2 kB each, well under common body limits. */
const BATCH: Record<Lane, number> = { people: 100, bulk: 500 };
/** As long as a killed process's deliveries wait at most; a living one prolongs its own. */
const LEASE_MS = 30_000;

export interface SendInput {
  readonly installation: InstallationId;
  readonly lane: Lane;
  readonly topology: Topology;
  /** Where the operations of one site go: its own REST URL. */
  readonly connectionTo: (target: Site) => Connection;
  readonly deletionLimit: DeletionLimit;
}

export interface SendPorts {
  readonly store: Store;
  readonly site: SitePort;
  readonly spreadBatch: SpreadBatch;
  /** Kept from one send to the next. */
  readonly suspects: Suspects;
}

export interface Sent {
  readonly sent: number;
  /** The site holds values that were written past WordPress. */
  readonly rewritten: boolean;
}

export async function send(input: SendInput, ports: SendPorts): Promise<Sent> {
  const { installation, lane, topology } = input;
  const claimed = await ports.store.transaction(async (tx) => {
    await holdsDeletes(tx, installation, input.deletionLimit);
    return tx.claim(installation, lane, { limit: BATCH[lane], leaseMs: LEASE_MS });
  });
  const items = claimed.flatMap((entry): Item[] => {
    const target = topology.sites.get(entry.delivery.target);
    if (target === undefined) return [];
    return [
      {
        claimed: entry,
        target,
        composed: compose(entry.identity, entry.delivery, target, topology),
      },
    ];
  });
  const ids = claimed.map((entry) => entry.delivery.id);
  const letGo = ports.store.keepLeased(ids, LEASE_MS);
  const toSend = items.filter((item) => item.composed.operation !== null);
  const unanswered = new Set(toSend.map((item) => item.claimed.delivery.id));
  let rewritten = false;
  const hear = (receipts: readonly Receipt[]) => {
    rewritten ||= receipts.some(isRewritten);
  };
  try {
    const kept = items.filter((item) => item.composed.operation === null);
    await keepUnsent(kept, topology, ports);
    for (const batch of bySite(toSend).values()) {
      await sendBatch(batch, { unanswered, hear }, input, ports);
    }
  } finally {
    letGo();
    const release = (tx: Transaction) => tx.releaseClaims(ids, [...unanswered]);
    if (ids.length > 0) await ports.store.transaction(release);
  }
  return { sent: claimed.length, rewritten };
}

const isRewritten = ({ fields = {} }: Receipt): boolean =>
  Object.values(fields).some(({ why }) => why === ('source.rewritten_outside' satisfies Reason));

interface Hearing {
  readonly unanswered: Set<DeliveryId>;
  readonly hear: (receipts: readonly Receipt[]) => void;
}

async function sendBatch(
  items: readonly Item[],
  { unanswered, hear }: Hearing,
  input: SendInput,
  ports: SendPorts,
): Promise<void> {
  const target = items[0]?.target;
  if (target === undefined) return;
  const operations = items.flatMap((item) => item.composed.operation ?? []);
  const byOperation = new Map(items.map((item) => [String(item.claimed.delivery.id), item]));
  const { site, suspects } = ports;
  const connection = input.connectionTo(target);
  const settle = async (receipts: readonly Receipt[], durationMs: number) => {
    const answered = pairs(receipts, byOperation);
    await settleAll(answered, durationMs, input, ports);
    hear(receipts);
    for (const { item } of answered) unanswered.delete(item.claimed.delivery.id);
  };
  await applyBatch({ site, connection, suspects, settle }, operations);
}

function pairs(receipts: readonly Receipt[], items: ReadonlyMap<string, Item>): Answered[] {
  return receipts.flatMap((receipt) => {
    const item = items.get(receipt.op);
    return item === undefined ? [] : [{ item, receipt }];
  });
}

async function settleAll(
  answered: readonly Answered[],
  durationMs: number,
  { installation, topology }: SendInput,
  { store, spreadBatch }: SendPorts,
): Promise<void> {
  await store.transaction(async (tx) => {
    const nowMs = await tx.nowMs();
    const identities = await tx.lockByUid(answered.map(({ item }) => item.claimed.identity.uid));
    const learned: Learned[] = [];
    const log: LogEntry[] = [];
    const routes = routesOutOf(topology, installation);
    const believed = await refuseOthersIds(tx, answered, installation);
    for (const { item, receipt } of believed) {
      const identity = identities.get(item.claimed.identity.uid);
      if (identity === undefined) continue;
      const { composed, target } = item;
      const settled = settle({ identity, composed, receipt, target, routes, nowMs });
      const account = settled.identity.accounts.get(installation);
      if (account !== undefined && privilegedIn(composed, receipt).length > 0)
        await tx.queueRefresh(installation, [account.wpId]);
      const { actor } = item.claimed.delivery;
      learned.push({ identity: settled.identity, holding: settled.holding, actor });
      log.push(...logOf(item, settled, receipt, durationMs));
    }
    const receipts = answered.map(({ receipt }) => receipt);
    await refreshFound(tx, receipts, installation);
    await spreadBatch(tx, { topology, nowMs }, learned, log);
    await freeEnded(tx, learned, installation);
    await freeLeft(tx, identities.values(), learned, installation);
  });
}

/** An account in the way that the hub doesn't know yet is read, so that a person can judge. */
async function refreshFound(
  tx: Transaction,
  receipts: readonly Receipt[],
  installation: InstallationId,
): Promise<void> {
  const ids = receipts.flatMap((receipt) =>
    receipt.found === undefined ? [] : wordPressId(receipt.found.id),
  );
  if (ids.length === 0) return;
  const known = await tx.lockByAccount(installation, ids);
  const strangers = ids.filter((id) => !known.has(id));
  if (strangers.length > 0) await tx.queueRefresh(installation, strangers);
}

function bySite(items: readonly Item[]): Map<number, Item[]> {
  const groups = new Map<number, Item[]>();
  for (const item of items) {
    const group = groups.get(item.target.key);
    if (group === undefined) groups.set(item.target.key, [item]);
    else group.push(item);
  }
  return groups;
}

function logOf(item: Item, settled: Settled, receipt: Receipt, durationMs: number): LogEntry[] {
  const base = { ...logBase(item), durationMs };
  const entries: LogEntry[] = settled.aside.map(({ field, status, reason }) => ({
    ...base,
    fields: [field],
    status,
    reason,
  }));
  if (!stillWaits(item, settled)) entries.push(...logArrived(item));
  if (settled.status !== null) {
    const { status, reason, fields } = settled;
    entries.push({ ...base, action: actionOf(item, receipt, status), status, reason, fields });
  }
  // What comes again by itself is looked at again, too.
  const isSettled = receipt.result !== 'busy' && receipt.result !== 'failed';
  return marked(item, isSettled ? [...entries, ...logCancelled(item)] : entries);
}

/** What arrived by an earlier try is part of the delivery that waits, as after a receipt `busy`: it is said later. */
function stillWaits({ composed, target }: Item, { identity }: Settled): boolean {
  const left = identity.deliveries.get(target.key);
  if (left === undefined) return false;
  if (composed.born && left.birth !== null) return true;
  return [...composed.arrived].some(([field, { stamp }]) => {
    const waits = left.fields.get(field);
    return waits !== undefined && compareStamps(waits.stamp, stamp) === 0;
  });
}

function actionOf(item: Item, receipt: Receipt, status: LogStatus): LogEntry['action'] {
  if (item.claimed.delivery.gone !== null) return 'delete';
  if (receipt.result === 'created') return 'create';
  const created =
    item.composed.operation?.kind === 'write' && item.composed.operation.create !== null;
  return created && status !== 'unchanged' ? 'create' : 'update';
}
