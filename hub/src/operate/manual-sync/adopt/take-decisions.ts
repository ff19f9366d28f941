/**
 * What a person decided about pairs of an adopt run, as a file or a dashboard brings it.
 *
 * Always true: all of it is looked at before anything changes, and it is taken whole or not at all. A
 * decision counts for the pair that its line describes: where the plan knows it otherwise, or the hub has
 * heard of another address or login since, it is refused.
 * On failure: throws `decisions.refused`, with what is wrong by line; nothing changed.
 */
import type { DecideSync, DecisionRow, SyncRun } from '../../../api/schemas/sync.ts';
import { Fault } from '../../../errors.ts';
import { type InstallationId, type WordPressId, wordPressId } from '../../../model/ids.ts';
import type { OtherSide, StepChange, SyncStep } from '../../../model/sync-run.ts';
import { reasonSentence } from '../../../reasons.ts';
import type { OperationPorts } from '../../ports.ts';
import { sitesOfRun, storedRequest } from '../choose.ts';
import { viewSync } from '../list-syncs.ts';
import { runCalled } from '../run-called.ts';

/** Lines that are looked up in one go. */
const PAGE = 500;
/** What is wrong with further ones is wrong the same way. */
const MOST_PROBLEMS_SAID = 10;

interface Problem {
  readonly line: number;
  readonly message: string;
}
interface Decided {
  readonly row: DecisionRow;
  readonly step: SyncStep;
  readonly other: OtherSide;
}

export async function takeDecisions(
  ports: OperationPorts,
  id: string,
  { decisions }: DecideSync,
): Promise<SyncRun> {
  const run = await runCalled(ports, id, ['planned']);
  if (storedRequest(run).asked.adopt === undefined)
    throw new Fault('request.invalid', 'Only an adopt run takes decisions.');
  const { source, ways } = await sitesOfRun(ports, run);
  const target = ways[0]?.target ?? source;
  const problems: Problem[] = [...twice(decisions)];
  const decided: Decided[] = [];
  for (let from = 0; from < decisions.length; from += PAGE) {
    const rows = decisions.slice(from, from + PAGE);
    const found = await lookUp(ports, id, rows, problems);
    problems.push(...(await moved(ports, source.installation, target.installation, found)));
    decided.push(...found);
  }
  problems.push(...sharedOthers(decided), ...disagreeing(decided));
  if (problems.length > 0) throw refused(problems);
  if (!(await ports.runs.decide(id, changesOf(decided))))
    throw new Fault('sync.wrong_state', 'The run went on meanwhile.');
  return viewSync(ports, id);
}

function refused(problems: readonly Problem[]): Fault {
  const sorted = problems.toSorted((a, b) => a.line - b.line);
  const said = sorted
    .slice(0, MOST_PROBLEMS_SAID)
    .map(({ line, message }) => `Line ${line}: ${message}.`);
  const more = sorted.length - said.length;
  const rest = more > 0 ? [`And ${more} more.`] : [];
  return new Fault('decisions.refused', [...said, ...rest].join(' '));
}

const keyOf = ({ id, otherId }: Pick<DecisionRow, 'id' | 'otherId'>): string => `${id} ${otherId}`;

function* twice(rows: readonly DecisionRow[]): Generator<Problem> {
  const lines = new Map<string, number>();
  for (const row of rows) {
    const first = lines.get(keyOf(row));
    if (first === undefined) lines.set(keyOf(row), row.line);
    else yield { line: row.line, message: `it decides about the pair of line ${first} again` };
  }
}

async function lookUp(
  { runs }: OperationPorts,
  id: string,
  rows: readonly DecisionRow[],
  problems: Problem[],
): Promise<readonly Decided[]> {
  const ids = [...new Set(rows.map((row) => wordPressId(row.id)))];
  const steps = new Map((await runs.stepsOf(id, ids)).map((step) => [Number(step.wpId), step]));
  return rows.flatMap((row) => {
    const step = steps.get(row.id);
    const other = step?.sides?.others.find((one) => one.id === row.otherId);
    const message = whyNot(row, step, other);
    if (message !== null) problems.push({ line: row.line, message });
    return message !== null || step === undefined || other === undefined
      ? []
      : [{ row, step, other }];
  });
}

