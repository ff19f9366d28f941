/**
 * Addresses and logins that became free on a target by what was just delivered there.
 *
 * Always true: whoever waited for one is tried again, and links that were found by an address are
 * forgotten with it.
 */
import type { Identity } from '../../model/identity.ts';
import type { InstallationId } from '../../model/ids.ts';
import type { Transaction } from '../ports.ts';
import type { Learned } from '../spread-batch.ts';

/** Addresses and logins of accounts that ended here are free: who waited for them is tried again. */
export async function freeEnded(
  tx: Transaction,
  learned: readonly Learned[],
  installation: InstallationId,
): Promise<void> {
  const ended = learned.flatMap(({ identity, holding }) =>
    holding?.gone ? (identity.accounts.get(installation) ?? []) : [],
  );
  if (ended.length === 0) return;
  await tx.releaseHeld(installation, {
    emails: ended.map((account) => account.email),
    logins: ended.map((account) => account.login),
  });
  await tx.forgetLinksTo(
    installation,
    ended.map((account) => account.wpId),
  );
}

/** An address that somebody here has given up for another is free: who waited for it is tried again. */
export async function freeLeft(
  tx: Transaction,
  before: Iterable<Identity>,
  learned: readonly Learned[],
  installation: InstallationId,
): Promise<void> {
  const had = new Map([...before].map(({ uid, accounts }) => [uid, accounts.get(installation)]));
  const moved = learned.flatMap(({ identity }) => {
    const account = had.get(identity.uid);
    const now = identity.accounts.get(installation);
    const same = account?.email.toLowerCase() === now?.email.toLowerCase();
    return account === undefined || same ? [] : account;
  });
  if (moved.length === 0) return;
  const emails = moved.map((account) => account.email);
  await tx.releaseHeld(installation, { emails, logins: [] });
  await tx.forgetLinksTo(
    installation,
    moved.map((account) => account.wpId),
  );
}
