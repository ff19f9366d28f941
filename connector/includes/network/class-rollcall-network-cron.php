<?php
/**
 * Long work goes on on WP-Cron.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Cron.
 */
final class Rollcall_Network_Cron {

	/**
	 * There is something to do.
	 *
	 * @return void
	 */
	public static function wake() {
	}
}
