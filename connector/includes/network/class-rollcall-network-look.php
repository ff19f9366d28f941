<?php
/**
 * Reads what a plan needs to know, and has it decided.
 *
 * Does: reads memberships and removals of a page of people on one site, in a few queries.
 * Does not: write.
 * Always true: read from the writer, past every cache; who is a member already costs nothing more.
 * On failure: throws.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * A look at one site.
 */
final class Rollcall_Network_Look {

	/**
	 * What is to become of some people on a site.
	 *
	 * @param array                   $spec   Action, checked.
	 * @param Rollcall_Network_Target $target Site.
	 * @param array<int,?string>      $people Account => why it is never written to.
	 * @return Rollcall_Network_Plan
	 */
	public static function at( array $spec, $target, array $people ) {
		Rollcall_Tables::use_writer();
		$plan                 = new Rollcall_Network_Plan( $target );
		$plan->removals_stand = ! $spec['add_back'];
		if ( ! $people ) {
			return $plan;
		}
		$where = self::where( array_keys( $people ), 'all' === $spec['people'] );
		if ( 'copy' === $spec['action'] ) {
			$source = new Rollcall_Network_Target( $spec['from'], array( 'privileged_roles' => array() ) );
			$plan->copy( $people, $source, self::memberships( $source->caps_key, $where ), self::memberships( $target->caps_key, $where ), 'all' === $spec['memberships'], $spec['add_back'] ? array() : self::removed( $target->blog, $where ) );
			return $plan;
		}
		$members = array_flip( self::column( "SELECT user_id FROM %usermeta WHERE meta_key = '" . esc_sql( $target->caps_key ) . "' AND $where" ) );
		// Most pages of a full network end here.
		$missing = array_diff_key( $people, $members );
		$removed = $missing && ! $spec['add_back'] ? self::removed( $target->blog, $where ) : array();
		$plan->fill( $people, $members, $removed );
		return $plan;
	}

	/**
	 * Whom of some accounts a person took off a site.
	 *
	 * @param int   $blog Site.
	 * @param int[] $ids  Accounts.
	 * @return array<int,int>
	 */
	public static function removed_of( $blog, array $ids ) {
		return $ids ? self::removed( $blog, self::where( $ids, false ) ) : array();
	}

	/**
	 * Stored memberships: account => { mid, caps: as stored }. WordPress takes the oldest row.
	 *
	 * @param string $key   Key.
	 * @param string $where Whose.
	 * @return array
	 */
	private static function memberships( $key, $where ) {
		global $wpdb;
		$found = array();
		foreach ( self::rows( "SELECT user_id, umeta_id, meta_value FROM {$wpdb->usermeta} WHERE meta_key = '" . esc_sql( $key ) . "' AND $where ORDER BY umeta_id" ) as $row ) {
			$found += array(
				(int) $row[0] => array(
					'mid' => (int) $row[1],
					'was' => (string) $row[2],
				),
			);
		}
		return $found;
	}

	/**
	 * Whom a person took off the site.
	 *
	 * @param int    $blog  Site.
	 * @param string $where Whose.
	 * @return array<int,int>
	 */
	public static function removed( $blog, $where ) {
		return array_flip( self::column( 'SELECT user_id FROM ' . Rollcall_Network_Tables::removed() . ' WHERE blog = ' . (int) $blog . " AND $where" ) );
	}

	/**
	 * A condition for accounts.
	 *
	 * @param int[] $ids   Accounts, in order.
	 * @param bool  $range Do they follow each other?
	 * @return string
	 */
	private static function where( array $ids, $range ) {
		return $range ? 'user_id BETWEEN ' . min( $ids ) . ' AND ' . max( $ids ) : 'user_id IN (' . implode( ',', array_map( 'intval', $ids ) ) . ')';
	}

	/**
	 * Ids.
	 *
	 * @param string $sql Query.
	 * @return int[]
	 */
	private static function column( $sql ) {
		global $wpdb;
		return array_map( 'intval', array_column( self::rows( str_replace( '%usermeta', $wpdb->usermeta, $sql ) ), 0 ) );
	}

	/**
	 * Rows.
	 *
	 * @param string $sql Query.
	 * @return array[]
	 * @throws RuntimeException When the database doesn't answer: somebody who can't be read is not missing.
	 */
	private static function rows( $sql ) {
		global $wpdb;
		$rows = $wpdb->get_results( $sql, ARRAY_N ); // phpcs:ignore WordPress.DB
		if ( ! is_array( $rows ) || '' !== $wpdb->last_error ) {
			throw new RuntimeException( 'Memberships can’t be read.' );
		}
		return $rows;
	}
}
