<?php
/**
 * What sign-in cookies of the current site look like, on a network.
 *
 * Does: tells the constants as they are in effect for the very site that was asked, so that a hub sees where one
 *   sign-in does not count for all sites, or where nobody can sign in at all.
 * Does not: tell keys, salts, or anything of a cookie's value.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Facts of cookies.
 */
final class Rollcall_Cookie_Facts {

	/**
	 * The facts.
	 *
	 * @return array
	 */
	public static function here() {
		$domain = defined( 'COOKIE_DOMAIN' ) ? (string) COOKIE_DOMAIN : '';
		return array(
			'subdomains' => is_subdomain_install(),
			'network'    => (string) get_network()->domain,
			'domain'     => '' === $domain ? null : $domain,
			'path'       => self::constant( 'COOKIEPATH' ),
			'site_path'  => self::constant( 'SITECOOKIEPATH' ),
			'admin_path' => self::constant( 'ADMIN_COOKIE_PATH' ),
			'home'       => self::path( home_url( '/' ) ),
			'admin'      => self::path( admin_url() ),
			// Part of the name of every cookie; two that differ are not read by each other's site.
			'name'       => md5( self::constant( 'COOKIEHASH' ) ),
		);
	}

	/**
	 * A constant, as text.
	 *
	 * @param string $name Name.
	 * @return string
	 */
	private static function constant( $name ) {
		return defined( $name ) ? (string) constant( $name ) : '';
	}

	/**
	 * Path of an address.
	 *
	 * @param string $url Address.
	 * @return string
	 */
	private static function path( $url ) {
		return trailingslashit( (string) wp_parse_url( $url, PHP_URL_PATH ) );
	}
}
