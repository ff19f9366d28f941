<?php
/**
 * One at a time on an account: an apply from its look to its end, and the moment in which a person's request
 * says that it is about to save.
 *
 * Does: names a lock of the database's for each account (GET_LOCK).
 * Does not: hold back a person's writing: only the opening of the row in the outbox waits, for a second at most,
 * and then goes on. So does everything where the database knows no such locks, or one at a time only.
 * Always true: whoever saves has opened its row before an apply looks, or opens it after that apply has ended, and
 * then writes over it. A request that dies has let go of its turns.
 * On failure: there is no turn; the second look (Rollcall_Second_Look) still finds almost everybody.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Turns at accounts.
 */
final class Rollcall_Turns {

	/** Seconds that a visitor's request waits for an apply to the same account, which takes milliseconds. */
	const WAIT_S = 1;

	/** The first versions that let a session have more than one: before, a lock of another plugin's would be lost. */
	const MYSQL   = '5.7.5';
	const MARIADB = '10.0.2';

	/**
	 * Names of the locks that this request has.
	 *
	 * @var string[]
	 */
	private static $held = array();

	/**
	 * Does the database know such locks?
	 *
	 * @var bool|null
	 */
	private static $possible = null;

	/**
	 * Does something in the moment that no apply is at work on an account.
	 *
	 * @param int      $id   WordPress user id.
	 * @param callable $work What to do.
	 * @return mixed What it gives.
	 */
	public static function await( $id, $work ) {
		global $wpdb;
		if ( ! self::possible() ) {
			return $work();
		}
		// `DO`: where reading has a server of its own, a SELECT would ask that one.
		$wpdb->query( $wpdb->prepare( 'DO GET_LOCK(%s, %d)', self::name( $id ), self::WAIT_S ) ); // phpcs:ignore WordPress.DB
		try {
			return $work();
		} finally {
			$wpdb->query( $wpdb->prepare( 'DO RELEASE_LOCK(%s)', self::name( $id ) ) ); // phpcs:ignore WordPress.DB
		}
	}

	/**
	 * Takes the turns at accounts, for an apply.
	 *
	 * @param int[] $ids    WordPress user ids.
	 * @param int   $wait_s How long to wait for each.
	 * @return int[] Those of them that somebody else has.
	 */
	public static function take( array $ids, $wait_s ) {
		global $wpdb;
		if ( ! $ids || ! self::possible() ) {
			return array();
		}
		Rollcall_Tables::use_writer();
		$asked = array();
		foreach ( array_unique( $ids ) as $id ) {
			$asked[ $id ] = $wpdb->prepare( 'GET_LOCK(%s, %d)', self::name( $id ), $wait_s ) . " AS t$id";
		}
		$errors = $wpdb->suppress_errors( true );
		$given  = (array) $wpdb->get_row( 'SELECT ' . implode( ', ', $asked ), ARRAY_A ); // phpcs:ignore WordPress.DB
		$wpdb->suppress_errors( $errors );
		$taken = array();
		foreach ( array_keys( $asked ) as $id ) {
			$got = isset( $given[ "t$id" ] ) ? (string) $given[ "t$id" ] : '';
			if ( '1' === $got ) {
				self::$held[] = self::name( $id );
			} elseif ( '0' === $got ) {
				$taken[] = $id;
			}
		}
		return $taken;
	}

	/** Lets go of all turns of this request. */
	public static function end() {
		global $wpdb;
		$held       = self::$held;
		self::$held = array();
		if ( $held ) {
			$marks = implode( ', ', array_fill( 0, count( $held ), 'RELEASE_LOCK(%s)' ) );
			$wpdb->query( $wpdb->prepare( "DO $marks", $held ) ); // phpcs:ignore WordPress.DB
		}
	}

	/**
	 * Does the database know such locks, any number of them in a session? SQLite writes one at a time anyway.
	 *
	 * @return bool
	 */
	private static function possible() {
		global $wpdb;
		if ( null === self::$possible ) {
			$server = false === strpos( get_class( $wpdb ), 'SQLite' ) ? (string) $wpdb->db_server_info() : '';
			// An old PHP shows `5.5.5-10.6.1-MariaDB`.
			self::$possible = 1 === preg_match( '/(\d+\.\d+\.\d+)-MariaDB/i', $server, $found )
				? version_compare( $found[1], self::MARIADB, '>=' )
				: 1 === preg_match( '/^\d+\.\d+\.\d+/', $server, $found ) && version_compare( $found[0], self::MYSQL, '>=' );
		}
		return self::$possible;
	}

	/**
	 * The name of an account's lock: one server has the locks of all its databases together.
	 *
	 * @param int $id WordPress user id.
	 * @return string
	 */
	private static function name( $id ) {
		return 'rollcall ' . substr( md5( DB_NAME . ' ' . Rollcall_Tables::outbox() ), 0, 16 ) . ' ' . (int) $id;
	}
}
