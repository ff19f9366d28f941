/** What an account's state says of who it is and what it may; what the hub knows beside that is not in it. */
import type { AccountState } from '#contract/account-state.ts';
import type { Account } from '../../model/identity.ts';
import { type InstallationId, wordPressId } from '../../model/ids.ts';

export const whoTells = (
  state: AccountState,
  installation: InstallationId,
): Omit<Account, 'labelled' | 'known' | 'gone' | 'alarm'> => ({
  installation,
  wpId: wordPressId(state.id),
  login: state.login,
  email: state.email,
  registered: state.registered,
  privileged: state.privileged,
  outgoingStopped: state.switches.stop_outgoing,
  incomingRejected: state.switches.reject_incoming,
});
