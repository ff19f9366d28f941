<?php
/**
 * A transaction that writes memberships.
 *
 * Does: begins and ends it, and tries again where the database broke it off.
 * Does not: know what is written.
 * Always true: all of it is in the database afterwards, or nothing.
 * On failure: throws what the last try threw; it is rolled back.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Transaction.
 */
final class Rollcall_Network_Transaction {

	/** Deadlocks and the like: a transaction is tried so often. */
	const TRIES = 3;

	/**
	 * Runs one.
	 *
	 * @param callable $work What to run; may be called more than once.
	 * @return mixed What it gives.
	 * @throws Throwable What it threw.
	 */
	public static function run( $work ) {
		global $wpdb;
		for ( $try = 1; ; $try++ ) {
			try {
				Rollcall_Set_Sql::run( 'START TRANSACTION' );
				$given = $work();
				Rollcall_Set_Sql::run( 'COMMIT' );
				return $given;
			} catch ( Throwable $fault ) {
				$wpdb->query( 'ROLLBACK' ); // phpcs:ignore WordPress.DB
				if ( $try >= self::TRIES || $fault instanceof Rollcall_Network_Stopped ) {
					throw $fault;
				}
				Rollcall_Query_Faults::make_good();
			}
		}
	}
}
