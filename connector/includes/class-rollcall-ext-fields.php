<?php
/**
 * Fields that other plugins bring: `ext:<name>`, each with its own way to read and to apply.
 *
 * Does: keeps what is registered, reads and applies values, knows which of them the hub asks for.
 * Does not: stamp or merge: they are fields like all others.
 * Always true: only what a route names is read. A field whose plugin is not there, or fails, is not read: that is
 *   no edit, and what was known of it stays.
 * On failure: the field alone is left out (`field.failed`), never the account.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Fields of other plugins.
 */
final class Rollcall_Ext_Fields {

	const PREFIX = 'ext:';

	/** Lower case, so that no two names differ in that alone. */
	const NAME = '/^[a-z0-9][a-z0-9_.-]{0,59}$/D';

	/** Each is read for every account that is looked at. */
	const MOST = 100;

	/** Whole numbers up to here are the same for every end. */
	const SAFE = 9007199254740991;

	/**
	 * Name => read, apply.
	 *
	 * @var array<string,array{read:callable,apply:callable}>
	 */
	private static $fields = array();

	/**
	 * Registers a field.
	 *
	 * @param string $name  Name.
	 * @param array  $about `read` and `apply`.
	 * @return bool Whether it is one.
	 */
	public static function register( $name, $about ) {
		$well = is_string( $name ) && preg_match( self::NAME, $name ) && is_array( $about ) && isset( $about['read'], $about['apply'] ) && is_callable( $about['read'] ) && is_callable( $about['apply'] );
		if ( ! $well || ( count( self::$fields ) >= self::MOST && ! isset( self::$fields[ $name ] ) ) ) {
			_doing_it_wrong( 'rollcall_register_field', esc_html__( 'A field needs a name of small letters, digits, dots, hyphens and underscores, and callbacks “read” and “apply”.', 'rollcall-connector' ), '0.1.0' );
			return false;
		}
		self::$fields[ $name ] = array(
			'read'  => $about['read'],
			'apply' => $about['apply'],
		);
		return true;
	}

	/**
	 * What is registered, for the hub.
	 *
	 * @return string[]
	 */
	public static function names() {
		return array_map( 'strval', array_keys( self::$fields ) );
	}

	/**
	 * The hub says which fields its routes name.
	 *
	 * @param string[] $names With or without prefix; others than ours are not meant.
	 * @return void
	 */
	public static function watch( array $names ) {
		$wanted = array();
		foreach ( $names as $name ) {
			$name = 0 === strpos( $name, self::PREFIX ) ? substr( $name, strlen( self::PREFIX ) ) : $name;
			if ( preg_match( self::NAME, $name ) && count( $wanted ) < self::MOST ) {
				$wanted[] = $name;
			}
		}
		$change = array( 'ext' => array_values( array_unique( $wanted ) ) );
		if ( array_diff( $wanted, Rollcall_Settings::ext() ) ) {
			// Whoever is saved next is read before: the change must be told from what was there.
			$change['generation'] = Rollcall_Settings::generation() + 1;
		}
		Rollcall_Settings::update( $change );
	}

	/**
	 * Those that are registered here and asked for.
	 *
	 * @return string[]
	 */
	public static function watched() {
		return self::$fields ? array_values( array_intersect( Rollcall_Settings::ext(), self::names() ) ) : array();
	}

	/**
	 * Field names to be taken for changed when a plugin says that something did.
	 *
	 * @param string|null $name Field, with or without prefix; null: any of them.
	 * @return string[]
	 */
	public static function touched( $name = null ) {
		$touched = array();
		foreach ( self::watched() as $one ) {
			if ( null === $name || $name === $one || self::PREFIX . $one === $name ) {
				$touched[] = self::PREFIX . $one;
			}
		}
		return $touched;
	}

	/**
	 * Adds the values of accounts.
	 *
	 * @param array<int,array> $read As `Rollcall_Fields::read()` answers them.
	 * @return void
	 */
	public static function read_into( array &$read ) {
		foreach ( self::watched() as $name ) {
			foreach ( $read as $id => &$one ) {
				list( $value, $why ) = self::value( $name, (int) $id );
				if ( '' === $why ) {
					$one['fields'][ self::PREFIX . $name ] = $value;
				} else {
					$one['unreadable'][ self::PREFIX . $name ] = $why;
				}
			}
			unset( $one );
		}
	}

	/**
	 * Why a field that comes in is not taken.
	 *
	 * @param string $field Field name.
	 * @return string|null Reason code.
	 */
	public static function why_not( $field ) {
		$name = substr( $field, strlen( self::PREFIX ) );
		if ( ! isset( self::$fields[ $name ] ) ) {
			return 'field.unknown';
		}
		return in_array( $name, Rollcall_Settings::ext(), true ) ? null : 'field.not_watched';
	}

	/**
	 * Hands a value to its plugin.
	 *
	 * @param int    $id    Account.
	 * @param string $field Field name.
	 * @param mixed  $value JSON scalar or list.
	 * @return bool Whether the plugin took it, and can say what it holds now.
	 */
	public static function apply( $id, $field, $value ) {
		$name = substr( $field, strlen( self::PREFIX ) );
		list( $ended, $said ) = Rollcall_Callbacks::call( $field, self::$fields[ $name ]['apply'], array( (int) $id, $value ) );
		if ( ! $ended || false === $said || is_wp_error( $said ) ) {
			return false;
		}
		return '' === self::value( $name, (int) $id )[1];
	}

	/**
	 * One value.
	 *
	 * @param string $name Name.
	 * @param int    $id   Account.
	 * @return array{0:mixed,1:string} Value and reason; the reason is '' when it can travel.
	 */
	private static function value( $name, $id ) {
		$read = self::$fields[ $name ]['read'];
		// What a plugin writes while it is asked would have us look at the account again, and ask again.
		list( $ended, $value ) = Rollcall_Capture::quiet(
			static function () use ( $name, $read, $id ) {
				return Rollcall_Callbacks::call( self::PREFIX . $name, $read, array( $id ) );
			}
		);
		if ( ! $ended || is_wp_error( $value ) ) {
			return array( null, 'field.failed' );
		}
		$value = self::plain( $value );
		$why   = Rollcall_Values::why_not( $value );
		if ( '' === $why && Rollcall_Values::is_too_large( $value ) ) {
			$why = 'value.too_large';
		}
		return array( $value, $why );
	}

	/**
	 * A whole number is one, however PHP keeps it: “5.0” comes back as 5 from anywhere else.
	 *
	 * @param mixed $value Value.
	 * @return mixed
	 */
	private static function plain( $value ) {
		if ( is_array( $value ) ) {
			return array_map( array( __CLASS__, 'plain' ), $value );
		}
		return is_float( $value ) && floor( $value ) === $value && abs( $value ) <= self::SAFE ? (int) $value : $value;
	}
}
