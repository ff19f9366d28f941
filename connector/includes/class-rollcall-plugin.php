<?php
/**
 * Wires the parts of the connector.
 *
 * Does: starts every part that is there; creates the tables on activation and after an update.
 * Does not: decide anything.
 * Always true: a part that is missing stops no other part.
 * On failure: a table that could not be created is tried again on the next request.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * The plugin's own life: start, activation, deactivation.
 */
final class Rollcall_Plugin {

	/** Raised whenever a table changes, so that sites updated without re-activation follow. */
	const TABLES_VERSION = '8';

	/** Parts with a static `start()`, in the order in which they hook in. */
	const PARTS = array(
		// First: what the others do depends on where this stands.
		'Rollcall_Address',
		'Rollcall_Capture',
		'Rollcall_Rest',
		'Rollcall_Service_Shield',
		'Rollcall_Notices',
		'Rollcall_Other_Sync',
		'Rollcall_Site_List',
		'Rollcall_Signal',
		'Rollcall_Passwords',
		'Rollcall_Customers',
		'Rollcall_Proof_Password',
		'Rollcall_Standing',
		'Rollcall_Email_Origin',
		'Rollcall_Proof_Page',
		'Rollcall_Admin',
		'Rollcall_Whitelist_Page',
		'Rollcall_Network_Page',
		'Rollcall_Account_Switches',
		'Rollcall_Privacy',
		'Rollcall_Erasures',
		'Rollcall_Cli',
		'Rollcall_Erasure_Run',
		'Rollcall_Moved_Notice',
		'Rollcall_Network_Triggers',
		'Rollcall_Network_Cron',
		'Rollcall_Network_Errand_Answer',
	);

	/**
	 * Hooks every part in. Called once per request.
	 */
	public static function start() {
		if ( self::TABLES_VERSION !== get_site_option( 'rollcall_tables_version' ) ) {
			self::install();
		}
		foreach ( self::PARTS as $part ) {
			if ( class_exists( $part ) && method_exists( $part, 'start' ) ) {
				call_user_func( array( $part, 'start' ) );
			}
		}
	}

	/**
	 * Activation hook.
	 */
	public static function activate() {
		self::install();
		Rollcall_Network_Cron::arm();
	}

	/**
	 * Deactivation hook: the hub's credential ends, everything else stays for the next activation.
	 */
	public static function deactivate() {
		if ( class_exists( 'Rollcall_Service_Account' ) && method_exists( 'Rollcall_Service_Account', 'revoke' ) ) {
			Rollcall_Service_Account::revoke();
		}
		Rollcall_Network_Cron::disarm();
	}

	/**
	 * Creates or upgrades the tables. Safe to repeat.
	 */
	private static function install() {
		if ( Rollcall_Tables::install() && Rollcall_Network_Tables::install() ) {
			update_site_option( 'rollcall_tables_version', self::TABLES_VERSION );
		}
	}
}
