<?php
/**
 * The guard of one site: whether it is read-only, and which roles may be given there.
 *
 * Does: stores both, for wp-admin, WP-CLI and, tightening alone, the hub.
 * Does not: ask who may change it; its callers do.
 * Always true: guards of other sites stay as they are; a privileged role is never on the list.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * A site's own guard.
 */
final class Rollcall_Site_Guard {

	/**
	 * Switches “Prohibit incoming sync modifications”.
	 *
	 * @param int  $blog Site.
	 * @param bool $on   Read-only or not.
	 * @return void
	 */
	public static function set_read_only( $blog, $on ) {
		Rollcall_Settings::update_entry( 'read_only', (int) $blog, (bool) $on );
	}

	/**
	 * Says which roles may be given.
	 *
	 * @param int      $blog  Site.
	 * @param string[] $roles Roles; those that are privileged or not defined are left out.
	 * @return void
	 */
	public static function set_grantable( $blog, $roles ) {
		$free = array();
		foreach ( array_keys( Rollcall_Roles::defined( $blog ) ) as $role ) {
			if ( in_array( (string) $role, $roles, true ) && ! Rollcall_Privilege::role_is_privileged( (string) $role, $blog ) ) {
				$free[] = (string) $role;
			}
		}
		Rollcall_Settings::update_entry( 'grantable', (int) $blog, $free );
	}
}
