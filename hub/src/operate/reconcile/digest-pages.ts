/**
 * Sums over what accounts hold, page by page. A connector that has none yet gives the accounts without
 * them, and what has no sum is compared value by value.
 */
import { Fault } from '../../errors.ts';
import { boundedPages } from '../../sync/account-pages.ts';
import type { SiteRecord } from '../../sync/ports.ts';
import type { OperationPorts } from '../ports.ts';

/** Accounts per page: both sides of a page are held in memory at once. */
export const PAGE = 500;

/** More a connector does not sum up. */
const MOST_FIELDS = 1_000;

export interface Summed {
  readonly id: number;
  readonly digest: string | null;
}

interface SummedPage {
  readonly rows: readonly Summed[];
  readonly next: number | null;
}

/** All accounts of a site. @param from begins behind this id */
export async function* digestPages(
  ports: Pick<OperationPorts, 'registry' | 'site'>,
  of: SiteRecord,
  fields: readonly string[],
  from: number,
): AsyncGenerator<SummedPage & { readonly after: number }> {
  const connection = await ports.registry.connection(of.installation);
  const pages = {
    ask: (after: number) => ask(ports, of, fields, { after, limit: PAGE }),
    countOf: ({ rows }: SummedPage) => rows.length,
  };
  yield* boundedPages(ports.site, connection, pages, from);
}

/** These accounts; who is not there is missing. */
export async function digestsOf(
  ports: Pick<OperationPorts, 'registry' | 'site'>,
  of: SiteRecord,
  fields: readonly string[],
  ids: readonly number[],
): Promise<ReadonlyMap<number, string | null>> {
  const found = new Map<number, string | null>();
  for (let from = 0; from < ids.length; from += PAGE) {
    const some = ids.slice(from, from + PAGE);
    for (let after: number | null = 0; after !== null; ) {
      const page: SummedPage = await ask(ports, of, fields, { after, limit: PAGE, ids: some });
      for (const { id, digest } of page.rows) found.set(id, digest);
      after = page.next;
    }
  }
  return found;
}

async function ask(
  { registry, site }: Pick<OperationPorts, 'registry' | 'site'>,
  { installation, blog }: SiteRecord,
  fields: readonly string[],
  page: { readonly after: number; readonly limit: number; readonly ids?: readonly number[] },
): Promise<SummedPage> {
  const connection = await registry.connection(installation);
  const bare = async (): Promise<SummedPage> => {
    const { accounts, next } = await site.accounts(connection, { ...page, detail: 'who' });
    return { rows: accounts.map(({ id }) => ({ id, digest: null })), next };
  };
  if (fields.length > MOST_FIELDS) return bare();
  try {
    const { digests, next } = await site.digests(connection, {
      ...page,
      blog,
      fields: [...fields],
    });
    return { rows: digests, next };
  } catch (fault) {
    // It answers all else: this route alone is missing there.
    if (!(fault instanceof Fault) || fault.code !== 'site.no_connector') throw fault;
    return bare();
  }
}
