/**
 * The accounts, sites and routes that a manual sync was asked for. Names are looked up once, when it is
 * asked for: whatever a site is called later, the run stays with the sites of its plan.
 */

import { z } from 'zod';
import type { AccountState } from '#contract/account-state.ts';
import { type SyncRequest, SyncRequestSchema } from '../../api/schemas/sync.ts';
import { Fault } from '../../errors.ts';
import { type SiteKey, siteKey } from '../../model/ids.ts';
import { isMember } from '../../model/route.ts';
import type { SyncRunRecord } from '../../model/sync-run.ts';
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
  const targets: SiteRecord[] = [];
  for (const name of new Set(request.to)) {
    const target = await siteNamed(ports.registry, name);
    if (!targets.some(({ key }) => key === target.key)) targets.push(target);
  }
  for (const role of request.accounts.by === 'roles' ? request.accounts.roles : []) {
    if (source.roles[role] === undefined) {
      throw new Fault('role.unknown', `“${source.name}” has no role “${role}”.`);
    }
  }
  return { source, ways: await waysTo(ports, source, targets) };
}

/** The sites of a run as they are now. @throws Fault `site.unknown`, `route.unknown` */
export async function sitesOfRun(
  ports: Pick<OperationPorts, 'registry'>,
  run: SyncRunRecord,
): Promise<Asked> {
  const sites = new Map((await ports.registry.sites()).map((site) => [site.key, site]));
  const found = (key: SiteKey): SiteRecord => {
    const site = sites.get(key);
    if (site === undefined) throw new Fault('site.unknown', 'A site of this sync was removed.');
    return site;
  };
  const source = found(run.source);
  const targets = storedRequest(run).targets.map((key) => found(siteKey(key)));
  return { source, ways: await waysTo(ports, source, targets) };
}

async function waysTo(
  { registry }: Pick<OperationPorts, 'registry'>,
  source: SiteRecord,
  targets: readonly SiteRecord[],
): Promise<readonly Way[]> {
  const { routes } = await registry.topology();
  return targets.map((target) => {
    const route = routes.find(
      (entry) => entry.source === source.key && entry.target === target.key,
    );
    if (route !== undefined) return { route, target };
    const sentence = `There is no route from “${source.name}” to “${target.name}”; its rules say which fields and roles may go there.`;
    throw new Fault('route.unknown', sentence);
  });
}

const StoredRequestSchema = z.object({
  asked: SyncRequestSchema,
  targets: z.array(z.int().positive()),
});
export type StoredRequest = z.infer<typeof StoredRequestSchema>;

export const storedRequest = ({ request }: SyncRunRecord): StoredRequest =>
  StoredRequestSchema.parse(request);

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
  // Which roles somebody has is a question to the very site.
  const { restUrl } = source;
  const connection = { ...(await ports.registry.connection(source.installation)), restUrl };
  const wanted = chosen.by === 'accounts' ? new Set(chosen.logins) : null;
  const asked = { limit: PAGE, detail: 'state', ...filterOf(chosen) } as const;
  for await (const { accounts, after, next } of accountPages(ports.site, connection, asked, from)) {
    // A database's collation takes `áxb` for `axb`; a person is chosen by the very login.
    const meant = accounts.filter((account) =>
      wanted === null ? isOfThisSite(source, account) : wanted.has(account.login),
    );
    yield { accounts: meant, after, next };
  }
}

/** All of a network's site are its members. Who is named goes, wherever they have a role. */
const isOfThisSite = (source: SiteRecord, { roles }: AccountState): boolean => {
  const here = Object.entries(roles?.[String(source.blog)] ?? {});
  const names = here.flatMap(([role, { v }]) => (v ? role : []));
  return isMember(source, names) === true;
};

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
