/** The accounts, sites and routes that a manual sync was asked for. */
import type { AccountState } from '#contract/account-state.ts';
import type { SyncRequest } from '../../api/schemas/sync.ts';
import { Fault } from '../../errors.ts';
import { accountPages } from '../../sync/account-pages.ts';
import type { SiteRecord } from '../../sync/ports.ts';
import { siteNamed } from '../names.ts';
import type { OperationPorts } from '../ports.ts';
import type { Way } from './plan-page.ts';

/** Accounts per page: both sides of a page are held in memory at once. */
const PAGE = 500;

export interface Asked {
  readonly source: SiteRecord;
  readonly ways: readonly Way[];
}

/** @throws Fault `site.unknown`, `route.unknown`, `role.unknown` */
export async function resolve(
  ports: Pick<OperationPorts, 'registry'>,
  request: SyncRequest,
): Promise<Asked> {
  const source = await siteNamed(ports.registry, request.from);
  const { routes } = await ports.registry.topology();
  const ways: Way[] = [];
  for (const name of new Set(request.to)) {
    const target = await siteNamed(ports.registry, name);
    const route = routes.find(
      (entry) => entry.source === source.key && entry.target === target.key,
    );
    if (route === undefined) {
      const sentence = `There is no route from “${source.name}” to “${target.name}”; its rules say which fields and roles may go there.`;
      throw new Fault('route.unknown', sentence);
    }
    ways.push({ route, target });
  }
  for (const role of request.accounts.by === 'roles' ? request.accounts.roles : []) {
    if (source.roles[role] === undefined) {
      throw new Fault('role.unknown', `“${source.name}” has no role “${role}”.`);
    }
  }
  return { source, ways };
}

export interface ChosenPage {
  readonly accounts: readonly AccountState[];
  readonly after: number;
  readonly next: number | null;
}

/**
 * The chosen accounts of the source, page by page, with their present state.
 *
 * @param from begins behind this id
 */
export async function* pagesOf(
  ports: Pick<OperationPorts, 'registry' | 'site'>,
  source: SiteRecord,
  chosen: SyncRequest['accounts'],
  from: number,
): AsyncGenerator<ChosenPage> {
  const connection = await ports.registry.connection(source.installation);
  const wanted = chosen.by === 'accounts' ? new Set(chosen.logins) : null;
  const asked = { limit: PAGE, detail: 'state', ...filterOf(chosen) } as const;
  for await (const { accounts, after, next } of accountPages(ports.site, connection, asked, from)) {
    // A database's collation takes `áxb` for `axb`; a person is chosen by the very login.
    const meant = accounts.filter(({ login }) => wanted === null || wanted.has(login));
    yield { accounts: meant, after, next };
  }
}

function filterOf(chosen: SyncRequest['accounts']) {
  switch (chosen.by) {
    case 'roles':
      return { roles: chosen.roles };
    case 'accounts':
      return { logins: chosen.logins };
    case 'search':
      return { search: chosen.search };
    default:
      return {};
  }
}
