/**
 * Reading CSV as spreadsheets write it (RFC 4180): quotes, commas or semicolons, a byte order mark, any line ends.
 *
 * Does: pure work on text. Always true: a line's number is the one that an editor shows for its first character.
 */
export interface CsvLine {
  /** From 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** Null: a quote that is never closed. Empty lines are left out. */
export function parseCsv(text: string): readonly CsvLine[] | null {
  const plain = text.replace(/^\uFEFF/u, '').replaceAll(/\r\n?/gu, '\n');
  const separator = separatorOf(plain);
  const lines: CsvLine[] = [];
  let line = 1;
  let at = 0;
  while (at < plain.length) {
    const start = line;
    const cells: string[] = [];
    for (;;) {
      const cell = readCell(plain, at, separator);
      if (cell === null) return null;
      cells.push(cell.text);
      line += cell.lines;
      at = cell.end;
      if (plain[at] !== separator) break;
      at += 1;
    }
    at += 1;
    line += 1;
    if (cells.some((cell) => cell.trim() !== '')) lines.push({ line: start, cells });
  }
  return lines;
}

/** By its first line: spreadsheets write semicolons where the comma stands in numbers. */
function separatorOf(text: string): ',' | ';' {
  const head = text.slice(0, Math.max(text.indexOf('\n'), 0) || text.length);
  return head.includes(';') && !head.includes(',') ? ';' : ',';
}

interface Cell {
  readonly text: string;
  /** Of what ends it: a separator, a line's end, or the text's. */
  readonly end: number;
  /** Line ends within it. */
  readonly lines: number;
}

function readCell(text: string, start: number, separator: string): Cell | null {
  if (text[start] !== '"') {
    let end = start;
    while (end < text.length && text[end] !== separator && text[end] !== '\n') end += 1;
    return { text: text.slice(start, end), end, lines: 0 };
  }
  let at = start + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote === -1) return null;
    if (text[quote + 1] !== '"') return quoted(text, start, quote, separator);
    at = quote + 2;
  }
}

/** What stands between the closing quote and the separator is a mistake that nobody means: it is left out. */
function quoted(text: string, start: number, quote: number, separator: string): Cell {
  const inner = text.slice(start + 1, quote).replaceAll('""', '"');
  let end = quote + 1;
  while (end < text.length && text[end] !== separator && text[end] !== '\n') end += 1;
  return { text: inner, end, lines: inner.split('\n').length - 1 };
}
