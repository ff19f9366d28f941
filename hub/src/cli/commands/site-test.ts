/** `rollcall site test`: is the connection well? Exit 1 when not. */
import type { Command } from 'commander';
import { type SiteTest, SiteTestSchema } from '../../api/schemas/site.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { exitFor, Failure } from '../failure.ts';
import { visible } from '../visible.ts';

export function addSiteTest(parent: Command, context: CommandContext): void {
  asksHub(parent.command('test'))
    .description('test the connection to a site')
    .argument('<name>', 'name of the site')
    .action(async (name: string, options: HubOptions) => {
      const path = `/sites/${encodeURIComponent(name)}/test`;
      const test = await hubOf(context, options).send('POST', path, undefined, SiteTestSchema);
      if (test.fault !== null && options.json !== true) {
        throw new Failure({ ...test.fault, exit: exitFor(test.fault.code) });
      }
      show(context, options, test, () => describe(test));
      context.finish(test.ok ? EXIT.ok : EXIT.failed);
    });
}

function describe(test: SiteTest): string {
  const about = [
    test.wordpress === null ? null : `WordPress ${test.wordpress}`,
    test.php === null ? null : `PHP ${test.php}`,
    test.connector === null ? null : `connector ${test.connector}`,
    test.accounts === null ? null : `${test.accounts} accounts`,
    test.roundTripMs === null ? null : `${Math.round(test.roundTripMs)} ms`,
  ].filter((part) => part !== null);
  const head = `${visible(test.site)} answers: ${visible(about.join(', '))}.`;
  return `${[head, ...test.warnings.map(({ message }) => `Mind: ${visible(message)}`)].join('\n')}\n`;
}
