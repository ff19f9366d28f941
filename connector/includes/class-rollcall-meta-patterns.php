<?php
/**
 * Patterns in the list of watched meta: `billing_*` is every key that begins like this.
 *
 * Does: tells keys from patterns, says whether a pattern covers a key, finds the keys that are there.
 * Does not: watch anything: `Rollcall_Settings` keeps the keys, each by its full name, as they come up.
 * Always true: what is never synced is covered by no pattern. The hub reads patterns the same way
 *   (hub/src/model/meta-pattern.ts).
 * On failure: a key that can't be found now is watched when somebody writes it.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Beginnings of meta keys.
 */
final class Rollcall_Meta_Patterns {

	/** So many characters at least before the `*`. */
	const SHORTEST = 3;

	/** More keys than this are not watched by patterns: some plugins make a key per object. */
	const MOST_KEYS = 300;

	/**
	 * Keys and patterns of a list.
	 *
	 * @param string[] $entries As the hub names them.
	 * @return array{0:string[],1:string[]} Keys; beginnings, without their `*`.
	 */
	public static function split( array $entries ) {
		$keys       = array();
		$beginnings = array();
		foreach ( $entries as $entry ) {
			$entry = (string) $entry;
			if ( '*' !== substr( $entry, -1 ) ) {
				$keys[] = $entry;
			} elseif ( strlen( $entry ) > self::SHORTEST ) {
				$beginnings[] = substr( $entry, 0, -1 );
			}
		}
		return array( $keys, array_values( array_unique( $beginnings ) ) );
	}

	/**
	 * Is a key one of those that begin like this?
	 *
	 * @param string[] $beginnings Beginnings.
	 * @param string   $key        Meta key.
	 */
	public static function cover( array $beginnings, $key ) {
		foreach ( $beginnings as $beginning ) {
			if ( 0 === strpos( $key, $beginning ) ) {
				return ! Rollcall_Never_Synced::is_never( $key );
			}
		}
		return false;
	}

	/**
	 * The keys that accounts have already.
	 *
	 * @param string[] $beginnings Beginnings.
	 * @return string[]
	 */
	public static function found( array $beginnings ) {
		global $wpdb;
		$keys = array();
		foreach ( $beginnings as $beginning ) {
			$like  = $wpdb->esc_like( $beginning ) . '%';
			$found = $wpdb->get_col( $wpdb->prepare( "SELECT DISTINCT meta_key FROM {$wpdb->usermeta} WHERE meta_key LIKE %s LIMIT %d", $like, 2 * self::MOST_KEYS ) ); // phpcs:ignore WordPress.DB
			foreach ( $found as $key ) {
				// The database compares without regard to case.
				if ( self::cover( array( $beginning ), (string) $key ) ) {
					$keys[] = (string) $key;
				}
			}
		}
		return $keys;
	}
}
