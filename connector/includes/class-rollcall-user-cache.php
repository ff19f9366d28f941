<?php
/**
 * WordPress's object cache, made to agree with the database before WordPress itself writes.
 *
 * Does: overwrites what is remembered of an account; drops what stands under a login or an address.
 * Does not: clean up after a write (core does that, and Rollcall_Set_Caches).
 * Always true: a cache that another server of the host has not heard of costs no edit. WordPress writes whole
 * rows back out of what it remembers, and skips what it takes for unchanged.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * What WordPress remembers of accounts.
 */
final class Rollcall_User_Cache {

	/**
	 * Puts an account there as it lies in the database.
	 *
	 * @param int $id Account.
	 * @return void
	 */
	public static function refresh( $id ) {
		if ( wp_using_ext_object_cache() ) {
			$accounts = new Rollcall_Set_Accounts( array( $id ) );
			$accounts->prime( array( $id ) );
		}
	}

	/**
	 * Drops whoever is remembered under this login or address.
	 *
	 * @param string $login Login.
	 * @param string $email Address.
	 * @return void
	 */
	public static function forget( $login, $email ) {
		if ( '' !== $login ) {
			wp_cache_delete( $login, 'userlogins' );
		}
		if ( '' !== $email ) {
			wp_cache_delete( $email, 'useremail' );
		}
	}

	/**
	 * Drops an account, before anybody is authenticated by what is remembered of it.
	 *
	 * @param int    $id    Account.
	 * @param string $login Its login.
	 * @return void
	 */
	public static function drop( $id, $login ) {
		if ( wp_using_ext_object_cache() ) {
			wp_cache_delete( $id, 'users' );
			wp_cache_delete( $id, 'user_meta' );
			self::forget( $login, '' );
		}
	}
}
