/** The routes that a command names: by id, or by source and target. */
import type { Command } from 'commander';
import { RouteListSchema, type RouteView } from '../../api/schemas/route.ts';
import { FAULTS } from '../../errors.ts';
import type { ApiClient } from '../api-client.ts';
import { EXIT } from '../exit-codes.ts';
import { Failure } from '../failure.ts';

export const namesRoutes = (command: Command): Command =>
  command
    .argument('<source>', 'name of the source site, or the route’s id alone')
    .argument('[target]', 'name of the target site')
    .option('--both', 'and the way back');

export async function findRoutes(
  hub: ApiClient,
  source: string,
  target: string | undefined,
  both: boolean,
): Promise<RouteView[]> {
  const { routes } = await hub.get('/routes', RouteListSchema);
  const leads = (r: RouteView, from: string, to: string): boolean =>
    sameName(r.source, from) && sameName(r.target, to);
  const found = routes.filter((r) => {
    if (target === undefined) return String(r.id) === source;
    return leads(r, source, target) || (both && leads(r, target, source));
  });
  const wanted = both && target !== undefined ? 2 : 1;
  if (found.length >= wanted) return found;
  throw new Failure({
    code: 'route.unknown',
    message:
      target === undefined
        ? `There is no route “${source}”.`
        : `There is no route ${source} ${both ? '⇄' : '→'} ${target}.`,
    next: FAULTS['route.unknown'].next,
    exit: EXIT.failed,
  });
}

const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.trim().toLowerCase();
