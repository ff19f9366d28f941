/** `rollcall site remove`: its users stay, what is pending for it is cancelled. */
import { confirm } from '@clack/prompts';
import type { Command } from 'commander';
import { RemovedSiteSchema } from '../../api/schemas/site.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { visible } from '../visible.ts';

interface RemoveOptions extends HubOptions {
  readonly yes?: boolean;
  readonly force?: boolean;
}

export function addSiteRemove(parent: Command, context: CommandContext): void {
  asksHub(parent.command('remove'))
    .description('disconnect a site; its users stay')
    .argument('<name>', 'name of the site')
    .option('--force', 'the site is gone: it is not asked')
    .option('--yes', 'do not ask')
    .action(async (name: string, options: RemoveOptions) => {
      if (!(await isMeant(name, options, context))) return context.finish(EXIT.failed);
      const query = options.force === true ? '?force=true' : '';
      const path = `/sites/${encodeURIComponent(name)}${query}`;
      const gone = await hubOf(context, options).send('DELETE', path, undefined, RemovedSiteSchema);
      show(context, options, gone, () => {
        const names = gone.removed.map(visible).join(', ');
        return `Removed: ${names}. Its users stay.\n${gone.released ? '' : LEFT}`;
      });
    });
}

const LEFT = `It was not asked. If it is still there, it still keeps an account of the hub with a password, and its outbox:
an administrator ends both there with “Release this site from its hub” in wp-admin under User Sync.
`;

/** Asked only where somebody can answer; scripts have said what they want. */
async function isMeant(
  name: string,
  options: RemoveOptions,
  { terminal }: CommandContext,
): Promise<boolean> {
  if (options.yes === true || options.json === true || !terminal.interactive) return true;
  const message = `Disconnect ${visible(name)}? What is pending for it is cancelled.`;
  return (await confirm({ message, initialValue: false })) === true;
}
