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
		if ( ! $homeless ) {
			return;
		}
		$homeless = array_map( 'intval', $homeless );
		wp_cache_delete_multiple( $homeless, 'user_meta' );
		$others = has_filter( 'pre_get_blogs_of_user' ) || has_filter( 'get_blogs_of_user' ) ? self::asked( $homeless ) : self::first_of( $homeless );
		foreach ( $others as $move ) {
			self::move( $blog, $move['ids'], $move['home'] );
		}
		wp_cache_delete_multiple( $homeless, 'user_meta' );
	}

	/**
	 * The next primary site of some accounts as WordPress itself gives it, with what other plugins say to that.
	 *
	 * @param int[] $ids Accounts.
	 * @return array[] { ids, home: key => value }.
	 */
	private static function asked( array $ids ) {
		$moves = array();
		foreach ( $ids as $id ) {
			$blogs   = get_blogs_of_user( $id );
			$first   = $blogs ? reset( $blogs ) : null;
			$moves[] = array(
				'ids'  => array( $id ),
				'home' => self::home( $first ? $first->userblog_id : '', $first ? $first->domain : '' ),
			);
		}
		return $moves;
	}

	/**
	 * The same for many at once: the first open site of theirs.
	 *
	 * @param int[] $ids Accounts.
	 * @return array[] As asked().
	 */
	private static function first_of( array $ids ) {
		global $wpdb;
		$list  = implode( ',', $ids );
		$sites = array_fill_keys( $ids, array() );
		foreach ( $wpdb->get_results( $wpdb->prepare( "SELECT user_id, meta_key FROM {$wpdb->usermeta} WHERE user_id IN ($list) AND meta_key LIKE %s", $wpdb->esc_like( $wpdb->base_prefix ) . '%capabilities' ), ARRAY_N ) as $row ) { // phpcs:ignore WordPress.DB
			$blog = Rollcall_Roles::blog_of_caps_key( $row[1] );
			if ( $blog ) {
				$sites[ (int) $row[0] ][] = $blog;
			}
		}
		$all   = implode( ',', array_unique( array_merge( array( 0 ), ...array_values( $sites ) ) ) );
		$open  = array_column( $wpdb->get_results( "SELECT blog_id, domain FROM {$wpdb->blogs} WHERE blog_id IN ($all) AND archived = '0' AND spam = 0 AND deleted = 0", ARRAY_A ), 'domain', 'blog_id' ); // phpcs:ignore WordPress.DB
		$moves = array();
		foreach ( $sites as $id => $mine ) {
			$mine  = array_intersect( $mine, array_keys( $open ) );
			$first = $mine ? min( $mine ) : '';

			$moves[ $first ]['ids'][] = $id;
			$moves[ $first ]['home']  = self::home( $first, $mine ? $open[ $first ] : '' );
		}
		return $moves;
	}

	/**
	 * What is stored of a primary site.
	 *
	 * @param int|string $blog   Site; '': none.
	 * @param string     $domain Its domain.
	 * @return array<string,string> Key => value.
	 */
	private static function home( $blog, $domain ) {
		return array(
			'primary_blog'  => (string) $blog,
			'source_domain' => (string) $domain,
		);
	}

	/**
	 * Moves accounts from one primary site to another one. Only rows that are there, each by its number: nobody's
	 * statement waits for more than that.
	 *
	 * @param int                  $from Site that they left.
	 * @param int[]                $ids  Accounts.
	 * @param array<string,string> $home Key => value.
	 * @return void
	 */
	private static function move( $from, array $ids, array $home ) {
		global $wpdb;
		$there = self::rows( $ids );
		foreach ( $home as $key => $value ) {
			foreach ( array_diff( $ids, array_keys( $there[ $key ] ) ) as $id ) {
				update_user_meta( $id, $key, $value );
			}
			$still = 'primary_blog' === $key ? $wpdb->prepare( ' AND meta_value = %s', (string) $from ) : '';
			if ( $there[ $key ] ) {
				Rollcall_Set_Sql::run( "UPDATE {$wpdb->usermeta} SET meta_value = '" . esc_sql( $value ) . "' WHERE umeta_id IN (" . implode( ',', $there[ $key ] ) . ")$still" );
			}
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
		sort( $ids );
		$there = self::rows( $ids );
		$rows  = array();
		foreach ( $ids as $id ) {
			foreach ( $homes as $key => $value ) {
				if ( ! isset( $there[ $key ][ $id ] ) ) {
					$rows[] = array( $id, $key, $value );
				}
			}
		}
		if ( $rows ) {
			Rollcall_Set_Sql::insert( $wpdb->usermeta, array( 'user_id', 'meta_key', 'meta_value' ), $rows );
		}
		return $there;
	}

	/**
	 * Rows that hold the primary site of some accounts.
	 *
	 * @param int[] $ids Accounts.
	 * @return array<string,array<int,int>> Key => account => row.
	 */
	private static function rows( array $ids ) {
		global $wpdb;
		$there = array_map( '__return_empty_array', self::home( '', '' ) );
		if ( ! $ids ) {
			return $there;
		}
		$list = implode( ',', $ids );
		foreach ( $wpdb->get_results( "SELECT meta_key, user_id, umeta_id FROM {$wpdb->usermeta} WHERE meta_key IN ('primary_blog', 'source_domain') AND user_id IN ($list) ORDER BY umeta_id", ARRAY_N ) as $row ) { // phpcs:ignore WordPress.DB
			$there[ $row[0] ][ (int) $row[1] ] = (int) $row[2];
		}
		return $there;
	}
}
