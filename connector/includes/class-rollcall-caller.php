<?php
/**
 * The address that a request really comes from.
 *
 * Does: takes what the web server says; where that is a declared proxy, reads X-Forwarded-For from the right,
 * past further declared proxies only.
 * Does not: believe any other header, or anything that a caller may have written to the left.
 * On failure: null; an unknown address matches nothing.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * The caller.
 */
final class Rollcall_Caller {

	/**
	 * The address of the present request.
	 *
	 * @return string|null
	 */
	public static function address() {
		// Parsed as addresses below; nothing else of them is used.
		$remote    = isset( $_SERVER['REMOTE_ADDR'] ) ? (string) wp_unslash( $_SERVER['REMOTE_ADDR'] ) : ''; // phpcs:ignore WordPress.Security.ValidatedSanitizedInput
		$forwarded = isset( $_SERVER['HTTP_X_FORWARDED_FOR'] ) ? (string) wp_unslash( $_SERVER['HTTP_X_FORWARDED_FOR'] ) : ''; // phpcs:ignore WordPress.Security.ValidatedSanitizedInput
		return self::of( $remote, $forwarded, Rollcall_Whitelist::proxies() );
	}

	/**
	 * The address behind proxies.
	 *
	 * @param string   $remote    What the web server says.
	 * @param string   $forwarded X-Forwarded-For.
	 * @param string[] $proxies   Ranges of declared proxies.
	 * @return string|null
	 */
	public static function of( $remote, $forwarded, $proxies ) {
		$address = Rollcall_Ip_Range::address( $remote );
		$hops    = '' === trim( $forwarded ) ? array() : array_reverse( explode( ',', $forwarded ) );
		foreach ( $hops as $hop ) {
			if ( null === $address || ! self::is_among( $address, $proxies ) ) {
				break;
			}
			$address = Rollcall_Ip_Range::address( $hop );
		}
		return $address;
	}

	/**
	 * Does an address lie in one of these ranges?
	 *
	 * @param string   $address Address.
	 * @param string[] $ranges  Ranges.
	 * @return bool
	 */
	private static function is_among( $address, $ranges ) {
		foreach ( $ranges as $range ) {
			if ( Rollcall_Ip_Range::holds( $range, $address ) ) {
				return true;
			}
		}
		return false;
	}
}
