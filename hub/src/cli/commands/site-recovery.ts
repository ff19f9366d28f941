/** `rollcall site restored` and `rollcall site rewritten`: a person says what happened to a site. */
import { type Command, Option } from 'commander';
import {
  type RereadSite,
  RereadSiteSchema,
  RewrittenSiteSchema,
  TAKES,
} from '../../api/schemas/recovery.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { visible } from '../visible.ts';

export function addSiteRecovery(parent: Command, context: CommandContext): void {
  asksHub(parent.command('restored'))
    .description('the site was restored from a backup: read it anew and go on')
    .argument('<name>', 'name of the site')
    .action(async (name: string, options: HubOptions) => {
      const path = `/sites/${encodeURIComponent(name)}/restored`;
      const found = await hubOf(context, options).send('POST', path, {}, RereadSiteSchema);
      show(context, options, found, () => described(found));
    });
  asksHub(parent.command('rewritten'))
    .description('values were written past WordPress: say what becomes of them')
    .argument('<name>', 'name of the site')
    .addOption(
      new Option('--take <what>', 'take them as edits, the others’ newer values, or nothing')
        .choices(TAKES)
        .makeOptionMandatory(),
    )
    .action(async (name: string, options: HubOptions & { readonly take: string }) => {
      const path = `/sites/${encodeURIComponent(name)}/rewritten`;
      const body = { take: options.take };
      const found = await hubOf(context, options).send('POST', path, body, RewrittenSiteSchema);
      const answered = `Answered for ${found.changed} accounts.\n`;
      show(context, options, found, () => answered + described(found));
    });
}

function described(found: RereadSite): string {
  const { accounts, wentBack, vanished, reappeared, mismatched } = found;
  const lines = [
    `${visible(found.site)} was read anew: ${accounts} accounts, ${wentBack} of them hold less than before; newer values of other sites travel to them.`,
  ];
  const waiting = vanished + reappeared + mismatched;
  if (waiting > 0) {
    lines.push(
      `${vanished} are no longer there, ${reappeared} were deleted and are there again, ${mismatched} are somebody else.`,
      'Nothing is done about these until you say so: “rollcall alarm list” shows them.',
    );
  }
  return `${lines.join('\n')}\n`;
}
