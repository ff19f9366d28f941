<?php
/**
 * Looks at many sites of a network in one request.
 *
 * Does: runs something on another site, and lets go of what was read of that site's options: WordPress keeps all
 *   options of every site that was visited, and some hundred sites end the request.
 * Does not: visit the present site; that one runs as it is.
 * Always true: afterwards the request is on the site that it was on.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Visits of sites.
 */
final class Rollcall_Visits {

	/** An object cache of many requests is asked anew no more often than this. */
	const ANEW_S = 2.0;

	/**
	 * When what this process has of an object cache was let go last.
	 *
	 * @var float
	 */
	private static $anew = 0.0;

	/**
	 * Runs something on a site.
	 *
	 * @param int      $blog Site.
	 * @param callable $work What to run.
	 * @return mixed What it gives.
	 */
	public static function to( $blog, $work ) {
		if ( get_current_blog_id() === (int) $blog ) {
			return $work();
		}
		switch_to_blog( $blog );
		try {
			return $work();
		} finally {
			self::let_go();
			restore_current_blog();
		}
	}

	/**
	 * What other requests have changed is seen from here on.
	 *
	 * @return void
	 */
	public static function look_anew() {
		self::$anew = microtime( true );
		if ( ! wp_using_ext_object_cache() || ( function_exists( 'wp_cache_supports' ) && wp_cache_supports( 'flush_runtime' ) ) ) {
			wp_cache_flush_runtime();
		}
	}

	/**
	 * Lets go of the options of the site that is visited. Where an object cache is shared with other requests they
	 * stay there.
	 *
	 * @return void
	 */
	private static function let_go() {
		if ( ! wp_using_ext_object_cache() ) {
			wp_cache_delete( 'alloptions', 'options' );
			wp_cache_delete( 'notoptions', 'options' );
		} elseif ( self::$anew + self::ANEW_S < microtime( true ) ) {
			self::look_anew();
		}
	}
}
