/** `rollcall network runs`, `run`, `start`, `pause`, `resume`, `cancel`, `undo`: what was asked for, and what became of it. */
import type { Command } from 'commander';
import {
  NetworkRowsSchema,
  NetworkRunListSchema,
  type NetworkRunView,
  NetworkRunViewSchema,
} from '../../api/schemas/network.ts';
import type { ApiClient } from '../api-client.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { usage } from '../failure.ts';
import { accountsOf, describeRun, planOf, runRowsOf } from '../network-shown.ts';
import { moreAfter, type PageOptions, paged, pageQuery } from '../paged.ts';
import { visible } from '../visible.ts';
import { follow, runPath } from './network-fill.ts';

const NAME = 'name of the network, or of any of its sites';
const ID = 'id as “network runs” shows it';

export function addNetworkRuns(network: Command, context: CommandContext): void {
  addRuns(network, context);
  addRun(network, context);
  addAccounts(network, context);
  addStart(network, context);
  for (const steering of STEERING) addSteering(network, context, steering);
}

function addRuns(network: Command, context: CommandContext): void {
  paged(asksHub(network.command('runs')))
    .description('the newest first, those begun in wp-admin or by a trigger, too')
    .argument('<network>', NAME)
    .action(async (name: string, options: HubOptions & PageOptions) => {
      const list = await hubOf(context, options).get(
        `${runsPath(name)}${pageQuery(options, {})}`,
        NetworkRunListSchema,
      );
      const { runs, next, fault } = list;
      const trouble = fault === null ? '' : `${visible(fault.message)}\n`;
      const text = runs.length === 0 ? 'There were no runs.\n' : runRowsOf(runs);
      show(context, options, list, () => `${text}${trouble}${moreAfter(next, '')}`);
    });
}

const runsPath = (name: string): string => `/networks/${encodeURIComponent(name)}/runs`;

function addRun(network: Command, context: CommandContext): void {
  asksHub(network.command('run'))
    .description('how far a run is, and what it did in numbers')
    .argument('<id>', ID)
    .action(async (id: string, options: HubOptions) => {
      const run = await hubOf(context, options).get(runPath(id), NetworkRunViewSchema);
      const plan = run.preview === null ? '' : `\nAs it was counted before:\n${planOf(run)}`;
      show(context, options, run, () => `${describeRun(run)}${plan}`);
    });
}

function addAccounts(network: Command, context: CommandContext): void {
  paged(asksHub(network.command('accounts')))
    .description('whom a run added or changed; kept on the network for 14 days')
    .argument('<id>', ID)
    .action(async (id: string, options: HubOptions & PageOptions) => {
      const path = `${runPath(id)}/accounts${pageQuery(options, {})}`;
      const page = await hubOf(context, options).get(path, NetworkRowsSchema);
      show(context, options, page, () => `${accountsOf(page)}${moreAfter(page.next, '')}`);
    });
}

function addStart(network: Command, context: CommandContext): void {
  asksHub(network.command('start'))
    .description('carry out what was counted')
    .argument('<id>', ID)
    .action(async (id: string, options: HubOptions) => {
      const hub = hubOf(context, options);
      const path = `${runPath(id)}/start`;
      await follow(
        await hub.send('POST', path, undefined, NetworkRunViewSchema),
        hub,
        options,
        context,
      );
    });
}

interface Steering {
  readonly order: 'pause' | 'resume' | 'cancel' | 'undo';
  readonly says: string;
  readonly from: readonly NetworkRunView['state'][];
  readonly nothing: string;
}

const STEERING: readonly Steering[] = [
  {
    order: 'pause',
    says: 'stop a run for a while; it waits for the page that is under way',
    from: ['running'],
    nothing: 'No run is under way.',
  },
  {
    order: 'resume',
    says: 'let it go on where it was',
    from: ['paused', 'failed'],
    nothing: 'No run is paused.',
  },
  {
    order: 'cancel',
    says: 'end it; what was done until then stands',
    from: ['running', 'paused', 'failed'],
    nothing: 'No run is under way.',
  },
  {
    order: 'undo',
    says: 'take back what it did and nobody has touched since; again, where something was left',
    from: ['done', 'cancelled', 'paused', 'failed'],
    nothing: 'The newest run is under way, or taken back already; or there is none.',
  },
];

function addSteering(network: Command, context: CommandContext, steering: Steering): void {
  const { order, says } = steering;
  asksHub(network.command(order))
    .description(says)
    .argument('<network>', NAME)
    .option(
      '--run <id>',
      order === 'undo'
        ? 'this one; else the newest'
        : 'this one; without it the newest that it is possible for',
    )
    .action(async (name: string, options: HubOptions & { readonly run?: string }) => {
      const hub = hubOf(context, options);
      const id = options.run ?? (await newest(hub, name, steering));
      const path = `${runPath(id)}/${order}`;
      const told = await hub.send('POST', path, undefined, NetworkRunViewSchema);
      if (order === 'undo' || told.wanted !== null) return follow(told, hub, options, context);
      show(context, options, told, () => describeRun(told));
    });
}

async function newest(
  hub: ApiClient,
  name: string,
  { order, from, nothing }: Steering,
): Promise<string> {
  const { runs } = await hub.get(runsPath(name), NetworkRunListSchema);
  const isPossible = ({ state, left }: NetworkRunView): boolean =>
    order === 'undo'
      ? from.includes(state) || (state === 'undone' && left.length > 0)
      : from.includes(state);
  // Whoever undoes twice must not take back what somebody else did before.
  const carriedOut = runs.filter(({ startedAt }) => startedAt !== null);
  const found = (order === 'undo' ? carriedOut.slice(0, 1) : runs).find(isPossible);
  if (found === undefined)
    throw usage(nothing, 'Look at “rollcall network runs”, and name one with --run.');
  return found.id;
}
