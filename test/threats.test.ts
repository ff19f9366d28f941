/** docs/reference/threats.md and the tests cite each other, both ways. */
import { expect, test } from 'vitest';
import { filesIn, read, type SourceFile } from './source-files.ts';

const PAGE = 'docs/reference/threats.md';

interface Threat {
  readonly number: string;
  readonly threat: string;
  readonly rule: string;
  /** Test files. */
  readonly tests: readonly string[];
}

/** Numbers at the start of test titles: `test('T101: …`, `test('T101, T305: …`. */
export const shownBy = ({ text }: SourceFile): string[] =>
  [...text.matchAll(/\(\s*['"`]((?:T\d{3}, )*T\d{3}): /gu)].flatMap(([, numbers = '']) =>
    numbers.split(', '),
  );

/** Rows of the tables: number, threat, rule, test files. */
export const threatsIn = (page: string): Threat[] =>
  [...page.matchAll(/^\| (T\d{3}) \| (.*) \| (.*) \| (.*) \|$/gmu)].map(
    ([, number = '', threat = '', rule = '', tests = '']) => ({
      number,
      threat: threat.trim(),
      rule: rule.trim(),
      tests: [...tests.matchAll(/`([^`]+)`/gu)].map(([, path = '']) => path),
    }),
  );

const threats = threatsIn(read(PAGE));
const tests = filesIn(['hub', 'contract', 'connector', 'lab', 'e2e', 'test'], '.test.ts').filter(
  ({ path }) => path !== 'test/threats.test.ts',
);

test('every threat has a number of its own, a rule and a test', () => {
  const numbers = threats.map(({ number }) => number);
  expect(numbers.length).toBeGreaterThan(0);
  expect(numbers).toEqual([...new Set(numbers)].toSorted());
  expect(threats.filter((row) => row.threat === '' || row.rule === '')).toEqual([]);
  expect(threats.filter((row) => row.tests.length === 0)).toEqual([]);
});

test('each file that a threat names has a test whose title starts with its number', () => {
  const shown = new Set(
    tests.flatMap((file) => shownBy(file).map((number) => `${number} ${file.path}`)),
  );
  const named = threats.flatMap(({ number, tests: paths }) =>
    paths.map((path) => `${number} ${path}`),
  );
  expect(named.filter((entry) => !shown.has(entry))).toEqual([]);
});

test('each test that cites a threat is named in its row', () => {
  const named = new Set(
    threats.flatMap(({ number, tests: paths }) => paths.map((path) => `${number} ${path}`)),
  );
  const shown = tests.flatMap((file) => shownBy(file).map((number) => `${number} ${file.path}`));
  expect([...new Set(shown)].filter((entry) => !named.has(entry))).toEqual([]);
});

test('the check reads rows and titles', () => {
  const row = '| T101 | a kill | nothing is lost | `e2e/a.test.ts`, `e2e/b.test.ts` |';
  const read = { threat: 'a kill', rule: 'nothing is lost' };
  expect(threatsIn(`| number |\n|---|\n${row}`)).toEqual([
    { number: 'T101', ...read, tests: ['e2e/a.test.ts', 'e2e/b.test.ts'] },
  ]);
  const text = "test('T101, T305: …'); it(`T201: …`); test('I1: T999')";
  expect(shownBy({ path: '', text })).toEqual(['T101', 'T305', 'T201']);
});
