/** `rollcall site copy`: what woke up at another address is a copy, and not the site after a move. */
import type { Command } from 'commander';
import { CopiedSiteSchema } from '../../api/schemas/site.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { visible } from '../visible.ts';

export function addSiteCopy(parent: Command, context: CommandContext): void {
  asksHub(parent.command('copy'))
    .description('say that what woke up with a site’s database is a copy of it')
    .argument('<name>', 'name of the site that it is a copy of')
    .action(async (name: string, options: HubOptions) => {
      const path = `/sites/${encodeURIComponent(name)}/copy`;
      const said = await hubOf(context, options).send('POST', path, {}, CopiedSiteSchema);
      show(context, options, said, () => {
        const [copy, site] = [visible(said.copy), visible(said.site)];
        return `${copy} is a copy of ${site}, which goes on as it was.
It stays silent until an administrator says the same there: in its wp-admin, “It is a copy: forget the connection here”.
To keep it in step as a site of its own, connect it then: “rollcall site add ${copy} --name …”.
`;
      });
    });
}
