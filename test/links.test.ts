/** Every page that another page leads to is there, and so is the heading that it names. */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { filesIn, ROOT, read } from './source-files.ts';

const FOLDERS = ['docs', 'hub', 'contract', 'connector', 'lab', 'e2e'];
const LINK = /\]\((?!https?:|mailto:)([^)\s#]*)(?:#([^)\s]+))?\)/gu;
const HEADING = /^#+ (.+)$/gmu;

/** As it is made of a heading where Markdown is shown. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(/\s/gu, '-');
const anchorsIn = (text: string): string[] =>
  [...text.matchAll(HEADING)].map(([, heading = '']) => anchorOf(heading));

function brokenIn(page: string, text: string): string[] {
  return [...text.matchAll(LINK)].flatMap(([, path = '', anchor]) => {
    const to = path === '' ? page : normalize(join(dirname(page), path));
    if (!existsSync(join(ROOT, to))) return [`${page}: ${path}`];
    if (anchor === undefined || !to.endsWith('.md') || anchorsIn(read(to)).includes(anchor))
      return [];
    return [`${page}: ${path}#${anchor}`];
  });
}

test('every link between pages leads somewhere', () => {
  const top = readdirSync(ROOT).filter((name) => name.endsWith('.md'));
  const pages = [...top.map((path) => ({ path, text: read(path) })), ...filesIn(FOLDERS, '.md')];
  expect(pages.length).toBeGreaterThan(20);
  expect(pages.flatMap(({ path, text }) => brokenIn(path, text))).toEqual([]);
});