function whyNot(
  row: DecisionRow,
  step: SyncStep | undefined,
  other: OtherSide | undefined,
): string | null {
  if (step === undefined || other === undefined) return 'the plan has no such pair';
  const isAsPlanned =
    isText(row.login, step.login) &&
    isText(row.email, step.sides?.email ?? '') &&
    isText(row.other, other.login) &&
    isText(row.otherEmail, other.email);
  if (!isAsPlanned) return 'logins or e-mail addresses are not those of the plan';
  if (row.decision === 'link' && other.why !== null) {
    return `they can’t be linked: ${withoutStop(reasonSentence(other.why))}`;
  }
  const isDone = step.pair === 'same' && step.what !== 'link';
  return isDone && row.decision === 'separate' ? 'they are one person already' : null;
}

/** A file holds names in one line and without what steers a terminal. */
const isText = (given: string, stored: string): boolean =>
  given === stored || plain(given) === plain(stored);
const plain = (text: string): string =>
  text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
const withoutStop = (sentence: string): string => sentence.replace(/\.$/u, '');

/** What the hub has heard since the plan was made. */
async function moved(
  { store }: OperationPorts,
  source: InstallationId,
  target: InstallationId,
  decided: readonly Decided[],
): Promise<readonly Problem[]> {
  const present = (on: InstallationId, ids: readonly WordPressId[]) =>
    store.transaction((tx) => tx.lockByAccount(on, [...new Set(ids)]));
  const here = await present(
    source,
    decided.map(({ step }) => step.wpId),
  );
  const there = await present(
    target,
    decided.map(({ other }) => other.id),
  );
  return decided.flatMap(({ row, step, other }) => {
    const one = here.get(step.wpId)?.accounts.get(source);
    const two = there.get(other.id)?.accounts.get(target);
    const isSame =
      one?.login === step.login &&
      one.email === step.sides?.email &&
      two?.login === other.login &&
      two.email === other.email;
    return isSame
      ? []
      : [
          {
            line: row.line,
            message: 'one of the accounts changed since the plan was made; plan again',
          },
        ];
  });
}

/** One account there is one person's. */
function* sharedOthers(decided: readonly Decided[]): Generator<Problem> {
  const lines = new Map<number, number>();
  for (const { row, other } of decided) {
    if (row.decision !== 'link') continue;
    const first = lines.get(other.id);
    if (first === undefined) lines.set(other.id, row.line);
    else yield { line: row.line, message: `line ${first} links somebody else to the same account` };
  }
}

/** Of several who stand against one account one is linked at most. */
function* disagreeing(decided: readonly Decided[]): Generator<Problem> {
  const lines = new Map<number, number>();
  for (const { row, step } of decided) {
    if (row.decision !== 'link') continue;
    const first = lines.get(step.wpId);
    if (first === undefined) lines.set(step.wpId, row.line);
    else yield { line: row.line, message: `line ${first} links the same account to somebody else` };
  }
}

/** An account is linked, kept apart from all who stand against it, or left out. */
function changesOf(decided: readonly Decided[]): readonly StepChange[] {
  const byAccount = new Map<number, Decided[]>();
  for (const one of decided) {
    const list = byAccount.get(one.step.wpId) ?? [];
    byAccount.set(one.step.wpId, list);
    list.push(one);
  }
  return [...byAccount.values()].map((rows) => {
    const linked = rows.find(({ row }) => row.decision === 'link');
    if (linked !== undefined) return linkChange(linked);
    const isApart = rows.every(({ row }) => row.decision === 'separate');
    // oxlint-disable-next-line typescript/no-non-null-assertion -- no list is empty
    const { wpId, target, reason } = rows[0]!.step;
    return isApart
      ? { wpId, target, decision: 'separate', reason, state: 'planned' }
      : { wpId, target, decision: 'skip', reason: 'run.left_out', state: 'left' };
  });
}

function linkChange({ step, other }: Decided): StepChange {
  const { wpId, target } = step;
  const decision = 'link' as const;
  // What is one person already is done as it was planned.
  if (step.pair === 'same' && step.what !== 'link') {
    const state = step.what === 'update' ? 'planned' : 'left';
    return { wpId, target, decision, reason: step.reason, state };
  }
  const link = { what: 'link', other: other.login, proven: true, reason: null } as const;
  return { wpId, target, decision, ...link, state: 'planned' };
}
