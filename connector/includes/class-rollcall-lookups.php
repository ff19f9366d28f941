<?php
/**
 * What deciding about a field has to look up: may a role be given, who has an e-mail address.
 *
 * Does: asks guard and database, each time anew.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Look-ups for one operation at a time.
 */
class Rollcall_Lookups {

	/**
	 * May this role be given or taken on this site?
	 *
	 * @param string $role Role.
	 * @param int    $blog Site; must be the current one.
	 * @return string|null Reason of a refusal.
	 */
	public function role( $role, $blog ) {
		return Rollcall_Guard::role( $role, $blog );
	}

	/**
	 * Another account that has this e-mail address.
	 *
	 * @param string $email Address.
	 * @param int    $id    Account that may have it.
	 * @return array|null { user: WP_User, exact: bool }.
	 */
	public function email( $email, $id ) {
		return Rollcall_Account_Finder::by_email( $email, $id );
	}
}
