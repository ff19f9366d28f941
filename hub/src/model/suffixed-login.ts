/**
 * Logins that a target gave another form because somebody had them: `anna.smith-2`.
 *
 * Always true: told from the two logins alone, so that it is the same whether the target's receipt
 * arrived or was lost and the account was heard of by its own site.
 */
import type { Reason } from '../reasons.ts';
import type { Account, Birth } from './identity.ts';

/** A number from 2 up, written once. */
const SUFFIXED = /^(?<beginning>.*)-(?:[2-9]|[1-9]\d{1,2})$/su;

/** Is `login` what a target makes of `wanted`? It shortens a long one to make room. */
export function isSuffixed(login: string, wanted: string): boolean {
  const beginning = SUFFIXED.exec(login)?.groups?.['beginning'];
  if (beginning === undefined || beginning === '' || login === wanted) return false;
  return beginning === wanted || (login.length > 50 && wanted.startsWith(beginning));
}

/** The reason that the Sync Log gives for such an account. */
export const nameChanged = (
  birth: Birth | null,
  account: Account | null | undefined,
): Reason | null =>
  birth !== null && account != null && isSuffixed(account.login, birth.login)
    ? 'identity.login_suffixed'
    : null;
