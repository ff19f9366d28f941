/** `rollcall sync`: make the targets like the source, for chosen accounts, now. */
import type { Command } from 'commander';
import {
  type SyncPlan,
  SyncPlanSchema,
  type SyncRequest,
  type SyncRun,
  SyncRunSchema,
} from '../../api/schemas/sync.ts';
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
import { table } from '../table.ts';
import { visible } from '../visible.ts';

interface SyncOptions extends HubOptions {
  readonly from: string;
  readonly to: string;
  readonly all?: boolean;
  readonly roles?: string;
  readonly accounts?: string;
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
    .option('--link <logins>', 'prove the links of these accounts, as the preview names them')
    .option('--dry-run', 'show what would happen, write nothing')
    .action(async (options: SyncOptions) => {
      const request = requestOf(options);
      const hub = hubOf(context, options);
      if (options.dryRun === true) return preview(hub, request, options, context);
      const links = options.link === undefined ? [] : await linksOf(hub, request, options.link);
      return run(hub, { ...request, links }, options, context);
    });
}

function requestOf(options: SyncOptions): SyncRequest {
  const { from, all, roles, accounts } = options;
  const to = commaList(options.to);
  if (to.length === 0) throw usage('--to names no site.');
  const ways = [all, roles, accounts].filter((way) => way !== undefined);
  if (ways.length !== 1) {
    throw usage(
      'It is not clear which accounts are meant.',
      'Give one of --all, --roles and --accounts.',
    );
  }
  if (roles !== undefined)
    return { from, to, accounts: { by: 'roles', roles: listed(roles, '--roles') } };
  if (accounts !== undefined) {
    return { from, to, accounts: { by: 'accounts', logins: listed(accounts, '--accounts') } };
  }
  return { from, to, accounts: { by: 'all' } };
}

function listed(text: string, option: string): string[] {
  const list = commaList(text);
  if (list.length === 0) throw usage(`${option} names nothing.`);
  return list;
}

/** The pairs that are named to the run: if somebody else has an address by then, it is not linked. */
async function linksOf(
  hub: ApiClient,
  { from, to }: SyncRequest,
  text: string,
): Promise<NonNullable<SyncRequest['links']>> {
  const logins = listed(text, '--link');
  const asked = { from, to, accounts: { by: 'accounts', logins } };
  const { decisions } = await hub.send('POST', '/syncs/plan', asked, SyncPlanSchema);
  const links = decisions.flatMap(({ login, target, what, other }) =>
    what === 'link' && other !== null ? { login, target, other } : [],
  );
  const without = logins.find((login) => !links.some((link) => link.login === login));
  if (without === undefined) return links;
  throw usage(`The preview names no link for “${without}”.`, 'Look at it with --dry-run.');
}

async function preview(
  hub: ApiClient,
  request: SyncRequest,
  options: SyncOptions,
  context: CommandContext,
): Promise<void> {
  context.terminal.progress('Comparing …');
  const plan = await hub
    .send('POST', '/syncs/plan', request, SyncPlanSchema)
    .finally(() => context.terminal.progress(''));
  show(context, options, plan, () => describePlan(plan));
}

function describePlan(plan: SyncPlan): string {
  const summary = table(
    ['TARGET', 'CREATE', 'UPDATE', 'LINK', 'UNCHANGED', 'SKIP', 'HOLD'],
    plan.targets.map((t) => [t.site, t.create, t.update, t.link, t.unchanged, t.skip, t.hold]),
  );
  const decisions =
    plan.decisions.length === 0
      ? ''
      : `\n${table(
          ['ACCOUNT', 'TARGET', 'WHAT', 'FIELDS', 'WHY'],
          plan.decisions.map((d) => [
            d.login,
            d.target,
            d.other === null ? d.what : `${d.what} to ${d.other}`,
            d.fields.join(','),
            d.message,
          ]),
        )}`;
  const more = plan.more ? '… and more.\n' : '';
  return `${plan.accounts} accounts of ${visible(plan.from)}. Nothing was written.\n\n${summary}${decisions}${more}`;
}

const LOOK_MS = 400;

async function run(
  hub: ApiClient,
  request: SyncRequest,
  options: SyncOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal } = context;
  let state = await hub.send('POST', '/syncs', request, SyncRunSchema);
  while (!hasEnded(state)) {
    terminal.progress(progressOf(state));
    await terminal.pause(LOOK_MS);
    if (terminal.isInterrupted) return leave(state, context);
    state = await hub.get(`/syncs/${encodeURIComponent(state.id)}`, SyncRunSchema);
  }
  terminal.progress('');
  if (state.fault !== null && options.json !== true) {
    throw new Failure({ ...state.fault, exit: exitFor(state.fault.code) });
  }
  show(context, options, state, () => describeRun(state));
  context.finish(state.state === 'done' && state.failed === 0 ? EXIT.ok : EXIT.failed);
}

const hasEnded = (run: SyncRun): boolean => run.state === 'done' || run.state === 'failed';

function leave(run: SyncRun, context: CommandContext): void {
  const { terminal } = context;
  terminal.progress('');
  terminal.err(
    `The sync (${visible(run.id)}) goes on in the hub; “rollcall status” shows how far it is.\n`,
  );
  context.finish(EXIT.failed);
}

function progressOf(run: SyncRun): string {
  if (run.state === 'preparing') {
    return `Reading ${run.prepared}${run.accounts === null ? '' : ` of ${run.accounts}`} accounts …`;
  }
  const settled = run.delivered + run.skipped + run.held + run.failed;
  return `Delivering: ${settled} of ${settled + run.pending} …`;
}

function describeRun(run: SyncRun): string {
  const parts = [`${run.prepared} accounts`, `${run.delivered} delivered`];
  if (run.skipped > 0) parts.push(`${run.skipped} skipped`);
  if (run.held > 0) parts.push(`${run.held} held (“rollcall held list”)`);
  if (run.failed > 0) parts.push(`${run.failed} failed (“rollcall logs --status failed”)`);
  return `${visible(run.from)} → ${run.to.map(visible).join(', ')}: ${parts.join(', ')}.\n`;
}
