/**
 * A site answers what it was asked, and no more: pages within their limit and in their order.
 *
 * Always true: what comes through here lets the asking end, whatever the site makes up.
 * On failure: throws `Fault` `site.bad_answer`.
 */
import type { AccountsAnswer, ChangesAnswer, DigestsAnswer } from '#contract/messages.ts';
import { Fault } from '../errors.ts';

export function changesAsAsked(answer: ChangesAnswer, limit: number): ChangesAnswer {
  if (answer.rows.length > limit) throw tooMuch('changes', answer.rows.length, limit);
  return answer;
}

interface Asked {
  readonly after: number;
  readonly limit: number;
  readonly ids?: readonly number[];
}

export const accountsAsAsked = (answer: AccountsAnswer, asked: Asked): AccountsAnswer => ({
  ...answer,
  accounts: pageAsAsked('accounts', answer.accounts, answer.next, asked),
});

export const digestsAsAsked = (answer: DigestsAnswer, asked: Asked): DigestsAnswer => ({
  ...answer,
  digests: pageAsAsked('digests', answer.digests, answer.next, asked),
});

/** Ids rise from page to page, so nobody comes twice and the pages have an end. */
function pageAsAsked<Row extends { readonly id: number }>(
  route: string,
  rows: Row[],
  next: number | null,
  asked: Asked,
): Row[] {
  if (rows.length > asked.limit) throw tooMuch(route, rows.length, asked.limit);
  let last = asked.after;
  for (const { id } of rows) {
    if (id <= last) throw outOfOrder(id);
    last = id;
  }
  if (next !== null && (next < last || next <= asked.after)) throw outOfOrder(next);
  if (asked.ids === undefined) return rows;
  const wanted = new Set(asked.ids);
  return rows.filter(({ id }) => wanted.has(id));
}

const tooMuch = (route: string, count: number, limit: number): Fault =>
  new Fault(
    'site.bad_answer',
    `The site gave ${count} rows to “${route}”; ${limit} were asked for.`,
  );

const outOfOrder = (id: number): Fault =>
  new Fault('site.bad_answer', `The site gave accounts out of their order, at id ${id}.`);
