/** `rollcall site pause` and `rollcall site resume`. */
import type { Command } from 'commander';
import { SiteViewSchema } from '../../api/schemas/site.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { visible } from '../visible.ts';

export function addSiteChanges(parent: Command, context: CommandContext): void {
  add(parent, context, 'pause', 'stop taking from and giving to a site', {
    status: 'paused',
    says: 'is paused: what it should get waits',
  });
  add(parent, context, 'resume', 'let a paused site catch up', {
    status: 'active',
    says: 'is active again and catches up',
  });
}

function add(
  parent: Command,
  context: CommandContext,
  verb: string,
  description: string,
  to: { status: 'active' | 'paused'; says: string },
): void {
  asksHub(parent.command(verb))
    .description(description)
    .argument('<name>', 'name of the site')
    .action(async (name: string, options: HubOptions) => {
      const path = `/sites/${encodeURIComponent(name)}`;
      const body = { status: to.status };
      const site = await hubOf(context, options).send('PATCH', path, body, SiteViewSchema);
      show(context, options, site, () => `${visible(site.name)} ${to.says}.\n`);
    });
}
