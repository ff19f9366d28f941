import { expect, test } from 'vitest';
import { csvCell, csvHead, csvLine } from './log-csv.ts';
import { logRow } from './test/samples.ts';

test.each([
  ['anna', 'anna'],
  ['O’Hara, Anna', '"O’Hara, Anna"'],
  ['say "hi"', '"say ""hi"""'],
  ['=1+1', `'=1+1`],
  ['=HYPERLINK("http://a.test","x")', `"'=HYPERLINK(""http://a.test"",""x"")"`],
  ['+1', `'+1`],
  ['-1', `'-1`],
  ['@SUM(A1)', `'@SUM(A1)`],
  ['\t=1', `' =1`],
  [' =1', `' =1`],
  ['＝1', `'＝1`],
  ['two\r\nlines\u001b[2J', 'two lines [2J'],
  ['\u202etxt', '" txt"'],
  ['آنا 日本 🙂', 'آنا 日本 🙂'],
  [-3, '-3'],
  [null, ''],
])('%j is the cell %s', (value, cell) => {
  expect(csvCell(value)).toBe(cell);
});

test('a row has as many cells as the head, and ends its line', () => {
  expect(csvHead()).toMatch(
    /^id,at,source,target,account,uid,actor,.*,duration_ms,unconfirmed_email\r\n$/u,
  );
  const line = csvLine({ ...logRow, message: 'a, b', reason: 'x.y' });
  expect(line).toBe(
    `7,${logRow.at},Shop,Blog,anna,${logRow.uid},anna,update,delivered,x.y,"a, b",first_name,Shop → Blog,1,40,\r\n`,
  );
});
