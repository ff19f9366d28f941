/** `rollcall route pause`, `resume` and `remove`: by id, or by source and target. */
import type { Command } from 'commander';
import { z } from 'zod';
import { RouteViewSchema } from '../../api/schemas/route.ts';
import type { ApiClient } from '../api-client.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { visible } from '../visible.ts';
import { findRoutes, namesRoutes } from './find-routes.ts';

interface StateOptions extends HubOptions {
  readonly both?: boolean;
}

export function addRouteStates(parent: Command, context: CommandContext): void {
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
  namesRoutes(asksHub(parent.command(verb)).description(description)).action(
    async (source: string, target: string | undefined, options: StateOptions) => {
      const hub = hubOf(context, options);
      const found = await findRoutes(hub, source, target, options.both === true);
      for (const { id } of found) await change(hub, id);
      const routes = found.map((r) => ({ id: r.id, source: r.source, target: r.target }));
      show(context, options, { routes, done }, () =>
        routes
          .map((r) => `Route ${r.id} (${visible(r.source)} → ${visible(r.target)}) is ${done}.\n`)
          .join(''),
      );
    },
  );
}
