/**
 * A site answers what it was asked, and no more: pages within their limit and in their order.
 *
 * Always true: what comes through here lets the asking end, whatever the site makes up.
 * On failure: throws `Fault` `site.bad_answer`.
 */
import type { AccountsAnswer, ChangesAnswer } from '#contract/messages.ts';
import { Fault } from '../errors.ts';

export function changesAsAsked(answer: ChangesAnswer, limit: number): ChangesAnswer {
  if (answer.rows.length > limit) throw tooMuch('changes', answer.rows.length, limit);
  return answer;
}

/** Ids rise from page to page, so nobody comes twice and the pages have an end. */
export function accountsAsAsked(
  answer: AccountsAnswer,
  asked: { readonly after: number; readonly limit: number; readonly ids?: readonly number[] },
): AccountsAnswer {
  const { accounts, next } = answer;
  if (accounts.length > asked.limit) throw tooMuch('accounts', accounts.length, asked.limit);
  let last = asked.after;
  for (const { id } of accounts) {
    if (id <= last) throw outOfOrder(id);
    last = id;
  }
  if (next !== null && (next < last || next <= asked.after)) throw outOfOrder(next);
  if (asked.ids === undefined) return answer;
  const wanted = new Set(asked.ids);
  return { ...answer, accounts: accounts.filter(({ id }) => wanted.has(id)) };
}

const tooMuch = (route: string, count: number, limit: number): Fault =>
  new Fault(
    'site.bad_answer',
    `The site gave ${count} rows to “${route}”; ${limit} were asked for.`,
  );

const outOfOrder = (id: number): Fault =>
  new Fault('site.bad_answer', `The site gave accounts out of their order, at id ${id}.`);
