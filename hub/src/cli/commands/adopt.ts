/** `rollcall adopt`: two grown user bases are brought together. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import {
  MOST_DECISIONS,
  OnlyThereSchema,
  type SyncRequest,
  type SyncRun,
  SyncRunSchema,
  type SyncStepRow,
  SyncStepsSchema,
} from '../../api/schemas/sync.ts';
import { pairsOf, reportOf } from '../adopt-shown.ts';
import type { ApiClient } from '../api-client.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { decisionLines, decisionsHead, readDecisions } from '../decisions-file.ts';
import { usage } from '../failure.ts';
import { openOut } from '../out-file.ts';
import { moreAfter, type PageOptions, paged, pageQuery } from '../paged.ts';
import { table } from '../table.ts';
import { visible } from '../visible.ts';
import { plan } from './sync.ts';

interface AdoptOptions extends HubOptions {
  readonly mode: string;
  readonly createMissing?: boolean;
  readonly roles?: boolean;
}

const ID = 'id as “runs list” shows it';
const pathOf = (id: string): string => `/syncs/${encodeURIComponent(id)}`;

export function addAdopt(parent: Command, context: CommandContext): void {
  const adopt = asksHub(parent.command('adopt'))
    .description('bring two grown user bases together: who is who first, then what you say')
    .argument('<source>', 'source site')
    .argument('<target>', 'target site')
    .option('--mode <mode>', 'link, fill or source-wins', 'link')
    .option('--create-missing', 'also create who is on the source alone')
    .option('--roles', 'with --mode fill: also give roles that are missing there')
    .action(async (source: string, target: string, options: AdoptOptions) => {
      const request = requestOf(source, target, options);
      const hub = hubOf(context, options);
      const planned = await plan(hub, request, context);
      const path = `${pathOf(planned.id)}/accounts?pair=clash&limit=${CLASHES_SHOWN}`;
      const { accounts: clashes } = await hub.get(path, SyncStepsSchema);
      show(context, options, { ...planned, clashes }, () => describe(planned, clashes));
    });
  addDecisions(adopt, context);
  addOnlyThere(adopt, context);
}

/** Enough to see what kinds there are; the file has all of them. */
const CLASHES_SHOWN = 50;

const MODES = { link: 'link', fill: 'fill', 'source-wins': 'source_wins' } as const;
const isMode = (mode: string): mode is keyof typeof MODES => Object.hasOwn(MODES, mode);

function requestOf(
  source: string,
  target: string,
  { mode, createMissing, roles }: AdoptOptions,
): SyncRequest {
  if (!isMode(mode)) throw usage(`--mode “${mode}” is none of link, fill and source-wins.`);
  if (roles === true && mode !== 'fill') throw usage('--roles goes with --mode fill.');
  const adopt = {
    how: MODES[mode],
    ...(createMissing === true ? { createMissing } : {}),
    ...(roles === true ? { roles } : {}),
  };
  return { from: source, to: [target], accounts: { by: 'all' }, adopt };
}

function describe(planned: SyncRun, clashes: readonly SyncStepRow[]): string {
  const id = visible(planned.id);
  const rows = clashes.length === 0 ? '' : `\n${pairsOf(clashes)}`;
  const more = (planned.adopt?.clash ?? 0) - clashes.length;
  const rest = more > 0 ? `… and ${more} more.\n` : '';
  return `${reportOf(planned)}${rows}${rest}
“rollcall runs accounts ${id} --pair same” lists who is the same person, clash and only_here the others.
“rollcall adopt decisions ${id} --out FILE” takes all pairs out, for you to decide about.
“rollcall runs start ${id}” carries this plan out; a clash without a decision is left alone.
`;
}

interface DecisionOptions extends HubOptions {
  readonly out?: string;
  readonly in?: string;
  readonly pair?: string;
}

