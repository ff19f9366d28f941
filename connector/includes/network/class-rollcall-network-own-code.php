<?php
/**
 * Plugins and themes that are active on one site alone: a process of another site has not loaded them, so they
 * don't hear what it writes there.
 *
 * Does: tells whether a site loads code that this process has not.
 * Does not: load any of it. Plugins of the whole network are loaded everywhere.
 * Always true: judged by the files that PHP has read, not by settings that may have changed since.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Code of one site.
 */
final class Rollcall_Network_Own_Code {

	/**
	 * Does a site load code that this process has not?
	 *
	 * @param int $blog Site.
	 * @return bool
	 */
	public static function of( $blog ) {
		$loaded = array_flip( get_included_files() );
		foreach ( self::files( (int) $blog ) as $file ) {
			$real = realpath( $file );
			if ( false !== $real && ! isset( $loaded[ $real ] ) ) {
				return true;
			}
		}
		return false;
	}

	/**
	 * The files that WordPress would load for the site: what is missing on disk it leaves out as well.
	 *
	 * @param int $blog Site.
	 * @return string[]
	 */
	private static function files( $blog ) {
		$files  = array();
		$active = Rollcall_Visits::to(
			$blog,
			static function () {
				return array_map( 'get_option', array( 'active_plugins', 'stylesheet', 'template' ) );
			}
		);
		foreach ( is_array( $active[0] ) ? $active[0] : array() as $plugin ) {
			if ( is_string( $plugin ) && 0 === validate_file( $plugin ) && '.php' === substr( $plugin, -4 ) ) {
				$files[] = WP_PLUGIN_DIR . '/' . $plugin;
			}
		}
		foreach ( array( $active[1], $active[2] ) as $theme ) {
			$theme = (string) $theme;
			if ( '' !== $theme && 0 === validate_file( $theme ) ) {
				$files[] = get_theme_root( $theme ) . '/' . $theme . '/functions.php';
			}
		}
		return $files;
	}
}
