/** Columns as wide as their widest cell; two spaces between; nothing cut off. */
import { visible } from './visible.ts';

export type Row = readonly (string | number | null)[];

export function table(head: readonly string[], rows: readonly Row[]): string {
  const cells = [head, ...rows.map((row) => row.map(shown))];
  const widths = head.map((_, column) =>
    Math.max(...cells.map((row) => length(row[column] ?? ''))),
  );
  return cells
    .map((row) =>
      row.map((cell, i) => cell + ' '.repeat((widths[i] ?? 0) - length(cell))).join('  '),
    )
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

const shown = (cell: string | number | null): string =>
  cell === null || cell === '' ? '–' : visible(String(cell));

const letters = new Intl.Segmenter();

/** As many columns as people see letters. */
const length = (text: string): number => Array.from(letters.segment(text)).length;
