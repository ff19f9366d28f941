<?php
/**
 * Is a value that comes in one that this site can take?
 *
 * Does: checks one field of an operation by itself: kind of value, size, never-synced keys, password
 * kind, form of an e-mail address, role.
 * Does not: look at the account it is for, or write.
 * Always true: nothing that could unserialise to an object gets past here.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Values of incoming fields.
 */
final class Rollcall_Incoming {

	/** A stamp may be this far ahead: clocks differ, and the offset is measured over a network. */
	const FUTURE_MS = 60000;

	/**
	 * Why a field can't be taken.
	 *
	 * @param string $name  Field name.
	 * @param array  $field { v, s }.
	 * @param int    $blog  Site the operation is for; the current one.
	 * @return string|null Reason code.
	 */
	public static function why_not( $name, $field, $blog ) {
		if ( self::is_future( $field['s'] ) ) {
			return 'stamp.in_future';
		}
		$value = $field['v'];
		if ( 0 === strpos( $name, 'meta:' ) && Rollcall_Never_Synced::is_never( substr( $name, 5 ) ) ) {
			return 'field.never_synced';
		}
		// The rows of a key are a list of their own around each value.
		$why = Rollcall_Values::why_not( $value, Rollcall_Values::MAX_DEPTH + 1 );
		if ( '' !== $why ) {
			return $why;
		}
		if ( Rollcall_Values::is_too_large( $value ) ) {
			return 'value.too_large';
		}
		if ( 0 === strpos( $name, 'role:' ) ) {
			return is_bool( $value ) ? null : 'value.malformed';
		}
		if ( 0 === strpos( $name, 'meta:' ) ) {
			return self::meta( substr( $name, 5 ), $value );
		}
		if ( 0 === strpos( $name, 'ext:' ) ) {
			return Rollcall_Ext_Fields::why_not( $name );
		}
		if ( ! is_string( $value ) || false !== strpos( $value, "\0" ) ) {
			return 'value.malformed';
		}
		if ( 'password' === $name ) {
			return Rollcall_Passwords::can_store( $value ) ? null : 'password.unverifiable';
		}
		if ( 'email' === $name && '' !== $value && ( sanitize_email( $value ) !== $value || ! is_email( $value ) ) ) {
			return 'email.malformed';
		}
		return self::fits_column( $name, $value ) ? null : 'value.malformed';
	}

	/**
	 * Does a stamp lie further ahead than clocks explain?
	 *
	 * @param array $stamp [ms, site key].
	 * @return bool
	 */
	public static function is_future( $stamp ) {
		return $stamp[0] > Rollcall_Settings::now_ms() + self::FUTURE_MS;
	}

	/**
	 * Meta that nobody watches here can't be taken: without a fingerprint Rollcall could not tell later
	 * whether the value is still the one it wrote.
	 *
	 * @param string $key   Meta key.
	 * @param mixed  $value Its list of values.
	 * @return string|null Reason code.
	 */
	private static function meta( $key, $value ) {
		if ( ! Rollcall_Settings::watches( (string) $key ) ) {
			return 'field.not_watched';
		}
		return Rollcall_Values::is_list( $value ) ? Rollcall_Customers::why_not( $key, $value ) : 'value.malformed';
	}

	/**
	 * Would the users table store this text whole? A value too long, or with characters that the
	 * column's charset lacks, makes WordPress drop the whole update without a word.
	 *
	 * @param string $name  Field name.
	 * @param string $value Text.
	 * @return bool
	 */
	private static function fits_column( $name, $value ) {
		global $wpdb;
		if ( ! isset( Rollcall_Fields::CORE_COLUMNS[ $name ] ) ) {
			return true;
		}
		$longest = array(
			'email'        => 100,
			'url'          => 100,
			'display_name' => 250,
		);
		return mb_strlen( $value ) <= $longest[ $name ]
			&& $wpdb->strip_invalid_text_for_column( $wpdb->users, Rollcall_Fields::CORE_COLUMNS[ $name ], $value ) === $value;
	}
}
