/** `rollcall sync`: make the targets like the source, for chosen accounts, now. */
import type { Command } from 'commander';
import {
  type SyncRequest,
  type SyncRun,
  SyncRunSchema,
  type SyncStepRow,
  SyncStepsSchema,
} from '../../api/schemas/sync.ts';
import { MOST_ROWS_SHOWN } from '../../api/schemas/words.ts';
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
import { describeRun, hasEnded, progressOf, stepsOf, targetsOf } from '../sync-shown.ts';
import { visible } from '../visible.ts';

interface SyncOptions extends HubOptions {
  readonly from: string;
  readonly to: string;
  readonly all?: boolean;
  readonly roles?: string;
  readonly accounts?: string;
  readonly search?: string;
  readonly onlyMissing?: boolean;
  readonly link?: string;
  readonly dryRun?: boolean;
}

export function addSync(parent: Command, context: CommandContext): void {
  asksHub(parent.command('sync'))
    .description('make target sites like the source, for chosen accounts, now')
    .requiredOption('--from <site>', 'source site')
    .requiredOption('--to <sites>', 'target sites, separated by commas')
    .option('--all', 'all accounts of the source')
    .option('--roles <roles>', 'accounts with one of these roles')
    .option('--accounts <logins>', 'these accounts')
    .option('--search <text>', 'accounts with this in login, e-mail address or display name')
    .option('--only-missing', 'create who is not there, leave everybody else alone')
    .option('--link <logins>', 'prove the links of these accounts, as the preview names them')
    .option('--dry-run', 'make the plan and show it, write nothing to a site')
    .action(async (options: SyncOptions) => {
      const request = requestOf(options);
      const hub = hubOf(context, options);
      if (options.dryRun === true) return preview(hub, request, options, context);
      if (options.link !== undefined)
        return linkAndRun(hub, request, options.link, options, context);
      return run(await hub.send('POST', '/syncs', request, SyncRunSchema), hub, options, context);
    });
}

function requestOf(options: SyncOptions): SyncRequest {
  const { all, roles, accounts, search } = options;
  const to = commaList(options.to);
  if (to.length === 0) throw usage('--to names no site.');
  const ways = [all, roles, accounts, search].filter((way) => way !== undefined);
  if (ways.length !== 1) {
    throw usage(
      'It is not clear which accounts are meant.',
      'Give one of --all, --roles, --accounts and --search.',
    );
  }
  const asked = { from: options.from, to };
  const mode = options.onlyMissing === true ? ({ mode: 'only_missing' } as const) : {};
  return { ...asked, accounts: chosenIn(options), ...mode };
}

function chosenIn({ roles, accounts, search }: SyncOptions): SyncRequest['accounts'] {
  if (roles !== undefined) return { by: 'roles', roles: listed(roles, '--roles') };
  if (accounts !== undefined) return { by: 'accounts', logins: listed(accounts, '--accounts') };
  return search === undefined ? { by: 'all' } : { by: 'search', search };
}

function listed(text: string, option: string): string[] {
  const list = commaList(text);
  if (list.length === 0) throw usage(`${option} names nothing.`);
  return list;
}

async function linkAndRun(
  hub: ApiClient,
  request: SyncRequest,
  text: string,
  options: SyncOptions,
  context: CommandContext,
): Promise<void> {
  const planned = await plan(hub, request, context);
  const links = linksOf(await stepsWhat(hub, planned, 'link'), listed(text, '--link'));
  const path = `/syncs/${encodeURIComponent(planned.id)}/start`;
  return run(await hub.send('POST', path, { links }, SyncRunSchema), hub, options, context);
}

/** The pairs that are named to the run: if somebody else has an address by then, it is not linked. */
function linksOf(steps: readonly SyncStepRow[], logins: readonly string[]) {
  const links = steps.flatMap(({ login, target, other }) =>
    other !== null && logins.includes(login) ? { login, target, other } : [],
  );
  const without = logins.find((login) => !links.some((link) => link.login === login));
  if (without === undefined) return links;
  throw usage(`The preview names no link for “${without}”.`, 'Look at it with --dry-run.');
}

