/**
 * The version of what hub and connector say to each other.
 *
 * A version is raised when a message changes so that an older end would misread it.
 * The connector names its version in `/status` and in the header of every answer
 * (`X-Rollcall-Contract`); a hub speaks the versions in `SUPPORTED`.
 *
 * History
 * - 1: status, connect, disconnect, settings, changes, accounts, labels, apply, stamp, outside, proofs, signal;
 *   marks in changes, apply and status; notices in settings; `woke_at` in the signal; 401 `hub.released` for a hub
 *   that the site was taken from; `ask`, and answers in the envelope; `outside` in the answer of changes,
 *   `overwritten` in its rows; `proofs` in an account's state.
 * - 2: what `FEATURES` names. A hub asks a connector of version 1 for none of it, or does without; what each end
 *   makes of the other's silence stands beside it.
 */
export const CONTRACT_VERSION = 2;

/** The version before is spoken, too: sites are updated one after another, and not by the hub. */
export const SUPPORTED_CONTRACTS: readonly number[] = [1, 2];

/** What came after version 1, and since which version it is there. */
export const FEATURES = {
  /** `/guard`, and `whitelist` in status; 403 `whitelist.address` on any route. Before: there is no such route. */
  guard: 2,
  /**
   * `privileged` of an operation, `privileged_by` in an account's state, `consents` in status and guard. Before:
   * nobody consents, and privileged accounts and roles are refused.
   */
  consents: 2,
  /** `/switches`, `stop_made`, and `outgoing_stopped` of an actor. Before: there is no such route. */
  switches: 2,
  /** `/credential`. Before: there is no such route. */
  credential: 2,
  /** `sites_sum` in status and changes, `network` and `closed` of a site. Before: a network's list is followed when it is connected anew. */
  site_list: 2,
  /** `cookies` in status. Before: nothing is known of sign-ins on a network. */
  cookies: 2,
  /** `/digests`. Before: there is no such route, and accounts are compared value by value. */
  digests: 2,
  /** `/erase`, and rows of that kind in changes. Before: there is no such route, and an erasure waits. */
  erase: 2,
  /** Patterns in `meta` of connect and settings. Before: nothing is watched for them. */
  patterns: 2,
  /** `ext` in settings and status, and such fields. Before: they are refused (`field.unknown`). */
  ext: 2,
  /** Objects in the values of fields. Before: they are refused (`value.object`). */
  objects: 2,
  /** `sign_ins` in settings and `signed_in` in an account's state. Before: nobody has signed in. */
  sign_ins: 2,
  /** `email_by` in an account's state. Before: nothing is known of the address. */
  email_by: 2,
  /** All below `/network/`. Before: there is no such route. */
  networks: 2,
  /** `login_taken` of a create. Before: a conflict. */
  login_taken: 2,
  /** `password_mail` of a write. Before: nobody is mailed. */
  password_mail: 2,
} as const satisfies Readonly<Record<string, number>>;
export type Feature = keyof typeof FEATURES;

export const speaks = (contract: number, feature: Feature): boolean =>
  contract >= FEATURES[feature];

/** REST namespace on every site. */
export const REST_NAMESPACE = 'rollcall/v1';
