/** `rollcall network`: who is on which site of a network. */
import { type Command, Option } from 'commander';
import {
  type ChangeNetwork,
  NetworkListSchema,
  NetworkViewSchema,
} from '../../api/schemas/network.ts';
import {
  asksHub,
  type CommandContext,
  commaList,
  type HubOptions,
  hubOf,
  show,
} from '../command-context.ts';
import { usage } from '../failure.ts';
import { networkOf, settingsOf, triggersOf } from '../network-shown.ts';
import { table } from '../table.ts';
import { visible } from '../visible.ts';
import { addNetworkCopyRoles, addNetworkSync } from './network-fill.ts';
import { addNetworkRuns } from './network-runs.ts';

const NAME = 'name of the network, or of any of its sites';
const networkPath = (name: string): string => `/networks/${encodeURIComponent(name)}`;

export function addNetwork(parent: Command, context: CommandContext): void {
  const network = parent.command('network').description('memberships within a multisite network');
  addList(network, context);
  addShow(network, context);
  addTriggers(network, context);
  addNetworkSync(network, context);
  addNetworkCopyRoles(network, context);
  addNetworkRuns(network, context);
}

function addList(network: Command, context: CommandContext): void {
  asksHub(network.command('list'))
    .description('connected networks, and which triggers are on')
    .action(async (options: HubOptions) => {
      const list = await hubOf(context, options).get('/networks', NetworkListSchema);
      const rows = list.networks.map((one) => [
        one.name,
        one.url,
        one.sites,
        one.accounts,
        triggersOf(one.settings),
        one.fault?.message ?? '',
      ]);
      const titles = ['NETWORK', 'ADDRESS', 'SITES', 'ACCOUNTS', 'TRIGGERS', 'TROUBLE'];
      const text = rows.length === 0 ? 'No network is connected.\n' : table(titles, rows);
      show(context, options, list, () => text);
    });
}

function addShow(network: Command, context: CommandContext): void {
  asksHub(network.command('show'))
    .description('its sites, who is on them in numbers, and its settings')
    .argument('<network>', NAME)
    .action(async (name: string, options: HubOptions) => {
      const view = await hubOf(context, options).get(networkPath(name), NetworkViewSchema);
      show(context, options, view, () => networkOf(view));
    });
}

interface TriggerOptions extends HubOptions {
  readonly newAccount?: string;
  readonly newSite?: string;
  readonly roleChange?: string;
  readonly roleSites?: 'existing' | 'all';
  readonly exclude?: string;
  readonly revokeRoles?: string;
  readonly siteAdmins: boolean;
}

const onOff = (flags: string, says: string): Option =>
  new Option(flags, says).choices(['on', 'off']);

function addTriggers(network: Command, context: CommandContext): void {
  asksHub(network.command('triggers'))
    .description('what happens by itself; without an option only shown')
    .argument('<network>', NAME)
    .addOption(onOff('--new-account <on|off>', 'a new account joins every site'))
    .addOption(onOff('--new-site <on|off>', 'everybody joins a new site'))
    .addOption(
      onOff('--role-change <on|off>', 'a role that changes on a site changes on the others'),
    )
    .addOption(new Option('--role-sites <which>', 'where it changes').choices(['existing', 'all']))
    .option('--exclude <sites>', 'never write to these; taken back on the network itself')
    .option(
      '--revoke-roles <roles>',
      'take these off the privileged roles that are allowed by name',
    )
    .option('--no-site-admins', 'a site’s own administrators may not fill it')
    .action(async (name: string, options: TriggerOptions) => {
      const change = changeIn(options);
      const hub = hubOf(context, options);
      const isEmpty = Object.keys(change).length === 0;
      const view = isEmpty
        ? await hub.get(networkPath(name), NetworkViewSchema)
        : await hub.send('PATCH', networkPath(name), change, NetworkViewSchema);
      const { settings } = view;
      const value = { network: view.name, settings };
      show(context, options, value, () => `${visible(view.name)}\n${settingsOf(settings)}`);
    });
}

function changeIn(options: TriggerOptions): ChangeNetwork {
  const { newAccount, newSite, roleChange, roleSites, exclude, revokeRoles, siteAdmins } = options;
  return {
    ...(newAccount === undefined ? {} : { newAccount: newAccount === 'on' }),
    ...(newSite === undefined ? {} : { newSite: newSite === 'on' }),
    ...(roleChange === undefined ? {} : { roleChange: roleChange === 'on' }),
    ...(roleSites === undefined ? {} : { roleSites }),
    ...(exclude === undefined ? {} : { exclude: named(exclude, '--exclude') }),
    ...(revokeRoles === undefined ? {} : { revokeRoles: named(revokeRoles, '--revoke-roles') }),
    ...(siteAdmins ? {} : { siteAdmins: false }),
  };
}

function named(text: string, option: string): string[] {
  const list = commaList(text);
  if (list.length === 0) throw usage(`${option} names nothing.`);
  return list;
}
