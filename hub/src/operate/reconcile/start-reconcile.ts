/** An operator asks for a comparison of two sites, or ends one. */
import type { ReconcileRequest, ReconcileView } from '../../api/schemas/reconcile.ts';
import { Fault } from '../../errors.ts';
import { RECONCILES_AT_WORK } from '../../model/reconcile.ts';
import { siteNamed } from '../names.ts';
import type { OperationPorts } from '../ports.ts';
import { routeBetween } from './comparison.ts';
import { reconcileCalled, viewReconcile } from './list-reconciles.ts';

/** @throws Fault `site.unknown`, `route.unknown`, `route.same_installation` */
export async function startReconcile(
  ports: OperationPorts,
  { source: from, target: to, repair = false, extra = true }: ReconcileRequest,
  by: string,
): Promise<ReconcileView> {
  const { registry, reconciles, newId, wake } = ports;
  const source = await siteNamed(registry, from);
  const target = await siteNamed(registry, to);
  routeBetween((await registry.topology()).routes, source, target);
  const id = newId();
  const ends = { source: source.key, target: target.key };
  await reconciles.add({ id, ...ends, repair, extra, startedBy: by });
  await wake.run(id);
  return viewReconcile(ports, id);
}

/** @throws Fault `reconcile.ended` */
export async function cancelReconcile(ports: OperationPorts, id: string): Promise<ReconcileView> {
  const { reconciles, store } = ports;
  const { state } = await reconcileCalled(ports, id);
  const endedMs = await store.nowMs();
  if (await reconciles.change(id, RECONCILES_AT_WORK, { state: 'cancelled', endedMs }))
    return viewReconcile(ports, id);
  throw new Fault('reconcile.ended', `The comparison is ${state}; there is nothing to cancel.`);
}
