<?php
/**
 * POST /disconnect, and "Release this site" in wp-admin.
 *
 * Does: ends the binding, the hub's credential and its service account.
 * Does not: touch any person's account, or forget labels, stamps and tombstones: a later hub needs them.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Disconnect.
 */
final class Rollcall_Disconnect {

	/**
	 * Answers the request.
	 *
	 * @return array DisconnectAnswer.
	 */
	public static function answer() {
		self::release();
		return array( 'released' => true );
	}

	/**
	 * Releases the installation from its hub.
	 *
	 * @return void
	 */
	public static function release() {
		// The account first, while it is still known as ours: its end must not be captured.
		Rollcall_Service_Account::remove();
		Rollcall_Settings::unbind();
		Rollcall_Newcomers::end();
		Rollcall_Proof_Store::forget_all();
		/**
		 * Fires once the site was released from its hub.
		 */
		Rollcall_Callbacks::tell( 'rollcall_released' );
	}
}