function addDecisions(adopt: Command, context: CommandContext): void {
  asksHub(adopt.command('decisions'))
    .description('pairs of a planned run as CSV: out, and in with what was decided')
    .argument('<id>', ID)
    .option('--out <file>', 'write the pairs to this file')
    .option(
      '--in <file>',
      'take the decisions of this file: link, separate or skip in its last column',
    )
    .option('--pair <pair>', 'with --out: only same, or only clash')
    .action(async (id: string, options: DecisionOptions) => {
      if ((options.out === undefined) === (options.in === undefined)) {
        throw usage('Give either --out or --in.');
      }
      if (options.in === undefined) return takeOut(id, options, context);
      if (options.pair !== undefined) throw usage('--pair goes with --out.');
      return takeIn(id, options.in, options, context);
    });
}

async function takeOut(
  id: string,
  options: DecisionOptions,
  context: CommandContext,
): Promise<void> {
  const hub = hubOf(context, options);
  const pairs = options.pair === undefined ? ['clash', 'same'] : [options.pair];
  const out = openOut(context.terminal, options.out, false);
  let count = 0;
  try {
    out.write(decisionsHead());
    for (const pair of pairs) {
      for await (const step of stepsIn(hub, id, pair)) {
        out.write(decisionLines(step));
        count += step.others.length;
      }
    }
    out.end();
  } catch (fault) {
    out.giveUp();
    throw fault;
  }
  show(
    context,
    options,
    { pairs: count },
    () => `${count} pairs are in ${visible(options.out ?? '')}.\n`,
  );
}

async function* stepsIn(hub: ApiClient, id: string, pair: string): AsyncGenerator<SyncStepRow> {
  let after = '';
  for (;;) {
    const query = `?pair=${encodeURIComponent(pair)}${after}`;
    const page = await hub.get(`${pathOf(id)}/accounts${query}`, SyncStepsSchema);
    yield* page.accounts;
    if (page.next === null) return;
    after = `&after=${encodeURIComponent(page.next)}`;
  }
}

async function takeIn(
  id: string,
  file: string,
  options: HubOptions,
  context: CommandContext,
): Promise<void> {
  const { decisions, problems } = readDecisions(read(resolve(context.terminal.folder, file)));
  if (problems.length > 0) {
    const said = problems.map(({ line, message }) => `line ${line}: ${message}`).join('; ');
    throw usage(`${visible(file)}: ${said}.`, 'Nothing was changed. Correct the file.');
  }
  if (decisions.length === 0)
    throw usage(`${visible(file)} decides nothing.`, 'Fill in its last column.');
  if (decisions.length > MOST_DECISIONS)
    throw usage(
      `${visible(file)} has more than ${MOST_DECISIONS} decisions.`,
      'Make several files of it.',
    );
  const hub = hubOf(context, options);
  const state = await hub.send('POST', `${pathOf(id)}/decisions`, { decisions }, SyncRunSchema);
  show(
    context,
    options,
    state,
    () => `${decisions.length} decisions are taken.\n${reportOf(state)}`,
  );
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw usage(`${visible(file)} can’t be read.`, 'Give the name of a CSV file.');
  }
}

function addOnlyThere(adopt: Command, context: CommandContext): void {
  paged(asksHub(adopt.command('only-there')))
    .description('who is on the target alone')
    .argument('<id>', ID)
    .action(async (id: string, options: HubOptions & PageOptions) => {
      const path = `${pathOf(id)}/only-there${pageQuery(options, {})}`;
      const page = await hubOf(context, options).get(path, OnlyThereSchema);
      const rows = page.accounts.map(({ login, email, privileged }) => [
        login,
        email,
        privileged ? 'can administer its site' : '',
      ]);
      const text = rows.length === 0 ? 'Nobody.\n' : table(['ACCOUNT', 'EMAIL', ''], rows);
      show(context, options, page, () => `${text}${moreAfter(page.next, '')}`);
    });
}
