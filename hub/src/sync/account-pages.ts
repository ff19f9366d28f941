/**
 * The accounts of a site, page by page, to their end.
 *
 * Does: ask for one page when the one before was taken.
 * Does not: hold more than one page, or believe that a site comes to an end by itself.
 * Always true: it ends. A site gives no more than about twice the accounts that it says it has, and never
 * more than `MOST_ACCOUNTS`, whatever it says.
 * On failure: throws `Fault` `site.endless_accounts`, or what the asking throws.
 */
import type { AccountsAnswer } from '#contract/messages.ts';
import { Fault } from '../errors.ts';
import type { Connection, SitePort } from './ports.ts';

export interface AccountPage extends AccountsAnswer {
  /** The ids of the page are greater than this. */
  readonly after: number;
}

type Asked = Omit<Parameters<SitePort['accounts']>[1], 'after'>;

/** @param from begins behind this id */
export async function* accountPages(
  site: Pick<SitePort, 'accounts' | 'status'>,
  connection: Connection,
  asked: Asked,
  from = 0,
): AsyncGenerator<AccountPage> {
  yield* boundedPages(
    site,
    connection,
    {
      ask: (after) => site.accounts(connection, { ...asked, after }),
      countOf: ({ accounts }) => accounts.length,
    },
    from,
  );
}

/** The same for any answer that goes through a site's accounts. */
export async function* boundedPages<Page extends { readonly next: number | null }>(
  site: Pick<SitePort, 'status'>,
  connection: Connection,
  {
    ask,
    countOf,
  }: {
    readonly ask: (after: number) => Promise<Page>;
    readonly countOf: (page: Page) => number;
  },
  from = 0,
): AsyncGenerator<Page & { readonly after: number }> {
  let after: number | null = from;
  let count = 0;
  let empty = 0;
  let most = BELIEVED_UNASKED;
  let said: number | null = null;
  while (after !== null) {
    const page: Page = await ask(after);
    const rows = countOf(page);
    count += rows;
    empty = rows > 0 ? 0 : empty + 1;
    if (count > most && said === null) {
      said = (await site.status(connection)).accounts;
      most = mostOf(said);
    }
    if (count > most) throw endless(`It gave ${count} accounts, and says that it has ${said}.`);
    if (page.next !== null && empty === EMPTY_PAGES) throw endless('Its pages are empty.');
    yield { ...page, after };
    after = page.next;
  }
}

/** Small sites are not asked how many accounts they have. */
export const BELIEVED_UNASKED = 1_000;
/** People register while a site is read. */
const GROWTH = 2;
/** Far more than any site has: what a site says of itself can't lift it. */
export const MOST_ACCOUNTS = 5_000_000;
/** Everybody on a page may have been deleted while it was read; not three times in a row. */
const EMPTY_PAGES = 3;

const mostOf = (said: number): number => Math.min(said * GROWTH + BELIEVED_UNASKED, MOST_ACCOUNTS);

const endless = (why: string): Fault =>
  new Fault('site.endless_accounts', `The site’s list of accounts has no end. ${why}`);
