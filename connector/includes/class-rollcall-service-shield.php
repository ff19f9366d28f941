<?php
/**
 * Keeps the hub's own account out of sight and out of hand.
 *
 * Does: gives it no page among the authors; lets nobody edit it or give it a role in wp-admin or over
 * REST, where an administrator of one site might; forgets it when somebody deletes it, since its id may
 * come again for a person.
 * Does not: hide it from administrators: they see it among the users, and may delete it.
 * Always true: what it does for the hub ends with it.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Shield of the service account.
 */
final class Rollcall_Service_Shield {

	/** What would change the account. Deleting it is left to administrators. */
	const CHANGES = array( 'edit_user', 'promote_user' );

	/**
	 * Hooks in.
	 *
	 * @return void
	 */
	public static function start() {
		add_filter( 'pre_handle_404', array( __CLASS__, 'no_author' ), 10, 2 );
		add_filter( 'map_meta_cap', array( __CLASS__, 'nobody_edits' ), PHP_INT_MAX, 4 );
		add_action( 'deleted_user', array( __CLASS__, 'gone' ), PHP_INT_MAX );
	}

	/**
	 * `?author=ID` and `/author/NAME/`: as if there were no such account.
	 *
	 * @param bool     $handled Whether somebody else has answered.
	 * @param WP_Query $query   The main query.
	 * @return bool
	 */
	public static function no_author( $handled, $query ) {
		if ( ! $query->is_author() || ! Rollcall_Service_Account::is_it( $query->get_queried_object_id() ) ) {
			return $handled;
		}
		$query->set_404();
		status_header( 404 );
		nocache_headers();
		return true;
	}

	/**
	 * Forgets the account when it is gone. On a network the hook also tells of accounts that only left a site.
	 *
	 * @param int $user_id Account.
	 * @return void
	 */
	public static function gone( $user_id ) {
		if ( ! get_userdata( (int) $user_id ) ) {
			Rollcall_Service_Account::forget( (int) $user_id );
		}
	}

	/**
	 * Nobody may edit the account, super admins included.
	 *
	 * @param string[] $needed  Capabilities that are needed.
	 * @param string   $cap     What is to be done.
	 * @param int      $user_id Who would do it.
	 * @param array    $args    First: the account it would be done to.
	 * @return string[]
	 */
	public static function nobody_edits( $needed, $cap, $user_id, $args ) {
		$is_change = in_array( $cap, self::CHANGES, true ) && isset( $args[0] );
		return $is_change && Rollcall_Service_Account::is_it( (int) $args[0] ) ? array( 'do_not_allow' ) : $needed;
	}
}
