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
 * @param int $user_id WordPress user id.
 */
function rollcall_mark_changed( $user_id ) {
	Rollcall_Capture::mark( (int) $user_id );
}

register_activation_hook( __FILE__, array( 'Rollcall_Plugin', 'activate' ) );
register_deactivation_hook( __FILE__, array( 'Rollcall_Plugin', 'deactivate' ) );

Rollcall_Plugin::start();
