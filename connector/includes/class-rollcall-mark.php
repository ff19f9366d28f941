<?php
/**
 * Where this site and its hub stood together last.
 *
 * Does: keeps the hub's newest mark beside the accounts; refuses a request that was meant for another
 * state of them: this database, or the hub's, was put back from a backup in between.
 * Does not: judge which of the two went back; the hub does.
 * Always true: a mark is replaced only by the request that named it as the present one, so of two
 * requests that cross each other one is refused and made again.
 * On failure: `mark.mismatch`, with the mark that is held; nothing was done.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * The hub's mark.
 */
final class Rollcall_Mark {

	/** Beginning of the fact's name; the hub's id follows: another hub has never been here. */
	const FACT = 'mark:';

	/**
	 * The mark that the bound hub left here.
	 *
	 * @return array{n:int,id:string}|null
	 */
	public static function held() {
		return self::decode( self::stored() );
	}

	/**
	 * Was the request meant for what this site holds?
	 *
	 * @param array $request A request, with or without `mark`.
	 * @return true|WP_Error
	 */
	public static function check( array $request ) {
		return ! isset( $request['mark'] ) || self::fits( $request['mark'], self::held() ) ? true : self::mismatch();
	}

	/**
	 * The request changes or tells something: from here on its mark is held.
	 *
	 * @param array $request A request, with or without `mark`.
	 * @return true|WP_Error
	 */
	public static function take( array $request ) {
		if ( ! isset( $request['mark'] ) ) {
			return true;
		}
		$before = self::stored();
		$held   = self::decode( $before );
		$next   = $request['mark']['next'];
		if ( ! self::fits( $request['mark'], $held ) ) {
			return self::mismatch();
		}
		if ( $held && $held['id'] === $next['id'] ) {
			return true;
		}
		if ( ! self::replace( $before, self::encode( $next ) ) ) {
			return self::mismatch();
		}
		// What went back must be seen before its number is raised.
		Rollcall_Outside::look();
		Rollcall_Table_Marks::renew();
		return true;
	}

	/**
	 * Forgets all marks: this is a store of its own now.
	 *
	 * @return void
	 */
	public static function forget_all() {
		global $wpdb;
		$wpdb->query( $wpdb->prepare( 'DELETE FROM ' . Rollcall_Tables::facts() . ' WHERE name LIKE %s', $wpdb->esc_like( self::FACT ) . '%' ) ); // phpcs:ignore WordPress.DB
	}

	/**
	 * May a site that holds this take the offer?
	 *
	 * @param array      $offer `held` and `next`.
	 * @param array|null $held  The mark held.
	 */
	private static function fits( array $offer, $held ) {
		foreach ( array_merge( $offer['held'], array( $offer['next'] ) ) as $mark ) {
			if ( null === $held ? null === $mark : ( null !== $mark && $mark['id'] === $held['id'] ) ) {
				return true;
			}
		}
		return false;
	}

	/**
	 * Puts one mark in the place of another, unless somebody else was faster.
	 *
	 * @param string|null $before As it was read.
	 * @param string      $after  As it shall be.
	 * @return bool
	 */
	private static function replace( $before, $after ) {
		global $wpdb;
		$table = Rollcall_Tables::facts();
		if ( null === $before ) {
			return 1 === (int) $wpdb->query( $wpdb->prepare( "INSERT IGNORE INTO $table (name, value) VALUES (%s, %s)", self::name(), $after ) ); // phpcs:ignore WordPress.DB
		}
		return 1 === (int) $wpdb->query( $wpdb->prepare( "UPDATE $table SET value = %s WHERE name = %s AND value = %s", $after, self::name(), $before ) ); // phpcs:ignore WordPress.DB
	}

	/**
	 * The refusal.
	 *
	 * @return WP_Error
	 */
	private static function mismatch() {
		return Rollcall_Rest::error( 'mark.mismatch', 409, Rollcall_Reasons::sentence( 'mark.mismatch' ), array( 'mark' => self::held() ) );
	}

	/**
	 * As it is stored.
	 *
	 * @return string|null
	 */
	private static function stored() {
		return Rollcall_Facts::get( self::name() );
	}

	/** Name of the fact. */
	private static function name() {
		return self::FACT . strtolower( Rollcall_Settings::hub_id() );
	}

	/**
	 * Reads a stored mark.
	 *
	 * @param string|null $stored As it is stored.
	 */
	private static function decode( $stored ) {
		$mark = json_decode( (string) $stored, true );
		return isset( $mark['n'], $mark['id'] ) ? self::plain( $mark ) : null;
	}

	/**
	 * Writes a mark as it is stored.
	 *
	 * @param array $mark A mark.
	 */
	private static function encode( array $mark ) {
		return wp_json_encode( self::plain( $mark ) );
	}

	/**
	 * A mark and nothing else.
	 *
	 * @param array $mark A mark.
	 * @return array{n:int,id:string}
	 */
	private static function plain( array $mark ) {
		return array(
			'n'  => (int) $mark['n'],
			'id' => (string) $mark['id'],
		);
	}
}
