/** `rollcall log settings`: how long the Sync Log is kept, and of which sites. */
import { type Command, Option } from 'commander';
import { type LogSettings, LogSettingsSchema } from '../../api/schemas/log.ts';
import type { ApiClient } from '../api-client.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { usage } from '../failure.ts';
import { table } from '../table.ts';

interface SettingsOptions extends HubOptions {
  readonly days?: string;
  readonly on?: boolean;
  readonly off?: boolean;
}

export function addLogSettings(parent: Command, context: CommandContext): void {
  const log = parent.command('log').description('how the Sync Log is kept (“logs” shows it)');
  asksHub(log.command('settings'))
    .description('how long the Sync Log is kept, and of which sites; without options it is shown')
    .argument('[site]', 'a site with settings of its own: they count for what goes there')
    .option('--days <days>', 'keep rows for so long; with a site also “default”, as the hub says')
    .option('--on', 'with a site: write its log')
    .addOption(new Option('--off', 'with a site: write no log of it, but for deletes'))
    .action(async (site: string | undefined, options: SettingsOptions) => {
      const hub = hubOf(context, options);
      const settings = await ask(hub, site, options);
      show(context, options, settings, () => shown(settings));
    });
}

function ask(
  hub: ApiClient,
  site: string | undefined,
  { days, on, off }: SettingsOptions,
): Promise<LogSettings> {
  if (on === true && off === true) throw usage('Give either --on or --off.');
  const isSwitched = on === true || off === true;
  if (site === undefined) {
    if (isSwitched) throw usage('--on and --off are for one site: name it.');
    if (days === undefined) return hub.get('/log/settings', LogSettingsSchema);
    const body = { days: daysOf(days) };
    return hub.send('PATCH', '/log/settings', body, LogSettingsSchema);
  }
  if (days === undefined && !isSwitched) throw usage('Give --days, --on or --off for the site.');
  const body = {
    ...(days === undefined ? {} : { days: days === 'default' ? null : daysOf(days) }),
    ...(isSwitched ? { on: on === true } : {}),
  };
  return hub.send('PATCH', `/log/settings/${encodeURIComponent(site)}`, body, LogSettingsSchema);
}

function daysOf(text: string): number {
  if (/^[1-9]\d{0,3}$/u.test(text)) return Number(text);
  throw usage(`--days “${text}” is no number of days.`);
}

function shown({ days, sites }: LogSettings): string {
  const rows = sites.map(({ site, on, days: own }) => [
    site,
    on ? 'on' : 'off',
    own === null ? `${days} (default)` : own,
  ]);
  return `Rows are kept for ${days} days.\n${rows.length === 0 ? '' : table(['SITE', 'LOG', 'DAYS'], rows)}`;
}
