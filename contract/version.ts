/**
 * The version of what hub and connector say to each other.
 *
 * A version is raised when a message changes so that an older end would misread it.
 * The connector names its version in `/status` and in the header of every answer
 * (`X-Rollcall-Contract`); a hub speaks the versions in `SUPPORTED`.
 *
 * History
 * - 1: status, connect, disconnect, settings, changes, accounts, labels, apply, stamp, outside, signal;
 *   marks in changes, apply and status; notices in settings; `woke_at` in the signal; 401
 *   `hub.released` for a hub that the site was taken from; `ask`, and answers in the envelope;
 *   patterns in `meta` of connect and settings (an older connector watches nothing for them);
 *   `outside` in the answer of changes, `overwritten` in its rows;
 *   switches, `stop_made` and `outgoing_stopped` of an actor; guard, and `whitelist` in status; 403 `whitelist.address` on any route;
 *   `erase`, and rows of that kind in changes; `ext` in settings and status (an older connector refuses such fields);
 *   `sign_ins` in settings and `signed_in` in an account's state (without the answer, nobody has signed in);
 *   objects in the values of fields (an older connector refuses them as `value.object`);
 *   `login_taken` of a create (an older connector answers the conflict), `password_mail` of a write (an older one mails nobody);
 *   `email_by` in an account's state (without it, nothing is known of the address);
 *   `privileged` of an operation, `privileged_by` in an account's state, `consents` in status and guard (an older end
 *   says nothing of them, and privileged accounts and roles are refused);
 *   credential, and proofs, and `proofs` in an account's state, and digests (a connector without these routes answers that it has none).
 */
export const CONTRACT_VERSION = 1;

export const SUPPORTED_CONTRACTS: readonly number[] = [1];

/** REST namespace on every site. */
export const REST_NAMESPACE = 'rollcall/v1';
