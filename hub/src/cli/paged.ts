/** Options of commands that show a list page by page. */
import type { Command } from 'commander';
import { MOST_ROWS_SHOWN } from '../api/schemas/words.ts';
import { usage } from './failure.ts';
import { visible } from './visible.ts';

export interface PageOptions {
  readonly limit?: string;
  readonly after?: string;
}

export const paged = (command: Command): Command =>
  command
    .option('--limit <rows>', 'at most so many', String(MOST_ROWS_SHOWN))
    .option('--after <place>', 'the page after the one that ended there');

export function pageQuery(
  { limit, after }: PageOptions,
  filters: Readonly<Record<string, string>>,
): string {
  const size = limit === String(MOST_ROWS_SHOWN) ? undefined : limit;
  const query = new URLSearchParams({
    ...filters,
    ...(after === undefined ? {} : { after }),
    ...(size === undefined ? {} : { limit: parseLimit(size) }),
  }).toString();
  return query === '' ? '' : `?${query}`;
}

export function parseLimit(text: string): string {
  if (/^[1-9]\d{0,3}$/u.test(text) && Number(text) <= MOST_ROWS_SHOWN) return text;
  throw usage(`--limit “${text}” is no number from 1 to ${MOST_ROWS_SHOWN}.`);
}

/** @param counted where all of them are counted */
export const moreAfter = (next: string | null, counted: string): string =>
  next === null ? '' : `There may be more: --after ${visible(next)}. ${counted}\n`;
