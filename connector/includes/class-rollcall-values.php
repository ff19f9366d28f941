<?php
/**
 * Values as they travel, and their fingerprints.
 *
 * Does: turns what WordPress stores into JSON scalars, lists and maps, says why something can't travel,
 *   and makes the short keyed fingerprint of a value. A PHP array whose keys are all texts is a map: it
 *   keeps its order on the way, and so it does in its fingerprint. An empty array is a list.
 * Does not: create an object, ever: what would become one is refused unread.
 * Always true: equal values have equal fingerprints on one account store, whatever engine or PHP
 *   read them.
 * On failure: a reason code instead of a value.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Values and fingerprints.
 */
final class Rollcall_Values {

	/** Longest value that travels, in bytes: more would crowd everybody else out of a page. */
	const MAX_BYTES = 1048576;

	/** Deepest nesting of lists and maps that travels. */
	const MAX_DEPTH = 16;

	/** Hex digits of a fingerprint: 48 bits, one unseen change in 10^14. */
	const FINGERPRINT_DIGITS = 12;

	/**
	 * The fingerprint of a field's value.
	 *
	 * @param string $name  Field name; equal values of two fields look different.
	 * @param mixed  $value JSON scalar or list.
	 * @return string
	 */
	public static function fingerprint( $name, $value ) {
		return substr( hash_hmac( 'sha256', $name . "\n" . self::canonical( $value ), Rollcall_Life::fingerprint_key() ), 0, self::FINGERPRINT_DIGITS );
	}

	/**
	 * One text for one value: what is compared when two values are compared.
	 *
	 * @param mixed $value JSON scalar or list.
	 * @return string
	 */
	public static function canonical( $value ) {
		$json = json_encode( $value, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE ); // phpcs:ignore WordPress.WP.AlternativeFunctions -- Asked for some thirty times per account.
		return false === $json ? (string) wp_json_encode( $value, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE ) : $json;
	}

	/**
	 * Is a value longer than what travels?
	 *
	 * @param mixed $value JSON scalar or list.
	 * @return bool
	 */
	public static function is_too_large( $value ) {
		if ( is_string( $value ) && strlen( $value ) < self::MAX_BYTES / 6 ) {
			// However much of it JSON escapes.
			return false;
		}
		return strlen( self::canonical( $value ) ) > self::MAX_BYTES;
	}

	/**
	 * Are two values the same on the wire?
	 *
	 * @param mixed $a Value.
	 * @param mixed $b Value.
	 * @return bool
	 */
	public static function equal( $a, $b ) {
		return $a === $b || self::canonical( $a ) === self::canonical( $b );
	}

	/**
	 * What a stored meta value is on the wire.
	 *
	 * @param string $stored Raw meta value.
	 * @return array{0:mixed,1:string} Value and reason; the reason is '' when it can travel.
	 */
	public static function from_stored( $stored ) {
		if ( strlen( $stored ) > self::MAX_BYTES ) {
			return array( null, 'value.too_large' );
		}
		// Everything serialised but null has a colon; asked for every row of usermeta.
		if ( ( false === strpos( $stored, ':' ) && 'N;' !== trim( $stored ) ) || ! is_serialized( $stored ) ) {
			return 1 === preg_match( '//u', $stored ) ? array( $stored, '' ) : array( null, 'value.encoding' );
		}
		$trimmed = trim( $stored );
		$value   = @unserialize( $trimmed, array( 'allowed_classes' => false ) ); // phpcs:ignore
		if ( false === $value && 'b:0;' !== $trimmed ) {
			// An enum, a custom object, or something broken: no other site could store it as it is.
			return array( null, 1 === preg_match( '/(?:^|[;{])[OCE]:\d+:"/', $trimmed ) ? 'value.object' : 'value.serialized' );
		}
		$why = self::why_not( $value, self::MAX_DEPTH );
		return '' === $why ? array( $value, '' ) : array( null, $why );
	}

	/**
	 * Why a value can't travel.
	 *
	 * @param mixed $value Any value.
	 * @param int   $depth How many levels of lists may still follow.
	 * @return string Reason code, '' when it can.
	 */
	public static function why_not( $value, $depth = self::MAX_DEPTH ) {
		if ( is_string( $value ) ) {
			if ( 1 !== preg_match( '//u', $value ) ) {
				return 'value.encoding';
			}
			return is_serialized( $value ) ? 'value.serialized' : '';
		}
		if ( is_float( $value ) ) {
			return is_finite( $value ) ? '' : 'value.object';
		}
		if ( is_array( $value ) ) {
			if ( 0 === $depth || ! ( self::is_list( $value ) || self::is_map( $value ) ) ) {
				return 'value.object';
			}
			foreach ( $value as $part ) {
				$why = self::why_not( $part, $depth - 1 );
				if ( '' !== $why ) {
					return $why;
				}
			}
			return '';
		}
		return null === $value || is_bool( $value ) || is_int( $value ) ? '' : 'value.object';
	}

	/**
	 * Is it an array with the keys 0, 1, 2, …? Asked of every array that travels.
	 *
	 * @param mixed $value Any value.
	 * @return bool
	 */
	public static function is_list( $value ) {
		return is_array( $value ) && ( ! $value || array_keys( $value ) === range( 0, count( $value ) - 1 ) );
	}

	/**
	 * Is it an array whose keys are texts that come back as they are? PHP makes numbers of keys that look
	 * like some, and JSON's readers put those first: such an array would arrive in another order.
	 *
	 * @param array $value Array.
	 * @return bool
	 */
	private static function is_map( $value ) {
		foreach ( $value as $key => $part ) {
			if ( ! is_string( $key ) || '__proto__' === $key || 1 !== preg_match( '//u', $key ) ) {
				return false;
			}
		}
		return true;
	}
}
