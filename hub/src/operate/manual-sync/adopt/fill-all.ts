/**
 * Sends what an adopt run fills in.
 *
 * Always true: a filled value has a stamp from before Rollcall, a little later than that of the empty place:
 * every edit wins over it, also one that the hub has not heard of, and it travels no further, neither back
 * to the source nor on to a third site. Repeating it sends nothing twice.
 */
import { type Carried, mergeCarried } from '../../../model/carried.ts';
import { type Field, knownKey } from '../../../model/field.ts';
import type { Delivery, Identity } from '../../../model/identity.ts';
import { deliveryId } from '../../../model/ids.ts';
import { fillingStamp, isNewer, type Stamp } from '../../../model/stamp.ts';
import type { Kept, StepChange, SyncRunRecord } from '../../../model/sync-run.ts';
import type { SiteRecord } from '../../../sync/ports.ts';
import { operatorNamed } from '../../names.ts';
import type { OperationPorts } from '../../ports.ts';
import type { Doing } from '../carry-out-slice.ts';

export async function fillAll(
  ports: OperationPorts,
  run: SyncRunRecord,
  source: SiteRecord,
  doing: readonly Doing[],
): Promise<StepChange[]> {
  const uids = [...new Set(doing.map(({ uid }) => uid))];
  const changes = await ports.store.transaction(async (tx) => {
    const found = await tx.lockByUid(uids);
    const saved: Identity[] = [];
    const sent = doing.map(({ step, now, uid }): StepChange => {
      const place = { wpId: step.wpId, target: step.target, uid };
      if (step.what === 'create') return { ...place, state: 'sent', note: null, stamps: null };
      const kept = step.state === 'doing' ? (step.kept ?? {}) : now.kept;
      const filling = fillingOf(kept, source);
      const identity = found.get(uid);
      if (identity !== undefined && filling.size > 0) {
        saved.push(withFilling(ports, run, identity, now.way.target, filling));
      }
      const stamps = Object.fromEntries([...filling].map(([field, { stamp }]) => [field, stamp]));
      return { ...place, state: 'sent', note: null, stamps };
    });
    await tx.save(saved);
    return sent;
  });
  for (const { installation } of new Set(doing.map(({ now }) => now.way.target)))
    await ports.wake.deliver(installation, 'bulk');
  return changes;
}

function fillingOf(kept: Kept, source: SiteRecord): Map<Field, Carried> {
  const filling = new Map<Field, Carried>();
  for (const [field, { before, after }] of Object.entries(kept)) {
    const stamp: Stamp | null = fillingStamp(before?.s, source.key);
    if (stamp !== null) filling.set(field, { value: after, stamp, path: [source.key] });
  }
  return filling;
}

function withFilling(
  ports: OperationPorts,
  run: SyncRunRecord,
  identity: Identity,
  target: SiteRecord,
  filling: ReadonlyMap<Field, Carried>,
): Identity {
  const known = identity.accounts.get(target.installation)?.known;
  const missing = [...filling].filter(([field, { stamp }]) =>
    isNewer(stamp, known?.get(knownKey(field, target.key))),
  );
  if (missing.length === 0) return identity;
  const base = identity.deliveries.get(target.key) ?? emptyDelivery(ports, target);
  const delivery: Delivery = {
    ...base,
    fields: mergeCarried(base.fields, new Map(missing)),
    actor: operatorNamed(run.startedBy),
    version: base.version + 1,
    notBeforeMs: 0,
  };
  return { ...identity, deliveries: new Map(identity.deliveries).set(target.key, delivery) };
}

const emptyDelivery = ({ newId }: OperationPorts, target: SiteRecord): Delivery => ({
  id: deliveryId(newId()),
  target: target.key,
  lane: 'bulk',
  fields: new Map(),
  birth: null,
  gone: null,
  held: null,
  actor: null,
  attempts: 0,
  version: 0,
  notBeforeMs: 0,
});
