/** `rollcall site set` and `rollcall site show`: what a site lets leave, and how it takes what comes. */
import { type Command, Option } from 'commander';
import {
  type ChangeSite,
  SiteListSchema,
  type SiteView,
  SiteViewSchema,
} from '../../api/schemas/site.ts';
import { FAULTS } from '../../errors.ts';
import {
  asksHub,
  type CommandContext,
  commaList,
  type HubOptions,
  hubOf,
  show,
} from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { Failure, usage } from '../failure.ts';
import { visible } from '../visible.ts';

type Switch = 'on' | 'off';
interface SetOptions extends HubOptions {
  readonly automatic?: Switch;
  readonly syncRoles?: string;
  readonly onRoleLost?: 'stop' | 'delete';
  readonly createMissing?: Switch;
}

export function addSiteSet(parent: Command, context: CommandContext): void {
  const onOff = (flags: string, says: string) => new Option(flags, says).choices(['on', 'off']);
  asksHub(parent.command('set'))
    .description(
      'what leaves a site by itself, and how it takes what comes; what is not named stays',
    )
    .argument('<name>', 'name of the site')
    .addOption(
      onOff('--automatic <switch>', 'changes leave by themselves, or by a manual sync alone'),
    )
    .option('--sync-roles <list>', 'only accounts with one of these roles here leave; "" for all')
    .addOption(
      new Option(
        '--on-role-lost <what>',
        'losing the last of them ends updates, or is a delete for the targets',
      ).choices(['stop', 'delete']),
    )
    .addOption(
      onOff(
        '--create-missing <switch>',
        'create an account that is missing here when it is updated',
      ),
    )
    .action(async (name: string, options: SetOptions) => {
      const body = changeOf(options);
      if (Object.keys(body).length === 0) throw usage('Nothing to set is named.');
      const path = `/sites/${encodeURIComponent(name)}`;
      const site = await hubOf(context, options).send('PATCH', path, body, SiteViewSchema);
      show(context, options, site, () => describe(site));
    });
}

export function addSiteShow(parent: Command, context: CommandContext): void {
  asksHub(parent.command('show'))
    .description('a site and what it is set to')
    .argument('<name>', 'name of the site')
    .action(async (name: string, options: HubOptions) => {
      const { sites } = await hubOf(context, options).get('/sites', SiteListSchema);
      const wanted = name.trim().toLowerCase();
      const site = sites.find((entry) => entry.name.toLowerCase() === wanted);
      if (site === undefined) throw unknown(name);
      show(context, options, site, () => describe(site));
    });
}

function changeOf({ automatic, syncRoles, onRoleLost, createMissing }: SetOptions): ChangeSite {
  return {
    ...(automatic === undefined ? {} : { automatic: automatic === 'on' }),
    ...(syncRoles === undefined ? {} : { syncRoles: commaList(syncRoles) }),
    ...(onRoleLost === undefined ? {} : { onRoleLost }),
    ...(createMissing === undefined ? {} : { createMissing: createMissing === 'on' }),
  };
}

function describe(site: SiteView): string {
  const onOff = (on: boolean): Switch => (on ? 'on' : 'off');
  const rows = [
    ['Automatic', onOff(site.automatic)],
    ['Roles that sync', site.syncRoles.map(visible).join(', ') || 'all'],
    ['When they are lost', site.onRoleLost],
    ['Create missing', onOff(site.createMissing)],
  ];
  const lines = rows.map(([name = '', value = '']) => `  ${name.padEnd(18)} ${value}\n`);
  return `${visible(site.name)} (${visible(site.url)})\n${lines.join('')}`;
}

const unknown = (name: string): Failure =>
  new Failure({
    code: 'site.unknown',
    message: `There is no site “${name}”.`,
    next: FAULTS['site.unknown'].next,
    exit: EXIT.failed,
  });
