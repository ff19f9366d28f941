<?php
/**
 * Somebody may begin a membership in the very moment in which we do: usermeta has no unique key.
 *
 * Does: after both have written, takes our row away, so that the person's word holds.
 * Always true: whoever comes last finds the other's row: we look after our transaction, and listen to
 *   every membership that somebody else begins. A row that we did not write in the last minutes is never deleted:
 *   a plugin that keeps two rows is its own business.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Memberships with two rows.
 */
final class Rollcall_Network_Doubles {

	/**
	 * Takes our rows away where there is another one, and out of what is to be told.
	 *
	 * @param Rollcall_Network_Target $target Site.
	 * @param array                   $pairs  What was written: account => { mid, was, now }.
	 * @param int                     $run    Run; Rollcall_Network_Pairs::TRIGGER: none.
	 * @return void
	 */
	public static function part( $target, array &$pairs, $run ) {
		global $wpdb;
		$begun = array_keys( array_filter( wp_list_pluck( $pairs, 'was' ), 'is_null' ) );
		if ( ! $begun ) {
			return;
		}
		$list = implode( ',', array_map( 'intval', $begun ) );
		foreach ( $wpdb->get_col( $wpdb->prepare( "SELECT user_id FROM {$wpdb->usermeta} WHERE meta_key = %s AND user_id IN ($list) GROUP BY user_id HAVING COUNT(*) > 1", $target->caps_key ) ) as $id ) { // phpcs:ignore WordPress.DB
			$id = (int) $id;
			$wpdb->delete( $wpdb->usermeta, array( 'umeta_id' => $pairs[ $id ]['mid'] ) ); // phpcs:ignore WordPress.DB
			self::settle( $target, $id );
			$wpdb->delete( // phpcs:ignore WordPress.DB
				Rollcall_Network_Tables::pairs(),
				array(
					'run'     => $run,
					'blog'    => $target->blog,
					'user_id' => $id,
				)
			);
			unset( $pairs[ $id ] );
		}
	}

	/**
	 * Somebody else has just begun a membership: that row is the one that counts.
	 *
	 * @param int $id   Account.
	 * @param int $blog Site.
	 * @param int $mid  Row of usermeta that was added.
	 * @return void
	 */
	public static function theirs_counts( $id, $blog, $mid ) {
		global $wpdb;
		$key  = Rollcall_Roles::caps_key( $blog );
		$mids = array_map( 'intval', $wpdb->get_col( $wpdb->prepare( "SELECT umeta_id FROM {$wpdb->usermeta} WHERE user_id = %d AND meta_key = %s", $id, $key ) ) ); // phpcs:ignore WordPress.DB
		$ours = count( $mids ) < 2 || ! in_array( $mid, $mids, true ) ? array() : Rollcall_Network_Pairs::just_begun( $id, $blog, array_diff( $mids, array( $mid ) ) );
		if ( ! $ours ) {
			return;
		}
		$wpdb->query( "DELETE FROM {$wpdb->usermeta} WHERE umeta_id IN (" . implode( ',', $ours ) . ')' ); // phpcs:ignore WordPress.DB
		self::settle( new Rollcall_Network_Target( $blog, Rollcall_Network_Settings::DEFAULTS ), $id );
	}

	/**
	 * Level and caches follow the row that is left.
	 *
	 * @param Rollcall_Network_Target $target Site.
	 * @param int                     $id     Account.
	 * @return void
	 */
	private static function settle( $target, $id ) {
		global $wpdb;
		$stored = $wpdb->get_var( $wpdb->prepare( "SELECT meta_value FROM {$wpdb->usermeta} WHERE user_id = %d AND meta_key = %s ORDER BY umeta_id LIMIT 1", $id, $target->caps_key ) ); // phpcs:ignore WordPress.DB
		$wpdb->delete( // phpcs:ignore WordPress.DB
			$wpdb->usermeta,
			array(
				'user_id'  => $id,
				'meta_key' => $target->level_key, // phpcs:ignore WordPress.DB
			)
		);
		Rollcall_Network_Writer::level( $target, array( $id ), $target->level( (array) maybe_unserialize( $stored ) ) );
		Rollcall_Network_Announcer::drop_caches( $target->blog, array( $id ) );
	}
}
