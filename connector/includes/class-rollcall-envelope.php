<?php
/**
 * Opens the body of a request, and closes that of its answer.
 *
 * Does: reads plain JSON, or the envelope { "z": gzip( JSON ) }, in base64 or hexadecimal, that passes web
 * application firewalls which refuse plain batches; puts an answer into one.
 * Does not: look at what is in it.
 * Always true: never inflates to more than LIMIT_BYTES, nor to more than PHP has memory for.
 * On failure: a 400 with reason `request.invalid`, or a 413 with `request.too_large` (the hub then sends
 * less at once).
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Request bodies.
 */
final class Rollcall_Envelope {

	/** 64 MB of JSON: far above any batch, far below what would take a host down. */
	const LIMIT_BYTES = 67108864;

	/**
	 * The decoded body, objects as arrays.
	 *
	 * @param string $body   Raw body.
	 * @param bool   $packed Set to whether it came in an envelope.
	 * @return array|WP_Error
	 */
	public static function open( $body, &$packed = false ) {
		wp_raise_memory_limit( 'rollcall' );
		if ( strlen( $body ) > self::limit() ) {
			return self::too_large();
		}
		$data = self::decode( $body );
		if ( is_array( $data ) && array( 'z' ) === array_keys( $data ) && is_string( $data['z'] ) ) {
			if ( ! function_exists( 'gzdecode' ) ) {
				return Rollcall_Rest::error( 'request.invalid', 400, __( 'The PHP of this site lacks zlib, so it can’t read what was packed to pass a firewall.', 'rollcall-connector' ) );
			}
			$packed = true;
			$gzip   = self::bytes( $data['z'] );
			// The last four bytes of gzip are the length of what it holds.
			$length = strlen( $gzip ) > 18 ? unpack( 'V', substr( $gzip, -4 ) )[1] : 0;
			if ( $length > self::limit() ) {
				return self::too_large();
			}
			// phpcs:ignore WordPress.PHP.NoSilencedErrors.Discouraged
			$plain = $length ? @gzdecode( $gzip, self::limit() ) : false;
			$data  = false === $plain ? null : self::decode( $plain );
		}
		if ( ! is_array( $data ) ) {
			return Rollcall_Rest::error( 'request.invalid', 400, __( 'The request is not a JSON object.', 'rollcall-connector' ) );
		}
		return $data;
	}

	/**
	 * Puts an answer into an envelope, so that a firewall which reads answers finds nothing in it either.
	 *
	 * @param array $answer The answer.
	 * @return array As it is, where that can't be done.
	 */
	public static function close( array $answer ) {
		$json = wp_json_encode( $answer );
		$gzip = false !== $json && function_exists( 'gzencode' ) ? gzencode( $json, 6 ) : false;
		return false === $gzip ? $answer : array( 'z' => base64_encode( $gzip ) );
	}

	/**
	 * The bytes of a text. In base64 gzip never looks like hexadecimal: it begins with H4s.
	 *
	 * @param string $text Base64 or hexadecimal.
	 * @return string Empty when it is neither.
	 */
	private static function bytes( $text ) {
		return 1 === preg_match( '/^(?:[0-9a-f]{2})+$/Di', $text ) ? (string) hex2bin( $text ) : (string) base64_decode( $text, true );
	}

	/**
	 * How much JSON this request may hold, in bytes.
	 *
	 * @return int
	 */
	private static function limit() {
		return Rollcall_Limits::room( self::LIMIT_BYTES );
	}

	/**
	 * The refusal of what is too large.
	 *
	 * @return WP_Error
	 */
	private static function too_large() {
		return Rollcall_Rest::error( 'request.too_large', 413, __( 'The request is too large.', 'rollcall-connector' ) );
	}

	/**
	 * Decodes JSON; an empty body is an empty object.
	 *
	 * @param string $json JSON text.
	 * @return mixed
	 */
	private static function decode( $json ) {
		return '' === trim( $json ) ? array() : json_decode( $json, true, 64 );
	}
}
