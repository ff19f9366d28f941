/**
 * Every reason for which something is skipped, held, refused or failed: one stable code, one
 * sentence for people. docs/reference/reasons.md is checked against this list both ways.
 *
 * The part before the dot says who said no: the source, the account, the identity, the link,
 * the path, the route, the target, a field's value, the stamp, the hub, a manual sync (`run`) or the installation;
 * `drift` says what a comparison of two sites has found.
 * The connector's codes are here, too.
 */
export const REASONS = {
  'account.busy':
    'Somebody is saving this account on the target at this moment; it is tried again.',
  'account.ended_unheard':
    'The account was registered and deleted before the hub had heard of it; nothing was sent.',
  'account.incoming_rejected': 'The account is set to reject incoming changes on the target.',
  'account.maker_stopped': 'Whoever made the change is set to keep what they do on their own site.',
  'account.not_consented':
    'The account is privileged by a role that the route names, and the target has not agreed that this role may come.',
  'account.outgoing_stopped': 'The account is set to keep its changes on its own site.',
  'account.privileged':
    'The account can administer its site; such accounts are synced only when route and target both name them.',
  'account.reappeared':
    'The account was deleted, and is there again since the site was restored; it is kept apart until a person has looked.',
  'account.vanished':
    'The account is no longer on the site, and nobody saw it being deleted; nothing is sent there until a person has looked.',
  'account.switched': 'An operator set switches of an account.',
  'administrator.credential': 'The site asks for an Application Password of an administrator.',
  'connector.update_due':
    'The hub brings a newer connector than the site has; it goes on speaking to that one.',
  'conflict.superseded':
    'Two sites changed the same field; the later change won and this one was overwritten.',
  'credential.rotated': 'The hub’s credential on the site was replaced.',
  'delete.before_restore':
    'The delete was on its way when the backup of the hub was made that was put back since; it may have been taken back.',
  'delete.newer_edit': 'The account was changed on the target after it was deleted on the source.',
  'delete.over_limit':
    'More accounts would be deleted than the deletion limit allows without a person’s consent.',
  'delivery.expired':
    'The target was away for longer than the retention; values are read afresh from the source when it returns.',
  'drift.altered':
    'Both sites hold the same change with other values; something on the target altered it when it was written.',
  'drift.behind': 'The target holds an older value, and nothing newer is on its way to it.',
  'drift.believed':
    'The hub believed that the target holds this value, and the target holds an older one.',
  'drift.extra':
    'The account is on the target alone; nobody on the source is known to be the same person.',
  'drift.from_before':
    'The values are older than Rollcall, so neither is known to be the newer one.',
  'drift.missing': 'The account should be on the target by the rules of the route, and is not.',
  'drift.newer_there': 'The target holds a newer value than the source; it is left alone.',
  'drift.not_heard': 'The source has changed it just now; the hub hears of it with the next pull.',
  'drift.on_its_way': 'It is on its way to the target.',
  'email.malformed': 'WordPress would store this e-mail address in another form.',
  'email.missing': 'An account is not created without its e-mail address.',
  'email.unconfirmed':
    'The person has not confirmed the new e-mail address, and the route holds such addresses.',
  'erasure.over_limit': 'More people would be erased than go without a person’s consent.',
  'erasure.privileged':
    'The person can administer a site: the hub’s records of them are erased with an operator’s consent alone.',
  'erasure.rejected': 'An operator rejected the erasure.',
  'erasure.too_many':
    'The site told of more erasures within 24 hours than one site may; the others wait until tomorrow.',
  'field.never_synced':
    'This field is never synced: it holds capabilities, sessions, secrets or totals.',
  'field.not_selected': 'None of the changed fields is selected by the route.',
  'field.not_watched':
    'The site does not watch this meta key or field yet; it is told with the next pull.',
  'field.failed': 'The plugin that brings this field failed on the site.',
  'field.unknown': 'No plugin on the target brings this field, or its connector is too old.',
  'filter.failed': 'A plugin that filters what leaves the site failed; the values stay there.',
  'filter.malformed':
    'A plugin that filters what leaves the site made this value one that no site could take.',
  'hub.bound_beside': 'Another WordPress with the same table of users is connected already.',
  'hub.credential': 'The site asks for the credential that it issued to its hub.',
  'hub.no_credential': 'The site could not issue a credential for the hub.',
  'hub.not_mine': 'The site is bound to another hub.',
  'hub.only_rollcall': 'The hub’s credential opens Rollcall’s own requests and nothing else.',
  'hub.rewound':
    'The site has been spoken to by a later state of this hub: the hub was restored from a backup, or copied.',
  'hub.released': 'The site was released from this hub in its wp-admin.',
  'hub.superseded':
    'Another instance of this hub has taken over; this one must not speak any more.',
  'identity.deleted': 'The account was deleted there; a late change does not bring it back.',
  'identity.email_taken': 'Another account on the target has this e-mail address.',
  'identity.kept_apart':
    'A person said that the account in the way there is somebody else’s; no account is created beside it.',
  'identity.label_mismatch':
    'The site says that this account is somebody else than the hub knows; nothing is attached to it until a person has looked.',
  'identity.login_suffixed':
    'Another person has this login on the target; the account was created under one with a number.',
  'identity.login_taken': 'Another person has this login on the target.',
  'installation.cookie_domain':
    'A sign-in on this site does not count for the other sites of its network.',
  'installation.cookie_name':
    'Sites of one network name their cookies differently, so neither reads the other’s sign-ins.',
  'installation.cookie_path':
    'A path in the cookie settings leaves a part of the network out, and people are signed out there.',
  'installation.cookie_rejected':
    'Browsers reject the cookies of this site, so nobody can sign in there.',
  'installation.mapped_domain':
    'A site of the network has a domain of its own: people sign in there once more, as no browser gives one domain’s cookies to another.',
  'installation.brought_back':
    'The site’s database stood at another address meanwhile, and was loaded here again.',
  'installation.copied': 'A copy of the site woke up at another address; it stays silent.',
  'installation.database_moved':
    'The site’s database lies at another place than when it was connected.',
  'installation.found_again':
    'The site redirected to another address of its own, and is spoken to there.',
  'installation.other_sync': 'Another plugin on the site keeps users in step, too.',
  'installation.moved': 'The site runs at another address than the one it was connected at.',
  'installation.relocated':
    'A person said that the site moved; it is spoken to at its new address.',
  'link.login_only':
    'An account on the target has the same login and another e-mail address; a person has to say who it is.',
  'link.other_person':
    'The account with the same e-mail or login belongs to somebody who has another account on the source.',
  'link.privileged':
    'The account with the same e-mail on the target can administer its site; it is linked by an operator alone, where route and target name its roles.',
  'link.two_candidates': 'More than one account may be the same person; a person has to say which.',
  'link.unproven':
    'An older account on the target has the same e-mail; nothing crosses until it is proven to be the same person.',
  'login.malformed': 'WordPress would not accept this login.',
  'log.switched': 'A person switched the Sync Log of the site on or off.',
  'mark.mismatch': 'The site is not where the hub left it; nothing was done.',
  'network.account_spam': 'The account is marked as spam or deleted on its network.',
  'network.changed_since':
    'Another run, a trigger, or somebody past WordPress has changed the membership since.',
  'network.missing': 'There is no such network here.',
  'network.no_role': 'The account has no role on the site that roles are copied from.',
  'network.not_a_member':
    'The account is no member of the site, and only existing memberships are changed.',
  'network.nothing_to_undo': 'Nothing of this run is left that could be taken back.',
  'network.plugin_forbids': 'Another plugin on the site does not let the account be added.',
  'network.removed_before':
    'A person took the account off the site; it is added again only by hand, or where an action says so.',
  'network.role_privileged':
    'The role can administer the site; inside a network it is given and taken only where it is allowed by name.',
  'network.role_undefined': 'The site does not define the role.',
  'network.run_missing': 'There is no such run on the network.',
  'network.run_started': 'An operator began a run within the network.',
  'network.run_state': 'The run is not in a state for that.',
  'network.run_undone': 'An operator took a run within the network back.',
  'network.settings_changed': 'An operator changed settings of the network.',
  'network.site_closed':
    'The site is archived, marked as spam, deleted, or excluded; nothing is written to it.',
  'network.super_admin': 'The account is a super admin; a network leaves such accounts alone.',
  'network.unheard':
    'Memberships were written to a site of a network without the plugins that are active there alone.',
  'password.mail_limit':
    'The target can’t verify this kind of password hash, and mails no more links to set one for now.',
  'password.mailed':
    'The target can’t verify this kind of password hash; it mailed a link to set one there.',
  'password.unverifiable':
    'The target can’t verify this kind of password hash, or not in a reasonable time.',
  'path.already_visited': 'The change has been through this site already.',
  'path.stopped_at': 'A site refused this change; it does not travel on from there.',
  'privacy.erased': 'Names were taken out of what the hub keeps of this person.',
  'proof.account_changed':
    'One of the accounts is gone, in doubt, or not as it was when it was confirmed.',
  'proof.expired': 'Not both accounts had confirmed when the time was over.',
  'proof.mail_failed': 'The site could not send the mail with the link.',
  'proof.mail_limit': 'The site has mailed as many links within an hour as it may.',
  'proof.passwords_differ':
    'What was typed on the two sites was not the same password; the accounts stay apart.',
  'proof.too_many': 'As many proofs as a site, or an account, takes are open already.',
  'proof.two_persons': 'Both have an account of their own on one site, so they are not one person.',
  'proof.withdrawn': 'The question was taken back.',
  'request.invalid': 'The site did not understand the request.',
  'request.too_large': 'The request is too large for the site, even with one operation alone.',
  'role.not_consented':
    'The route names this privileged role, and the target has not agreed that it may come.',
  'role.outgrown_consent':
    'A privileged role can do more than when the site agreed that it may come; it counts no more until somebody there agrees again.',
  'role.not_mapped': 'The target names no role of its own for this one.',
  'role.not_grantable': 'The target does not let the hub give or take this role.',
  'role.raised':
    'The role gives no power on the source, and stands for a privileged one on the target; power is not made on the way.',
  'role.unknown': 'The target does not define this role.',
  'route.creates_off': 'The route does not create accounts.',
  'route.deletes_off': 'The route does not carry deletes.',
  'route.missing': 'The connector does not know this request yet.',
  'route.paused': 'The route is paused; what goes along it waits until it is resumed.',
  'route.role_wanted':
    'The route lets only accounts leave that have a certain role on the source, and this one has not.',
  'route.removed': 'The route was removed before this could be delivered.',
  'route.sign_in_wanted':
    'The route lets only accounts leave that somebody has signed in to on the source, and nobody has yet.',
  'route.updates_off': 'The route does not carry updates.',
  'route.value_wanted':
    'The route lets only accounts leave that are approved on the source: a value that says so is not there.',
  'row.unreadable': 'What the site kept of this change can’t be read; it holds up nothing else.',
  'run.changed_meanwhile':
    'Something moved since the plan was made; the account was planned again and not touched.',
  'run.not_learned': 'The hub has not heard of the new stamps from the source yet.',
  'run.left_out': 'A person decided that the run leaves this account alone.',
  'run.only_here': 'The account is on the source alone, and this run creates nobody.',
  'run.only_missing': 'The account is there already, and this run only creates missing ones.',
  'run.undo_crossed':
    'The accounts stay linked: values have gone from the one to the other, or are on their way.',
  'run.undo_created':
    'The run created the account; it is removed only when that was asked for as well.',
  'run.undo_elsewhere':
    'The account that the run created has others by now that belong to the same person; it stays.',
  'run.undo_expired': 'The values from before the run are no longer kept.',
  'run.undo_in_use': 'The account that the run created holds something of its own; it stays.',
  'run.undo_linked':
    'The accounts stay linked: the run was not the only one to say so, brought values, or they have others besides.',
  'run.undo_moved': 'Somebody changed this after the run; the newer values stay.',
  'run.undone_link':
    'The run that linked the two accounts was taken back: they are two persons again.',
  'site.appeared': 'A site came on the network; no route leads there or from there yet.',
  'site.closed':
    'The site is archived, marked as spam or deactivated on its network; what goes there waits until it is open again.',
  'site.database': 'The site’s database failed: it may be read-only, locked, full or damaged.',
  'site.elsewhere': 'A site of the network has another address, and is spoken to there.',
  'site.ended':
    'The site no longer exists on its network: its routes carry nothing any more, and nothing was deleted elsewhere.',
  'site.error': 'The connector failed at this request.',
  'site.paused': 'The site is paused; what goes there waits until it is resumed.',
  'site.removed': 'The site was removed before this could be delivered.',
  'site.reopened': 'The site is open again on its network.',
  'source.account_missing': 'The account is no longer there, and the site saw no deletion.',
  'source.accounts_missing':
    'Accounts are no longer on the site, and nobody saw them being deleted.',
  'source.automatic_off': 'Nothing leaves the source by itself; a manual sync carries it over.',
  'source.creation_limit':
    'The source brought more new accounts in a short time than go without a person’s consent.',
  'source.delete_unfinished':
    'A deletion of the account was cut short on the source; what it had taken there is nobody’s edit.',
  'source.read_anew': 'A person said what had happened to the site, and it was read anew.',
  'source.closed':
    'The source site is deactivated on its network, and its members went with it: nothing is taken from them elsewhere.',
  'source.not_a_member':
    'The account is no member of the source site of its network; only members leave a site of a network.',
  'source.role_not_selected': 'The account has none of the roles whose changes leave the source.',
  'source.rewound':
    'The site’s database is not where this hub left it: it was restored from a backup, or copied.',
  'source.rewritten_outside':
    'Many accounts were written past WordPress at once; nothing of them travels until a person has looked.',
  'source.turned_away':
    'A person rejected this new account when too many came from the source at once.',
  'stamp.in_future': 'The site’s clock is ahead; it was asked to stamp this change again.',
  'target.account_missing':
    'The account does not exist on the target, and the target does not create accounts on update.',
  'target.already_holds': 'The target holds this value already.',
  'target.content_without_heir':
    'The account owns content on the target and the route names nobody to inherit it.',
  'target.default_role_missing':
    'The account was created without a role: the target’s default role does not exist, or the hub may not give it.',
  'target.error': 'The target failed at this operation.',
  'target.guard_kept':
    'The hub may only tighten the guard of a site; it is loosened on the site itself.',
  'target.guard_tightened': 'An operator tightened the guard of the site.',
  'target.heir_missing':
    'The account that was to inherit the content does not exist on the target.',
  'target.hub_account': 'It is the hub’s own service account on the target.',
  'target.last_administrator': 'It is the last administrator of the target.',
  'target.timeout':
    'The target did not come to an end with this operation; it is tried again, but not soon.',
  'target.locked': 'Another batch is being applied to the target; it is tried again.',
  'target.member_elsewhere':
    'The account is a member of other sites of the network, too, or of another WordPress with the same users: it was taken off this site and stays on those.',
  'target.privileged_account': 'The account on the target can administer its site.',
  'target.read_only': 'The target prohibits incoming changes.',
  'target.site_missing': 'There is no such site in the target’s installation.',
  'value.encoding': 'The value is not valid text.',
  'value.malformed': 'The value is not of the kind that this field takes.',
  'value.object':
    'The value holds an object, or an array that would not arrive as it is; only plain values are synced.',
  'value.serialized': 'The value is serialised PHP; only plain values are synced.',
  'value.too_large': 'The value is larger than one megabyte.',
  'whitelist.address': 'The site’s whitelist has no active entry for the address of the hub.',
  'whitelist.source':
    'The target’s whitelist has no active entry for the site that the change comes from.',
  'whitelist.would_refuse':
    'The whitelist would shut out the hub, or a site that it brings changes from; it stays off.',
} as const;

export type Reason = keyof typeof REASONS;

export const isReason = (code: string): code is Reason => Object.hasOwn(REASONS, code);

/** The sentence for a code; a code this hub does not know is shown as it is. */
export const reasonSentence = (code: string): string => (isReason(code) ? REASONS[code] : code);
