<?php
/**
 * What one life of this installation is known by: kept beside the outbox, and told to the hub.
 *
 * Does: keeps the key of the fingerprints, the name of the outbox's life, and its head.
 * Always true: each is made once, however many requests ask for it first; the head never falls.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * A life.
 */
final class Rollcall_Life {

	/** Key of the fingerprints: the connector's own, never the salts. */
	public static function fingerprint_key() {
		return Rollcall_Facts::once(
			'fingerprint_key',
			static function () {
				return bin2hex( random_bytes( 32 ) );
			}
		);
	}

	/** Names one life of the outbox; another one means that the site was rewound or copied. */
	public static function epoch() {
		return Rollcall_Facts::once(
			'epoch',
			static function () {
				return bin2hex( random_bytes( 8 ) );
			}
		);
	}

	/** Starts another life of the outbox. */
	public static function renew_epoch() {
		Rollcall_Facts::set( 'epoch', bin2hex( random_bytes( 8 ) ) );
	}

	/** How many times something was made ready for the hub; never falls. */
	public static function head() {
		return Rollcall_Facts::counter( 'head' );
	}

	/** Raises the head. */
	public static function next_head() {
		Rollcall_Facts::raise( 'head' );
	}
}
