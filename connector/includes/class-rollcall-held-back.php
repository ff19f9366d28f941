<?php
/**
 * What of an account is held (Rollcall_Outside) while somebody saves it.
 *
 * Does: reads it before WordPress writes, and keeps it for whoever settles the account: the request itself,
 *   or, where that was killed, who reads the account next.
 * Does not: hold anything itself.
 * Always true: only fingerprints are kept; the first look at an account that is being saved counts, since a
 *   second request could take for held what the first one has just written.
 * On failure: throws; then nothing of the request is captured, and the difference stays to be found.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Held values of open accounts.
 */
final class Rollcall_Held_Back {

	/** Facts that keep it are called so, with the account's id behind. */
	const FACT = 'held_back:';

	/**
	 * What is held of accounts that are about to be written.
	 *
	 * @param int[] $ids WordPress user ids.
	 * @return array<int,array<string,string>> Account => name => fingerprint, where there is any.
	 */
	public static function note( array $ids ) {
		if ( ! $ids || ! Rollcall_Outside::is_held() ) {
			return array();
		}
		$held = array();
		$rows = Rollcall_Ledger::load( $ids );
		foreach ( Rollcall_Fields::read( array_keys( $rows ) ) as $id => $present ) {
			$changed = Rollcall_Comparison::of( $rows[ $id ], $present )['changed'];
			if ( $changed ) {
				Rollcall_Facts::keep( self::FACT . $id, wp_json_encode( $changed ) );
				$held[ $id ] = $changed;
			}
		}
		return $held;
	}

	/**
	 * What was noted.
	 *
	 * @param int[] $ids WordPress user ids.
	 * @return array<int,array<string,string>> Account => name => fingerprint, where there is any.
	 */
	public static function of( array $ids ) {
		$held = array();
		foreach ( Rollcall_Outside::is_held() ? $ids : array() as $id ) {
			$noted = json_decode( (string) Rollcall_Facts::get( self::FACT . $id ), true );
			if ( is_array( $noted ) && $noted ) {
				$held[ $id ] = $noted;
			}
		}
		return $held;
	}

	/**
	 * The account is settled: who saves it next is looked at anew.
	 *
	 * @param int $id WordPress user id.
	 */
	public static function forget( $id ) {
		Rollcall_Facts::delete( self::FACT . $id );
	}

	/** The hold has been answered. */
	public static function forget_all() {
		global $wpdb;
		$wpdb->query( $wpdb->prepare( 'DELETE FROM ' . Rollcall_Tables::facts() . ' WHERE name LIKE %s', $wpdb->esc_like( self::FACT ) . '%' ) ); // phpcs:ignore WordPress.DB
	}
}
