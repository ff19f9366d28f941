<?php
/**
 * Notices database errors under WordPress's functions, most of which don't tell.
 *
 * Does: compares wpdb's list of errors before and after, for writes to users and usermeta; says whether
 * the answer to a request can be relied on.
 * Does not: mind other plugins' failing queries on tables of their own.
 * On failure: throws, so that a lost write becomes a receipt `failed` and comes again.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Database errors since a moment.
 */
final class Rollcall_Query_Faults {

	/** Seconds that a request of the hub waits for a lock: longer would only tie up PHP processes. */
	const LOCK_WAIT_S = 10;

	/**
	 * How many errors were made good since: what failed was rolled back and done in another way.
	 *
	 * @var int
	 */
	private static $made_good = 0;

	/**
	 * Was something read that can't be all there is?
	 *
	 * @var bool
	 */
	private static $short = false;

	/**
	 * How many errors there were at the beginning.
	 *
	 * @var int
	 */
	private $before;

	/**
	 * Begins to watch.
	 */
	public function __construct() {
		$this->before = count( self::all() );
	}

	/**
	 * Throws when a write to the tables of accounts failed since.
	 *
	 * @throws RuntimeException Without the query: it holds values.
	 * @return void
	 */
	public function throw_if_any() {
		global $wpdb;
		foreach ( array_slice( self::all(), $this->before ) as $error ) {
			$query = isset( $error['query'] ) ? ltrim( (string) $error['query'] ) : '';
			if ( preg_match( '/^(INSERT|UPDATE|DELETE|REPLACE)\b/i', $query ) && ( false !== strpos( $query, $wpdb->users ) || false !== strpos( $query, $wpdb->usermeta ) ) ) {
				throw new RuntimeException( 'A write to the tables of accounts failed.' );
			}
		}
	}

	/**
	 * Has the database failed us in this request? What was not read or written may not be told as a fact:
	 * an account that can't be read is not missing.
	 *
	 * @return bool
	 */
	public static function spoil_the_answer() {
		global $wpdb;
		if ( self::$short ) {
			return true;
		}
		$accounts = false;
		foreach ( array_slice( self::all(), self::$made_good ) as $error ) {
			$query = isset( $error['query'] ) ? ltrim( (string) $error['query'] ) : '';
			$reads = 0 === stripos( $query, 'SELECT' );
			$about = false !== strpos( $query, $wpdb->users ) || false !== strpos( $query, $wpdb->usermeta );
			// Writes to the tables of accounts have receipts of their own.
			if ( ! $about && false !== strpos( $query, 'rollcall_' ) ) {
				return true;
			}
			$accounts = $accounts || ( $reads && $about );
		}
		return $accounts && ! self::accounts_can_be_read();
	}

	/**
	 * Is it the database as a whole, or was it what was asked of it?
	 *
	 * @return bool
	 */
	public static function database_is_well() {
		$before = count( self::all() );
		Rollcall_Facts::set( 'last_probe', (string) time() );
		return ! self::$short && count( self::all() ) === $before && self::accounts_can_be_read();
	}

	/**
	 * What was just read can't be all there is: no answer of this request may be made of it.
	 *
	 * @return void
	 */
	public static function was_short() {
		self::$short = true;
	}

	/**
	 * What failed so far was made good.
	 *
	 * @return void
	 */
	public static function make_good() {
		self::$made_good = count( self::all() );
	}

	/**
	 * Has the session give up on locks soon: a backup that locks tables would hold us for up to a day.
	 *
	 * @return void
	 */
	public static function wait_no_longer() {
		global $wpdb;
		if ( class_exists( 'mysqli', false ) && $wpdb->dbh instanceof mysqli ) {
			$quiet = $wpdb->suppress_errors();
			$wpdb->query( sprintf( 'SET SESSION lock_wait_timeout = %1$d, innodb_lock_wait_timeout = %1$d', self::LOCK_WAIT_S ) ); // phpcs:ignore WordPress.DB
			$wpdb->suppress_errors( $quiet );
		}
	}

	/**
	 * It may have been another plugin's mistake.
	 *
	 * @return bool
	 */
	private static function accounts_can_be_read() {
		global $wpdb;
		$before = count( self::all() );
		$wpdb->get_var( "SELECT ID FROM {$wpdb->users} LIMIT 1" ); // phpcs:ignore WordPress.DB
		$wpdb->get_var( "SELECT umeta_id FROM {$wpdb->usermeta} LIMIT 1" ); // phpcs:ignore WordPress.DB
		return count( self::all() ) === $before;
	}

	/**
	 * Errors that wpdb has met in this request.
	 *
	 * @return array
	 */
	private static function all() {
		global $EZSQL_ERROR; // phpcs:ignore WordPress.NamingConventions.ValidVariableName
		return is_array( $EZSQL_ERROR ) ? $EZSQL_ERROR : array(); // phpcs:ignore WordPress.NamingConventions.ValidVariableName
	}
}
