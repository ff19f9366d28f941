/** Codes and lists that stand in more than one place say the same everywhere. */
import { describe, expect, test } from 'vitest';
import { FAULTS } from '#hub/errors.ts';
import { NEVER_BEGINNINGS, NEVER_KEYS, NEVER_PATTERNS } from '#hub/model/never-synced.ts';
import { REASONS } from '#hub/reasons.ts';
import { filesIn, read } from './source-files.ts';

/** First cell of a table row → its other cells. */
function rowsOf(page: string): Map<string, string[]> {
  const rows = read(page).matchAll(/^\| `([a-z]+\.[a-z_]+)` \| (.+) \|$/gmu);
  return new Map([...rows].map(([, code = '', cells = '']) => [code, cells.split(' | ')]));
}

const sorted = (codes: Iterable<string>): string[] => [...codes].sort();

describe('docs/reference', () => {
  test('reasons.md has a row for every reason and for nothing else', () => {
    const rows = rowsOf('docs/reference/reasons.md');
    expect(sorted(rows.keys())).toEqual(sorted(Object.keys(REASONS)));
    for (const cells of rows.values()) expect(cells).toHaveLength(2);
  });

  test('errors.md has a row for every fault, with its status and next step', () => {
    const rows = rowsOf('docs/reference/errors.md');
    expect(sorted(rows.keys())).toEqual(sorted(Object.keys(FAULTS)));
    for (const [code, { status, retryable, next }] of Object.entries(FAULTS)) {
      const [shown, again, meaning, todo] = rows.get(code) ?? [];
      expect([code, shown, again, todo]).toEqual([
        code,
        `${status}`,
        retryable ? 'yes' : 'no',
        next,
      ]);
      expect(meaning).not.toBe('');
    }
  });
});

test('the hub and its command line give no error that is not in the list', () => {
  const given = filesIn(['hub/src'], '.ts')
    .filter(({ path }) => !path.includes('test'))
    .flatMap(({ text }) => [
      ...text.matchAll(/new (?:Failure\(\{\s*code:|Fault\()\s*'([a-z._]+)'/gu),
    ])
    .map(([, code = '']) => code);
  expect(new Set(given).size).toBeGreaterThan(20);
  expect(given.filter((code) => !Object.hasOwn(FAULTS, code))).toEqual([]);
});

const php = filesIn(['connector/includes'], '.php');

describe('the connector', () => {
  test('gives no reason that the hub does not know', () => {
    const codes = php.flatMap(({ text }) =>
      [...text.matchAll(/'([a-z]+\.[a-z_]+)'/gu)].map(([, code = '']) => code),
    );
    const given = new Set(codes.filter((code) => !/\.(php|css|js|txt)$/u.test(code)));
    expect(given.size).toBeGreaterThan(30);
    expect([...given].filter((code) => !Object.hasOwn(REASONS, code))).toEqual([]);
  });

  test('holds the same lists of what never travels', () => {
    const text = read('connector/includes/class-rollcall-never-synced.php');
    const list = (name: string): string[] => {
      const body = new RegExp(`const ${name} = array\\(([\\s\\S]*?)\\n\\t\\);`, 'u').exec(
        text,
      )?.[1];
      return [...(body ?? '').matchAll(/^\t\t'(.*)',$/gmu)].map(([, entry = '']) => entry);
    };
    expect(list('KEYS')).toEqual(NEVER_KEYS);
    expect(list('BEGINNINGS')).toEqual(NEVER_BEGINNINGS);
    expect(list('PATTERNS')).toEqual(NEVER_PATTERNS);
    // What the code does with the lists is compared over contract/fixtures/never-synced.json.
  });
});
