/** `rollcall site rotate`: the hub's credential on a site, or on all of them, is replaced. */
import type { Command } from 'commander';
import { type RotatedSite, RotatedSiteSchema, SiteListSchema } from '../../api/schemas/site.ts';
import type { ApiClient } from '../api-client.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { asFailure, usage } from '../failure.ts';
import { visible } from '../visible.ts';

interface RotateOptions extends HubOptions {
  readonly all?: boolean;
}

interface NotRotated {
  readonly site: string;
  readonly code: string;
  readonly message: string;
}

export function addSiteRotate(parent: Command, context: CommandContext): void {
  asksHub(parent.command('rotate'))
    .description(
      'replace the hub’s credential on a site; the one before ends once the new one works',
    )
    .argument('[name]', 'name of the site')
    .option('--all', 'on every site; exit 1 when one did not answer')
    .action(async (name: string | undefined, options: RotateOptions) => {
      if ((name === undefined) === (options.all !== true)) {
        throw usage('Name one site, or give --all.');
      }
      const hub = hubOf(context, options);
      if (name !== undefined) {
        const done = await rotate(hub, name);
        return show(context, options, done, () => describe(done));
      }
      const { rotated, failed } = await rotateAll(hub);
      show(context, options, { rotated, failed }, () =>
        [...rotated.map(describe), ...failed.map(lament)].join(''),
      );
      context.finish(failed.length === 0 ? EXIT.ok : EXIT.failed);
    });
}

const rotate = (hub: ApiClient, name: string): Promise<RotatedSite> =>
  hub.send('POST', `/sites/${encodeURIComponent(name)}/rotate`, undefined, RotatedSiteSchema);

/** Sites of one installation have one credential. */
async function rotateAll(
  hub: ApiClient,
): Promise<{ readonly rotated: RotatedSite[]; readonly failed: NotRotated[] }> {
  const rotated: RotatedSite[] = [];
  const failed: NotRotated[] = [];
  const seen = new Set<string>();
  for (const { name, installation } of (await hub.get('/sites', SiteListSchema)).sites) {
    if (seen.has(installation)) continue;
    seen.add(installation);
    try {
      rotated.push(await rotate(hub, name));
    } catch (error) {
      const failure = asFailure(error);
      // Without hub or rights the next one would not go better.
      if (failure.exit !== EXIT.failed) throw error;
      failed.push({ site: name, code: failure.code, message: failure.message });
    }
  }
  return { rotated, failed };
}

const describe = ({ sites, ended }: RotatedSite): string => {
  const names = sites.map(visible).join(', ');
  const rest = ended ? '' : ' The one before ends with the next request that the site answers.';
  return `The credential for ${names} was replaced.${rest}\n`;
};

const lament = ({ site, code, message }: NotRotated): string =>
  `${visible(site)} keeps its credential: ${visible(message)} (${visible(code)})\n`;
