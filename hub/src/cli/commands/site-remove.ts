/** `rollcall site remove`: its users stay, what is pending for it is cancelled. */
import { confirm } from '@clack/prompts';
import type { Command } from 'commander';
import { RemovedSiteSchema } from '../../api/schemas/site.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { visible } from '../visible.ts';

interface RemoveOptions extends HubOptions {
  readonly yes?: boolean;
}

export function addSiteRemove(parent: Command, context: CommandContext): void {
  asksHub(parent.command('remove'))
    .description('disconnect a site; its users stay')
    .argument('<name>', 'name of the site')
    .option('--yes', 'do not ask')
    .action(async (name: string, options: RemoveOptions) => {
      if (!(await isMeant(name, options, context))) return context.finish(EXIT.failed);
      const path = `/sites/${encodeURIComponent(name)}`;
      const gone = await hubOf(context, options).send('DELETE', path, undefined, RemovedSiteSchema);
      show(context, options, gone, () => {
        const names = gone.removed.map(visible).join(', ');
        const released = gone.released
          ? ''
          : ' It could not be told: release it in its wp-admin under User Sync.';
        return `Removed: ${names}. Its users stay.${released}\n`;
      });
    });
}

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
