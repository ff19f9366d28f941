/** `rollcall reconcile`: compare two sites along a route, see what differs and why, repair it. */
import { type Command, Option } from 'commander';
import {
  DriftRowsSchema,
  type DriftView,
  LISTED,
  ReconcileListSchema,
  type ReconcileView,
  ReconcileViewSchema,
} from '../../api/schemas/reconcile.ts';
import type { ApiClient } from '../api-client.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { exitFor, Failure } from '../failure.ts';
import { moreAfter, type PageOptions, paged, pageQuery } from '../paged.ts';
import { table } from '../table.ts';
import { visible } from '../visible.ts';

interface ReconcileOptions extends HubOptions {
  readonly repair?: boolean;
  readonly extra: boolean;
}

export function addReconcile(parent: Command, context: CommandContext): void {
  const reconcile = asksHub(parent.command('reconcile'))
    .description('compare a target with its source; exit 1 when it drifts')
    .argument('<source>', 'name of the site where changes come from')
    .argument('<target>', 'name of the site where they go')
    .option('--repair', 'raise changes for what was found; what is newer on the target stays')
    .option('--no-extra', 'don’t look for accounts that are on the target alone')
    .action(async (source: string, target: string, options: ReconcileOptions) => {
      const hub = hubOf(context, options);
      const { repair = false, extra } = options;
      const body = { source, target, repair, extra };
      const started = await hub.send('POST', '/reconciles', body, ReconcileViewSchema);
      await follow(started, hub, options, context);
    });
  addList(reconcile, context);
  addShow(reconcile, context);
  addAccounts(reconcile, context);
  addCancel(reconcile, context);
}

const ID = 'id as “reconcile list” shows it';
const pathOf = (id: string): string => `/reconciles/${encodeURIComponent(id)}`;
const LOOK_MS = 400;
const isAtWork = ({ state }: ReconcileView): boolean =>
  state === 'comparing' || state === 'looking';

/** Waits for its end, unless the person goes away. */
async function follow(
  started: ReconcileView,
  hub: ApiClient,
  options: HubOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal } = context;
  let view = started;
  while (isAtWork(view)) {
    terminal.progress(progressOf(view));
    await terminal.pause(LOOK_MS);
    if (terminal.isInterrupted) return leave(started, context);
    view = await hub.get(pathOf(view.id), ReconcileViewSchema);
  }
  terminal.progress('');
  if (view.fault !== null && options.json !== true) {
    throw new Failure({ ...view.fault, exit: exitFor(view.fault.code) });
  }
  const page = await hub.get(`${pathOf(view.id)}/accounts`, DriftRowsSchema);
  const value = { ...view, rows: page.accounts, more: page.next !== null };
  show(context, options, value, () => describe(view, page.accounts, page.next !== null));
  context.finish(exitOf(view));
}

/** What the repair has raised is on its way; all else that drifts stays so. */
const exitOf = ({ state, drift, raised }: ReconcileView) =>
  state === 'done' && drift === raised ? EXIT.ok : EXIT.failed;

function leave({ id }: ReconcileView, context: CommandContext): void {
  const { terminal } = context;
  terminal.progress('');
  terminal.err(
    `The comparison goes on in the hub; “rollcall reconcile show ${visible(id)}” says how far it is.\n`,
  );
  context.finish(EXIT.failed);
}

function progressOf({ accounts, total, fault }: ReconcileView): string {
  const of = total === null ? '' : ` of ${total}`;
  const waits = fault === null ? '' : ` (${fault.message})`;
  return `Comparing: ${accounts}${of} accounts …${waits}`;
}

function describe(view: ReconcileView, rows: readonly DriftView[], more: boolean): string {
  const rest = more ? `… and more: “rollcall reconcile accounts ${visible(view.id)}”.\n` : '';
  return `${sumOf(view)}${rows.length === 0 ? '' : `\n${rowsOf(rows)}${stepsOf(rows)}`}${rest}`;
}

