/**
 * An account that a restored hub does not know, and that carries a label of this hub's making.
 *
 * Always true: by its label it becomes one person with other accounts only where login and e-mail agree
 * with every one of them, and none of them is privileged. Otherwise nobody can say who it is.
 */
import type { AccountState } from '#contract/account-state.ts';
import type { Account, Identity } from '../../model/identity.ts';
import { type IdentityUid, type InstallationId, identityUid } from '../../model/ids.ts';
import { newIdentity } from './pull.ts';
import type { Read } from './reread.ts';

/**
 * Whom the label names; null: nobody can say.
 *
 * @param taken uids that were given in this page already; a label stands for one account
 */
export function knownByLabel(
  state: AccountState,
  labelled: ReadonlyMap<IdentityUid, Identity>,
  installation: InstallationId,
  taken: Set<string>,
): Read | null {
  if (state.uid === null || !state.label_ok) return null;
  const uid = identityUid(state.uid);
  const identity = labelled.get(uid) ?? { ...newIdentity(), uid };
  const accounts = [...identity.accounts.values()];
  if (taken.has(identity.uid)) return null;
  if (!accounts.every((account) => agrees(account, state, installation))) return null;
  taken.add(identity.uid);
  const merged = identity.uid !== uid;
  const formerUids = new Set(merged ? [state.uid] : []);
  const label = { id: state.id, uid: identity.uid, login: state.login, was: state.uid };
  return { state, identity, before: null, formerUids, alarm: null, label: merged ? label : null };
}

const agrees = (account: Account, state: AccountState, here: InstallationId): boolean =>
  account.installation !== here &&
  account.gone === null &&
  (account.alarm === null || account.alarm === 'account.vanished') &&
  !account.privileged &&
  !state.privileged &&
  account.login === state.login &&
  account.email.toLowerCase() === state.email.toLowerCase();
