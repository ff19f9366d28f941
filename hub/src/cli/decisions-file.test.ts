import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SyncStepRow } from '../api/schemas/sync.ts';
import { parseCsv } from './csv.ts';
import { decisionLines, decisionsHead, readDecisions } from './decisions-file.ts';

const step = (more: Partial<SyncStepRow> = {}): SyncStepRow => ({
  login: 'anna',
  target: 'Blog',
  what: 'hold',
  other: null,
  fields: [],
  reason: 'link.login_only',
  message: 'A sentence.',
  state: 'left',
  note: null,
  pair: 'clash',
  decision: 'link',
  id: 7,
  email: 'anna@shop.test',
  others: [{ id: 12, login: 'anna', email: 'anna@blog.test', why: null }],
  ...more,
});
const fileOf = (...steps: SyncStepRow[]): string =>
  decisionsHead() + steps.map((one) => decisionLines({ ...one, other: 'anna' })).join('');

/** One line with these cells, in the order of the head. */
const line = (cells: Partial<Record<string, string>>): string => {
  const usual = {
    account_id: '7',
    account: 'anna',
    email: 'anna@shop.test',
    other_id: '12',
    other: 'anna',
    other_email: 'anna@blog.test',
    pair: 'clash',
    why: '',
    decision: 'link',
  };
  return `${decisionsHead()}${Object.values({ ...usual, ...cells }).join(',')}\r\n`;
};

test('T171: what people call themselves is no formula on the way out, and the same when it comes back', () => {
  const awkward = fc
    .tuple(
      fc.constantFrom('', "'", "''", ' ', '\t'),
      fc.constantFrom('', '=', '+', '-', '@', '＝'),
      fc.string({ unit: 'grapheme', maxLength: 20 }),
    )
    .map((parts) => parts.join(''))
    // What steers a terminal goes out as a space.
    .filter((text) => !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text));
  fc.assert(
    fc.property(awkward, awkward, (login, email) => {
      const others = [{ id: 12, login: 'anna', email, why: null }];
      const text = fileOf(step({ login, email, others }));
      for (const cell of parseCsv(text)?.[1]?.cells ?? [''])
        expect(cell).not.toMatch(/^\s*[=+\-@＝＋－＠]/u);
      const { decisions, problems } = readDecisions(text);
      expect(problems).toEqual([]);
      expect(decisions).toMatchObject([{ line: 2, login, email, otherEmail: email }]);
    }),
  );
});

describe('a file that comes in', () => {
  test('is read with semicolons, a byte order mark, capitals and columns in another order', () => {
    const text =
      '\uFEFFdecision;why;pair;other_email;other;other_id;email;account;account_id\n' +
      'Link;;clash;b@x.test;b;12;a@x.test;a;7\n;;clash;b@x.test;b;13;a@x.test;a;8\n';
    expect(readDecisions(text)).toEqual({
      problems: [],
      decisions: [
        {
          line: 2,
          id: 7,
          login: 'a',
          email: 'a@x.test',
          otherId: 12,
          other: 'b',
          otherEmail: 'b@x.test',
          decision: 'link',
        },
      ],
    });
  });

  test.each([
    ['a word that is none', line({ decision: 'merge' }), 'one of link, separate, skip'],
    ['a formula among the decisions', line({ decision: '=1+1' }), '“decision” is a formula'],
    ['a formula among the names', line({ other: '@SUM(A1)' }), '“other” is a formula'],
    ['a formula in what nobody reads', line({ why: '=HYPERLINK(0)' }), '“why” is a formula'],
    ['an id that is none', line({ account_id: 'seven' }), 'ids are not those of accounts'],
    ['more cells than the head', line({ decision: 'link,link' }), 'more cells than the head'],
    ['a head of something else', 'url,name\n', 'the head must be'],
    ['no closing quote', `${decisionsHead()}"7`, 'a quote is opened'],
    ['nothing', '', 'the file is empty'],
  ])('is refused with %s', (_, text, message) => {
    const { problems } = readDecisions(text);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toContain(message);
  });

  test('is not too long for one: of several who stand against an account one line says link', () => {
    const others = [
      { id: 12, login: 'anna', email: 'a@x.test', why: null },
      { id: 13, login: 'anna-2', email: 'b@x.test', why: null },
    ];
    const { decisions } = readDecisions(fileOf(step({ others })));
    expect(decisions.map(({ otherId }) => otherId)).toEqual([12]);
  });
});
