<?php
/**
 * Where this installation stands, and where it stood when it was connected.
 *
 * Does: compares the two; writes addresses so that a search-replace over the database doesn't find them.
 * Does not: decide what a move means (Rollcall_Address).
 * Always true: where it stands is read from the database, past filters and caches: a copy under another address
 *   is seen.
 * On failure: what can't be read matches no home.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Home.
 */
final class Rollcall_Home {

	/** The home this installation was connected on, '' when never. */
	public static function connected() {
		return self::decode( Rollcall_Settings::stored_home() );
	}

	/**
	 * A home as it is stored: a search-replace over the database, as copies and moves make it, does not
	 * find it.
	 *
	 * @param string $home Home.
	 */
	public static function encode( $home ) {
		return '' === $home ? '' : 'hex:' . bin2hex( $home );
	}

	/**
	 * A home that was stored. What can't be read matches no home.
	 *
	 * @param string $stored What `encode()` made.
	 */
	public static function decode( $stored ) {
		return preg_match( '/^hex:((?:[0-9a-f]{2})+)$/', $stored, $found ) ? (string) hex2bin( $found[1] ) : $stored;
	}

	/** Is this still the installation that was connected, or a copy of it? */
	public static function matches() {
		return '' === self::connected() || self::connected() === self::now();
	}

	/** The raw `home` option of the main site, without scheme and www. */
	public static function now() {
		global $wpdb;
		$prefix = is_multisite() ? $wpdb->get_blog_prefix( Rollcall_Shared_Option::main_site() ) : $wpdb->prefix;
		$home   = (string) $wpdb->get_var( "SELECT option_value FROM {$prefix}options WHERE option_name = 'home'" ); // phpcs:ignore WordPress.DB
		return self::bare( $home );
	}

	/**
	 * A home without scheme and www.
	 *
	 * @param string $home Home.
	 */
	public static function bare( $home ) {
		return untrailingslashit( strtolower( preg_replace( '#^(https?:)?//(www\.)?#i', '', trim( $home ) ) ) );
	}
}
