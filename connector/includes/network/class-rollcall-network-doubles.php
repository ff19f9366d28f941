<?php
/**
 * Somebody may begin a membership in the very moment in which we do: usermeta has no unique key.
 *
 * Does: after both have written, takes our row away, so that the person's word holds; leaves one level beside
 *   each membership, the one that belongs to it.
 * Does not: listen to the person's side: Rollcall_Network_Hands does.
 * Always true: whoever comes last finds the other's row: we look after our transaction, and they after each row. Two
 *   that look at once come to the same: the oldest level stays. A row that we did not write in the last
 *   minutes is never deleted: a plugin that keeps two rows is its own business.
 * On failure: throws.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Memberships with two rows.
 */
final class Rollcall_Network_Doubles {

	/** What is settled is looked at again, since somebody may be at it; so often at most. */
	const LOOKS = 5;

	/**
	 * Takes our rows away where there is another one, and out of what is to be told.
	 *
	 * @param Rollcall_Network_Target $target Site.
	 * @param array                   $pairs  What was written: account => { mid, was, now, loose, touched }.
	 * @param int                     $run    Run; Rollcall_Network_Pairs::TRIGGER: none.
	 * @return void
	 */
	public static function part( $target, array &$pairs, $run ) {
		global $wpdb;
		if ( ! $pairs ) {
			return;
		}
		$odd  = array_keys( array_filter( $pairs, array( __CLASS__, 'is_loose' ) ) );
		$list = implode( ',', array_map( 'intval', array_keys( $pairs ) ) );
		foreach ( $wpdb->get_results( $wpdb->prepare( "SELECT user_id, meta_key FROM {$wpdb->usermeta} WHERE meta_key IN (%s, %s) AND user_id IN ($list) GROUP BY user_id, meta_key HAVING COUNT(*) > 1", $target->caps_key, $target->level_key ), ARRAY_N ) as $row ) { // phpcs:ignore WordPress.DB
			$id    = (int) $row[0];
			$odd[] = $id;
			if ( $target->caps_key !== $row[1] || null !== $pairs[ $id ]['was'] || ! empty( $pairs[ $id ]['touched'] ) ) {
				continue;
			}
			$wpdb->delete( $wpdb->usermeta, array( 'umeta_id' => $pairs[ $id ]['mid'] ) ); // phpcs:ignore WordPress.DB
			Rollcall_Network_Pairs::drop( $run, $target->blog, $id );
			unset( $pairs[ $id ] );
		}
		self::settle( $target, array_unique( $odd ) );
	}

	/**
	 * Isn't it sure that the level is there?
	 *
	 * @param array $pair Pair.
	 * @return bool
	 */
	private static function is_loose( array $pair ) {
		return isset( $pair['loose'] );
	}

	/**
	 * One level stays beside each membership, the one that belongs to it.
	 *
	 * @param Rollcall_Network_Target $target Site.
	 * @param int[]                   $ids    Accounts.
	 * @return void
	 */
	public static function settle( $target, array $ids ) {
		for ( $look = 1; $ids && $look <= self::LOOKS; $look++ ) {
			Rollcall_Network_Announcer::drop_caches( $target->blog, $ids );
			$ids = self::settle_once( $target, $ids );
		}
	}

	/**
	 * Looks, and writes what is not as it should be.
	 *
	 * @param Rollcall_Network_Target $target Site.
	 * @param int[]                   $ids    Accounts.
	 * @return int[] Accounts that something was written of.
	 */
	private static function settle_once( $target, array $ids ) {
		global $wpdb;
		sort( $ids );
		$list   = implode( ',', array_map( 'intval', $ids ) );
		$levels = array();
		$should = array();
		foreach ( $wpdb->get_results( $wpdb->prepare( "SELECT user_id, umeta_id, meta_key, meta_value FROM {$wpdb->usermeta} WHERE meta_key IN (%s, %s) AND user_id IN ($list) ORDER BY umeta_id", $target->caps_key, $target->level_key ), ARRAY_N ) as $row ) { // phpcs:ignore WordPress.DB
			if ( $target->level_key === $row[2] ) {
				$levels[ (int) $row[0] ][ (int) $row[1] ] = (string) $row[3];
			} else {
				$should += array( (int) $row[0] => (string) $target->level_of( (string) $row[3] ) );
			}
		}
		ksort( $should );
		$missing = array();
		$wrong   = array();
		$extra   = array();
		foreach ( $should as $id => $level ) {
			$stored = isset( $levels[ $id ] ) ? $levels[ $id ] : array();
			if ( ! $stored ) {
				$missing[] = array( $id, $target->level_key, $level );
			} elseif ( reset( $stored ) !== $level ) {
				$wrong[ $level ][ $id ] = key( $stored );
			}
			$extra += array_fill_keys( array_slice( array_keys( $stored ), 1 ), $id );
		}
		Rollcall_Set_Sql::insert( $wpdb->usermeta, array( 'user_id', 'meta_key', 'meta_value' ), $missing );
		foreach ( $wrong as $level => $mids ) {
			Rollcall_Set_Sql::run( "UPDATE {$wpdb->usermeta} SET meta_value = '$level' WHERE umeta_id IN (" . implode( ',', $mids ) . ')' );
		}
		foreach ( array_keys( $extra ) as $mid ) {
			// One row a statement: it is the smaller one, should somebody else be at the account's rows.
			Rollcall_Set_Sql::run( "DELETE FROM {$wpdb->usermeta} WHERE umeta_id = $mid" );
		}
		return array_unique( array_merge( array_column( $missing, 0 ), array_values( $extra ), array_merge( array(), ...array_map( 'array_keys', array_values( $wrong ) ) ) ) );
	}
}
