<?php
/**
 * Ids of usermeta rows that one statement inserted.
 *
 * Does: counts on from the first row's id, which is what a database gives to one INSERT; makes sure that
 * just these rows lie there, and looks them up where they don't (a cluster counts in larger steps, SQLite
 * tells the last id instead of the first).
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Ids of inserted rows.
 */
final class Rollcall_Set_Meta_Ids {

	/**
	 * Tells rows their ids.
	 *
	 * @param stdClass[] $rows       Rows, in the order of their insertion.
	 * @param array      $statements What Rollcall_Set_Sql::insert() gave.
	 * @return void
	 */
	public static function give( $rows, $statements ) {
		$at = 0;
		foreach ( $statements as $statement ) {
			list( $first, $count ) = $statement;
			$some                  = array_slice( $rows, $at, $count );
			$at                   += $count;
			if ( ! self::lie_there( $some, $first ) ) {
				self::look_up( $rows );
				return;
			}
			foreach ( $some as $place => $row ) {
				$row->mid = $first + $place;
			}
		}
	}

	/**
	 * Do just these rows lie at ids from the first one on?
	 *
	 * @param stdClass[] $rows  Rows.
	 * @param int        $first Id.
	 * @return bool
	 */
	private static function lie_there( $rows, $first ) {
		global $wpdb;
		$list = implode( ',', array_unique( wp_list_pluck( $rows, 'id' ) ) );
		$last = $first + count( $rows ) - 1;
		return $first > 0 && count( $rows ) === (int) $wpdb->get_var( "SELECT COUNT(*) FROM {$wpdb->usermeta} WHERE umeta_id BETWEEN $first AND $last AND user_id IN ($list)" ); // phpcs:ignore WordPress.DB
	}

	/**
	 * Looks ids up: the last rows of each account and key.
	 *
	 * @param stdClass[] $rows Rows.
	 * @return void
	 */
	private static function look_up( $rows ) {
		global $wpdb;
		$list  = implode( ',', array_unique( wp_list_pluck( $rows, 'id' ) ) );
		$there = array();
		foreach ( $wpdb->get_results( "SELECT umeta_id, user_id, meta_key FROM {$wpdb->usermeta} WHERE user_id IN ($list) ORDER BY umeta_id" ) as $row ) { // phpcs:ignore WordPress.DB
			$there[ $row->user_id . ' ' . $row->meta_key ][] = (int) $row->umeta_id;
		}
		foreach ( array_reverse( $rows ) as $row ) {
			$row->mid = (int) array_pop( $there[ $row->id . ' ' . $row->key ] );
		}
	}
}
