<?php
/**
 * The record that labelled accounts ended here, so that late changes can't revive them.
 *
 * Does: keeps uid, stamp, WordPress id and login of accounts that ended.
 * Does not: keep anything else of them.
 * Always true: a tombstone is never taken away, and its stamp never falls.
 * On failure: nothing can fail here but the database.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Rows of `rollcall_tombstones`.
 */
final class Rollcall_Tombstones {

	/**
	 * Stamps of those that ended.
	 *
	 * @param string[] $uids Labels.
	 * @return array<string,array{0:int,1:int}> uid => stamp.
	 */
	public static function of( array $uids ) {
		global $wpdb;
		$found = array();
		foreach ( array_chunk( array_unique( array_map( 'strval', $uids ) ), 500 ) as $some ) {
			$marks = implode( ',', array_fill( 0, count( $some ), '%s' ) );
			$rows  = $wpdb->get_results( $wpdb->prepare( 'SELECT uid, stamp_ms, stamp_key FROM ' . Rollcall_Tables::tombstones() . " WHERE uid IN ($marks)", $some ) ); // phpcs:ignore WordPress.DB
			foreach ( $rows as $row ) {
				$found[ (string) $row->uid ] = array( (int) $row->stamp_ms, (int) $row->stamp_key );
			}
		}
		return $found;
	}

	/**
	 * Records an end. Safe to repeat.
	 *
	 * @param string $uid   Label.
	 * @param array  $stamp [ms, site key].
	 * @param int    $id    WordPress user id it had.
	 * @param string $login Login it had.
	 */
	public static function put( $uid, array $stamp, $id, $login ) {
		global $wpdb;
		$wpdb->query( // phpcs:ignore WordPress.DB
			$wpdb->prepare(
				'INSERT INTO ' . Rollcall_Tables::tombstones() . ' (uid, stamp_ms, stamp_key, user_id, login, at_ms) VALUES (%s, %d, %d, %d, %s, %d)
				ON DUPLICATE KEY UPDATE
					stamp_key = CASE WHEN VALUES(stamp_ms) > stamp_ms THEN VALUES(stamp_key) ELSE stamp_key END,
					stamp_ms = CASE WHEN VALUES(stamp_ms) > stamp_ms THEN VALUES(stamp_ms) ELSE stamp_ms END', // phpcs:ignore WordPress.DB
				$uid,
				$stamp[0],
				$stamp[1],
				$id,
				$login,
				Rollcall_Settings::clock_ms()
			)
		);
	}
}
