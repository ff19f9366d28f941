/** `rollcall site set` and `rollcall site show`: what a site lets leave, and how it takes what comes. */
import { type Command, Option } from 'commander';
import {
  type ChangedSite,
  ChangedSiteSchema,
  type ChangeSite,
  SiteListSchema,
  type SiteView,
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
  readonly roleMap?: string;
  readonly newAccountsADay?: string;
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
    .option(
      '--role-map <list>',
      'roles given here for those that come: customer=buyer+member,editor=author; "" for the same names',
    )
    .option(
      '--new-accounts-a-day <number>',
      'more new accounts from here within 24 hours wait for a person; "" for as many as the hub says',
    )
    .action(async (name: string, options: SetOptions) => {
      const body = changeOf(options);
      if (Object.keys(body).length === 0) throw usage('Nothing to set is named.');
      const path = `/sites/${encodeURIComponent(name)}`;
      const site = await hubOf(context, options).send('PATCH', path, body, ChangedSiteSchema);
      show(context, options, site, () => describe(site) + missing(site));
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

function changeOf(options: SetOptions): ChangeSite {
  const { automatic, syncRoles, onRoleLost, createMissing, roleMap, newAccountsADay } = options;
  return {
    ...(automatic === undefined ? {} : { automatic: automatic === 'on' }),
    ...(syncRoles === undefined ? {} : { syncRoles: commaList(syncRoles) }),
    ...(onRoleLost === undefined ? {} : { onRoleLost }),
    ...(createMissing === undefined ? {} : { createMissing: createMissing === 'on' }),
    ...(roleMap === undefined ? {} : { roleMap: mapIn(roleMap) }),
    ...(newAccountsADay === undefined ? {} : { newAccountsADay: capIn(newAccountsADay) }),
  };
}

function capIn(text: string): number | null {
  if (text.trim() === '') return null;
  if (/^\d{1,7}$/u.test(text.trim())) return Number(text);
  throw usage(`--new-accounts-a-day “${text}” is no number from 0 to 9999999.`);
}

/** `a=b+c,d=e` */
function mapIn(text: string): Record<string, string[]> {
  const entries = commaList(text).map((pair): [string, string[]] => {
    const [role = '', given = '', ...more] = pair.split('=').map((part) => part.trim());
    const roles = given.split('+').flatMap((name) => name.trim() || []);
    if (role === '' || roles.length === 0 || more.length > 0) {
      throw usage(`“${pair}” is no pair of a role that comes and roles for it.`);
    }
    return [role, roles];
  });
  if (new Set(entries.map(([role]) => role)).size < entries.length) {
    throw usage('A role that comes is named twice.');
  }
  return Object.fromEntries(entries);
}

function describe(site: SiteView): string {
  const onOff = (on: boolean): Switch => (on ? 'on' : 'off');
  const rows = [
    ['Automatic', onOff(site.automatic)],
    ['Roles that sync', site.syncRoles.map(visible).join(', ') || 'all'],
    ['When they are lost', site.onRoleLost],
    [
      'Role map',
      Object.entries(site.roleMap)
        .map(([role, given]) => `${visible(role)}=${given.map(visible).join('+')}`)
        .join(', ') || 'same names',
    ],
    ['Create missing', onOff(site.createMissing)],
    ['Consents to', site.consents.map(visible).join(', ') || 'no privileged role'],
    ['New accounts a day', site.newAccountsADay ?? 'as the hub says'],
  ];
  const lines = rows.map(([name = '', value = '']) => `  ${String(name).padEnd(18)} ${value}\n`);
  return `${visible(site.name)} (${visible(site.url)})\n${lines.join('')}`;
}

/** The same dialog asks for the target's consent: what it takes is printed as it is to be typed. */
const missing = ({ privileged }: ChangedSite): string =>
  privileged
    .map(({ role, source, target, named, raised, steps }) => {
      const missed = named ? 'waits for consent' : 'is not named by the route';
      const lacks = raised ? 'never comes' : missed;
      const head = `\n“${visible(role)}” from ${visible(source)} to ${visible(target)} ${lacks}:\n`;
      return head + steps.map((step) => `  ${visible(step)}\n`).join('');
    })
    .join('');

const unknown = (name: string): Failure =>
  new Failure({
    code: 'site.unknown',
    message: `There is no site “${name}”.`,
    next: FAULTS['site.unknown'].next,
    exit: EXIT.failed,
  });
