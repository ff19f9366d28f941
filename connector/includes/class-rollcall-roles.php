<?php
/**
 * Which roles a site defines, and where memberships are stored.
 *
 * Does: reads a site's role definitions and names the meta keys that hold capabilities.
 * Does not: read anybody's memberships.
 * Always true: the present site's roles are taken live, with what plugins added in this request.
 * On failure: a site whose definitions can't be read has none.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Roles by site.
 */
final class Rollcall_Roles {

	/**
	 * Definitions of other sites of the network, read once per request.
	 *
	 * @var array<int,array>
	 */
	private static $elsewhere = array();

	/**
	 * Roles a site defines.
	 *
	 * @param int $blog Blog id.
	 * @return array<string,array{name:string,capabilities:array}>
	 */
	public static function defined( $blog ) {
		if ( get_current_blog_id() === (int) $blog ) {
			return wp_roles()->roles;
		}
		if ( ! isset( self::$elsewhere[ $blog ] ) ) {
			global $wpdb;
			// A site that was taken away past WordPress has no tables, and defines none.
			$quiet = $wpdb->suppress_errors();
			$roles = get_blog_option( (int) $blog, $wpdb->get_blog_prefix( (int) $blog ) . 'user_roles' );
			$wpdb->suppress_errors( $quiet );
			self::$elsewhere[ $blog ] = is_array( $roles ) ? $roles : array();
		}
		return self::$elsewhere[ $blog ];
	}

	/**
	 * The usermeta key that holds a site's memberships.
	 *
	 * @param int $blog Blog id.
	 */
	public static function caps_key( $blog ) {
		global $wpdb;
		return $wpdb->get_blog_prefix( (int) $blog ) . 'capabilities';
	}

	/**
	 * The site a capabilities key belongs to.
	 *
	 * @param string $meta_key Meta key.
	 * @return int Blog id, 0 when the key is no such key.
	 */
	public static function blog_of_caps_key( $meta_key ) {
		global $wpdb;
		if ( ! is_multisite() ) {
			return $wpdb->prefix . 'capabilities' === $meta_key ? 1 : 0;
		}
		$pattern = '/^' . preg_quote( $wpdb->base_prefix, '/' ) . '(?:([1-9]\d*)_)?capabilities$/';
		if ( ! preg_match( $pattern, $meta_key, $found ) ) {
			return 0;
		}
		// The key without a number is that of site 1, whichever is the main one.
		$blog = isset( $found[1] ) ? (int) $found[1] : 1;
		return self::caps_key( $blog ) === $meta_key ? $blog : 0;
	}
}
