/** Chosen accounts as their site has them now, whatever their number. */
import type { AccountState } from '#contract/account-state.ts';
import type { InstallationId } from '../../model/ids.ts';
import { accountPages } from '../../sync/account-pages.ts';
import type { OperationPorts } from '../ports.ts';

const PAGE_ROWS = 500;

export async function readStates(
  { registry, site }: OperationPorts,
  installation: InstallationId,
  ids: readonly number[],
  detail: 'who' | 'state',
): Promise<readonly AccountState[]> {
  if (ids.length === 0) return [];
  const connection = await registry.connection(installation);
  const states: AccountState[] = [];
  for await (const page of accountPages(site, connection, { limit: PAGE_ROWS, ids, detail })) {
    states.push(...page.accounts);
  }
  return states;
}
