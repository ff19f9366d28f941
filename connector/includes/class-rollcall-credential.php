<?php
/**
 * POST /credential: the hub renews its own credential.
 *
 * Does: issues one that is to follow the present one.
 * Does not: end the present one: that happens once its follower was used, so that a lost answer costs nothing.
 * Always true: the credential is shown once and only its hash is kept. Asking again ends a follower that was
 * never used.
 * On failure: the present one goes on.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Credential.
 */
final class Rollcall_Credential {

	/**
	 * Answers the request.
	 *
	 * @return array|WP_Error CredentialAnswer.
	 */
	public static function answer() {
		$credential = Rollcall_Service_Account::issue_next( (string) Rollcall_Settings::hub_name() );
		if ( is_wp_error( $credential ) ) {
			return Rollcall_Rest::error( 'hub.no_credential', 500, $credential->get_error_message() );
		}
		return array( 'credential' => $credential );
	}
}
