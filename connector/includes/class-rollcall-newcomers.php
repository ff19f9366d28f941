<?php
/**
 * Accounts that came about past every hook: by SQL, while the plugin was off, in a request that was
 * killed before WordPress had told anybody of them.
 *
 * Does: notices ids above the greatest one looked at so far, and captures those nobody has seen, as
 *   created then.
 * Does not: look at accounts from before the site was connected, or read one that is being made.
 * Always true: an account is waited for `WAIT_MS`, so that the request which makes it can tell of it
 *   itself; too many at once are held with everything else that was written past the hooks.
 * On failure: what was not captured is looked at again.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Accounts nobody told of.
 */
final class Rollcall_Newcomers {

	const FACT = 'newcomers';

	/** Twice as long as a request may keep an account to itself. */
	const WAIT_MS = 60000;

	/** Looked at in one request; the limit on what is written past the hooks is far below. */
	const AT_ONCE = 500;

	/**
	 * A site is being bound: whoever is there now was there before. Bound again, it goes on.
	 *
	 * @return void
	 */
	public static function begin() {
		if ( null === Rollcall_Facts::get( self::FACT ) ) {
			self::note( self::greatest_id(), 0, 0 );
		}
	}

	/**
	 * A site is released: whoever comes now comes before the next hub.
	 *
	 * @return void
	 */
	public static function end() {
		Rollcall_Facts::delete( self::FACT );
	}

	/**
	 * Did an account that nobody has read yet come about since the site was connected?
	 *
	 * @param int $id WordPress user id.
	 * @return bool
	 */
	public static function is_one( $id ) {
		$seen = json_decode( (string) Rollcall_Facts::get( self::FACT ), true );
		return isset( $seen['upto'] ) && $id > $seen['upto'];
	}

	/**
	 * Looks for accounts nobody told of.
	 *
	 * @param bool $at_once Don't wait for requests under way.
	 * @return void
	 */
	public static function look( $at_once = false ) {
		$seen = json_decode( (string) Rollcall_Facts::get( self::FACT ), true );
		if ( ! isset( $seen['upto'], $seen['next'], $seen['since'] ) ) {
			self::begin();
			return;
		}
		$greatest = self::greatest_id();
		if ( $greatest <= $seen['upto'] ) {
			return;
		}
		$now  = Rollcall_Settings::clock_ms();
		$next = $seen['next'] > $seen['upto'] ? min( $seen['next'], $greatest ) : 0;
		if ( $at_once ) {
			$next = $greatest;
		} elseif ( ! $next || abs( $now - $seen['since'] ) < self::WAIT_MS ) {
			if ( ! $next ) {
				self::note( $seen['upto'], $greatest, $now );
			}
			return;
		}
		if ( self::capture( (int) $seen['upto'], (int) $next ) ) {
			self::note( $next, $greatest, $now );
		}
	}

	/**
	 * Captures the accounts between two ids that nobody told of.
	 *
	 * @param int $after Greatest id looked at so far.
	 * @param int $upto  Greatest id to look at now.
	 * @return bool Whether all of them were.
	 */
	private static function capture( $after, $upto ) {
		global $wpdb;
		$found = $wpdb->get_col( // phpcs:ignore WordPress.DB
			$wpdb->prepare(
				"SELECT u.ID FROM {$wpdb->users} u LEFT JOIN " . Rollcall_Tables::accounts() . ' a ON a.user_id = u.ID WHERE u.ID > %d AND u.ID <= %d AND a.user_id IS NULL ORDER BY u.ID LIMIT %d', // phpcs:ignore WordPress.DB
				$after,
				$upto,
				self::AT_ONCE
			)
		);
		$ids = array_filter( array_map( 'intval', $found ), array( 'Rollcall_Capture', 'wants' ) );
		// Whoever left a row open is told of by that row.
		$ids = array_values( array_diff( $ids, Rollcall_Outbox::has_fresh_open( $ids ), Rollcall_Outbox::has_stale_open( $ids ) ) );
		if ( ! $ids ) {
			return count( $found ) < self::AT_ONCE;
		}
		if ( Rollcall_Outside::gate( $ids ) ) {
			return false;
		}
		Rollcall_Settle::run( $ids, array( 'created' => array_fill_keys( $ids, true ) ) );
		return count( $found ) < self::AT_ONCE;
	}

	/** The greatest id there is. */
	private static function greatest_id() {
		global $wpdb;
		return (int) $wpdb->get_var( "SELECT MAX(ID) FROM {$wpdb->users}" ); // phpcs:ignore WordPress.DB
	}

	/**
	 * Notes how far was looked.
	 *
	 * @param int $upto  Greatest id looked at.
	 * @param int $next  Greatest id there was at `$since`.
	 * @param int $since The site's clock, ms.
	 */
	private static function note( $upto, $next, $since ) {
		Rollcall_Facts::set(
			self::FACT,
			wp_json_encode(
				array(
					'upto'  => (int) $upto,
					'next'  => (int) $next,
					'since' => (int) $since,
				)
			)
		);
	}
}
