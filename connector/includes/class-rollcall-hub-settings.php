<?php
/**
 * POST /settings: what the hub lets the connector know.
 *
 * Does: stores site keys, signal, watched meta keys and fields of other plugins, whether first sign-ins are
 * told, clock offset and what administrators are to be told, as far as they are given.
 * Does not: touch the guard: it belongs to this site (Rollcall_Tighten).
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Settings from the hub.
 */
final class Rollcall_Hub_Settings {

	/**
	 * Answers the request.
	 *
	 * @param array $request SettingsRequest.
	 * @return array SettingsAnswer.
	 */
	public static function answer( $request ) {
		$given = array_intersect_key( $request, array_flip( array( 'keys', 'signal', 'meta', 'offset_ms' ) ) );
		if ( $given ) {
			Rollcall_Settings::update( $given );
		}
		if ( isset( $request['sign_ins'] ) ) {
			Rollcall_Standing::watch( $request['sign_ins'] );
		}
		if ( isset( $request['ext'] ) ) {
			Rollcall_Ext_Fields::watch( $request['ext'] );
		}
		if ( array_key_exists( 'notice', $request ) ) {
			Rollcall_Notices::keep( $request['notice'] );
		}
		return array( 'saved' => true );
	}
}
