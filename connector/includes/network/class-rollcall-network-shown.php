<?php
/**
 * Runs, settings and counts in words, for wp-admin and WP-CLI.
 *
 * Does not: escape; whoever prints does.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * In words.
 */
final class Rollcall_Network_Shown {

	/** What `by` of a run begins with that was begun on a site's own page; the site's id follows. */
	const BY_SITE = 'site:';

	/**
	 * Settings by name.
	 *
	 * @return array<string,string>
	 */
	public static function triggers() {
		return array(
			'new_account' => __( 'A new account joins every site, with each site’s default role', 'rollcall-connector' ),
			'new_site'    => __( 'Everybody joins a new site, with its default role', 'rollcall-connector' ),
			'role_change' => __( 'A role that changes on one site changes on the account’s other sites', 'rollcall-connector' ),
		);
	}

	/**
	 * What a run does.
	 *
	 * @param array $spec Action.
	 * @return string
	 */
	public static function action( array $spec ) {
		$copies = 'copy' === $spec['action'];
		$what   = $copies
			/* translators: %d: number of a site. */
			? sprintf( __( 'Copy roles from site %d', 'rollcall-connector' ), $spec['from'] )
			: __( 'Fill', 'rollcall-connector' );
		$sites = is_array( $spec['sites'] )
			/* translators: %s: a number. */
			? sprintf( _n( '%s site', '%s sites', count( $spec['sites'] ), 'rollcall-connector' ), number_format_i18n( count( $spec['sites'] ) ) )
			: __( 'all sites', 'rollcall-connector' );
		$people = is_array( $spec['people'] )
			/* translators: %s: a number. */
			? sprintf( _n( '%s person', '%s people', count( $spec['people'] ), 'rollcall-connector' ), number_format_i18n( count( $spec['people'] ) ) )
			: __( 'everybody', 'rollcall-connector' );
		/* translators: 1: an action, 2: which sites, 3: which people. */
		$words = sprintf( __( '%1$s: %2$s, %3$s', 'rollcall-connector' ), $what, $sites, $people );
		if ( $copies && 'all' === $spec['memberships'] ) {
			$words .= ', ' . __( 'also where they are no members', 'rollcall-connector' );
		}
		return $spec['add_back'] ? $words . ', ' . __( 'add back', 'rollcall-connector' ) : $words;
	}

	/**
	 * A state.
	 *
	 * @param string $state State of a run.
	 * @return string
	 */
	public static function state( $state ) {
		$words = array(
			'running'   => __( 'Running', 'rollcall-connector' ),
			'paused'    => __( 'Paused', 'rollcall-connector' ),
			'cancelled' => __( 'Cancelled', 'rollcall-connector' ),
			'done'      => __( 'Done', 'rollcall-connector' ),
			'undoing'   => __( 'Being undone', 'rollcall-connector' ),
			'undone'    => __( 'Undone', 'rollcall-connector' ),
			'failed'    => __( 'Failed', 'rollcall-connector' ),
		);
		return isset( $words[ $state ] ) ? $words[ $state ] : $state;
	}

	/**
	 * Why a site is not written to.
	 *
	 * @param string|null $closed See Rollcall_Network_Sites.
	 * @return string
	 */
	public static function status( $closed ) {
		$words = array(
			'archived'  => __( 'Archived', 'rollcall-connector' ),
			'spam'      => __( 'Spam', 'rollcall-connector' ),
			'deleted'   => __( 'Deleted', 'rollcall-connector' ),
			'excluded'  => __( 'Excluded', 'rollcall-connector' ),
			'read_only' => __( 'Read-only', 'rollcall-connector' ),
		);
		return isset( $words[ (string) $closed ] ) ? $words[ $closed ] : __( 'Open', 'rollcall-connector' );
	}

	/**
	 * Who began a run.
	 *
	 * @param string $by As the run has it.
	 * @return string
	 */
	public static function by( $by ) {
		if ( 1 !== preg_match( '/^' . self::BY_SITE . '(\d+) (.*)$/s', $by, $part ) ) {
			return $by;
		}
		/* translators: 1: login of an account, 2: number of a site. */
		return sprintf( __( '%1$s, on site %2$d', 'rollcall-connector' ), $part[2], (int) $part[1] );
	}

	/**
	 * A time.
	 *
	 * @param int|null $ms Milliseconds.
	 * @return string
	 */
	public static function time( $ms ) {
		return $ms ? wp_date( get_option( 'date_format' ) . ' ' . get_option( 'time_format' ), intdiv( $ms, 1000 ) ) : '';
	}

	/**
	 * Numbers and sentences of why some are left alone, most first.
	 *
	 * @param array $skipped Reason => number.
	 * @return array<string,string> Reason => sentence.
	 */
	public static function skipped( array $skipped ) {
		arsort( $skipped );
		foreach ( $skipped as $reason => $number ) {
			$skipped[ $reason ] = number_format_i18n( $number ) . ': ' . Rollcall_Reasons::sentence( $reason );
		}
		return $skipped;
	}

	/**
	 * Adds the counts of sites of a preview up.
	 *
	 * @param array[] $sites As Rollcall_Network_Preview gives them.
	 * @return array{add:int,change:int,unchanged:int,skipped:array<string,int>}
	 */
	public static function sum( array $sites ) {
		$sum = array(
			'add'       => 0,
			'change'    => 0,
			'unchanged' => 0,
			'skipped'   => array(),
		);
		foreach ( $sites as $site ) {
			foreach ( array( 'add', 'change', 'unchanged' ) as $count ) {
				$sum[ $count ] += $site[ $count ];
			}
			foreach ( $site['skipped'] as $reason => $number ) {
				$sum['skipped'][ $reason ] = $number + ( isset( $sum['skipped'][ $reason ] ) ? $sum['skipped'][ $reason ] : 0 );
			}
		}
		return $sum;
	}
}
