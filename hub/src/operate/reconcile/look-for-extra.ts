/** A page of the target's accounts: who is there alone, and whether that is as it should be. */
import type { AccountState } from '#contract/account-state.ts';
import type { Identity } from '../../model/identity.ts';
import { wordPressId } from '../../model/ids.ts';
import type { Transaction } from '../../sync/ports.ts';
import { classifyExtra } from '../../sync/reconcile/classify.ts';
import type { OperationPorts } from '../ports.ts';
import { type FoundOne, mayBeExplained, pullBoth } from './compare-page.ts';
import type { Comparison } from './comparison.ts';

/** Those with a twin on the source were compared with it, and are left out. */
export async function lookForExtra(
  ports: OperationPorts,
  comparison: Comparison,
  accounts: readonly AccountState[],
): Promise<readonly FoundOne[]> {
  const first = await judge(ports, comparison, accounts);
  if (!first.some(({ reason }) => mayBeExplained(reason))) return first;
  await pullBoth(ports, comparison);
  return judge(ports, comparison, accounts);
}

async function judge(
  { store }: OperationPorts,
  comparison: Comparison,
  accounts: readonly AccountState[],
): Promise<readonly FoundOne[]> {
  const { identities, isUnproven } = await store.transaction((tx) =>
    known(tx, comparison, accounts),
  );
  return accounts.flatMap((state): FoundOne[] => {
    const identity = identities.get(wordPressId(state.id)) ?? null;
    // It ended since the page was read.
    if (identity?.accounts.get(comparison.target.installation)?.gone != null) return [];
    const unproven = identity !== null && isUnproven(identity);
    const { privileged, id, login } = state;
    const finding = classifyExtra({ ...comparison, identity, privileged, unproven });
    const wpId = wordPressId(id);
    const who = { uid: identity?.uid ?? null, login, side: 'target', wpId, twin: null } as const;
    return finding === null ? [] : [{ ...finding, ...who }];
  });
}

async function known(
  tx: Transaction,
  { source, target }: Comparison,
  accounts: readonly AccountState[],
) {
  const ids = accounts.map(({ id }) => wordPressId(id));
  const identities = await tx.lockByAccount(target.installation, ids);
  const alone = [...identities.values()].flatMap((identity) => {
    const account = identity.accounts.get(target.installation);
    if (account === undefined || identity.accounts.has(source.installation)) return [];
    return [{ uid: identity.uid, email: account.email, login: account.login }];
  });
  const found = alone.length === 0 ? null : await tx.candidates(alone, [source.installation]);
  const isUnproven = ({ uid }: Identity): boolean =>
    (found?.(uid, source.installation) ?? []).some(({ by }) => by === 'email');
  return { identities, isUnproven };
}
