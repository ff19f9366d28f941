/** `rollcall route pause`, `resume` and `remove`: by id, or by source and target. */
import type { Command } from 'commander';
import { z } from 'zod';
import { RouteListSchema, RouteViewSchema } from '../../api/schemas/route.ts';
import { FAULTS } from '../../errors.ts';
import type { ApiClient } from '../api-client.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { visible } from '../visible.ts';

interface ChangeOptions extends HubOptions {
  readonly both?: boolean;
}

interface Found {
  readonly id: number;
  readonly source: string;
  readonly target: string;
}

export function addRouteChanges(parent: Command, context: CommandContext): void {
  const patch = (status: 'active' | 'paused') => async (hub: ApiClient, id: number) => {
    await hub.send('PATCH', `/routes/${id}`, { status }, RouteViewSchema);
  };
  const remove = async (hub: ApiClient, id: number) => {
    await hub.send('DELETE', `/routes/${id}`, undefined, z.object({ removed: z.boolean() }));
  };
  add(parent, context, 'pause', 'let changes wait', 'paused', patch('paused'));
  add(parent, context, 'resume', 'let a paused route catch up', 'resumed', patch('active'));
  add(parent, context, 'remove', 'end a route; accounts stay', 'removed', remove);
}

function add(
  parent: Command,
  context: CommandContext,
  verb: string,
  description: string,
  done: string,
  change: (hub: ApiClient, id: number) => Promise<void>,
): void {
  asksHub(parent.command(verb))
    .description(description)
    .argument('<source>', 'name of the source site, or the route’s id alone')
    .argument('[target]', 'name of the target site')
    .option('--both', 'and the way back')
    .action(async (source: string, target: string | undefined, options: ChangeOptions) => {
      const hub = hubOf(context, options);
      const routes = await find(hub, source, target, options.both === true);
      for (const { id } of routes) await change(hub, id);
      show(context, options, { routes, done }, () =>
        routes
          .map((r) => `Route ${r.id} (${visible(r.source)} → ${visible(r.target)}) is ${done}.\n`)
          .join(''),
      );
    });
}

async function find(
  hub: ApiClient,
  source: string,
  target: string | undefined,
  both: boolean,
): Promise<Found[]> {
  const { routes } = await hub.get('/routes', RouteListSchema);
  const leads = (r: Found, from: string, to: string): boolean =>
    sameName(r.source, from) && sameName(r.target, to);
  const found = routes.filter((r) => {
    if (target === undefined) return String(r.id) === source;
    return leads(r, source, target) || (both && leads(r, target, source));
  });
  const wanted = both && target !== undefined ? 2 : 1;
  if (found.length >= wanted)
    return found.map(({ id, ...r }) => ({ id, source: r.source, target: r.target }));
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
