/** `rollcall site list` */
import type { Command } from 'commander';
import { SiteListSchema, type SiteView } from '../../api/schemas/site.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { table } from '../table.ts';

export function addSiteList(parent: Command, context: CommandContext): void {
  asksHub(parent.command('list'))
    .description('all sites')
    .action(async (options: HubOptions) => {
      const list = await hubOf(context, options).get('/sites', SiteListSchema);
      show(context, options, list, () => describe(list.sites));
    });
}

/** An update can be had with “rollcall site add … --install”, or by hand with the zip. */
export const connectorOf = ({
  connector,
  updateDue,
}: Pick<SiteView, 'connector' | 'updateDue'>): string | null =>
  connector === null || !updateDue ? connector : `${connector} (update due)`;

/** The sites of one network stand together, where its first one stands. */
function byNetwork(sites: readonly SiteView[]): readonly SiteView[] {
  const networks = new Map<string, SiteView[]>();
  for (const site of sites) {
    const network = `${site.installation} ${site.network ?? ''}`;
    networks.set(network, [...(networks.get(network) ?? []), site]);
  }
  return [...networks.values()].flat();
}

const describe = (sites: readonly SiteView[]): string =>
  sites.length === 0
    ? 'No sites yet. “rollcall site add URL --name NAME --user LOGIN” connects one.\n'
    : table(
        ['NAME', 'ADDRESS', 'STATE', 'WORDPRESS', 'CONNECTOR', 'TROUBLE'],
        byNetwork(sites).map((site) => [
          site.name,
          site.url,
          site.closed ?? (site.status === 'paused' ? 'paused' : site.state),
          site.wordpress,
          connectorOf(site),
          site.trouble?.message ?? '',
        ]),
      );
