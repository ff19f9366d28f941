<?php
/**
 * Single facts about this account store, kept beside the users table.
 *
 * Does: reads and writes named values and counters by SQL, past every object cache.
 * Does not: hold settings of one installation (`Rollcall_Settings`).
 * Always true: a counter only rises, also when many requests raise it at once; `once()` gives
 *   every request the same value.
 * On failure: a missing table reads as null and 0; what must be the same for every request is never
 *   made up, `once()` throws.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Named values of the account store.
 */
final class Rollcall_Facts {

	/**
	 * Values that never change once they are written.
	 *
	 * @var array<string,string>
	 */
	private static $constant = array();

	/**
	 * A value, read from the database each time.
	 *
	 * @param string $name Fact.
	 * @return string|null
	 */
	public static function get( $name ) {
		global $wpdb;
		return $wpdb->get_var( $wpdb->prepare( 'SELECT value FROM ' . Rollcall_Tables::facts() . ' WHERE name = %s', $name ) ); // phpcs:ignore WordPress.DB
	}

	/**
	 * Writes a value.
	 *
	 * @param string $name  Fact.
	 * @param string $value Value.
	 */
	public static function set( $name, $value ) {
		global $wpdb;
		unset( self::$constant[ $name ] );
		$wpdb->query( // phpcs:ignore WordPress.DB
			$wpdb->prepare(
				'INSERT INTO ' . Rollcall_Tables::facts() . ' (name, value) VALUES (%s, %s) ON DUPLICATE KEY UPDATE value = VALUES(value)', // phpcs:ignore WordPress.DB
				$name,
				$value
			)
		);
	}

	/**
	 * Removes a value.
	 *
	 * @param string $name Fact.
	 */
	public static function delete( $name ) {
		global $wpdb;
		unset( self::$constant[ $name ] );
		$wpdb->delete( Rollcall_Tables::facts(), array( 'name' => $name ) ); // phpcs:ignore WordPress.DB
	}

	/**
	 * A value that is made once and then stays: whoever comes first decides it for all.
	 *
	 * @param string   $name Fact.
	 * @param callable $make Makes the value.
	 * @throws RuntimeException When it can't be kept: every request would make another one.
	 * @return string
	 */
	public static function once( $name, $make ) {
		if ( ! isset( self::$constant[ $name ] ) ) {
			$value = self::get( $name );
			if ( null === $value ) {
				self::keep( $name, (string) $make() );
				$value = self::get( $name );
				if ( null === $value ) {
					throw new RuntimeException( 'The facts of this account store can’t be kept.' );
				}
			}
			self::$constant[ $name ] = $value;
		}
		return self::$constant[ $name ];
	}

	/**
	 * Writes a value, unless there is one.
	 *
	 * @param string $name  Fact.
	 * @param string $value Value.
	 */
	public static function keep( $name, $value ) {
		global $wpdb;
		$wpdb->query( $wpdb->prepare( 'INSERT IGNORE INTO ' . Rollcall_Tables::facts() . ' (name, value) VALUES (%s, %s)', $name, $value ) ); // phpcs:ignore WordPress.DB
	}

	/**
	 * A counter's present value.
	 *
	 * @param string $name Counter.
	 * @return int
	 */
	public static function counter( $name ) {
		global $wpdb;
		return (int) $wpdb->get_var( $wpdb->prepare( 'SELECT counter FROM ' . Rollcall_Tables::facts() . ' WHERE name = %s', $name ) ); // phpcs:ignore WordPress.DB
	}

	/**
	 * Raises a counter by one.
	 *
	 * @param string $name Counter.
	 */
	public static function raise( $name ) {
		global $wpdb;
		$wpdb->query( // phpcs:ignore WordPress.DB
			$wpdb->prepare(
				'INSERT INTO ' . Rollcall_Tables::facts() . " (name, value, counter) VALUES (%s, '', 1) ON DUPLICATE KEY UPDATE counter = counter + 1", // phpcs:ignore WordPress.DB
				$name
			)
		);
	}

	/**
	 * Raises a counter to a number, unless it is there already.
	 *
	 * @param string $name Counter.
	 * @param int    $to   Number.
	 */
	public static function raise_to( $name, $to ) {
		global $wpdb;
		$wpdb->query( // phpcs:ignore WordPress.DB
			$wpdb->prepare(
				'INSERT INTO ' . Rollcall_Tables::facts() . " (name, value, counter) VALUES (%s, '', %d) ON DUPLICATE KEY UPDATE counter = CASE WHEN counter < VALUES(counter) THEN VALUES(counter) ELSE counter END", // phpcs:ignore WordPress.DB
				$name,
				$to
			)
		);
	}

	/**
	 * Forgets what this request remembers (the tables were dropped, or another store is meant).
	 */
	public static function forget_all() {
		self::$constant = array();
	}
}
