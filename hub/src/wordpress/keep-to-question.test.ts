import { expect, test } from 'vitest';
import type { AccountsAnswer, ChangesAnswer } from '#contract/messages.ts';
import { accountsAsAsked, changesAsAsked } from './keep-to-question.ts';
import { LyingSite } from './test/lying-site.ts';

const BAD = expect.objectContaining({ code: 'site.bad_answer' });
const { site } = new LyingSite('lair', 1);
const person = site.settle({ login: 'anna', email: 'anna@x.test' });
const row = site.readAsRow(person);

function accounts(ids: readonly number[], next: number | null = null): AccountsAnswer {
  const { account } = row;
  if (account === undefined) throw new Error('a row without its account');
  return { accounts: ids.map((id) => ({ ...account, id })), next, clock: 0, epoch: 'e' };
}
const asked = { after: 10, limit: 3 };

test('a page of changes holds no more rows than were asked for', () => {
  const page = (count: number): ChangesAnswer => ({
    epoch: 'e',
    head: 0,
    clock: 0,
    mark: null,
    rows: Array.from({ length: count }, () => row),
    more: false,
  });
  expect(changesAsAsked(page(3), 3).rows).toHaveLength(3);
  expect(() => changesAsAsked(page(4), 3)).toThrow(BAD);
});

test('T512: pages of accounts that go in circles, back or beyond what was asked are no answer', () => {
  expect(accountsAsAsked(accounts([11, 12, 13], 13), asked).accounts).toHaveLength(3);
  expect(() => accountsAsAsked(accounts([11, 12, 13, 14]), asked)).toThrow(BAD);
  expect(() => accountsAsAsked(accounts([12, 11]), asked)).toThrow(BAD);
  expect(() => accountsAsAsked(accounts([11, 11]), asked)).toThrow(BAD);
  expect(() => accountsAsAsked(accounts([10]), asked)).toThrow(BAD);
  expect(() => accountsAsAsked(accounts([11, 12], 11), asked)).toThrow(BAD);
  expect(() => accountsAsAsked(accounts([], 10), asked)).toThrow(BAD);
  const named = accountsAsAsked(accounts([11, 12]), { ...asked, ids: [12] });
  expect(named.accounts.map(({ id }) => id)).toEqual([12]);
});
