/** `rollcall account`: one account of a site, and its switches. */
import type { Command } from 'commander';
import { type AccountView, AccountViewSchema } from '../../api/schemas/account.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { usage } from '../failure.ts';
import { visible } from '../visible.ts';

interface Switches extends HubOptions {
  readonly stopOutgoing?: boolean;
  readonly stopMade?: boolean;
  readonly rejectIncoming?: boolean;
}

export function addAccount(root: Command, context: CommandContext): void {
  const account = root.command('account').description('one account of a site');
  asksHub(account.command('show'))
    .description('global identifier and switches of an account')
    .argument('<site>', 'name of the site')
    .argument('<login>', 'login of the account there')
    .action(async (site: string, login: string, options: HubOptions) => {
      const query = new URLSearchParams({ site, login }).toString();
      const view = await hubOf(context, options).get(`/account?${query}`, AccountViewSchema);
      show(context, options, view, () => describe(view));
    });
  asksHub(account.command('set'))
    .description('set the switches of an account')
    .argument('<site>', 'name of the site')
    .argument('<login>', 'login of the account there')
    .option('--stop-outgoing', 'changes of the account stay on its site')
    .option('--no-stop-outgoing', 'they leave again')
    .option('--stop-made', 'with that: also what the account does to others stays')
    .option('--no-stop-made', 'that leaves again')
    .option(
      '--reject-incoming',
      'refuse updates and deletes that come in; switched off on the site',
    )
    .action(async (site: string, login: string, options: Switches) => {
      const { stopOutgoing, stopMade, rejectIncoming } = options;
      if ([stopOutgoing, stopMade, rejectIncoming].every((given) => given === undefined)) {
        throw usage('No switch is named.', 'Name one, e.g. --stop-outgoing.');
      }
      const body = { site, login, stopOutgoing, stopMade, rejectIncoming };
      const view = await hubOf(context, options).send('PATCH', '/account', body, AccountViewSchema);
      show(context, options, view, () => describe(view));
    });
}

function describe({ site, login, wpId, uid, elsewhere, ...account }: AccountView): string {
  const who = uid === null ? 'nobody that the hub has met yet' : `person ${uid}`;
  const made = account.stopMade ? ', and what it does to others, too' : '';
  const lines = [
    `${login} on ${site} (WordPress id ${wpId}) is ${who}.`,
    account.stopOutgoing ? `Its changes stay on ${site}${made}.` : 'Its changes leave.',
    account.rejectIncoming ? 'It rejects incoming changes.' : 'It takes incoming changes.',
    ...elsewhere.map((one) => `Also ${one.login} on ${one.site} (WordPress id ${one.wpId}).`),
  ];
  return lines.map((line) => `${visible(line)}\n`).join('');
}
