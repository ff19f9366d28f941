/** `rollcall link`: say that two accounts are one person, so that changes may cross. */
import type { Command } from 'commander';
import { ProvenLinkSchema } from '../../api/schemas/held.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { visible } from '../visible.ts';

export function addLink(parent: Command, context: CommandContext): void {
  asksHub(parent.command('link'))
    .description('say that two accounts are one person')
    .argument('<site>', 'name of a site')
    .argument('<login>', 'login there')
    .argument('<other-site>', 'name of another site')
    .argument('[other-login]', 'login there, when it is another one')
    .action(
      async (
        site: string,
        login: string,
        otherSite: string,
        otherLogin: string | undefined,
        options: HubOptions,
      ) => {
        const body = { site, login, otherSite, otherLogin: otherLogin ?? login };
        const link = await hubOf(context, options).send('POST', '/links', body, ProvenLinkSchema);
        show(context, options, link, () => {
          const both = `${login} on ${site} and ${body.otherLogin} on ${otherSite}`;
          return `${visible(both)} are one person${link.already ? ' already' : ' from now on'}.\n`;
        });
      },
    );
}
