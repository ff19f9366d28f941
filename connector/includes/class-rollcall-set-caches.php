<?php
/**
 * Object caches after a set was written.
 *
 * Does: drops what was cached under old and new ids, logins, nicenames and addresses, as
 * clean_user_cache() does for one account, in a few calls.
 * Does not: fire `clean_user_cache`; that is among the jobs' events.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Caches of a set.
 */
final class Rollcall_Set_Caches {

	/** Cache group → column of the users table. */
	const GROUPS = array(
		'users'      => 'ID',
		'user_meta'  => 'ID',
		'userlogins' => 'user_login',
		'userslugs'  => 'user_nicename',
		'useremail'  => 'user_email',
	);

	/**
	 * Drops.
	 *
	 * @param Rollcall_Set_Job[] $jobs Jobs that were written.
	 * @return void
	 */
	public static function drop( $jobs ) {
		foreach ( self::GROUPS as $group => $column ) {
			$keys = array();
			foreach ( $jobs as $job ) {
				foreach ( array( $job->user, $job->old ) as $user ) {
					if ( null !== $user && ! empty( $user->data->$column ) ) {
						$keys[] = $user->data->$column;
					}
				}
			}
			wp_cache_delete_multiple( array_values( array_unique( $keys ) ), $group );
		}
		if ( function_exists( 'wp_cache_set_users_last_changed' ) ) {
			wp_cache_set_users_last_changed();
		}
	}
}
