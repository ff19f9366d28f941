<?php
/**
 * User meta that never leaves a site and never comes in, whatever the lists say.
 *
 * Does: says of a meta key whether it is such a key.
 * Does not: read or write meta.
 * Always true: capabilities, sessions, credentials and second factors are never synced, under any
 *   site's prefix. The hub's list (hub/src/model/never-synced.ts) is the same.
 * On failure: nothing can fail here.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * The list of what never travels.
 */
final class Rollcall_Never_Synced {

	/** Keys by their full name. Core fields travel as fields, not as meta. */
	const KEYS = array(
		'first_name',
		'last_name',
		'nickname',
		'description',
		'locale',
		'session_tokens',
		'application_passwords',
		'_application_passwords',
		'_new_email',
		'default_password_nag',
		'primary_blog',
		'source_domain',
		'dismissed_wp_pointers',
		'community-events-location',
		'wc_last_active',
		'paying_customer',
		'last_update',
		'_order_count',
		'_money_spent',
		'_last_order',
		'_woocommerce_tracks_anon_id',
		'_woocommerce_load_saved_cart_after_login',
	);

	/** Keys that begin like this. */
	const BEGINNINGS = array(
		'rollcall_',
		'_rollcall_',
		'closedpostboxes_',
		'metaboxhidden_',
		'meta-box-order_',
		'screen_layout_',
		'googleauthenticator_',
		'wfls-',
		'simba_tfa_',
		'tfa_',
		'mo2f_',
		'_woocommerce_persistent_cart',
		'wc_order_count_',
		'wc_money_spent_',
		'wc_last_order_',
	);

	/** Regular expressions over the lower-cased key: under any prefix, and second factors anywhere. */
	const PATTERNS = array(
		'(?:^|_)(?:capabilities|user_level|user-settings(?:-.*)?|user-roles|dashboard_quick_press_last_post_id|persisted_preferences|media_library_mode)$',
		'^manage.*columnshidden$',
		'two[_-]?factor|2fa|totp|backup_codes|webauthn|u2f|passkey',
	);

	/**
	 * Keys that were judged in this request: key => answer. Asked for every field of every account.
	 *
	 * @var array<string,bool>
	 */
	private static $judged = array();

	/**
	 * May this meta key never travel?
	 *
	 * @param string $key Meta key. Compared without regard to case, as the database does.
	 */
	public static function is_never( $key ) {
		$key = (string) $key;
		if ( ! isset( self::$judged[ $key ] ) ) {
			if ( count( self::$judged ) > 1000 ) {
				self::$judged = array();
			}
			self::$judged[ $key ] = self::judge( $key );
		}
		return self::$judged[ $key ];
	}

	/**
	 * Judges a key.
	 *
	 * @param string $key Meta key.
	 */
	private static function judge( $key ) {
		$key = strtolower( trim( $key ) );
		if ( '' === $key || strlen( $key ) > 190 || in_array( $key, self::KEYS, true ) ) {
			return true;
		}
		foreach ( self::BEGINNINGS as $beginning ) {
			if ( 0 === strpos( $key, $beginning ) ) {
				return true;
			}
		}
		foreach ( self::PATTERNS as $pattern ) {
			if ( preg_match( '/' . $pattern . '/', $key ) ) {
				return true;
			}
		}
		// MySQL's collations take accents and some invisible characters for nothing: a key that is
		// not plain could be stored, or read, as one of those above.
		return 1 !== preg_match( '/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/', $key );
	}
}
