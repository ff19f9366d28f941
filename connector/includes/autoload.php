<?php
/**
 * Finds the file of a class: `Rollcall_Never_Synced` is `class-rollcall-never-synced.php`; what begins with
 * `Rollcall_Network_` lies in the folder `network`.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

spl_autoload_register(
	static function ( $name ) {
		if ( 0 !== strpos( $name, 'Rollcall_' ) ) {
			return;
		}
		$room = 0 === strpos( $name, 'Rollcall_Network_' ) ? '/network' : '';
		$file = __DIR__ . $room . '/class-' . strtolower( str_replace( '_', '-', $name ) ) . '.php';
		if ( is_readable( $file ) ) {
			require_once $file;
		}
	}
);
