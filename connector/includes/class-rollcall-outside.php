<?php
/**
 * Accounts that somebody wrote past WordPress's hooks: by SQL, in a killed request, while the plugin
 * was off.
 *
 * Does: lets a few be stamped and captured; holds them all once they are so many that somebody must
 *   have restored a table or replaced text in it.
 * Does not: resolve a hold (Rollcall_Outside_Answer).
 * Always true: while a hold lasts nothing found so is stamped, and its new values don't travel.
 * On failure: two requests that count at once may count one account twice or not at all.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * The limit on what is written past the hooks.
 */
final class Rollcall_Outside {

	const FACT = 'outside';

	/** How long finds are counted together. */
	const WINDOW_MS = 600000;

	/** More accounts than this are held, however large the site. */
	const MOST = 50;

	/** More than this part of all accounts is held … */
	const PART = 0.05;

	/** … but never so few. */
	const LEAST = 5;

	/** So many ids are kept of a hold; the count goes on. */
	const KEEP_IDS = 5000;

	/**
	 * Judges accounts that were found written past the hooks, and captures those that may be stamped.
	 *
	 * @param int[] $ids WordPress user ids.
	 * @return int[] Those that must not be stamped.
	 */
	public static function gate( array $ids ) {
		$record = self::record();
		$now    = Rollcall_Settings::clock_ms();
		if ( ! $record['held'] && $now - $record['since'] > self::WINDOW_MS ) {
			$record['since'] = $now;
			$record['ids']   = array();
		}
		$seen = array_fill_keys( $record['ids'], true ) + array_fill_keys( $ids, true );
		$more = count( $seen ) > count( $record['ids'] );
		if ( ! $record['held'] && count( $seen ) > self::limit() ) {
			$record['held']  = true;
			$record['since'] = $now;
			$more            = true;
		}
		if ( $more ) {
			$record['count'] = max( $record['held'] ? $record['count'] : 0, count( $seen ) );
			$record['ids']   = array_slice( array_keys( $seen ), 0, self::KEEP_IDS );
			Rollcall_Facts::set( self::FACT, wp_json_encode( $record ) );
		}
		if ( $record['held'] ) {
			return $ids;
		}
		// Stamped they are in any case: a new value must not go out under an old stamp.
		Rollcall_Outbox::put_outside( array_values( array_filter( $ids, array( 'Rollcall_Capture', 'wants' ) ) ) );
		return array();
	}

	/** Are such accounts held? */
	public static function is_held() {
		$record = self::record();
		return $record['held'];
	}

	/** The hold has been answered; finds are counted anew. */
	public static function end() {
		Rollcall_Facts::delete( self::FACT );
	}

	/**
	 * What `/status` warns of.
	 *
	 * @return array<int,array{code:string,message:string}>
	 */
	public static function warnings() {
		$record = self::record();
		if ( ! $record['held'] ) {
			return array();
		}
		return array(
			array(
				'code'    => 'source.rewritten_outside',
				'message' => sprintf(
					/* translators: %d: number of accounts. */
					_n( '%d account was changed past WordPress, by a restored table or in the database; its new values are held. Say in the hub what becomes of them, with “rollcall site rewritten”.', '%d accounts were changed past WordPress, by a restored table or in the database; their new values are held. Say in the hub what becomes of them, with “rollcall site rewritten”.', $record['count'], 'rollcall-connector' ),
					$record['count']
				),
			),
		);
	}

	/** How many may be found within the window. */
	private static function limit() {
		global $wpdb;
		$all = (int) $wpdb->get_var( "SELECT COUNT(*) FROM {$wpdb->users}" ); // phpcs:ignore WordPress.DB
		return min( self::MOST, max( self::LEAST, (int) floor( $all * self::PART ) ) );
	}

	/**
	 * What was found so far.
	 *
	 * @return array{held:bool,since:int,count:int,ids:int[]}
	 */
	private static function record() {
		$stored = json_decode( (string) Rollcall_Facts::get( self::FACT ), true );
		return array(
			'held'  => ! empty( $stored['held'] ),
			'since' => isset( $stored['since'] ) ? (int) $stored['since'] : 0,
			'count' => isset( $stored['count'] ) ? (int) $stored['count'] : 0,
			'ids'   => isset( $stored['ids'] ) ? array_map( 'intval', (array) $stored['ids'] ) : array(),
		);
	}
}