async function stepsWhat(
  hub: ApiClient,
  { id }: SyncRun,
  what: SyncStepRow['what'],
): Promise<readonly SyncStepRow[]> {
  const steps: SyncStepRow[] = [];
  let after = '';
  for (;;) {
    const path = `/syncs/${encodeURIComponent(id)}/accounts?what=${what}${after}`;
    const page = await hub.get(path, SyncStepsSchema);
    steps.push(...page.accounts);
    if (page.next === null) return steps;
    after = `&after=${encodeURIComponent(page.next)}`;
  }
}

/** Makes it, and waits for it. */
export async function plan(
  hub: ApiClient,
  request: SyncRequest,
  context: CommandContext,
): Promise<SyncRun> {
  const asked = await hub.send('POST', '/syncs/plan', request, SyncRunSchema);
  const planned = await untilEnded(asked, hub, context);
  if (planned?.state === 'planned') return planned;
  const { fault } = planned ?? {};
  throw fault == null
    ? usage('The plan was not made to its end.')
    : new Failure({ ...fault, exit: exitFor(fault.code) });
}

async function preview(
  hub: ApiClient,
  request: SyncRequest,
  options: SyncOptions,
  context: CommandContext,
): Promise<void> {
  const planned = await plan(hub, request, context);
  // Who needs nothing is not spelled out.
  const decisions: SyncStepRow[] = [];
  for (const what of ['create', 'update', 'link', 'hold', 'skip'] as const) {
    if (decisions.length >= MOST_ROWS_SHOWN) break;
    const path = `/syncs/${encodeURIComponent(planned.id)}/accounts?what=${what}`;
    decisions.push(...(await hub.get(path, SyncStepsSchema)).accounts);
  }
  const shown = decisions.slice(0, MOST_ROWS_SHOWN);
  const said = planned.targets.reduce((all, target) => all + sumOf(target), 0);
  const value = { ...planned, decisions: shown, more: said > shown.length };
  show(context, options, value, () => describePlan(planned, shown, value.more));
}

const sumOf = ({ create, update, link, skip, hold }: SyncRun['targets'][number]): number =>
  create + update + link + skip + hold;

function describePlan(planned: SyncRun, decisions: readonly SyncStepRow[], more: boolean): string {
  const rows = decisions.length === 0 ? '' : `\n${stepsOf(decisions)}`;
  const id = visible(planned.id);
  const rest = more ? `… and more: “rollcall runs accounts ${id}”.\n` : '';
  return `${planned.accounts} accounts of ${visible(planned.from)}. Nothing was written.

${targetsOf(planned)}${rows}${rest}
“rollcall runs start ${id}” carries this plan out.
`;
}

const LOOK_MS = 400;

/** Null: the person went away. */
async function untilEnded(
  first: SyncRun,
  hub: ApiClient,
  { terminal }: CommandContext,
): Promise<SyncRun | null> {
  let state = first;
  while (!hasEnded(state)) {
    terminal.progress(progressOf(state));
    await terminal.pause(LOOK_MS);
    if (terminal.isInterrupted) return null;
    state = await hub.get(`/syncs/${encodeURIComponent(state.id)}`, SyncRunSchema);
  }
  terminal.progress('');
  return state;
}

/** Waits for its end, unless the person goes away. */
export async function run(
  started: SyncRun,
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
  const isWell = ended.state === 'done' || ended.state === 'undone';
  context.finish(isWell && ended.failed === 0 && ended.changed === 0 ? EXIT.ok : EXIT.failed);
}

function leave({ id }: SyncRun, context: CommandContext): void {
  const { terminal } = context;
  terminal.progress('');
  terminal.err(
    `The sync goes on in the hub; “rollcall runs show ${visible(id)}” says how far it is.\n`,
  );
  context.finish(EXIT.failed);
}
