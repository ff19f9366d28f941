/** `rollcall site guard`: what a site lets the hub do, and making that less. */
import type { Command } from 'commander';
import { type GuardView, GuardViewSchema } from '../../api/schemas/guard.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { usage } from '../failure.ts';
import { table } from '../table.ts';
import { visible } from '../visible.ts';

interface Options extends HubOptions {
  readonly readOnly?: boolean;
  readonly revokeRole?: readonly string[];
  readonly whitelist?: boolean;
  readonly checkAddress?: string;
  readonly checkUrl?: string;
}

export function addSiteGuard(parent: Command, context: CommandContext): void {
  asksHub(parent.command('guard'))
    .description('what a site lets the hub do; the options make it less, never more')
    .argument('<name>', 'name of the site')
    .option('--read-only', 'prohibit incoming changes')
    .option('--revoke-role <role...>', 'the hub may not give these roles there any more')
    .option('--whitelist', 'switch the site’s whitelist on')
    .option('--check-address <address>', 'which entry of the whitelist matches this address?')
    .option('--check-url <url>', 'which entry matches this site’s URL?')
    .action(async (name: string, options: Options) => {
      const view = await ask(context, name, options);
      show(context, options, view, () => describe(view));
    });
}

function ask(context: CommandContext, name: string, options: Options): Promise<GuardView> {
  const { readOnly, revokeRole, whitelist, checkAddress, checkUrl } = options;
  const change = {
    ...(readOnly === true ? { readOnly } : {}),
    ...(revokeRole === undefined ? {} : { revokeRoles: revokeRole }),
    ...(whitelist === true ? { whitelist } : {}),
  };
  const query = new URLSearchParams({
    ...(checkAddress === undefined ? {} : { address: checkAddress }),
    ...(checkUrl === undefined ? {} : { url: checkUrl }),
  }).toString();
  const path = `/sites/${encodeURIComponent(name)}/guard`;
  if (Object.keys(change).length === 0) {
    const asked = query === '' ? path : `${path}?${query}`;
    return hubOf(context, options).get(asked, GuardViewSchema);
  }
  if (query !== '') {
    throw usage('Checking and changing don’t go together.', 'Ask first, then change the guard.');
  }
  return hubOf(context, options).send('PATCH', path, change, GuardViewSchema);
}

function describe({ site, whitelist, caller, sources, check, ...guard }: GuardView): string {
  const matched = (entry: string | null): string =>
    entry === null ? 'no active entry' : `“${visible(entry)}”`;
  const roles = guard.grantable.length === 0 ? 'none' : guard.grantable.map(visible).join(', ');
  const lines = [
    `${visible(site)} ${guard.readOnly ? 'prohibits incoming changes' : 'takes incoming changes'}.`,
    `Roles that the hub may give: ${roles}.`,
    ...(guard.consents === null
      ? []
      : [`Privileged roles that may come: ${guard.consents.map(visible).join(', ') || 'none'}.`]),
    `The whitelist is ${whitelist.on ? 'on' : 'off'}. The hub calls from ${visible(caller.address ?? 'an unknown address')}: ${matched(caller.entry)}.`,
    ...sources.map((one) => `Changes come from ${visible(one.site)}: ${matched(one.entry)}.`),
    ...(check === null
      ? []
      : [`Checked: address ${matched(check.address)}, URL ${matched(check.url)}.`]),
  ];
  const rows = whitelist.entries.map(({ name, url, ip, active }) => [
    name,
    url,
    ip,
    active ? 'yes' : 'no',
  ]);
  const listed = rows.length === 0 ? '' : table(['ENTRY', 'SITE URL', 'ADDRESS', 'ACTIVE'], rows);
  return `${lines.join('\n')}\n${listed}`;
}
