/**
 * Hears what people confirmed, wherever an account's state comes in.
 *
 * Does: note confirmed halves before anybody learns of the account, so that a crash on the way
 * loses none of them: the site tells the same again.
 * Does not: link anybody, or believe a half that the site was not given for that account.
 */
import type { AccountState } from '#contract/account-state.ts';
import type { Connection, Proofs, SitePort } from './ports.ts';

export function withProofs(site: SitePort, proofs: Proofs): SitePort {
  const hear = async (
    { installation }: Connection,
    states: readonly (AccountState | undefined)[],
  ): Promise<void> => {
    const confirmed = states.flatMap((state) =>
      (state?.proofs ?? []).map((half) => ({ wpId: state?.id ?? 0, ...half })),
    );
    if (confirmed.length > 0) await proofs.confirm(installation, confirmed);
  };
  return {
    status: (connection) => site.status(connection),
    async changes(connection, request) {
      const answer = await site.changes(connection, request);
      await hear(
        connection,
        answer.rows.map((row) => row.account),
      );
      return answer;
    },
    async accounts(connection, request) {
      const answer = await site.accounts(connection, request);
      await hear(connection, answer.accounts);
      return answer;
    },
    digests: (connection, request) => site.digests(connection, request),
    labels: (connection, labels) => site.labels(connection, labels),
    apply: (connection, request) => site.apply(connection, request),
    settings: (connection, settings) => site.settings(connection, settings),
    stamp: (connection, stamps) => site.stamp(connection, stamps),
    outside: (connection, request) => site.outside(connection, request),
    guard: (connection, request) => site.guard(connection, request),
    switches: (connection, orders) => site.switches(connection, orders),
    erase: (connection, orders) => site.erase(connection, orders),
    proofs: (connection, orders) => site.proofs(connection, orders),
    newCredential: (connection) => site.newCredential(connection),
    disconnect: (connection) => site.disconnect(connection),
  };
}
