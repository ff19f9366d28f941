/**
 * The Sync Log as the demo prints it: one line for each row, oldest first.
 *
 * Always true: no line is wider than the screen unless a single login is; where there is no room for a column of
 *   reasons, a reason stands on a line of its own.
 */
import type { LogRow } from '#hub/api/schemas/log.ts';
import { table } from '#hub/cli/table.ts';
import { visible } from '#hub/cli/visible.ts';
import type { Screen } from './screen.ts';

const INDENT = '  ';
const HEAD = ['TIME', 'ACTION', 'LOGIN', 'FROM → TO', 'PATH', 'STATUS', 'MS'];

export function printSyncLog(newestFirst: readonly LogRow[], screen: Screen): void {
  const rows = newestFirst.toReversed();
  screen.line();
  screen.line(screen.colours.bold('The Sync Log'));
  screen.line();
  const wide = table(
    [...HEAD, 'REASON'],
    rows.map((row) => [...cells(row), row.reason]),
  );
  const fits = wide.split('\n').every((line) => INDENT.length + line.length <= screen.width);
  const lines = fits ? wide.split('\n') : narrow(rows);
  for (const [index, line] of lines.entries()) {
    if (line === '') continue;
    screen.line(INDENT + (index === 0 ? screen.colours.dim(line) : line));
  }
  screen.line();
}

function narrow(rows: readonly LogRow[]): string[] {
  const [head = '', ...lines] = table(HEAD, rows.map(cells)).split('\n');
  const reasons = rows.map((row) =>
    row.reason === null ? [] : [`          ${visible(row.reason)}`],
  );
  return [head, ...lines.flatMap((line, index) => [line, ...(reasons[index] ?? [])])];
}

const cells = (row: LogRow): (string | null)[] => [
  row.at.slice(11, 19),
  row.action,
  row.login,
  `${row.source ?? '–'} → ${row.target}`,
  // Without spaces the longest path of the demo still fits 80 columns.
  row.path.join('→'),
  row.status,
  row.durationMs === null ? null : String(Math.round(row.durationMs)),
];
