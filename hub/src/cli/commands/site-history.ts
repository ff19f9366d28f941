/** `rollcall site history`: what happened to sites as a whole, and what is to be done. */
import type { Command } from 'commander';
import { type SiteEvent, SiteEventListSchema } from '../../api/schemas/site-event.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { visible } from '../visible.ts';

export function addSiteHistory(parent: Command, context: CommandContext): void {
  asksHub(parent.command('history'))
    .description('when sites were restored, rewritten, copied or moved, and what is to be done')
    .argument('[name]', 'name of one site')
    .action(async (name: string | undefined, options: HubOptions) => {
      const query = name === undefined ? '' : `?${new URLSearchParams({ site: name }).toString()}`;
      const list = await hubOf(context, options).get(`/site-events${query}`, SiteEventListSchema);
      show(context, options, list, () => describe(list.events));
    });
}

const describe = (events: readonly SiteEvent[]): string =>
  events.length === 0
    ? 'Nothing out of the ordinary happened to a site.\n'
    : events.map(one).join('');

function one({ at, site, code, message, by, next }: SiteEvent): string {
  const said = by === null ? '' : ` By ${by}.`;
  const lines = [`${at}  ${site}: ${message}${said} (${code})`];
  if (next !== null) lines.push(`  ${next}`);
  return lines.map((line) => `${visible(line)}\n`).join('');
}
