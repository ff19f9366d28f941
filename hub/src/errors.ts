/**
 * Faults: one class, a stable code, the operator's next step. docs/reference/errors.md is
 * checked against this list both ways. Expected outcomes are tagged values, not errors.
 */
export const FAULTS = {
  'site.dns': { status: 422, retryable: true, next: 'Check the address for typing errors.' },
  'site.unreachable': {
    status: 422,
    retryable: true,
    next: 'Check that the site is up and can be reached from the hub.',
  },
  'site.timeout': {
    status: 422,
    retryable: true,
    next: 'The site took too long; try again, and look at its load.',
  },
  'site.tls': { status: 422, retryable: true, next: 'Renew or repair the site’s certificate.' },
  'site.not_wordpress': {
    status: 422,
    retryable: false,
    next: 'Give the address of the WordPress home page.',
  },
  'site.no_connector': {
    status: 422,
    retryable: false,
    next: 'Install and activate the Rollcall Connector plugin there: make the zip with “rollcall connector build --out rollcall-connector.zip”.',
  },
  'site.connector_too_old': {
    status: 422,
    retryable: false,
    next: 'Update the Rollcall Connector plugin on the site.',
  },
  'site.connector_too_new': { status: 422, retryable: false, next: 'Update the hub.' },
  'site.wrong_password': {
    status: 422,
    retryable: false,
    next: 'Make a new Application Password in wp-admin under Users → Profile and give login and password exactly as shown.',
  },
  'site.sign_in_failed': {
    status: 422,
    retryable: false,
    next: 'Check name and password; after several wrong ones some sites refuse everybody for a while. Or connect with “--approve”, or with an Application Password.',
  },
  'site.sign_in_blocked': {
    status: 422,
    retryable: false,
    next: 'Sign in there yourself: “rollcall site add” with “--approve”, or with an Application Password made in wp-admin under Users → Profile.',
  },
  'site.install_refused': {
    status: 422,
    retryable: false,
    next: 'Make the zip with “rollcall connector build --out rollcall-connector.zip”, upload it in wp-admin under Plugins → Add New → Upload Plugin, activate it, and connect again.',
  },
  'approve.needs_https': {
    status: 422,
    retryable: false,
    next: 'Start the hub with “--public-url https://…”, or connect with the name and password of an administrator (“--user” and “--password”), or with an Application Password (“--app-password”).',
  },
  'approve.unknown': {
    status: 404,
    retryable: false,
    next: 'Start again with “rollcall site add URL --name NAME --approve”.',
  },
  'site.app_passwords_off': {
    status: 422,
    retryable: false,
    next: "Switch Application Passwords on: they need https that WordPress knows of (behind a proxy, a line $_SERVER['HTTPS'] = 'on' in wp-config.php), or WP_ENVIRONMENT_TYPE “local”, and no security plugin that disables them.",
  },
  'site.header_stripped': {
    status: 422,
    retryable: false,
    next: 'The host removes the Authorization header. Let it through (CGIPassAuth On, or fastcgi_param HTTP_AUTHORIZATION).',
  },
  'site.not_administrator': {
    status: 422,
    retryable: false,
    next: 'Use an account that can manage options (on a network: a super admin).',
  },
  'site.not_mine': {
    status: 409,
    retryable: false,
    next: 'Disconnect the site from its other hub first, in wp-admin under User Sync.',
  },
  'site.mark_mismatch': {
    status: 409,
    retryable: true,
    next: 'Nothing was done; it is tried again.',
  },
  'site.released': {
    status: 409,
    retryable: false,
    next: 'Connect it again with “rollcall site add”, or take it off the list with “rollcall site remove”.',
  },
  'site.no_copy': {
    status: 409,
    retryable: false,
    next: '“rollcall site history” shows what has been heard of sites.',
  },
  'site.not_told': {
    status: 409,
    retryable: true,
    next: 'Repair what keeps the site away; if it is gone for good, remove it with “--force”.',
  },
  'site.another': {
    status: 409,
    retryable: false,
    next: 'Give the address where the site itself is now; another site is connected with “rollcall site add”.',
  },
  'site.two_of_one': {
    status: 409,
    retryable: false,
    next: 'In the wp-admin of the copy release it under User Sync and connect it as a site of its own; or end the other one, then say “moved” again.',
  },
  'site.superseded': {
    status: 409,
    retryable: false,
    next: 'Another instance of this hub has taken over. Stop this one, or start it with --take-over.',
  },
  'site.moved': {
    status: 409,
    retryable: false,
    next: 'Say in its wp-admin whether it moved or is a copy; after a move, “rollcall site moved NAME ADDRESS”.',
  },
  'site.refused': {
    status: 422,
    retryable: true,
    next: 'Look at the site’s User Sync page and at its security plugins.',
  },
  'site.whitelisted_out': {
    status: 422,
    retryable: true,
    next: 'Add the hub’s address to the site’s whitelist, in its wp-admin under User Sync → Whitelist, or switch the whitelist off there.',
  },
  'site.guard_refused': {
    status: 409,
    retryable: false,
    next: 'Change the guard on the site itself: in its wp-admin under User Sync, or with “wp rollcall guard” there.',
  },
  'site.redirected': {
    status: 422,
    retryable: true,
    next: 'If the site moved there, “rollcall site moved NAME ADDRESS”; else take the redirect off its REST API.',
  },
  'site.forbidden_address': {
    status: 422,
    retryable: true,
    next: 'Check where the site’s name leads. If the site has moved into a private network, connect it again with “rollcall site add”.',
  },
  'site.rate_limited': {
    status: 422,
    retryable: true,
    next: 'The site asks for fewer requests; it is tried again later.',
  },
  'site.server_error': {
    status: 422,
    retryable: true,
    next: 'Look into the site’s PHP error log.',
  },
  'site.database': {
    status: 422,
    retryable: true,
    next: 'Look at the site’s database: is it read-only, full or damaged, or does a backup lock it?',
  },
  'site.bad_answer': {
    status: 422,
    retryable: true,
    next: 'The site answered something else than JSON: look for a cache, a firewall or a maintenance page in front of it.',
  },
  'site.endless_accounts': {
    status: 422,
    retryable: false,
    next: 'Look at who owns the site, and update its connector. Then connect it again with “rollcall site add”, or take it off the list with “rollcall site remove”.',
  },
  'site.stale_answer': {
    status: 422,
    retryable: true,
    next: 'Exclude the REST API from the cache in front of the site: it must not keep answers to POST requests.',
  },
  'site.credential_rejected': {
    status: 422,
    retryable: true,
    next: 'Connect the site again: “rollcall site add” with the same address and a new Application Password renews its credential.',
  },
  'site.unknown': { status: 404, retryable: false, next: '“rollcall site list” shows the names.' },
  'site.name_taken': { status: 409, retryable: false, next: 'Choose another name.' },
  'site.already_added': {
    status: 409,
    retryable: false,
    next: 'It is in the list of sites already; two addresses of one users table are one installation. Two WordPress installations over one users table (CUSTOM_USER_TABLE) have the same accounts already: connect one of them, and set its routes.',
  },
  'route.unknown': {
    status: 404,
    retryable: false,
    next: '“rollcall route list” shows the routes.',
  },
  'route.exists': {
    status: 409,
    retryable: false,
    next: 'Change or remove the route that is there.',
  },
  'route.nothing_confirms': {
    status: 422,
    retryable: false,
    next: 'Say when the source has confirmed an address: --leave-when signed-in, or the value of its approval plugin.',
  },
  'route.same_installation': {
    status: 422,
    retryable: false,
    next: 'Sites of one installation share their accounts; a route goes to another installation.',
  },
  'route.of_group': {
    status: 409,
    retryable: false,
    next: '“rollcall group except GROUP SOURCE TARGET” gives one route of a group rules of its own, pauses it (“--paused”) or leaves it out (“--none”).',
  },
  'group.unknown': {
    status: 404,
    retryable: false,
    next: '“rollcall group list” shows the names.',
  },
  'group.name_taken': { status: 409, retryable: false, next: 'Choose another name.' },
  'group.pair_taken': {
    status: 409,
    retryable: false,
    next: 'Two sites are in step by one group only: leave one of them out of this group, or remove it from the other.',
  },
  'group.no_such_pair': {
    status: 422,
    retryable: false,
    next: '“rollcall group show NAME” shows the members, and which of them only give or only take.',
  },
  'config.changed': {
    status: 409,
    retryable: false,
    next: 'Look at the differences again: “rollcall config apply FILE”.',
  },
  'config.refused': {
    status: 422,
    retryable: false,
    next: 'Nothing was changed. Correct the file; “rollcall config apply FILE --dry-run” tells all that is wrong with it.',
  },
  'link.refused': {
    status: 409,
    retryable: false,
    next: 'Delete or rename one of the accounts, or leave them apart.',
  },
  'held.unknown': {
    status: 404,
    retryable: false,
    next: '“rollcall held list” shows what is held; what was decided about is held no longer.',
  },
  'held.not_resolvable': {
    status: 409,
    retryable: false,
    next: '“rollcall held show ID” shows both sides, and what may be said of them.',
  },
  'proof.refused': {
    status: 409,
    retryable: false,
    next: 'See to what the site says, then ask again.',
  },
  'proof.unknown': {
    status: 404,
    retryable: false,
    next: '“rollcall proof list” shows the ids.',
  },
  'account.unknown': {
    status: 404,
    retryable: false,
    next: 'Check the login; new accounts are known after the next pull.',
  },
  'role.given_twice': {
    status: 422,
    retryable: false,
    next: 'Take one of them off the route, or give another role for it.',
  },
  'role.not_privileged': {
    status: 422,
    retryable: false,
    next: 'Name it with --roles; --privileged-roles is for roles that give power over the target.',
  },
  'reconcile.ended': {
    status: 409,
    retryable: false,
    next: '“rollcall reconcile show” tells what it found.',
  },
  'reconcile.unknown': {
    status: 404,
    retryable: false,
    next: 'Look at “rollcall reconcile list”; of each two sites the last thirty are kept.',
  },
  'network.unknown': {
    status: 404,
    retryable: false,
    next: '“rollcall network list” shows the networks; any of its sites names one.',
  },
  'network.run_unknown': {
    status: 404,
    retryable: false,
    next: '“rollcall network runs NAME” shows the ids.',
  },
  'network.wrong_state': {
    status: 409,
    retryable: false,
    next: 'Look at its state with “rollcall network run ID”.',
  },
  'network.nothing_to_undo': {
    status: 409,
    retryable: false,
    next: '“rollcall network accounts ID” shows what it wrote, and what was touched since.',
  },
  'network.refused': {
    status: 422,
    retryable: false,
    next: 'Correct what the site names, then ask again.',
  },
  'network.nobody': {
    status: 422,
    retryable: false,
    next: 'Look at the Users list of the network; a person is named by login, e-mail address or id.',
  },
  'sync.unknown': {
    status: 404,
    retryable: false,
    next: '“rollcall runs list” shows the ids.',
  },
  'decisions.refused': {
    status: 422,
    retryable: false,
    next: 'Nothing was changed. Correct these lines, or take the decisions out again.',
  },
  'sync.wrong_state': {
    status: 409,
    retryable: false,
    next: 'Look at its state with “rollcall runs show ID”.',
  },
  'role.unknown': {
    status: 422,
    retryable: false,
    next: 'Use role names as the site knows them, e.g. “subscriber”.',
  },
  'request.invalid': {
    status: 400,
    retryable: false,
    next: 'Correct the value and send it again.',
  },
  'request.too_large': {
    status: 413,
    retryable: false,
    next: 'Send less at once.',
  },
  'request.wrong_type': {
    status: 415,
    retryable: false,
    next: 'Send JSON with “Content-Type: application/json”.',
  },
  'request.too_many': {
    status: 429,
    retryable: true,
    next: 'Wait a minute, then try again.',
  },
  'request.not_found': {
    status: 404,
    retryable: false,
    next: 'See /api/v1/openapi.json for what there is.',
  },
  'request.wrong_host': {
    status: 421,
    retryable: false,
    next: 'Use the hub’s own address, or start it with “--public-url” naming the address that a proxy in front of it has.',
  },
  'auth.required': {
    status: 401,
    retryable: false,
    next: 'Send the hub’s token: “--token”, ROLLCALL_TOKEN, or run the command on the hub’s machine with --data.',
  },
  'auth.forbidden': { status: 403, retryable: false, next: 'Use a token that may do this.' },
  'signal.refused': {
    status: 401,
    retryable: false,
    next: 'Connect the site again if its signals do not arrive.',
  },
  'hub.not_idle': {
    status: 503,
    retryable: true,
    next: 'Wait longer, or look at what holds it up with “rollcall doctor” and “rollcall logs”.',
  },
  'hub.unreachable': {
    status: 503,
    retryable: true,
    next: 'Start it with “rollcall serve”, or name it with --url and --token.',
  },
  'file.not_writable': {
    status: 500,
    retryable: false,
    next: 'Give a file name in a folder that is there and that this user may write to.',
  },
  'data.in_use': {
    status: 500,
    retryable: false,
    next: 'Stop the other process, or use another folder with --data.',
  },
  'source.rewound': {
    status: 409,
    retryable: false,
    next: 'If the site was restored from a backup, “rollcall site restored NAME” reads it anew; else find out what happened to its database.',
  },
  'hub.rewound': {
    status: 409,
    retryable: false,
    next: 'If another copy of this hub is running, stop this one. If the hub was restored from a backup, “rollcall recover” reads its sites anew.',
  },
  'data.broken': {
    status: 500,
    retryable: false,
    next: 'Restore the folder from a backup, or start with a new one.',
  },
  'data.not_writable': {
    status: 500,
    retryable: false,
    next: 'Give this user the right to write there, or use another folder with --data.',
  },
  'data.full': {
    status: 503,
    retryable: true,
    next: 'Make room on the disk of the data folder or of PostgreSQL: 64 MB at least. The hub goes on by itself.',
  },
  'data.newer': {
    status: 500,
    retryable: false,
    next: 'Update Rollcall: a newer version has used this store.',
  },
  'data.elsewhere': {
    status: 500,
    retryable: false,
    next: 'If this is where the hub now lives, start it once with --take-over.',
  },
  'secret.unreadable': {
    status: 500,
    retryable: false,
    next: 'Start with the ROLLCALL_SECRET_KEY (or the key file) that this store was made with.',
  },
  'backup.not_one': {
    status: 422,
    retryable: false,
    next: 'Give a file that “rollcall backup” has written.',
  },
  'backup.damaged': {
    status: 422,
    retryable: false,
    next: 'Use another backup; this one is not whole, or not as it was made.',
  },
  'backup.newer': { status: 422, retryable: false, next: 'Update Rollcall, then restore.' },
  'backup.wrong_key': {
    status: 422,
    retryable: false,
    next: 'Set ROLLCALL_SECRET_KEY, or put the file “secret.key” into the data folder, of the hub that made the backup.',
  },
  'backup.no_key': {
    status: 422,
    retryable: false,
    next: 'Set ROLLCALL_SECRET_KEY, or put the file “secret.key” into the data folder, as the hub had it that made the backup.',
  },
  'backup.wrong_passphrase': {
    status: 422,
    retryable: false,
    next: 'Give the passphrase that the backup was made with.',
  },
  'restore.not_empty': {
    status: 409,
    retryable: false,
    next: 'Restore into an empty data folder (--data) or an empty database (DATABASE_URL).',
  },
  'file.not_readable': {
    status: 500,
    retryable: false,
    next: 'Give a file that is there and that this user may read.',
  },
  'database.unreachable': {
    status: 503,
    retryable: true,
    next: 'Check DATABASE_URL and that PostgreSQL is up.',
  },
  'port.in_use': { status: 500, retryable: false, next: 'Choose another port with --port.' },
  'internal.fault': {
    status: 500,
    retryable: true,
    next: 'Look into the hub’s log; the id below finds the place.',
  },
} as const satisfies Record<string, { status: number; retryable: boolean; next: string }>;

export type FaultCode = keyof typeof FAULTS;

export const isFaultCode = (code: string): code is FaultCode => Object.hasOwn(FAULTS, code);

export class Fault extends Error {
  readonly code: FaultCode;
  /** Extra facts for machines; never secrets. */
  readonly detail: Readonly<Record<string, unknown>>;

  /** @param message what is wrong and where, one sentence for people, without secrets */
  constructor(
    code: FaultCode,
    message: string,
    options: { cause?: unknown; detail?: Record<string, unknown> } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Fault';
    this.code = code;
    this.detail = options.detail ?? {};
  }

  get retryable(): boolean {
    return FAULTS[this.code].retryable;
  }

  /** What the operator can do about it. */
  get next(): string {
    return FAULTS[this.code].next;
  }

  get status(): number {
    return FAULTS[this.code].status;
  }
}
