/** When the two ends of a route are compared by themselves. */
import type { ChangeSchedule } from '../../api/schemas/reconcile.ts';
import type { RouteView } from '../../api/schemas/route.ts';
import { Fault } from '../../errors.ts';
import type { RouteId } from '../../model/ids.ts';
import type { OperationPorts } from '../ports.ts';

export async function schedules({
  reconciles,
}: OperationPorts): Promise<(route: RouteId) => RouteView['reconcile']> {
  const all = await reconciles.schedules();
  return (route) => {
    const found = all.find((one) => one.route === route);
    return found === undefined ? null : { every: found.every, repair: found.repair };
  };
}

/** @throws Fault `request.invalid`: it says how, and not when */
export async function changeSchedule(
  ports: OperationPorts,
  route: RouteId,
  { every, repair }: ChangeSchedule,
): Promise<void> {
  const before = (await schedules(ports))(route);
  if (every === 'off') return ports.reconciles.schedule(route, null);
  const when = every ?? before?.every;
  if (when === undefined) {
    const sentence = 'The route is not compared by itself yet; say how often, too.';
    throw new Fault('request.invalid', sentence);
  }
  const to = { every: when, repair: repair ?? before?.repair ?? false };
  return ports.reconciles.schedule(route, to);
}
