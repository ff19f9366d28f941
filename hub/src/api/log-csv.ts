/**
 * Rows of the Sync Log as CSV (RFC 4180).
 *
 * Always true: a row is one line, and a cell is never a formula, whatever people call themselves.
 */
import type { LogRow } from './schemas/log.ts';

const COLUMNS = {
  id: (row) => row.id,
  at: (row) => row.at,
  source: (row) => row.source,
  target: (row) => row.target,
  account: (row) => row.login,
  uid: (row) => row.uid,
  actor: (row) => row.actor,
  action: (row) => row.action,
  status: (row) => row.status,
  reason: (row) => row.reason,
  message: (row) => row.message,
  fields: (row) => row.fields.join(' '),
  path: (row) => row.path.join(' → '),
  attempts: (row) => row.attempts,
  duration_ms: (row) => row.durationMs,
  unconfirmed_email: (row) => (row.unconfirmedEmail ? 'yes' : ''),
} satisfies Readonly<Record<string, (row: LogRow) => string | number | null>>;

export const BYTE_ORDER_MARK = '\uFEFF';
const LINE_END = '\r\n';

export const csvHead = (): string => lineOf(Object.keys(COLUMNS));
export const csvLine = (row: LogRow): string =>
  lineOf(Object.values(COLUMNS).map((cell) => cell(row)));

const lineOf = (cells: readonly (string | number | null)[]): string =>
  `${cells.map(csvCell).join(',')}${LINE_END}`;

/** What a spreadsheet takes for the beginning of a formula; in some languages the wide signs, too. */
const FORMULA = /^\s*[=+\-@＝＋－＠]/u;
/** Line ends and all that steers a terminal, a direction of writing included. */
const CONTROL = /[\p{Cc}\u2028\u2029\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069\uFEFF]+/gu;

/** A number stays one. An apostrophe before a formula makes it text. */
export function csvCell(value: string | number | null): string {
  if (typeof value === 'number') return String(value);
  const text = (value ?? '').replace(CONTROL, ' ');
  const plain = FORMULA.test(text) ? `'${text}` : text;
  return /[",]/u.test(plain) || plain !== plain.trim() ? `"${plain.replaceAll('"', '""')}"` : plain;
}
