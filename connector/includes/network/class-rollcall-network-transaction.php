<?php
/**
 * A transaction that writes memberships of one site.
 *
 * Does: has those that write to the same site come one after the other; begins and ends the transaction, and
 *   tries again where the database broke it off, or somebody had a row that it needs.
 * Does not: know what is written.
 * Always true: all of it is in the database afterwards, or nothing. It locks no place between rows, where the
 *   database lets it, so nobody's INSERT waits for it. Where the database knows that (MariaDB), it never waits for
 *   a row while others wait for it: it gives way and comes again. A circle of waiting would be broken at its
 *   smallest part, and that is a person's statement; WordPress would not tell anybody that it was lost.
 * On failure: throws what the last try threw; it is rolled back.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Transaction.
 */
final class Rollcall_Network_Transaction {

	/** Whatever else failed is tried so often. */
	const TRIES = 3;

	/** Seconds for which rows that somebody else has are tried again. */
	const PATIENCE_S = 5;

	/** Pause between two tries; a person's statement takes less. */
	const PAUSE_US = 20000;

	/** MySQL's numbers for “somebody else had the row” and “a circle of waiting was broken”. */
	const LOCKED = array( 1205, 1213 );

	/**
	 * Does the server take READ COMMITTED?
	 *
	 * @var bool|null
	 */
	private static $commits_alone = null;

	/**
	 * Runs one.
	 *
	 * @param int      $blog Site that is written to.
	 * @param callable $work What to run; may be called more than once.
	 * @return mixed What it gives.
	 * @throws Throwable What it threw.
	 */
	public static function run( $blog, $work ) {
		global $wpdb;
		// What is tried again is no error for the log.
		$quiet = $wpdb->suppress_errors();
		$until = microtime( true ) + self::PATIENCE_S;
		try {
			for ( $try = 1; ; $try++ ) {
				try {
					return self::attempt( (int) $blog, $work );
				} catch ( Throwable $fault ) {
					$again = self::was_locked() ? microtime( true ) < $until : $try < self::TRIES;
					$wpdb->query( 'ROLLBACK' ); // phpcs:ignore WordPress.DB
					self::wait_as_before();
					if ( ! $again || $fault instanceof Rollcall_Network_Stopped ) {
						throw $fault;
					}
					Rollcall_Query_Faults::make_good();
					usleep( self::PAUSE_US );
				}
			}
		} finally {
			$wpdb->suppress_errors( $quiet );
		}
	}

	/**
	 * Tries once.
	 *
	 * @param int      $blog Site.
	 * @param callable $work What to run.
	 * @return mixed What it gives.
	 */
	private static function attempt( $blog, $work ) {
		self::begin( $blog );
		$given = $work();
		Rollcall_Set_Sql::run( 'COMMIT' );
		self::wait_as_before();
		return $given;
	}

	/**
	 * Does the database lock rows? SQLite has one writer at a time.
	 *
	 * @return bool
	 */
	public static function locks_rows() {
		global $wpdb;
		return false === strpos( get_class( $wpdb ), 'SQLite' );
	}

	/**
	 * Begins, as soon as nobody else of us writes to the site.
	 *
	 * @param int $blog Site.
	 * @return void
	 */
	private static function begin( $blog ) {
		global $wpdb;
		if ( ! self::locks_rows() ) {
			Rollcall_Set_Sql::run( 'START TRANSACTION' );
			return;
		}
		if ( self::commits_alone() ) {
			self::quietly( 'SET TRANSACTION ISOLATION LEVEL READ COMMITTED' );
		}
		Rollcall_Set_Sql::run( 'START TRANSACTION' );
		// A row that only we write: whoever has it is the one of us that writes to this site.
		Rollcall_Facts::raise( 'network:' . substr( md5( $wpdb->base_prefix ), 0, 8 ) . ':' . $blog );
		if ( '' !== $wpdb->last_error ) {
			throw new RuntimeException( 'The turn at a site can’t be taken.' );
		}
		// MySQL makes a second of it. (A name like our tables’ would count as a fault of theirs, where it is refused.)
		self::quietly( 'SET @wait_of_rollcall = @@SESSION.innodb_lock_wait_timeout, SESSION innodb_lock_wait_timeout = 0' );
	}

	/** The session waits for rows again as long as it did before. */
	private static function wait_as_before() {
		if ( self::locks_rows() ) {
			self::quietly( 'SET SESSION innodb_lock_wait_timeout = COALESCE(@wait_of_rollcall, @@SESSION.innodb_lock_wait_timeout), @wait_of_rollcall = NULL' );
		}
	}

	/**
	 * Did somebody else have a row?
	 *
	 * @return bool
	 */
	private static function was_locked() {
		global $wpdb;
		return class_exists( 'mysqli', false ) && $wpdb->dbh instanceof mysqli && in_array( mysqli_errno( $wpdb->dbh ), self::LOCKED, true );
	}

	/**
	 * Servers that log statements take no writes under READ COMMITTED (error 1665): WordPress's default level
	 * stays there.
	 *
	 * @return bool
	 */
	private static function commits_alone() {
		global $wpdb;
		if ( null === self::$commits_alone ) {
			$quiet = $wpdb->suppress_errors();
			$found = array();
			foreach ( (array) $wpdb->get_results( "SHOW VARIABLES WHERE Variable_name IN ('log_bin', 'binlog_format')", ARRAY_N ) as $row ) { // phpcs:ignore WordPress.DB
				$found[ strtolower( $row[0] ) ] = strtoupper( $row[1] );
			}
			$wpdb->suppress_errors( $quiet );
			self::$commits_alone = array( 'ON', 'STATEMENT' ) !== array( isset( $found['log_bin'] ) ? $found['log_bin'] : '', isset( $found['binlog_format'] ) ? $found['binlog_format'] : '' );
		}
		return self::$commits_alone;
	}

	/**
	 * Runs a statement that a server may refuse.
	 *
	 * @param string $sql Statement.
	 * @return void
	 */
	private static function quietly( $sql ) {
		global $wpdb;
		$quiet = $wpdb->suppress_errors();
		$wpdb->query( $sql ); // phpcs:ignore WordPress.DB
		$wpdb->suppress_errors( $quiet );
	}
}
