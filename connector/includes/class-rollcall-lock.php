<?php
/**
 * One lock for writing accounts, shared by all sites over one users table.
 *
 * Does: takes, renews and frees a row of the facts table. `user_login` has no unique key, so two applies
 * at once could make two accounts of one login.
 * Does not: hold back WordPress itself or other plugins.
 * Always true: a lock whose owner died frees itself after LEASE_MS. Works on MySQL, MariaDB and SQLite.
 * On failure: take() gives false; nothing is waited for longer than asked.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Apply lock.
 */
final class Rollcall_Lock {

	const NAME = 'lock:apply';

	/** A batch renews before each operation, so this must only outlast the slowest single one. */
	const LEASE_MS = 60000;

	/** Pause between two attempts. */
	const PAUSE_US = 50000;

	/**
	 * Our mark on the row while we hold it.
	 *
	 * @var string
	 */
	private static $token = '';

	/**
	 * Takes the lock.
	 *
	 * @param int $wait_ms How long to try.
	 * @return bool
	 */
	public static function take( $wait_ms ) {
		$token = bin2hex( random_bytes( 8 ) );
		$until = microtime( true ) + $wait_ms / 1000;
		do {
			if ( self::insert( $token ) || self::inherit( $token ) ) {
				self::$token = $token;
				return true;
			}
			if ( Rollcall_Query_Faults::spoil_the_answer() ) {
				// The database takes no writes; the request says so.
				return false;
			}
			usleep( self::PAUSE_US );
		} while ( microtime( true ) < $until );
		return false;
	}

	/**
	 * Holds the lock for another lease.
	 *
	 * @return bool False when somebody else has it: it had run out.
	 */
	public static function renew() {
		global $wpdb;
		$wpdb->query( $wpdb->prepare( 'UPDATE ' . Rollcall_Tables::facts() . ' SET counter = %d WHERE name = %s AND value = %s', self::now() + self::LEASE_MS, self::NAME, self::$token ) ); // phpcs:ignore WordPress.DB
		return self::$token === Rollcall_Facts::get( self::NAME );
	}

	/**
	 * Frees the lock, if it is still ours. Safe to repeat.
	 *
	 * @return void
	 */
	public static function free() {
		global $wpdb;
		if ( '' === self::$token ) {
			return;
		}
		$wpdb->delete( // phpcs:ignore WordPress.DB
			Rollcall_Tables::facts(),
			array(
				'name'  => self::NAME,
				'value' => self::$token,
			)
		);
		self::$token = '';
	}

	/**
	 * Makes the row, if there is none.
	 *
	 * @param string $token Our mark.
	 * @return bool
	 */
	private static function insert( $token ) {
		global $wpdb;
		$wpdb->query( $wpdb->prepare( 'INSERT IGNORE INTO ' . Rollcall_Tables::facts() . ' (name, value, counter) VALUES (%s, %s, %d)', self::NAME, $token, self::now() + self::LEASE_MS ) ); // phpcs:ignore WordPress.DB
		return Rollcall_Facts::get( self::NAME ) === $token;
	}

	/**
	 * Takes over a row whose lease has run out.
	 *
	 * @param string $token Our mark.
	 * @return bool
	 */
	private static function inherit( $token ) {
		global $wpdb;
		$now = self::now();
		$wpdb->query( $wpdb->prepare( 'UPDATE ' . Rollcall_Tables::facts() . ' SET value = %s, counter = %d WHERE name = %s AND counter < %d', $token, $now + self::LEASE_MS, self::NAME, $now ) ); // phpcs:ignore WordPress.DB
		return Rollcall_Facts::get( self::NAME ) === $token;
	}

	/**
	 * The site's own clock: a lease is between requests of one site.
	 *
	 * @return int ms.
	 */
	private static function now() {
		return (int) floor( microtime( true ) * 1000 );
	}
}
