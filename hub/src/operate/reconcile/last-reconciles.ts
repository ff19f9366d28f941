/** What the last comparison of each route came to. */
import type { HubStatus } from '../../api/schemas/status.ts';
import type { OperationPorts } from '../ports.ts';
import { viewOf } from './list-reconciles.ts';

export async function lastReconciles(ports: OperationPorts): Promise<HubStatus['reconciles']> {
  const { routes } = await ports.registry.topology();
  const last: HubStatus['reconciles'] = [];
  for (const record of await ports.reconciles.latest()) {
    const { source, target, state } = record;
    if (!routes.some((route) => route.source === source && route.target === target)) continue;
    const { drift, raised, endedAt, ...view } = await viewOf(ports, record);
    const ended = state === 'failed' ? state : 'done';
    const ends = { id: record.id, source: view.source, target: view.target };
    last.push({ ...ends, state: ended, drift, raised, endedAt });
  }
  return last;
}
