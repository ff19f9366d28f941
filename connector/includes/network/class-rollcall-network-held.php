<?php
/**
 * Memberships and levels of some accounts on a site, locked until the transaction ends.
 *
 * Does: locks and reads them; changes and ends those whose memberships are still what they were.
 * Does not: begin any; decide.
 * Always true: they are locked in the order in which WordPress's own statements lock them, account by account, by the
 *   index of accounts and then the row; nothing else of usermeta is locked afterwards. So nobody who changes
 *   or removes a role waits for us while we wait for them.
 * On failure: throws; the caller rolls back.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Memberships that are held.
 */
final class Rollcall_Network_Held {

	/** Accounts and rows of one statement: for more of them, a database would read the whole table in its own order. */
	const AT_ONCE = 100;

	/**
	 * Site.
	 *
	 * @var Rollcall_Network_Target
	 */
	private $target;

	/**
	 * Account => row => membership as stored.
	 *
	 * @var array<int,array<int,string>>
	 */
	private $memberships = array();

	/**
	 * Account => row => level.
	 *
	 * @var array<int,array<int,string>>
	 */
	private $levels = array();

	/**
	 * Locks and reads.
	 *
	 * @param Rollcall_Network_Target $target Site.
	 * @param int[]                   $ids    Accounts.
	 * @throws RuntimeException When they can't be read.
	 */
	public function __construct( $target, array $ids ) {
		global $wpdb;
		$this->target = $target;
		$locks        = Rollcall_Network_Transaction::locks_rows();
		// With a function around it, no index of keys is taken: that would lock in another order.
		$key = $locks ? 'CONCAT(meta_key)' : 'meta_key';
		sort( $ids );
		foreach ( array_chunk( $ids, self::AT_ONCE ) as $some ) {
			$list = implode( ',', array_map( 'intval', $some ) );
			$rows = $wpdb->get_results( $wpdb->prepare( "SELECT user_id, umeta_id, meta_key, meta_value FROM {$wpdb->usermeta} WHERE user_id IN ($list) AND $key IN (%s, %s)" . ( $locks ? ' FOR UPDATE' : '' ), $target->caps_key, $target->level_key ), ARRAY_N ); // phpcs:ignore WordPress.DB
			if ( ! is_array( $rows ) || '' !== $wpdb->last_error ) {
				throw new RuntimeException( 'Memberships can’t be held.' );
			}
			foreach ( $rows as $row ) {
				$this->note( (int) $row[0], (int) $row[1], $row[2] === $target->caps_key, (string) $row[3] );
			}
		}
	}

	/**
	 * Those of some memberships whose row holds a certain value still.
	 *
	 * @param array  $pairs Account => { mid, … }.
	 * @param string $what  Which of a pair's values.
	 * @return array
	 */
	public function still( array $pairs, $what ) {
		return array_filter(
			$pairs,
			function ( $pair, $id ) use ( $what ) {
				return isset( $this->memberships[ $id ][ $pair['mid'] ] ) && $pair[ $what ] === $this->memberships[ $id ][ $pair['mid'] ];
			},
			ARRAY_FILTER_USE_BOTH
		);
	}

	/**
	 * Changes memberships, with their levels.
	 *
	 * @param array $changes Account => { mid, now }.
	 * @return array The same; `loose` where a level is missing.
	 */
	public function change( array $changes ) {
		$values = array();
		$levels = array();
		foreach ( $changes as $id => $one ) {
			$values[ $one['now'] ][] = $one['mid'];
			$level                   = (string) $this->target->level_of( $one['now'] );
			$stored                  = isset( $this->levels[ $id ] ) ? $this->levels[ $id ] : array();
			foreach ( array_keys( array_diff( $stored, array( $level ) ) ) as $mid ) {
				$levels[ $level ][] = $mid;
			}
			if ( 1 !== count( $stored ) ) {
				$changes[ $id ]['loose'] = true;
			}
		}
		self::set( $values );
		self::set( $levels );
		return $changes;
	}

	/**
	 * Ends memberships, with their levels.
	 *
	 * @param array $pairs Account => { mid }.
	 * @return void
	 */
	public function end( array $pairs ) {
		global $wpdb;
		$mids = array_values( wp_list_pluck( $pairs, 'mid' ) );
		foreach ( array_intersect_key( $this->levels, $pairs ) as $stored ) {
			$mids = array_merge( $mids, array_keys( $stored ) );
		}
		sort( $mids );
		foreach ( array_chunk( $mids, self::AT_ONCE ) as $some ) {
			Rollcall_Set_Sql::run( "DELETE FROM {$wpdb->usermeta} WHERE umeta_id IN (" . implode( ',', $some ) . ')' );
		}
	}

	/**
	 * Notes a row.
	 *
	 * @param int    $id    Account.
	 * @param int    $mid   Row.
	 * @param bool   $is    Is it a membership? Else a level.
	 * @param string $value Value.
	 * @return void
	 */
	private function note( $id, $mid, $is, $value ) {
		if ( $is ) {
			$this->memberships[ $id ][ $mid ] = $value;
		} else {
			$this->levels[ $id ][ $mid ] = $value;
		}
	}

	/**
	 * Sets rows.
	 *
	 * @param array<string,int[]> $sets Value => rows.
	 * @return void
	 */
	private static function set( array $sets ) {
		global $wpdb;
		foreach ( $sets as $value => $mids ) {
			Rollcall_Set_Sql::run( "UPDATE {$wpdb->usermeta} SET meta_value = '" . esc_sql( (string) $value ) . "' WHERE umeta_id IN (" . implode( ',', array_map( 'intval', $mids ) ) . ')' );
		}
	}
}