function sumOf(view: ReconcileView): string {
  const repaired = view.repair ? `, ${view.raised} of it raised` : '';
  const state = view.state === 'done' ? '' : ` (${view.state})`;
  const ends = visible(`${view.source} → ${view.target}`);
  const first = `${ends}${state}: ${view.drift} drift${repaired}, ${view.inStep} in step.\n`;
  if (view.found.length === 0) return first;
  const rows = view.found.map(({ what, count, raised, message }) => [what, count, raised, message]);
  return `${first}\n${table(['WHAT', 'ACCOUNTS', 'RAISED', 'WHY'], rows)}`;
}

const rowsOf = (rows: readonly DriftView[]): string =>
  table(
    ['ACCOUNT', 'SITE', 'WHAT', 'FIELDS', 'WHY', 'RAISED'],
    rows.map((row) => [
      row.login,
      row.site,
      row.what,
      row.fields.join(','),
      row.reason,
      row.raised ? 'yes' : 'no',
    ]),
  );

/** Each reason once. */
function stepsOf(rows: readonly DriftView[]): string {
  const left = rows.filter(({ raised }) => !raised);
  const steps = new Map(left.map(({ reason, next }) => [reason, next]));
  return [...steps].map(([reason, next]) => `\n${visible(reason)}: ${visible(next)}\n`).join('');
}

function addList(reconcile: Command, context: CommandContext): void {
  paged(asksHub(reconcile.command('list')))
    .description('the newest first; of each two sites the last thirty')
    .action(async (options: HubOptions & PageOptions) => {
      const path = `/reconciles${pageQuery(options, {})}`;
      const list = await hubOf(context, options).get(path, ReconcileListSchema);
      const rows = list.reconciles.map((view) => [
        view.id,
        view.askedAt,
        view.by,
        `${view.source} → ${view.target}`,
        view.state,
        view.drift,
        view.raised,
      ]);
      const titles = ['ID', 'ASKED', 'BY', 'SITES', 'STATE', 'DRIFT', 'RAISED'];
      const text = rows.length === 0 ? 'No sites were compared.\n' : table(titles, rows);
      show(context, options, list, () => `${text}${moreAfter(list.next, '')}`);
    });
}

function addShow(reconcile: Command, context: CommandContext): void {
  asksHub(reconcile.command('show'))
    .description('how far it is, and what it found in numbers')
    .argument('<id>', ID)
    .action(async (id: string, options: HubOptions) => {
      const view = await hubOf(context, options).get(pathOf(id), ReconcileViewSchema);
      const { fault } = view;
      const trouble = fault === null ? '' : `${visible(fault.message)}\n  ${visible(fault.next)}\n`;
      const far = isAtWork(view) ? `${progressOf(view)}\n` : '';
      show(context, options, view, () => `${far}${sumOf(view)}${trouble}`);
    });
}

function addAccounts(reconcile: Command, context: CommandContext): void {
  paged(asksHub(reconcile.command('accounts')))
    .description('what it found, account by account, and what to do')
    .argument('<id>', ID)
    .addOption(new Option('--what <what>', 'only these').choices([...LISTED]))
    .action(async (id: string, options: HubOptions & PageOptions & { readonly what?: string }) => {
      const filters = options.what === undefined ? {} : { what: options.what };
      const path = `${pathOf(id)}/accounts${pageQuery(options, filters)}`;
      const page = await hubOf(context, options).get(path, DriftRowsSchema);
      const text =
        page.accounts.length === 0
          ? 'Nobody.\n'
          : `${rowsOf(page.accounts)}${stepsOf(page.accounts)}`;
      show(context, options, page, () => `${text}${moreAfter(page.next, '')}`);
    });
}

function addCancel(reconcile: Command, context: CommandContext): void {
  asksHub(reconcile.command('cancel'))
    .description('end it; what was raised until then goes its way')
    .argument('<id>', ID)
    .action(async (id: string, options: HubOptions) => {
      const hub = hubOf(context, options);
      const view = await hub.send('POST', `${pathOf(id)}/cancel`, undefined, ReconcileViewSchema);
      show(context, options, view, () => sumOf(view));
    });
}
