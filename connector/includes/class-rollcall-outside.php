<?php
/**
 * Accounts that somebody wrote past WordPress's hooks: by SQL, in a killed request, while the plugin
 * was off.
 *
 * Does: lets a few be stamped and captured, once it has looked whether their neighbours are as they were;
 *   holds them all where they are so many that somebody must have replaced text in a table, or once a
 *   table went back (Rollcall_Table_Marks).
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

	/** Neighbours that are looked at before anything is stamped: text is seldom replaced for one alone. */
	const NEIGHBOURS = 200;

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
		$near = $more && ! $record['held'] ? self::written_near( $ids ) : array();
		if ( ! $record['held'] && ( count( $seen + $near ) > self::limit() || count( $near ) > self::NEIGHBOURS * self::PART ) ) {
			$seen           += $near;
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

	/** Begins a hold when a table went back. */
	public static function look() {
		self::record();
	}

	/** The hold has been answered; finds are counted anew. */
	public static function end() {
		Rollcall_Table_Marks::renew();
		Rollcall_Held_Back::forget_all();
		Rollcall_Facts::delete( self::FACT );
	}

	/**
	 * What `/status` warns of.
	 *
	 * @return array<int,array{code:string,message:string}>
	 */
	public static function warnings() {
		$sentence = self::sentence();
		return null === $sentence ? array() : array(
			array(
				'code'    => 'source.rewritten_outside',
				'message' => $sentence,
			),
		);
	}

	/**
	 * What people should know of the hold.
	 *
	 * @return string|null Null: nothing is held.
	 */
	public static function sentence() {
		$record = self::record();
		if ( ! $record['held'] ) {
			return null;
		}
		if ( $record['restored'] ) {
			return __( 'The table of users, or that of their meta, was put back to an earlier state without the rest of the database; what is older there is held. Say in the hub what becomes of it, with “rollcall site rewritten”.', 'rollcall-connector' );
		}
		return sprintf(
			/* translators: %d: number of accounts. */
			_n( '%d account was changed past WordPress, by a restored table or in the database; its new values are held. Say in the hub what becomes of them, with “rollcall site rewritten”.', '%d accounts were changed past WordPress, by a restored table or in the database; their new values are held. Say in the hub what becomes of them, with “rollcall site rewritten”.', $record['count'], 'rollcall-connector' ),
			$record['count']
		);
	}

	/**
	 * Neighbours of accounts that were written past the hooks, too.
	 *
	 * @param int[] $ids WordPress user ids.
	 * @return array<int,true>
	 */
	private static function written_near( array $ids ) {
		global $wpdb;
		$first = min( $ids );
		$after = $wpdb->get_col( $wpdb->prepare( "SELECT ID FROM {$wpdb->users} WHERE ID > %d ORDER BY ID LIMIT %d", $first, self::NEIGHBOURS ) ); // phpcs:ignore WordPress.DB
		$begin = $wpdb->get_col( $wpdb->prepare( "SELECT ID FROM {$wpdb->users} WHERE ID < %d ORDER BY ID LIMIT %d", $first, self::NEIGHBOURS - count( $after ) ) ); // phpcs:ignore WordPress.DB
		$near  = array_diff( array_map( 'intval', array_merge( $after, $begin ) ), $ids, array( Rollcall_Settings::service_user_id() ) );
		// Whoever is being saved right now differs rightly.
		$near    = array_diff( $near, Rollcall_Outbox::has_fresh_open( $near ), Rollcall_Outbox::has_stale_open( $near ) );
		$rows    = Rollcall_Ledger::load( $near );
		$written = array();
		foreach ( Rollcall_Fields::read( array_keys( $rows ) ) as $id => $present ) {
			if ( Rollcall_Comparison::of( $rows[ $id ], $present )['changed'] ) {
				$written[ $id ] = true;
			}
		}
		return $written;
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
	 * @return array{held:bool,restored:bool,since:int,count:int,ids:int[]}
	 */
	private static function record() {
		$stored = json_decode( (string) Rollcall_Facts::get( self::FACT ), true );
		$record = array(
			'held'     => ! empty( $stored['held'] ),
			'restored' => ! empty( $stored['restored'] ),
			'since'    => isset( $stored['since'] ) ? (int) $stored['since'] : 0,
			'count'    => isset( $stored['count'] ) ? (int) $stored['count'] : 0,
			'ids'      => isset( $stored['ids'] ) ? array_map( 'intval', (array) $stored['ids'] ) : array(),
		);
		if ( ! $record['restored'] && Rollcall_Table_Marks::went_back() ) {
			$record['held']     = true;
			$record['restored'] = true;
			Rollcall_Facts::set( self::FACT, wp_json_encode( $record ) );
		}
		return $record;
	}
}
