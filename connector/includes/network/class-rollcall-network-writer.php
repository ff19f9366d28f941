<?php
/**
 * Writes memberships of many accounts on one site in a few statements.
 *
 * Does: begins memberships as core's add_user_to_blog() stores them (roles, level), and changes them, only over
 *   the very value that was read.
 * Does not: begin or end a transaction, decide, or tell anybody (Rollcall_Network_Announcer).
 * Always true: whoever has a membership by the time of writing is left alone; so is a membership that is no longer
 *   what the plan saw, and who was taken off meanwhile. All that begins is one statement's rows in the order of
 *   accounts, and nothing locks usermeta before it: whoever waits for one of its rows has no place
 *   in which a later one is to lie.
 * On failure: throws; the caller rolls back.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Set-based writer of memberships.
 */
final class Rollcall_Network_Writer {

	/**
	 * Carries out a plan. Rollcall_Network_Doubles and Rollcall_Network_Homes look after what lies beside it, when
	 * the transaction is over.
	 *
	 * @param Rollcall_Network_Plan $plan Plan.
	 * @return array What was written: account => { mid, was: ?string, now }; `loose` where the level isn't sure.
	 */
	public static function carry_out( $plan ) {
		$plan->keep_an_administrator();
		$pairs = self::add( $plan );
		if ( $plan->change ) {
			$held   = new Rollcall_Network_Held( $plan->target, array_keys( $plan->change ) );
			$pairs += $held->change( $held->still( $plan->change, 'was' ) );
		}
		return $pairs;
	}

	/**
	 * Begins memberships, for those that have none.
	 *
	 * @param Rollcall_Network_Plan $plan Plan.
	 * @return array Account => { mid, was: null, now }.
	 */
	private static function add( $plan ) {
		global $wpdb;
		$values = array();
		foreach ( $plan->add as $value => $ids ) {
			$values += array_fill_keys( $ids, (string) $value );
		}
		if ( ! $values ) {
			return array();
		}
		$target = $plan->target;
		$values = array_diff_key( $values, self::whose( $target->caps_key, array_keys( $values ) ), $plan->removals_stand ? Rollcall_Network_Look::removed( $target->blog, 'user_id IN (' . self::listed( array_keys( $values ) ) . ')' ) : array() );
		if ( ! $values ) {
			return array();
		}
		ksort( $values );
		$levels = self::whose( $target->level_key, array_keys( $values ) );
		$bound  = (int) $wpdb->get_var( "SELECT MAX(umeta_id) FROM {$wpdb->usermeta}" ); // phpcs:ignore WordPress.DB
		$rows   = array();
		$pairs  = array();
		foreach ( $values as $id => $value ) {
			$rows[] = array( (int) $id, $target->caps_key, $value );
			if ( ! isset( $levels[ $id ] ) ) {
				$rows[] = array( (int) $id, $target->level_key, (string) $target->level_of( $value ) );
			}
			$pairs[ $id ] = array(
				'was' => null,
				'now' => $value,
			) + ( isset( $levels[ $id ] ) ? array( 'loose' => true ) : array() );
		}
		foreach ( self::made( $target->caps_key, array_keys( $values ), Rollcall_Set_Sql::insert( $wpdb->usermeta, array( 'user_id', 'meta_key', 'meta_value' ), $rows ), $bound ) as $id => $mid ) {
			$pairs[ $id ]['mid'] = $mid;
		}
		return $pairs;
	}

	/**
	 * Those of some memberships whose row holds a certain value now.
	 *
	 * @param array  $pairs Account => { mid, … }.
	 * @param string $what  Which of a pair's values.
	 * @return array
	 */
	public static function are( array $pairs, $what ) {
		global $wpdb;
		if ( ! $pairs ) {
			return array();
		}
		$list = self::listed( wp_list_pluck( $pairs, 'mid' ) );
		$now  = array();
		foreach ( $wpdb->get_results( "SELECT user_id, umeta_id, meta_value FROM {$wpdb->usermeta} WHERE umeta_id IN ($list)", ARRAY_N ) as $row ) { // phpcs:ignore WordPress.DB
			$now[ (int) $row[0] ] = array( (int) $row[1], (string) $row[2] );
		}
		return array_filter(
			$pairs,
			static function ( $pair, $id ) use ( $now, $what ) {
				return isset( $now[ $id ] ) && array( $pair['mid'], $pair[ $what ] ) === $now[ $id ];
			},
			ARRAY_FILTER_USE_BOTH
		);
	}

	/**
	 * Which of some accounts have a value.
	 *
	 * @param string $key Key.
	 * @param int[]  $ids Accounts.
	 * @return array<int,int> Account => anything.
	 * @throws RuntimeException When it can't be read.
	 */
	private static function whose( $key, array $ids ) {
		global $wpdb;
		$found = $wpdb->get_col( $wpdb->prepare( "SELECT user_id FROM {$wpdb->usermeta} WHERE meta_key = %s AND user_id IN (" . self::listed( $ids ) . ')', $key ) ); // phpcs:ignore WordPress.DB
		if ( '' !== $wpdb->last_error ) {
			throw new RuntimeException( 'Memberships can’t be read.' );
		}
		return array_flip( array_map( 'intval', $found ) );
	}

	/**
	 * Rows that were inserted just now. The database gives the rows of a statement ids one after the other; only
	 * SQLite, which has one writer, doesn't tell the first of them.
	 *
	 * @param string $key        Key.
	 * @param int[]  $ids        Accounts.
	 * @param array  $statements What Rollcall_Set_Sql::insert() gave.
	 * @param int    $bound      Greatest id before.
	 * @return array<int,int> Account => row.
	 * @throws RuntimeException When they are not there, or others may be among them: theirs must never pass for ours.
	 */
	private static function made( $key, array $ids, array $statements, $bound ) {
		global $wpdb;
		$among = array( "umeta_id > $bound" );
		if ( Rollcall_Network_Transaction::locks_rows() ) {
			$step  = max( 1, (int) $wpdb->get_var( 'SELECT @@SESSION.auto_increment_increment' ) ); // phpcs:ignore WordPress.DB
			$among = array();
			foreach ( $statements as list( $first, $count ) ) {
				$among[] = "umeta_id BETWEEN $first AND " . ( $first + ( $count - 1 ) * $step ) . " AND umeta_id % $step = " . ( $first % $step );
			}
		}
		$rows  = $wpdb->get_results( $wpdb->prepare( "SELECT user_id, umeta_id FROM {$wpdb->usermeta} WHERE (" . str_replace( '%', '%%', implode( ' OR ', $among ) ) . ') AND meta_key = %s', $key ), ARRAY_N ); // phpcs:ignore WordPress.DB
		$made  = array_map( 'intval', array_column( (array) $rows, 1, 0 ) );
		if ( count( (array) $rows ) === count( $ids ) && ! array_diff_key( array_flip( $ids ), $made ) ) {
			return $made;
		}
		throw new RuntimeException( 'Memberships that were made are not there.' );
	}

	/**
	 * Ids in a statement.
	 *
	 * @param int[] $ids Ids.
	 * @return string
	 */
	private static function listed( array $ids ) {
		return implode( ',', array_map( 'intval', $ids ) );
	}
}
