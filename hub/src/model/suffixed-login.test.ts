import { expect, test } from 'vitest';
import { isSuffixed } from './suffixed-login.ts';

test('a login with a number is told from the one that was wanted', () => {
  const long = 'x'.repeat(60);
  const pairs = [
    ['anna.smith-2', 'anna.smith'],
    ['anna-2-2', 'anna-2'],
    ['Anna-99', 'Anna'],
    [`${'x'.repeat(58)}-2`, long],
  ] as const;
  expect(pairs.filter(([login, wanted]) => !isSuffixed(login, wanted))).toEqual([]);
  const others = [
    ['anna', 'anna'],
    ['anna-2', 'anna-2'],
    ['anna-1', 'anna'],
    ['anna-02', 'anna'],
    ['ann-2', 'anna'],
    ['anna2', 'anna'],
    ['-2', ''],
  ] as const;
  expect(others.filter(([login, wanted]) => isSuffixed(login, wanted))).toEqual([]);
});
