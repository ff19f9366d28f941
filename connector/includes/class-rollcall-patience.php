<?php
/**
 * How long a visitor's request waits for our own tables: a second, and it sees no error of theirs.
 *
 * Does: bounds the waiting for locks while something runs, keeps database errors out of the page.
 * Does not: catch what is thrown.
 * Always true: afterwards the session waits again as long as it did before.
 * On failure: where the bound can't be set, the database's own holds.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Bounded waiting.
 */
final class Rollcall_Patience {

	/** The shortest that MySQL knows. WordPress's own writes took their locks by then. */
	const LONGEST_S = 1;

	/**
	 * How many `run()` calls are running.
	 *
	 * @var int
	 */
	private static $depth = 0;

	/**
	 * Runs something that may not wait long. May be nested.
	 *
	 * @param callable $work What to run.
	 * @return mixed What it returns.
	 */
	public static function run( $work ) {
		global $wpdb;
		$bounds = 0 === self::$depth && false === strpos( get_class( $wpdb ), 'SQLite' );
		$errors = $wpdb->suppress_errors( true );
		++self::$depth;
		if ( $bounds ) {
			$wpdb->query( 'SET @rollcall_rows = @@SESSION.innodb_lock_wait_timeout, @rollcall_tables = @@SESSION.lock_wait_timeout, SESSION innodb_lock_wait_timeout = ' . self::LONGEST_S . ', SESSION lock_wait_timeout = ' . self::LONGEST_S ); // phpcs:ignore WordPress.DB
		}
		try {
			return call_user_func( $work );
		} finally {
			if ( $bounds ) {
				$wpdb->query( 'SET SESSION innodb_lock_wait_timeout = @rollcall_rows, SESSION lock_wait_timeout = @rollcall_tables' ); // phpcs:ignore WordPress.DB
			}
			--self::$depth;
			$wpdb->suppress_errors( $errors );
		}
	}
}
