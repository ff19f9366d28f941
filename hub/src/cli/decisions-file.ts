/**
 * Pairs of an adopt run as a CSV file, for a person to decide about, and back.
 *
 * Does: pure work on text; says all that is wrong with a file at once, by line.
 * Always true: no cell that goes out is a formula, whatever people call themselves, and what comes back is
 * what went out: the apostrophe before such a cell is taken off again. A cell that is a formula when it
 * comes back was put there by somebody else.
 */
import { csvCell } from '../api/log-csv.ts';
import {
  DECISIONS,
  type DecisionRow,
  DecisionSchema,
  type SyncStepRow,
} from '../api/schemas/sync.ts';
import { type CsvLine, parseCsv } from './csv.ts';

const COLUMNS = [
  'account_id',
  'account',
  'email',
  'other_id',
  'other',
  'other_email',
  'pair',
  'why',
  'decision',
] as const;
type Column = (typeof COLUMNS)[number];

const FORMULA = /^\s*[=+\-@＝＋－＠]/u;
const TAKEN_FOR_ESCAPED = /^'+\s*[=+\-@＝＋－＠]/u;
const LINE_END = '\r\n';

/** A cell that looks like an escaped one gets one apostrophe more, so that each has one way back. */
const cellOf = (value: string | number | null): string =>
  csvCell(typeof value === 'string' && TAKEN_FOR_ESCAPED.test(value) ? `'${value}` : value);

const lineOf = (cells: readonly (string | number | null)[]): string =>
  `${cells.map(cellOf).join(',')}${LINE_END}`;

export const decisionsHead = (): string => lineOf(COLUMNS);

/** One line for each who stands against the account. */
export const decisionLines = (step: SyncStepRow): string =>
  step.others
    .map((other) =>
      lineOf([
        step.id,
        step.login,
        step.email,
        other.id,
        other.login,
        other.email,
        step.pair,
        other.why?.code ?? step.reason,
        decisionOn(step, other.login),
      ]),
    )
    .join('');

/** Of several who stand against it a link is to one of them. */
const decisionOn = ({ decision, other }: SyncStepRow, login: string): string | null =>
  decision === 'link' && other !== login ? null : decision;

export interface Problem {
  readonly line: number;
  readonly message: string;
}

/** Lines without a decision are looked at, and left out. */
export function readDecisions(text: string): {
  readonly decisions: readonly DecisionRow[];
  readonly problems: readonly Problem[];
} {
  const lines = parseCsv(text);
  if (lines === null) return failed(1, 'a quote is opened and never closed');
  const [head, ...rest] = lines;
  if (head === undefined) return failed(1, 'the file is empty');
  const columns = head.cells.map((cell) => cell.trim().toLowerCase());
  const isWhole =
    columns.length === COLUMNS.length && COLUMNS.every((column) => columns.includes(column));
  if (!isWhole) return failed(head.line, `the head must be ${COLUMNS.join(', ')}`);
  const decisions: DecisionRow[] = [];
  const problems: Problem[] = [];
  for (const line of rest) {
    const read = readLine(line, columns);
    if (typeof read === 'string') problems.push({ line: line.line, message: read });
    else if (read !== null) decisions.push(read);
  }
  return { decisions, problems };
}

const failed = (line: number, message: string) => ({
  decisions: [],
  problems: [{ line, message }],
});

/** Null: nothing is decided in it. A text says what is wrong with it. */
function readLine(
  { line, cells }: CsvLine,
  columns: readonly string[],
): DecisionRow | string | null {
  if (cells.length > columns.length) return 'it has more cells than the head';
  const injected = columns.find((_, index) => FORMULA.test(cells[index] ?? ''));
  if (injected !== undefined) return `“${injected}” is a formula`;
  const cell = (column: Column): string => {
    const text = cells[columns.indexOf(column)] ?? '';
    return TAKEN_FOR_ESCAPED.test(text) ? text.slice(1) : text;
  };
  const decision = cell('decision').trim().toLowerCase();
  if (decision !== '' && !DECISIONS.some((word) => word === decision))
    return `“decision” must be one of ${DECISIONS.join(', ')}, or empty`;
  const parsed = DecisionSchema.safeParse({
    line,
    id: idIn(cell('account_id')),
    login: cell('account'),
    email: cell('email'),
    otherId: idIn(cell('other_id')),
    other: cell('other'),
    otherEmail: cell('other_email'),
    decision: decision === '' ? 'skip' : decision,
  });
  if (!parsed.success) return 'its ids are not those of accounts, or a name in it is too long';
  return decision === '' ? null : parsed.data;
}

const idIn = (text: string): number => (/^\s*\d{1,15}\s*$/u.test(text) ? Number(text) : Number.NaN);
