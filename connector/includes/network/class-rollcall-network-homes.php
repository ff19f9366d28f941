<?php
/**
 * The primary site of accounts: who has none gets the first site that they join; who leaves it gets another one.
 *
 * Does: as core does in add_user_to_blog() and remove_user_from_blog(), for many.
 * Does not: touch memberships.
 * Always true: after the transaction of the memberships, never in it; where a request ends in between, WordPress
 *   finds a site of theirs when they sign in.
 * On failure: throws.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Primary sites.
 */
final class Rollcall_Network_Homes {

	/** The turn at this is nobody's site: an account may join two sites at once, and has one primary site. */
	const ALL_SITES = 0;

	/**
	 * Whoever began a membership, and has no primary site, gets this one.
	 *
	 * @param Rollcall_Network_Target $target Site.
	 * @param array                   $pairs  Account => { was: ?string, … }.
	 * @return void
	 */
	public static function give( $target, array $pairs ) {
		global $wpdb;
		$begun   = array_keys( array_filter( wp_list_pluck( $pairs, 'was' ), 'is_null' ) );
		$without = $begun ? self::without( $begun ) : array();
		if ( ! $without ) {
			return;
		}
		$site  = get_site( $target->blog );
		$homes = array(
			'primary_blog'  => (string) $target->blog,
			'source_domain' => $site ? $site->domain : '',
		);
		$empty = Rollcall_Network_Transaction::run(
			self::ALL_SITES,
			static function () use ( $without, $homes ) {
				return self::insert( self::without( $without ), $homes );
			}
		);
		foreach ( array_filter( $empty ) as $key => $mids ) {
			Rollcall_Set_Sql::run( "UPDATE {$wpdb->usermeta} SET meta_value = '" . esc_sql( $homes[ $key ] ) . "' WHERE umeta_id IN (" . implode( ',', $mids ) . ')' );
		}
	}

	/**
	 * Whoever left their primary site gets another one of theirs, or none.
	 *
	 * @param int   $blog Site that they left.
	 * @param int[] $ids  Accounts.
	 * @return void
	 */
	public static function leave( $blog, array $ids ) {
		global $wpdb;
		if ( ! $ids ) {
			return;
		}
		$list     = implode( ',', array_map( 'intval', $ids ) );
		$homeless = $wpdb->get_col( $wpdb->prepare( "SELECT user_id FROM {$wpdb->usermeta} WHERE meta_key = 'primary_blog' AND meta_value = %s AND user_id IN ($list)", (string) $blog ) ); // phpcs:ignore WordPress.DB
		foreach ( array_map( 'intval', $homeless ) as $id ) {
			wp_cache_delete( $id, 'user_meta' );
			$blogs = get_blogs_of_user( $id );
			$first = $blogs ? reset( $blogs ) : null;
			update_user_meta( $id, 'primary_blog', $first ? $first->userblog_id : '' );
			update_user_meta( $id, 'source_domain', $first ? $first->domain : '' );
		}
	}

	/**
	 * Those of some accounts that have no primary site.
	 *
	 * @param int[] $ids Accounts.
	 * @return int[]
	 */
	private static function without( array $ids ) {
		global $wpdb;
		$list = implode( ',', array_map( 'intval', $ids ) );
		return array_values( array_diff( $ids, array_map( 'intval', $wpdb->get_col( "SELECT user_id FROM {$wpdb->usermeta} WHERE meta_key = 'primary_blog' AND meta_value NOT IN ('', '0') AND user_id IN ($list)" ) ) ) ); // phpcs:ignore WordPress.DB
	}

	/**
	 * Inserts what is missing, in one statement's rows in the order of accounts, like memberships.
	 *
	 * @param int[]                $ids   Accounts.
	 * @param array<string,string> $homes Key => value.
	 * @return array<string,int[]> Key => rows that are there without a value.
	 */
	private static function insert( array $ids, array $homes ) {
		global $wpdb;
		$there = array_fill_keys( array_keys( $homes ), array() );
		if ( ! $ids ) {
			return $there;
		}
		sort( $ids );
		$list = implode( ',', $ids );
		foreach ( $wpdb->get_results( "SELECT meta_key, user_id, umeta_id FROM {$wpdb->usermeta} WHERE meta_key IN ('primary_blog', 'source_domain') AND user_id IN ($list) ORDER BY umeta_id", ARRAY_N ) as $row ) { // phpcs:ignore WordPress.DB
			$there[ $row[0] ][ (int) $row[1] ] = (int) $row[2];
		}
		$rows = array();
		foreach ( $ids as $id ) {
			foreach ( $homes as $key => $value ) {
				if ( ! isset( $there[ $key ][ $id ] ) ) {
					$rows[] = array( $id, $key, $value );
				}
			}
		}
		Rollcall_Set_Sql::insert( $wpdb->usermeta, array( 'user_id', 'meta_key', 'meta_value' ), $rows );
		return $there;
	}
}
