<?php
/**
 * Plugin Name:       Rollcall Connector
 * Description:       Keeps this site's users in step with your other WordPress sites, together with a Rollcall hub.
 * Version:           0.1.0
 * Requires at least: 6.1
 * Requires PHP:      7.4
 * Author:            Rollcall
 * License:           GPL-2.0-or-later
 * License URI:       https://www.gnu.org/licenses/gpl-2.0.html
 * Text Domain:       rollcall-connector
 * Network:           true
 *
 * Does: checks that WordPress and PHP are new enough, loads classes on demand, starts the plugin.
 * Does not: anything else; `Rollcall_Plugin` wires the parts.
 * Always true: on a WordPress or PHP that is too old nothing is loaded and no table is touched.
 * On failure: an administrator reads why in a notice, and the site goes on as before.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

define( 'ROLLCALL_CONNECTOR_VERSION', '0.1.0' );
define( 'ROLLCALL_CONNECTOR_FILE', __FILE__ );
define( 'ROLLCALL_CONNECTOR_MIN_WORDPRESS', '6.1' );
define( 'ROLLCALL_CONNECTOR_MIN_PHP', '7.4' );

if ( version_compare( PHP_VERSION, ROLLCALL_CONNECTOR_MIN_PHP, '<' ) || version_compare( $GLOBALS['wp_version'], ROLLCALL_CONNECTOR_MIN_WORDPRESS, '<' ) ) {
	/**
	 * Tells an administrator why the plugin did not load.
	 */
	function rollcall_connector_too_old() {
		if ( ! current_user_can( 'activate_plugins' ) ) {
			return;
		}
		printf(
			'<div class="notice notice-error"><p>%s</p></div>',
			esc_html(
				sprintf(
					/* translators: 1: WordPress version needed, 2: PHP version needed. */
					__( 'Rollcall Connector needs WordPress %1$s and PHP %2$s or newer. It is not running.', 'rollcall-connector' ),
					ROLLCALL_CONNECTOR_MIN_WORDPRESS,
					ROLLCALL_CONNECTOR_MIN_PHP
				)
			)
		);
	}
	add_action( 'admin_notices', 'rollcall_connector_too_old' );
	add_action( 'network_admin_notices', 'rollcall_connector_too_old' );
	return;
}

require_once __DIR__ . '/includes/autoload.php';

/**
 * For other plugins: says that data of an account changed in a way no WordPress hook shows.
 *
 * Safe to call at any time and any number of times; the account is compared with what was known
 * of it when the request ends, and nothing happens when nothing differs.
 *
 * @param int         $user_id WordPress user id.
 * @param string|null $field   A field of `rollcall_register_field()`, if it is that one alone.
 */
function rollcall_mark_changed( $user_id, $field = null ) {
	Rollcall_Capture::open( (int) $user_id, Rollcall_Ext_Fields::touched( $field ) );
}

/**
 * For other plugins: brings data of accounts that is not user meta as a field `ext:<name>`. It travels along
 * the routes that name it. Call it in every request, on `plugins_loaded` or `init`.
 *
 * @param string $name  Small letters, digits, dots, hyphens and underscores.
 * @param array  $about `read`: callable( int $user_id ), answers a scalar, null or a list, or a WP_Error;
 *                      `apply`: callable( int $user_id, mixed $value ), answers false or a WP_Error when it can't.
 * @return bool False when this is no field; `_doing_it_wrong()` says why.
 */
function rollcall_register_field( $name, $about ) {
	return Rollcall_Ext_Fields::register( $name, $about );
}

register_activation_hook( __FILE__, array( 'Rollcall_Plugin', 'activate' ) );
register_deactivation_hook( __FILE__, array( 'Rollcall_Plugin', 'deactivate' ) );

Rollcall_Plugin::start();
