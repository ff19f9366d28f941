/** `rollcall site moved`: the site is at another address now. */
import type { Command } from 'commander';
import { MovedSiteSchema } from '../../api/schemas/site.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { visible } from '../visible.ts';

export function addSiteMoved(parent: Command, context: CommandContext): void {
  asksHub(parent.command('moved'))
    .description('say that a site moved; its own wp-admin must have been told before')
    .argument('<name>', 'name of the site')
    .argument('[address]', 'where it is now (default: where it was)')
    .action(async (name: string, url: string | undefined, options: HubOptions) => {
      const path = `/sites/${encodeURIComponent(name)}/moved`;
      const body = url === undefined ? {} : { url };
      const moved = await hubOf(context, options).send('POST', path, body, MovedSiteSchema);
      show(context, options, moved, () =>
        moved.sites
          .map((site) => `${visible(site.name)} is at ${visible(site.url)} now.\n`)
          .join(''),
      );
    });
}
