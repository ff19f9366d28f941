<?php
/**
 * Writes memberships of many accounts on one site in a few statements.
 *
 * Does: begins memberships as core's add_user_to_blog() stores them (roles, level, primary site), and
 *   changes them, only over the very value that was read.
 * Does not: begin or end a transaction, decide, or tell anybody (Rollcall_Network_Announcer).
 * Always true: whoever has a membership by the time of writing is left alone; so is a membership that
 *   is no longer what the plan saw.
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
	 * Carries out a plan.
	 *
	 * @param Rollcall_Network_Plan $plan Plan.
	 * @return array What was written: account => { mid, was: ?string, now }.
	 */
	public static function carry_out( $plan ) {
		$plan->keep_an_administrator();
		$pairs = self::change( $plan->target, $plan->change );
		foreach ( $plan->add as $value => $ids ) {
			foreach ( self::add( $plan->target, (string) $value, $ids ) as $id => $mid ) {
				$pairs[ $id ] = array(
					'mid' => $mid,
					'was' => null,
					'now' => (string) $value,
				);
			}
		}
		return $pairs;
	}

	/**
	 * Begins memberships.
	 *
	 * @param Rollcall_Network_Target $target Site.
	 * @param string                  $value  Membership as it is stored.
	 * @param int[]                   $ids    Accounts.
	 * @return array<int,int> Account => row of usermeta, for those that had none.
	 */
	public static function add( $target, $value, array $ids ) {
		global $wpdb;
		// Locks the very places where the rows will lie: a hand at the same moment waits, or is seen.
		$list  = self::listed( $ids );
		$there = $wpdb->get_col( $wpdb->prepare( "SELECT user_id FROM {$wpdb->usermeta} WHERE meta_key = %s AND user_id IN ($list)" . self::locking(), $target->caps_key ) ); // phpcs:ignore WordPress.DB
		if ( '' !== $wpdb->last_error ) {
			throw new RuntimeException( 'Memberships can’t be read.' );
		}
		$ids = array_values( array_diff( $ids, array_map( 'intval', $there ) ) );
		if ( ! $ids ) {
			return array();
		}
		$bound = (int) $wpdb->get_var( "SELECT MAX(umeta_id) FROM {$wpdb->usermeta}" ); // phpcs:ignore WordPress.DB
		$rows  = array();
		foreach ( $ids as $id ) {
			$rows[] = array( (int) $id, $target->caps_key, $value );
		}
		$mids = self::made( $target->caps_key, $ids, Rollcall_Set_Sql::insert( $wpdb->usermeta, array( 'user_id', 'meta_key', 'meta_value' ), $rows ), $bound );
		self::level( $target, $ids, $target->level( (array) maybe_unserialize( $value ) ) );
		self::primary( $target, $ids );
		return $mids;
	}

	/**
	 * Changes memberships, those that are still what they were.
	 *
	 * @param Rollcall_Network_Target $target  Site.
	 * @param array                   $changes Account => { mid, was, now }.
	 * @return array Those that were changed.
	 */
	public static function change( $target, array $changes ) {
		global $wpdb;
		$done = self::still( $changes, 'was' );
		$sets = array();
		foreach ( $done as $id => $one ) {
			$sets[ $one['now'] ][ $id ] = $one['mid'];
		}
		foreach ( $sets as $now => $mids ) {
			Rollcall_Set_Sql::run( "UPDATE {$wpdb->usermeta} SET meta_value = '" . esc_sql( $now ) . "' WHERE umeta_id IN (" . self::listed( $mids ) . ')' );
			self::level( $target, array_keys( $mids ), $target->level( (array) maybe_unserialize( $now ) ) );
		}
		return $done;
	}

	/**
	 * Those of some memberships whose row holds a certain value still. Their rows are locked from here on.
	 *
	 * @param array  $pairs Account => { mid, … }.
	 * @param string $what  Which of a pair's values.
	 * @return array
	 */
	public static function still( array $pairs, $what ) {
		global $wpdb;
		if ( ! $pairs ) {
			return array();
		}
		$lock = self::locking();
		$list = self::listed( wp_list_pluck( $pairs, 'mid' ) );
		$now  = array();
		foreach ( $wpdb->get_results( "SELECT user_id, umeta_id, meta_value FROM {$wpdb->usermeta} WHERE umeta_id IN ($list)$lock", ARRAY_N ) as $row ) { // phpcs:ignore WordPress.DB
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
	 * Stores the level beside memberships.
	 *
	 * @param Rollcall_Network_Target $target Site.
	 * @param int[]                   $ids    Accounts.
	 * @param int                     $level  Level.
	 * @return void
	 */
	public static function level( $target, array $ids, $level ) {
		global $wpdb;
		$key   = esc_sql( $target->level_key );
		$level = (int) $level;
		$had   = array_map( 'intval', $wpdb->get_col( "SELECT user_id FROM {$wpdb->usermeta} WHERE meta_key = '$key' AND user_id IN (" . self::listed( $ids ) . ')' ) ); // phpcs:ignore WordPress.DB
		if ( $had ) {
			Rollcall_Set_Sql::run( "UPDATE {$wpdb->usermeta} SET meta_value = '$level' WHERE meta_key = '$key' AND user_id IN (" . self::listed( $had ) . ')' );
		}
		$rows = array();
		foreach ( array_diff( $ids, $had ) as $id ) {
			$rows[] = array( (int) $id, $target->level_key, (string) $level );
		}
		Rollcall_Set_Sql::insert( $wpdb->usermeta, array( 'user_id', 'meta_key', 'meta_value' ), $rows );
	}

	/**
	 * Whoever has no primary site gets this one, as in core.
	 *
	 * @param Rollcall_Network_Target $target Site.
	 * @param int[]                   $ids    Accounts.
	 * @return void
	 */
	private static function primary( $target, array $ids ) {
		global $wpdb;
		$had = array();
		foreach ( $wpdb->get_results( "SELECT user_id, meta_value FROM {$wpdb->usermeta} WHERE meta_key = 'primary_blog' AND user_id IN (" . self::listed( $ids ) . ') ORDER BY umeta_id', ARRAY_N ) as $row ) { // phpcs:ignore WordPress.DB
			$had += array( (int) $row[0] => (string) $row[1] );
		}
		$without = array_values( array_diff( $ids, array_keys( array_filter( $had ) ) ) );
		if ( ! $without ) {
			return;
		}
		$site = get_site( $target->blog );
		$rows = array();
		foreach ( array(
			'primary_blog'  => (string) $target->blog,
			'source_domain' => $site ? $site->domain : '',
		) as $key => $value ) {
			Rollcall_Set_Sql::run( "DELETE FROM {$wpdb->usermeta} WHERE meta_key = '$key' AND user_id IN (" . self::listed( $without ) . ')' );
			foreach ( $without as $id ) {
				$rows[] = array( (int) $id, $key, $value );
			}
		}
		Rollcall_Set_Sql::insert( $wpdb->usermeta, array( 'user_id', 'meta_key', 'meta_value' ), $rows );
	}

	/**
	 * Rows that were inserted just now. Mostly they lie one after the other; where others wrote between
	 * them, or the database doesn't tell the first of them, they are looked up.
	 *
	 * @param string $key        Key.
	 * @param int[]  $ids        Accounts, in the order of insertion.
	 * @param array  $statements What Rollcall_Set_Sql::insert() gave.
	 * @param int    $bound      Greatest id before.
	 * @return array<int,int> Account => row.
	 * @throws RuntimeException When they are not there.
	 */
	private static function made( $key, array $ids, array $statements, $bound ) {
		global $wpdb;
		$ends  = end( $statements );
		$list  = self::listed( $ids );
		$lie   = 'umeta_id BETWEEN ' . $statements[0][0] . ' AND ' . ( $ends[0] + $ends[1] - 1 );
		$where = count( $statements ) > 1 || $statements[0][0] < 1 ? array() : array( $lie );
		foreach ( array_merge( $where, array( "umeta_id > $bound" ) ) as $among ) {
			$rows = array();
			foreach ( $wpdb->get_results( $wpdb->prepare( "SELECT user_id, umeta_id FROM {$wpdb->usermeta} WHERE $among AND user_id IN ($list) AND meta_key = %s ORDER BY umeta_id DESC", $key ), ARRAY_N ) as $row ) { // phpcs:ignore WordPress.DB
				$rows[ (int) $row[0] ] = (int) $row[1];
			}
			if ( count( $rows ) === count( $ids ) ) {
				ksort( $rows );
				return $rows;
			}
		}
		throw new RuntimeException( 'Memberships that were made are not there.' );
	}

	/** Rows that are read for writing are locked, where the database knows that; SQLite has one writer. */
	public static function locking() {
		global $wpdb;
		return false === strpos( get_class( $wpdb ), 'SQLite' ) ? ' FOR UPDATE' : '';
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
