<?php
/**
 * Has anybody saved an account since it was read? An apply decides by what it has read, and looks once more before
 * it writes.
 *
 * Does: remembers where the accounts' rows of the outbox stand; says whose stand elsewhere now.
 * Does not: look at the accounts themselves; whoever saves one has opened its row before.
 * Always true: what an apply itself notes in a row (Rollcall_Overwritten) moves nothing.
 * On failure: throws when the rows can't be read. Where what is not committed can't be seen, it is not.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Where rows stand.
 */
final class Rollcall_Second_Look {

	/**
	 * Where they stood: WordPress user id => text, empty for no row.
	 *
	 * @var array<int,string>
	 */
	private $seen = array();

	/**
	 * The first look.
	 *
	 * @param int[] $ids WordPress user ids.
	 */
	public function __construct( array $ids ) {
		foreach ( self::rows( $ids ) + array_fill_keys( $ids, null ) as $id => $row ) {
			$this->seen[ $id ] = self::stands( $row );
		}
	}

	/**
	 * Who was saved since, or is being saved now. Outside of a transaction.
	 *
	 * @param int[] $ids Some of the accounts.
	 * @return int[]
	 */
	public function moved( array $ids ) {
		self::past_transactions();
		$rows  = self::rows( $ids );
		$moved = array();
		foreach ( $ids as $id ) {
			$row   = isset( $rows[ $id ] ) ? $rows[ $id ] : null;
			$fresh = $row && 'open' === $row->state && abs( Rollcall_Settings::clock_ms() - (int) $row->opened_ms ) <= Rollcall_Outbox::FRESH_MS;
			if ( $fresh || ( isset( $this->seen[ $id ] ) && self::stands( $row ) !== $this->seen[ $id ] ) ) {
				$moved[] = $id;
			}
		}
		return $moved;
	}

	/**
	 * Has the next statement see what a transaction of another plugin has written and not committed: it has saved the
	 * account, and what an apply writes would wait for its end, to lie over it then.
	 */
	private static function past_transactions() {
		global $wpdb;
		if ( false === strpos( get_class( $wpdb ), 'SQLite' ) ) {
			$errors = $wpdb->suppress_errors( true );
			$wpdb->query( 'SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED' ); // phpcs:ignore WordPress.DB
			$wpdb->suppress_errors( $errors );
		}
	}

	/**
	 * Where a row stands.
	 *
	 * @param object|null $row Row of the outbox.
	 * @return string
	 */
	private static function stands( $row ) {
		return $row ? "$row->id $row->opened_ms $row->at_ms $row->state" : '';
	}

	/**
	 * Rows of living accounts.
	 *
	 * @param int[] $ids WordPress user ids.
	 * @throws RuntimeException When they can't be read.
	 * @return array<int,object>
	 */
	private static function rows( array $ids ) {
		global $wpdb;
		$rows = array();
		foreach ( array_chunk( $ids, 500 ) as $some ) {
			$list  = "'u:" . implode( "','u:", array_map( 'intval', $some ) ) . "'";
			$found = $wpdb->get_results( 'SELECT user_id, id, opened_ms, at_ms, state FROM ' . Rollcall_Tables::outbox() . " WHERE subject IN ($list)" ); // phpcs:ignore WordPress.DB
			if ( ! is_array( $found ) || '' !== $wpdb->last_error ) {
				throw new RuntimeException( 'The outbox can’t be read.' );
			}
			foreach ( $found as $row ) {
				$rows[ (int) $row->user_id ] = $row;
			}
		}
		return $rows;
	}
}
