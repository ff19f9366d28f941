/**
 * What becomes of claimed deliveries of which nothing is to be sent now.
 *
 * Does: end what the target holds by now, and say so when an answer was lost; cancel what no route carries any more; let what goes
 * along a paused route wait; have values that were dropped after the retention read afresh.
 * Always true: what was merged in since the claim is looked at at once, never put off.
 */

import type { Identity } from '../../model/identity.ts';
import type { DeliveryId } from '../../model/ids.ts';
import type { LogEntry } from '../../model/log-entry.ts';
import type { Topology } from '../../model/route.ts';
import type { Store, Transaction } from '../ports.ts';
import type { Learned, SpreadBatch } from '../spread-batch.ts';
import { type Item, logArrived, logBase, logCancelled, marked } from './item.ts';
import { prune } from './settle.ts';

/** What waits for a paused route is looked at again when the route is resumed, or after this. */
const PAUSED_MS = 3_600_000;

export async function keepUnsent(
  items: readonly Item[],
  topology: Topology,
  { store, spreadBatch }: { readonly store: Store; readonly spreadBatch: SpreadBatch },
): Promise<void> {
  if (items.length === 0) return;
  await store.transaction(async (tx) => {
    const nowMs = await tx.nowMs();
    const identities = await tx.lockByUid(items.map((item) => item.claimed.identity.uid));
    const learned: Learned[] = [];
    const log: LogEntry[] = [];
    for (const item of items) {
      const identity = identities.get(item.claimed.identity.uid);
      if (identity === undefined) continue;
      if (item.composed.stale.length > 0) await readAfresh(tx, identity, item, topology);
      learned.push({ identity: afterLook(identity, item, nowMs), holding: null, actor: null });
      log.push(...logOf(item));
    }
    await spreadBatch(tx, { topology, nowMs }, learned, log);
  });
}

function afterLook(
  identity: Identity,
  { claimed, composed, target }: Item,
  nowMs: number,
): Identity {
  const untouched = identity.deliveries.get(target.key)?.version === claimed.delivery.version;
  if (composed.stale.length > 0)
    return untouched ? without(identity, claimed.delivery.id) : identity;
  const ends = { birth: composed.delivery.birth === null, gone: false };
  const pruned = prune(identity, target, composed, ends);
  const left = pruned.deliveries.get(target.key);
  if (left === undefined || !untouched) return pruned;
  // With the delete that stood before it gone, what waits behind it can go.
  const waiting = {
    ...left,
    notBeforeMs: composed.end === 'cancelled' ? nowMs : nowMs + PAUSED_MS,
  };
  return { ...pruned, deliveries: new Map(pruned.deliveries).set(target.key, waiting) };
}

/** The account's state comes from every site that a part of the delivery came from. */
async function readAfresh(
  tx: Transaction,
  identity: Identity,
  { composed, claimed }: Item,
  topology: Topology,
): Promise<void> {
  for (const key of composed.stale) {
    const site = topology.sites.get(key);
    const account = site && identity.accounts.get(site.installation);
    if (site !== undefined && account !== undefined && account.gone === null) {
      await tx.queueRefresh(site.installation, [account.wpId], {
        creates: claimed.delivery.birth !== null,
      });
    }
  }
}

function without(identity: Identity, id: DeliveryId): Identity {
  const kept = [...identity.deliveries].filter(([, delivery]) => delivery.id !== id);
  return { ...identity, deliveries: new Map(kept) };
}

function logOf(item: Item): LogEntry[] {
  if (item.composed.stale.length > 0) {
    return [{ ...logBase(item), status: 'skipped', reason: 'delivery.expired' }];
  }
  const arrived = logArrived(item);
  return marked(item, [...arrived, ...logCancelled(item)]);
}
