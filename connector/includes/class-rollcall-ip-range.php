<?php
/**
 * Internet addresses and ranges of them, IPv4 and IPv6.
 *
 * Does: reads an address however a proxy writes it (`203.0.113.9:4711`, `[2001:db8::1]:443`), reads a range
 * (`10.0.0.0/8`, `2001:db8::/32`, or one address), and tells whether the one lies in the other.
 * Does not: ask any name server.
 * Always true: an IPv4 address inside IPv6 (`::ffff:10.0.0.1`) is that IPv4 address.
 * On failure: null; what can't be read lies in no range.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Address arithmetic.
 */
final class Rollcall_Ip_Range {

	/** What stands before an IPv4 address inside IPv6. */
	const MAPPED = "\0\0\0\0\0\0\0\0\0\0\xff\xff";

	/** Bits of MAPPED. */
	const MAPPED_BITS = 96;

	/**
	 * An address, without port, in its shortest form.
	 *
	 * @param string $text As it came.
	 * @return string|null
	 */
	public static function address( $text ) {
		$packed = self::packed( self::without_port( trim( (string) $text ) ) );
		return null === $packed ? null : (string) inet_ntop( $packed );
	}

	/**
	 * A range in its shortest form: its first address, and how many bits all in it share.
	 *
	 * @param string $text As a person typed it.
	 * @return string|null
	 */
	public static function range( $text ) {
		$read = self::read( $text );
		if ( null === $read ) {
			return null;
		}
		list( $packed, $bits ) = $read;
		$first                 = (string) inet_ntop( self::first_bits( $packed, $bits ) );
		return 8 * strlen( $packed ) === $bits ? $first : $first . '/' . $bits;
	}

	/**
	 * Does an address lie in a range?
	 *
	 * @param string      $range   Range.
	 * @param string|null $address Address; null: unknown, which lies nowhere.
	 * @return bool
	 */
	public static function holds( $range, $address ) {
		$read   = self::read( $range );
		$packed = null === $address ? null : self::packed( $address );
		if ( null === $read || null === $packed || strlen( $read[0] ) !== strlen( $packed ) ) {
			return false;
		}
		return self::first_bits( $read[0], $read[1] ) === self::first_bits( $packed, $read[1] );
	}

	/**
	 * First address and number of bits.
	 *
	 * @param string $text Range.
	 * @return array|null
	 */
	private static function read( $text ) {
		if ( ! preg_match( '#^([0-9a-f:.]{2,45})(?:/(\d{1,3}))?$#Di', trim( (string) $text ), $found ) ) {
			return null;
		}
		$packed = self::packed( $found[1] );
		if ( null === $packed ) {
			return null;
		}
		$most = 8 * strlen( $packed );
		$bits = isset( $found[2] ) ? (int) $found[2] : $most;
		if ( isset( $found[2] ) && 32 === $most && false !== strpos( $found[1], ':' ) ) {
			$bits -= self::MAPPED_BITS;
		}
		return $bits >= 0 && $bits <= $most ? array( $packed, $bits ) : null;
	}

	/**
	 * What stands before the port.
	 *
	 * @param string $text Address, perhaps with a port.
	 * @return string
	 */
	private static function without_port( $text ) {
		if ( preg_match( '/^\[([^\]]+)\](?::\d{1,5})?$/D', $text, $found ) || preg_match( '/^([\d.]+):\d{1,5}$/D', $text, $found ) ) {
			return $found[1];
		}
		return $text;
	}

	/**
	 * The bytes of an address: 4 or 16.
	 *
	 * @param string $text Address.
	 * @return string|null
	 */
	private static function packed( $text ) {
		if ( false === filter_var( $text, FILTER_VALIDATE_IP ) ) {
			return null;
		}
		$packed = inet_pton( $text );
		if ( false === $packed ) {
			return null;
		}
		return 16 === strlen( $packed ) && 0 === strpos( $packed, self::MAPPED ) ? substr( $packed, 12 ) : $packed;
	}

	/**
	 * An address of which only the first bits stay.
	 *
	 * @param string $packed Bytes.
	 * @param int    $bits   How many.
	 * @return string
	 */
	private static function first_bits( $packed, $bits ) {
		$kept = '';
		foreach ( str_split( $packed ) as $i => $byte ) {
			$here  = max( 0, min( 8, $bits - 8 * $i ) );
			$kept .= chr( ord( $byte ) & ( 0xff << ( 8 - $here ) & 0xff ) );
		}
		return $kept;
	}
}
