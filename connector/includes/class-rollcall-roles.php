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

	/** What was read of another site counts for so long: runs last longer, and a role may come to administer meanwhile. */
	const FRESH_S = 2.0;

	/** So many sites are remembered at once. */
	const MOST = 20;

	/**
	 * What was read of other sites: site => roles, default role, when.
	 *
	 * @var array<int,array{0:array,1:string,2:float}>
	 */
	private static $elsewhere = array();

	/**
	 * The present site's definitions as they were stored when somebody had them read anew.
	 *
	 * @var array<int,array>
	 */
	private static $here = array();

	/**
	 * Roles a site defines.
	 *
	 * @param int $blog Blog id.
	 * @return array<string,array{name:string,capabilities:array}>
	 */
	public static function defined( $blog ) {
		$blog = (int) $blog;
		if ( get_current_blog_id() === $blog ) {
			return isset( self::$here[ $blog ] ) ? array_merge( wp_roles()->roles, self::$here[ $blog ] ) : wp_roles()->roles;
		}
		return self::elsewhere( $blog )[0];
	}

	/**
	 * The role that a site gives whoever registers there.
	 *
	 * @param int $blog Blog id.
	 * @return string
	 */
	public static function default_of( $blog ) {
		return get_current_blog_id() === (int) $blog ? (string) get_option( 'default_role' ) : self::elsewhere( (int) $blog )[1];
	}

	/**
	 * Somebody was asked a question meanwhile: what other requests have changed counts from here on.
	 *
	 * @return void
	 */
	public static function read_anew() {
		global $wpdb;
		Rollcall_Visits::look_anew();
		$roles           = get_option( $wpdb->get_blog_prefix() . 'user_roles' );
		self::$elsewhere = array();
		self::$here      = is_array( $roles ) ? array( get_current_blog_id() => $roles ) : array();
	}

	/**
	 * What another site has stored, past every filter: the plugins of this one don't speak for it.
	 *
	 * @param int $blog Blog id.
	 * @return array{0:array,1:string,2:float}
	 */
	private static function elsewhere( $blog ) {
		global $wpdb;
		$now = microtime( true );
		if ( ! isset( self::$elsewhere[ $blog ] ) || self::$elsewhere[ $blog ][2] + self::FRESH_S < $now ) {
			unset( self::$elsewhere[ $blog ] );
			$prefix = $wpdb->get_blog_prefix( $blog );
			$found  = array();
			// A site that was taken away past WordPress has no tables, and defines none.
			$quiet = $wpdb->suppress_errors();
			foreach ( (array) $wpdb->get_results( $wpdb->prepare( "SELECT option_name, option_value FROM {$prefix}options WHERE option_name IN ( %s, 'default_role' )", "{$prefix}user_roles" ) ) as $row ) { // phpcs:ignore WordPress.DB
				$found[ $row->option_name ] = maybe_unserialize( $row->option_value );
			}
			$wpdb->suppress_errors( $quiet );
			$roles   = isset( $found[ "{$prefix}user_roles" ] ) ? $found[ "{$prefix}user_roles" ] : null;
			$default = isset( $found['default_role'] ) && is_string( $found['default_role'] ) ? $found['default_role'] : '';

			self::$elsewhere          = array_slice( self::$elsewhere, 1 - self::MOST, null, true );
			self::$elsewhere[ $blog ] = array( is_array( $roles ) ? $roles : array(), $default, $now );
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
