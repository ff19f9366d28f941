/** Chosen accounts as their site has them now, whatever their number. */
import type { AccountState } from '#contract/account-state.ts';
import type { InstallationId } from '../../model/ids.ts';
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
  let after: number | null = 0;
  while (after !== null) {
    const page: { accounts: readonly AccountState[]; next: number | null } = await site.accounts(
      connection,
      { after, limit: PAGE_ROWS, ids, detail },
    );
    states.push(...page.accounts);
    after = page.next;
  }
  return states;
}
