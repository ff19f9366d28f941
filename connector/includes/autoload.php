<?php
/**
 * Finds the file of a class: `Rollcall_Never_Synced` is `class-rollcall-never-synced.php`.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

spl_autoload_register(
	static function ( $name ) {
		if ( 0 !== strpos( $name, 'Rollcall_' ) ) {
			return;
		}
		$file = __DIR__ . '/class-' . strtolower( str_replace( '_', '-', $name ) ) . '.php';
		if ( is_readable( $file ) ) {
			require_once $file;
		}
	}
);
