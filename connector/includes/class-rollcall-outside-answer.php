<?php
/**
 * POST /outside: a person said what becomes of values that were written past WordPress.
 *
 * Does: goes through all accounts a page at a time; takes what differs from the ledger as an edit made
 * now, or as older than any edit elsewhere, or for what was known.
 * Does not: change any value.
 * Always true: repeating a page changes nothing more; with the last page the hold ends, and labels of
 * accounts that are no longer there are forgotten. An account that is being saved right now is left to its
 * own settling; one that is somebody else than its label was made for is left as it is.
 * On failure: the hold stays, and the answer is given again.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * The three answers.
 */
final class Rollcall_Outside_Answer {

	/** Accounts per request. */
	const PAGE = 500;

	/**
	 * Answers the request.
	 *
	 * @param array $request OutsideRequest.
	 * @return array OutsideAnswer.
	 */
	public static function answer( array $request ) {
		global $wpdb;
		Rollcall_Tables::use_writer();
		$ids  = array_map( 'intval', $wpdb->get_col( $wpdb->prepare( "SELECT ID FROM {$wpdb->users} WHERE ID > %d ORDER BY ID LIMIT %d", $request['after'], self::PAGE ) ) ); // phpcs:ignore WordPress.DB
		$more = count( $ids ) === self::PAGE;
		$last = end( $ids );
		$ids  = array_diff( $ids, Rollcall_Outbox::has_fresh_open( $ids ), array( Rollcall_Settings::service_user_id() ) );
		$ids  = self::still_themselves( $ids );
		$done = 'edits' === $request['take'] ? self::take_as_edits( $ids ) : self::take_as_known( $ids, 'others' === $request['take'] );
		if ( ! $more ) {
			$wpdb->query( 'DELETE FROM ' . Rollcall_Tables::accounts() . " WHERE user_id NOT IN (SELECT ID FROM {$wpdb->users})" ); // phpcs:ignore WordPress.DB
			Rollcall_Outside::end();
		}
		return array(
			'changed' => $done,
			'next'    => $more ? $last : null,
		);
	}

	/**
	 * Accounts that have no label, or one that was made for them.
	 *
	 * @param int[] $ids WordPress user ids.
	 * @return int[]
	 */
	private static function still_themselves( array $ids ) {
		$rows    = Rollcall_Ledger::load( $ids );
		$present = Rollcall_Fields::read( $ids );
		return array_values(
			array_filter(
				$ids,
				static function ( $id ) use ( $rows, $present ) {
					return ! isset( $rows[ $id ], $present[ $id ] ) || Rollcall_Ledger::label_ok( $rows[ $id ], $present[ $id ]['login'], $present[ $id ]['registered'] );
				}
			)
		);
	}

	/**
	 * Stamps what differs, and tells the hub.
	 *
	 * @param int[] $ids WordPress user ids.
	 * @return int How many accounts.
	 */
	private static function take_as_edits( array $ids ) {
		$changed = array();
		foreach ( Rollcall_Settle::run( $ids ) as $id => $settled ) {
			if ( $settled['changed'] ) {
				$changed[] = (int) $id;
			}
		}
		Rollcall_Outbox::put_outside( array_values( array_filter( $changed, array( 'Rollcall_Capture', 'wants' ) ) ) );
		return count( $changed );
	}

	/**
	 * Takes what differs for what was known: under its old stamp, or under one that any edit wins over.
	 *
	 * @param int[] $ids   WordPress user ids.
	 * @param bool  $older Whether any edit made elsewhere is to win.
	 * @return int How many accounts.
	 */
	private static function take_as_known( array $ids, $older ) {
		$done = 0;
		foreach ( $ids as $id ) {
			for ( $i = 0; $i < Rollcall_Ledger::ATTEMPTS; $i++ ) {
				$rows    = Rollcall_Ledger::load( array( $id ) );
				$present = Rollcall_Fields::read( array( $id ) );
				if ( ! isset( $rows[ $id ], $present[ $id ] ) ) {
					break;
				}
				$row     = $rows[ $id ];
				$changed = Rollcall_Comparison::of( $row, $present[ $id ] )['changed'];
				foreach ( $changed as $name => $fp ) {
					$known                   = isset( $row['entries'][ $name ] ) ? $row['entries'][ $name ] : array( 0, Rollcall_Settings::key_of( get_main_site_id() ) );
					$row['entries'][ $name ] = array( $older ? 0 : (int) $known[0], (int) $known[1], $fp );
				}
				if ( ! $changed || Rollcall_Ledger::replace( $row ) ) {
					$done += $changed ? 1 : 0;
					break;
				}
			}
		}
		return $done;
	}
}
