/** `rollcall network sync` and `copy-roles`: counted first, then carried out. */
import { confirm } from '@clack/prompts';
import { type Command, Option } from 'commander';
import {
  type NetworkPeople,
  type NetworkRunRequest,
  type NetworkRunView,
  NetworkRunViewSchema,
} from '../../api/schemas/network.ts';
import type { ApiClient } from '../api-client.ts';
import {
  asksHub,
  type CommandContext,
  commaList,
  type HubOptions,
  hubOf,
  show,
} from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { exitFor, Failure, usage } from '../failure.ts';
import { describeRun, isUnderWay, planOf, progressOf } from '../network-shown.ts';
import { visible } from '../visible.ts';

interface FillOptions extends HubOptions {
  readonly sites?: string;
  readonly roles?: string;
  readonly on?: string;
  readonly accounts?: string;
  readonly emails?: string;
  readonly search?: string;
  readonly ids?: string;
  readonly addBack?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

interface CopyOptions extends FillOptions {
  readonly from: string;
  readonly memberships?: 'existing' | 'all';
}

const NAME = 'name of the network, or of any of its sites';
export const runPath = (id: string): string => `/network-runs/${encodeURIComponent(id)}`;

export function addNetworkSync(network: Command, context: CommandContext): void {
  choosing(asksHub(network.command('sync')))
    .description('who is not on a site joins it with its default role; counted first')
    .argument('<network>', NAME)
    .action(async (name: string, options: FillOptions) => {
      await planAndRun(name, { action: 'fill', ...asked(options) }, options, context);
    });
}

export function addNetworkCopyRoles(network: Command, context: CommandContext): void {
  choosing(asksHub(network.command('copy-roles')))
    .description('what roles people have on one site they get on others; counted first')
    .argument('<network>', NAME)
    .requiredOption('--from <site>', 'the site whose roles are copied')
    .addOption(
      new Option('--memberships <which>', 'only where they are members, or everywhere').choices([
        'existing',
        'all',
      ]),
    )
    .action(async (name: string, options: CopyOptions) => {
      const { from, memberships } = options;
      const how = memberships === undefined ? {} : { memberships };
      await planAndRun(name, { action: 'copy', from, ...how, ...asked(options) }, options, context);
    });
}

const choosing = (command: Command): Command =>
  command
    .option('--sites <sites>', 'only these, by name or address; without it all')
    .option('--accounts <logins>', 'only these people')
    .option('--emails <addresses>', 'only these people')
    .option('--search <text>', 'people with this in login, e-mail address or display name')
    .option('--ids <ids>', 'only these people, by their WordPress ids')
    .option('--roles <roles>', 'people with one of these roles on the site that --on names')
    .option('--on <site>', 'with --roles')
    .option('--add-back', 'also whom a person took off a site')
    .option('--dry-run', 'count what would happen, and write nothing')
    .option('--yes', 'do not ask');

function asked(options: FillOptions): Pick<NetworkRunRequest, 'sites' | 'people' | 'addBack'> {
  return {
    sites: options.sites === undefined ? 'all' : listed(options.sites, '--sites'),
    people: peopleIn(options),
    ...(options.addBack === true ? { addBack: true } : {}),
  };
}

function peopleIn(options: FillOptions): NetworkPeople {
  const { accounts, emails, search, ids, roles, on } = options;
  const ways = [accounts, emails, search, ids, roles].filter((way) => way !== undefined);
  if (ways.length > 1) {
    throw usage(
      'It is not clear which people are meant.',
      'Give one of --accounts, --emails, --search, --ids and --roles, or none for everybody.',
    );
  }
  if ((roles === undefined) !== (on === undefined)) throw usage('--roles and --on go together.');
  if (accounts !== undefined) return { by: 'accounts', logins: listed(accounts, '--accounts') };
  if (emails !== undefined) return { by: 'emails', emails: listed(emails, '--emails') };
  if (search !== undefined) return { by: 'search', search };
  if (ids !== undefined) return { by: 'ids', ids: listed(ids, '--ids').map(idIn) };
  if (roles !== undefined && on !== undefined)
    return { by: 'roles', roles: listed(roles, '--roles'), on };
  return { by: 'all' };
}

function idIn(text: string): number {
  if (/^[1-9]\d{0,14}$/u.test(text)) return Number(text);
  throw usage(`“${text}” is no id of an account.`);
}

function listed(text: string, option: string): string[] {
  const list = commaList(text);
  if (list.length === 0) throw usage(`${option} names nothing.`);
  return list;
}

async function planAndRun(
  name: string,
  request: NetworkRunRequest,
  options: FillOptions,
  context: CommandContext,
): Promise<void> {
  const mayRun = options.yes === true || options.dryRun === true;
  if (!mayRun && (options.json === true || !context.terminal.interactive)) {
    throw usage('Nothing was changed: nobody can be asked here.', 'Add --yes, or --dry-run.');
  }
  const hub = hubOf(context, options);
  const path = `/networks/${encodeURIComponent(name)}/runs/plan`;
  const asked = await hub.send('POST', path, request, NetworkRunViewSchema);
  const planned = await untilEnded(asked, hub, context);
  if (planned === null) return leave(asked, context);
  if (planned.state !== 'planned') throw brokenOff(planned);
  if (options.dryRun === true) {
    show(context, options, planned, () => `${planOf(planned)}${START(planned)}`);
    return;
  }
  if (options.json !== true) context.terminal.out(planOf(planned));
  if (!(await isMeant(options))) {
    await hub.send('POST', `${runPath(planned.id)}/cancel`, undefined, NetworkRunViewSchema);
    return context.finish(EXIT.failed);
  }
  const started = `${runPath(planned.id)}/start`;
  await follow(
    await hub.send('POST', started, undefined, NetworkRunViewSchema),
    hub,
    options,
    context,
  );
}

const START = ({ id }: NetworkRunView): string =>
  `Nothing was written. “rollcall network start ${visible(id)}” carries this out.\n`;

const isMeant = async ({ yes }: FillOptions): Promise<boolean> =>
  yes === true || (await confirm({ message: 'Carry this out?', initialValue: false })) === true;

const brokenOff = ({ fault, state }: NetworkRunView): Failure =>
  fault === null
    ? usage(`What would happen was not counted to the end: it is ${state}.`)
    : new Failure({ ...fault, exit: exitFor(fault.code) });

const LOOK_MS = 400;

/** Null: the person went away. */
async function untilEnded(
  first: NetworkRunView,
  hub: ApiClient,
  { terminal }: CommandContext,
): Promise<NetworkRunView | null> {
  let run = first;
  while (isUnderWay(run)) {
    terminal.progress(progressOf(run));
    await terminal.pause(LOOK_MS);
    if (terminal.isInterrupted) return null;
    run = await hub.get(runPath(run.id), NetworkRunViewSchema);
  }
  terminal.progress('');
  return run;
}

/** Waits for its end, unless the person goes away. */
export async function follow(
  started: NetworkRunView,
  hub: ApiClient,
  options: HubOptions,
  context: CommandContext,
): Promise<void> {
  const ended = await untilEnded(started, hub, context);
  if (ended === null) return leave(started, context);
  if (ended.fault !== null && options.json !== true) {
    throw new Failure({ ...ended.fault, exit: exitFor(ended.fault.code) });
  }
  show(context, options, ended, () => describeRun(ended));
  const isWell = ended.fault === null && ended.state !== 'failed';
  context.finish(isWell ? EXIT.ok : EXIT.failed);
}

function leave({ id }: NetworkRunView, context: CommandContext): void {
  const { terminal } = context;
  terminal.progress('');
  const says = `“rollcall network run ${visible(id)}” says how far it is`;
  terminal.err(`It goes on in the hub; ${says}.\n`);
  context.finish(EXIT.failed);
}
