<?php
/**
 * Which incoming fields win over what the site holds.
 *
 * Does: merges field by field, newer stamp wins, ties by the greater site key; pure.
 * Does not: read, write, or judge values (Rollcall_Incoming).
 * Always true: commutative, associative and idempotent on stamped fields. A stamp of ms 0 wins over
 * nothing that exists.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Merge.
 */
final class Rollcall_Merge {

	/**
	 * What becomes of one field: `applied`, `same` or `kept`.
	 *
	 * @param array      $incoming Stamp [ms, site key].
	 * @param array|null $held     Stamp held here; null when the field isn't known here.
	 * @param bool       $filling  The account is being created: values from before Rollcall fill it.
	 * @return string
	 */
	public static function outcome( $incoming, $held, $filling ) {
		if ( $filling && ( null === $held || 0 === $held[0] ) ) {
			return 'applied';
		}
		if ( null !== $held && $incoming === $held ) {
			return 'same';
		}
		if ( 0 === $incoming[0] ) {
			return 'kept';
		}
		return null === $held || self::is_newer( $incoming, $held ) ? 'applied' : 'kept';
	}

	/**
	 * Is stamp a newer than stamp b?
	 *
	 * @param array $a Stamp.
	 * @param array $b Stamp.
	 * @return bool
	 */
	public static function is_newer( $a, $b ) {
		return $a[0] > $b[0] || ( $a[0] === $b[0] && $a[1] > $b[1] );
	}
}
