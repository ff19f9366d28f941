/** `rollcall runs`: manual syncs that were planned or started, and what an operator does with them. */
import type { Command } from 'commander';
import {
  SyncListSchema,
  type SyncRun,
  SyncRunSchema,
  SyncStepsSchema,
} from '../../api/schemas/sync.ts';
import { pairsOf, reportOf } from '../adopt-shown.ts';
import {
  asksHub,
  type CommandContext,
  commaList,
  type HubOptions,
  hubOf,
  show,
} from '../command-context.ts';
import { usage } from '../failure.ts';
import { moreAfter, type PageOptions, paged, pageQuery } from '../paged.ts';
import { describeRun, stepsOf, targetsOf } from '../sync-shown.ts';
import { table } from '../table.ts';
import { visible } from '../visible.ts';
import { run } from './sync.ts';

type ListOptions = HubOptions & PageOptions;

export function addRuns(parent: Command, context: CommandContext): void {
  const runs = parent.command('runs').description('manual syncs: planned, under way, ended');
  addList(runs, context);
  addShow(runs, context);
  addAccounts(runs, context);
  addStart(runs, context);
  const steering = [
    ['pause', 'stop for a while; what is on its way goes on'],
    ['resume', 'go on; once it is done, with what was planned again'],
    ['cancel', 'end it; what was done until then stands'],
  ] as const;
  for (const [way, summary] of steering) {
    asksHub(runs.command(way))
      .description(summary)
      .argument('<id>', ID)
      .action(async (id: string, options: HubOptions) => {
        const state = await hubOf(context, options).send(
          'POST',
          `${pathOf(id)}/${way}`,
          undefined,
          SyncRunSchema,
        );
        show(context, options, state, () => shown(state));
      });
  }
  addUndo(runs, context);
}

const ID = 'id as “runs list” shows it';
const pathOf = (id: string): string => `/syncs/${encodeURIComponent(id)}`;

function addList(runs: Command, context: CommandContext): void {
  paged(asksHub(runs.command('list')))
    .description('the newest first; kept for 30 days')
    .action(async (options: ListOptions) => {
      const path = `/syncs${pageQuery(options, {})}`;
      const list = await hubOf(context, options).get(path, SyncListSchema);
      const rows = list.syncs.map((sync) => [
        sync.id,
        sync.askedAt,
        sync.by,
        `${sync.from} → ${sync.to.join(', ')}`,
        sync.state,
        `${sync.done} of ${sync.total}`,
      ]);
      const titles = ['ID', 'ASKED', 'BY', 'SITES', 'STATE', 'DONE'];
      const nothing = 'No manual sync was asked for.\n';
      const text = rows.length === 0 ? nothing : table(titles, rows);
      show(context, options, list, () => `${text}${moreAfter(list.next, '')}`);
    });
}

function addShow(runs: Command, context: CommandContext): void {
  asksHub(runs.command('show'))
    .description('how far it is, and what it does in numbers')
    .argument('<id>', ID)
    .action(async (id: string, options: HubOptions) => {
      const state = await hubOf(context, options).get(pathOf(id), SyncRunSchema);
      const numbers = state.adopt === null ? targetsOf(state) : reportOf(state);
      show(context, options, state, () => `${shown(state)}\n${numbers}`);
    });
}

function shown(state: SyncRun): string {
  const { perMinute, secondsLeft, fault } = state;
  const pace = perMinute === null ? '' : `, ${perMinute} a minute`;
  const left = secondsLeft === null ? '' : `, about ${secondsLeft} s left`;
  const trouble = fault === null ? '' : `${visible(fault.message)}\n  ${visible(fault.next)}\n`;
  return `${state.state}: ${state.done} of ${state.total}${pace}${left}.\n${describeRun(state)}${trouble}`;
}

function addAccounts(runs: Command, context: CommandContext): void {
  paged(asksHub(runs.command('accounts')))
    .description('what it would do, or has done, to whom and why')
    .argument('<id>', ID)
    .option('--what <what>', 'create, update, link, unchanged, skip or hold')
    .option('--state <state>', 'as the column shows it, e.g. changed')
    .option('--pair <pair>', 'of an adopt run: same, clash or only_here')
    .action(
      async (
        id: string,
        options: ListOptions & {
          readonly what?: string;
          readonly state?: string;
          readonly pair?: string;
        },
      ) => {
        const { what, state, pair } = options;
        const filters = {
          ...(what === undefined ? {} : { what }),
          ...(state === undefined ? {} : { state }),
          ...(pair === undefined ? {} : { pair }),
        };
        const path = `${pathOf(id)}/accounts${pageQuery(options, filters)}`;
        const page = await hubOf(context, options).get(path, SyncStepsSchema);
        const isAdopt = page.accounts.some((step) => step.pair !== null);
        const shownAs = isAdopt ? pairsOf : stepsOf;
        const text = page.accounts.length === 0 ? 'Nobody.\n' : shownAs(page.accounts);
        show(context, options, page, () => `${text}${moreAfter(page.next, '')}`);
      },
    );
}

function addStart(runs: Command, context: CommandContext): void {
  asksHub(runs.command('start'))
    .description('carry a plan out')
    .argument('<id>', ID)
    .option('--link-all', 'prove every link that the plan names')
    .option('--link <links>', 'prove these: LOGIN@TARGET=LOGIN-THERE, separated by commas')
    .action(
      async (
        id: string,
        options: HubOptions & { readonly linkAll?: boolean; readonly link?: string },
      ) => {
        const hub = hubOf(context, options);
        const links = options.linkAll === true ? 'all' : linksIn(options.link);
        const body = links === undefined ? {} : { links };
        const started = await hub.send('POST', `${pathOf(id)}/start`, body, SyncRunSchema);
        await run(started, hub, options, context);
      },
    );
}

function linksIn(text: string | undefined) {
  if (text === undefined) return undefined;
  return commaList(text).map((part) => {
    const [, login, target, other] = /^(.+)@([^@=]+)=(.+)$/u.exec(part) ?? [];
    if (login === undefined || target === undefined || other === undefined)
      throw usage(`--link “${part}” is not LOGIN@TARGET=LOGIN-THERE.`);
    return { login, target, other };
  });
}

function addUndo(runs: Command, context: CommandContext): void {
  asksHub(runs.command('undo'))
    .description('put back what it changed and nobody has touched since; within 14 days')
    .argument('<id>', ID)
    .option(
      '--remove-created',
      'remove accounts that it created, where they hold nothing of their own',
    )
    .action(async (id: string, options: HubOptions & { readonly removeCreated?: boolean }) => {
      const hub = hubOf(context, options);
      const body = { removeCreated: options.removeCreated === true };
      const state = await hub.send('POST', `${pathOf(id)}/undo`, body, SyncRunSchema);
      await run(state, hub, options, context);
    });
}
