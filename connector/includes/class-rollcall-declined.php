<?php
/**
 * Changes that another plugin keeps from being captured (`rollcall_should_capture`).
 *
 * Does: remembers, when the request ends, what such an account holds now under the stamps that it had, so that
 *   nobody takes it for something written past the hooks.
 * Does not: hide what another request is saving, or what is held.
 * Always true: what changes later is captured as ever, the same field, too.
 * On failure: the change is found by the next look at the account, and captured then.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Accounts whose changes in this request stay here.
 */
final class Rollcall_Declined {

	/**
	 * WordPress user id => true.
	 *
	 * @var array<int,bool>
	 */
	private static $ids = array();

	/**
	 * Notes an account.
	 *
	 * @param int $id WordPress user id.
	 * @return void
	 */
	public static function note( $id ) {
		if ( $id > 0 && Rollcall_Settings::service_user_id() !== $id ) {
			self::$ids[ $id ] = true;
		}
	}

	/** Is there any? */
	public static function any() {
		return (bool) self::$ids;
	}

	/**
	 * Remembers what they hold. One of which a change was captured in this request is settled as a whole.
	 *
	 * @return void
	 */
	public static function settle() {
		$ids       = array_keys( self::$ids );
		self::$ids = array();
		$ids       = array_values( array_filter( $ids, array( __CLASS__, 'is_not_open' ) ) );
		if ( ! $ids || Rollcall_Outside::is_held() ) {
			return;
		}
		$ids = array_diff( $ids, Rollcall_Outbox::has_fresh_open( $ids ), Rollcall_Outbox::has_stale_open( $ids ) );
		foreach ( array_chunk( $ids, 500 ) as $some ) {
			Rollcall_Settle::run( $some, array( 'cut_short' => array_fill_keys( $some, true ) ) );
		}
	}

	/**
	 * Is nothing of an account captured in this request?
	 *
	 * @param int $id WordPress user id.
	 * @return bool
	 */
	private static function is_not_open( $id ) {
		return ! Rollcall_Capture::is_open( $id );
	}
}
