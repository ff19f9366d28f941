/** hub/src/sync/SPEC.md and the tests cite each other, both ways. */
import { expect, test } from 'vitest';
import { filesIn, read, type SourceFile } from './source-files.ts';

const SPEC = 'hub/src/sync/SPEC.md';

/** Numbers at the start of test titles: `test('I4: …`, `test('I1, I3: …`. */
export const provenBy = ({ text }: SourceFile): string[] =>
  [...text.matchAll(/\(\s*['"`]((?:I\d+, )*I\d+): /gu)].flatMap(([, numbers = '']) =>
    numbers.split(', '),
  );

/** Numbers in comments: `(I2)`, `(I1, I3)`. */
export const citedIn = ({ text }: SourceFile): string[] =>
  [...text.matchAll(/\(((?:I\d+, )*I\d+)\)/gu)].flatMap(([, numbers = '']) => numbers.split(', '));

const spec = [...read(SPEC).matchAll(/^\*\*(I\d+)\*\* /gmu)].map(([, number = '']) => number);
const files = filesIn(['hub', 'contract', 'connector', 'lab', 'e2e', 'test'], '.ts').filter(
  ({ path }) => path !== 'test/invariants.test.ts',
);
const tests = files.filter(({ path }) => path.endsWith('.test.ts'));

test('invariants are numbered from I1 without a gap', () => {
  expect(spec).toEqual(spec.map((_, index) => `I${index + 1}`));
  expect(spec.length).toBeGreaterThan(0);
});

test('every invariant is proven by a test whose title starts with its number', () => {
  const proven = new Set(tests.flatMap(provenBy));
  expect(spec.filter((number) => !proven.has(number))).toEqual([]);
});

test('no test and no comment cites an invariant that does not exist', () => {
  const cited = files.flatMap((file) =>
    [...provenBy(file), ...citedIn(file)].map((number) => `${file.path}: ${number}`),
  );
  expect(cited.filter((entry) => !spec.includes(entry.split(': ')[1] ?? ''))).toEqual([]);
});

test('the check reads titles and comments', () => {
  const text = "test.each(['a'])(\n  'I4, I99: %s', …); it(`I3: …`); // as it must be (I2, I7)";
  expect(provenBy({ path: '', text })).toEqual(['I4', 'I99', 'I3']);
  expect(citedIn({ path: '', text })).toEqual(['I2', 'I7']);
});
