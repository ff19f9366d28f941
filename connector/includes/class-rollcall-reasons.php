<?php
/**
 * One sentence for people to each reason that this site gives.
 *
 * Does: translates a stable reason code into a sentence.
 * Does not: decide. Nobody branches on the sentence.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Reasons.
 */
final class Rollcall_Reasons {

	/**
	 * The sentence of a reason; the code itself when it has none.
	 *
	 * @param string $code Reason code.
	 * @return string
	 */
	public static function sentence( $code ) {
		$all = self::all();
		return isset( $all[ $code ] ) ? $all[ $code ] : $code;
	}

	/**
	 * All sentences.
	 *
	 * @return array
	 */
	private static function all() {
		return array(
			'hub.not_mine'                => __( 'This site is connected to another hub, or to none.', 'rollcall-connector' ),
			'hub.released'                => __( 'This site was released from its hub in wp-admin.', 'rollcall-connector' ),
			'hub.superseded'              => __( 'A later reign of this hub has spoken to this site already.', 'rollcall-connector' ),
			'mark.mismatch'               => __( 'This site is not where the hub left it; nothing was done.', 'rollcall-connector' ),
			'hub.rewound'                 => __( 'A later state of this site’s hub has spoken to this site: the hub was restored from a backup, or copied. Nothing is synced until its operator has said what happened.', 'rollcall-connector' ),
			'source.rewound'              => __( 'The database of this site is in an earlier state than the one its hub knows: it was restored from a backup, or is a copy. Nothing is synced until the hub’s operator says so there, with “rollcall site restored”.', 'rollcall-connector' ),
			'source.rewritten_outside'    => __( 'The value was changed past WordPress and is held until somebody has looked.', 'rollcall-connector' ),
			'installation.moved'          => __( 'This site stands at another address than it was connected at. It may be a copy, so Rollcall stays silent until somebody says whether it moved or was copied.', 'rollcall-connector' ),
			'site.database'               => __( 'The database of this site failed at this request: it may be read-only, locked, full or damaged.', 'rollcall-connector' ),
			'target.site_missing'         => __( 'There is no such site in this installation.', 'rollcall-connector' ),
			'target.read_only'            => __( 'This site prohibits incoming sync modifications.', 'rollcall-connector' ),
			'target.guard_kept'           => __( 'The guard of this site is loosened on the site itself: in wp-admin under User Sync, or with “wp rollcall guard”.', 'rollcall-connector' ),
			'whitelist.source'            => __( 'The whitelist of this site has no active entry for the site that this change comes from.', 'rollcall-connector' ),
			'target.account_missing'      => __( 'The account does not exist here, and was not to be created.', 'rollcall-connector' ),
			'target.hub_account'          => __( 'This is the service account of the hub itself.', 'rollcall-connector' ),
			'target.last_administrator'   => __( 'This is the last administrator of the site.', 'rollcall-connector' ),
			'target.privileged_account'   => __( 'The account can administer this site; such accounts are changed from outside only where route and site both name the role.', 'rollcall-connector' ),
			'target.content_without_heir' => __( 'The account owns content, and nobody was named to inherit it.', 'rollcall-connector' ),
			'target.member_elsewhere' => __( 'The account is a member of other sites of the network, too, or of another WordPress with the same users: it was taken off this site and stays on those.', 'rollcall-connector' ),
			'target.default_role_missing' => __( 'The account was created without a role: the default role of this site does not exist, or a hub may not give it.', 'rollcall-connector' ),
			'target.heir_missing'         => __( 'The account that was to inherit the content does not exist here.', 'rollcall-connector' ),
			'target.locked'               => __( 'Another batch is being applied to this site.', 'rollcall-connector' ),
			'account.incoming_rejected'   => __( 'The account rejects incoming modifications on this site.', 'rollcall-connector' ),
			'account.not_consented'       => __( 'The account can administer this site by a role, and nobody here has agreed that this role may come from the hub: in wp-admin under User Sync, or with “wp rollcall privileged allow”.', 'rollcall-connector' ),
			'role.not_consented'          => __( 'The role is privileged, and nobody here has agreed that it may come from the hub: in wp-admin under User Sync, or with “wp rollcall privileged allow”.', 'rollcall-connector' ),
			'account.busy'                => __( 'The account is being saved on this site right now.', 'rollcall-connector' ),
			'identity.label_mismatch'     => __( 'The account with this id is not the one that the hub means.', 'rollcall-connector' ),
			'identity.deleted'            => __( 'The account was deleted here.', 'rollcall-connector' ),
			'identity.email_taken'        => __( 'Another account here has this e-mail address.', 'rollcall-connector' ),
			'identity.login_taken'        => __( 'Another account here has this login.', 'rollcall-connector' ),
			'network.account_spam'        => __( 'The account is marked as spam or deleted.', 'rollcall-connector' ),
			'network.changed_since'       => __( 'Another run, a trigger, or somebody past WordPress has changed the membership since.', 'rollcall-connector' ),
			'network.missing'             => __( 'There is no such network here.', 'rollcall-connector' ),
			'network.no_role'             => __( 'The account has no role on the site that roles are copied from.', 'rollcall-connector' ),
			'network.not_a_member'        => __( 'The account is no member of the site, and only existing memberships are changed.', 'rollcall-connector' ),
			'network.nothing_to_undo'     => __( 'Nothing of this run is left that could be taken back.', 'rollcall-connector' ),
			'network.plugin_forbids'      => __( 'Another plugin on the site does not let the account be added.', 'rollcall-connector' ),
			'network.removed_before'      => __( 'A person took the account off the site.', 'rollcall-connector' ),
			'network.role_privileged'     => __( 'The role can administer the site, and is not allowed by name.', 'rollcall-connector' ),
			'network.role_undefined'      => __( 'The site does not define the role.', 'rollcall-connector' ),
			'network.run_missing'         => __( 'There is no such run on this network.', 'rollcall-connector' ),
			'network.run_state'           => __( 'The run is not in a state for that.', 'rollcall-connector' ),
			'network.site_closed'         => __( 'The site is archived, marked as spam, deleted, or excluded.', 'rollcall-connector' ),
			'network.super_admin'         => __( 'The account is a super admin.', 'rollcall-connector' ),
			'request.invalid'             => __( 'This site did not understand the request.', 'rollcall-connector' ),
			'run.undo_expired'            => __( 'What the run did was too long ago to be undone.', 'rollcall-connector' ),
			'password.unverifiable'       => __( 'This site can’t verify this kind of password hash.', 'rollcall-connector' ),
			'password.mailed'             => __( 'This site can’t verify this kind of password hash; it has mailed a link to set a password.', 'rollcall-connector' ),
			'password.mail_limit'         => __( 'This site can’t verify this kind of password hash, and mails no more links to set a password for now.', 'rollcall-connector' ),
			'login.malformed'             => __( 'WordPress does not accept this login.', 'rollcall-connector' ),
			'email.missing'               => __( 'An account is not created without knowing its e-mail address.', 'rollcall-connector' ),
			'email.malformed'             => __( 'WordPress does not accept this e-mail address.', 'rollcall-connector' ),
			'source.delete_unfinished'    => __( 'The account was being deleted here, and the deletion was cut short.', 'rollcall-connector' ),
			'delete.newer_edit'           => __( 'The account was edited here after it was deleted elsewhere.', 'rollcall-connector' ),
		);
	}
}
