<?php
/**
 * What a network's administrators have set about memberships inside it.
 *
 * Does: keeps the settings in the network's own options; refuses what it doesn't know.
 * Does not: judge who may change them; whoever calls does, with `loosens()`.
 * Always true: all triggers are off until somebody switches them on; each network has its own; of two
 *   requests that change different settings at once both are kept.
 * On failure: a WP_Error with a sentence, and nothing is changed.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Settings of a network.
 */
final class Rollcall_Network_Settings {

	const OPTION = 'rollcall_network';

	/** Longest list, and longest name of a role. */
	const MOST_ROLES = 100;
	const MOST_SITES = 10000;
	const ROLE_CHARS = 190;

	const DEFAULTS = array(
		'new_account'      => false,
		'new_site'         => false,
		'role_change'      => false,
		'role_sites'       => 'existing',
		'privileged_roles' => array(),
		'excluded'         => array(),
		'site_admins'      => false,
	);

	/**
	 * The settings of a network.
	 *
	 * @param int $network Network.
	 * @return array See DEFAULTS.
	 */
	public static function of( $network ) {
		return self::with_defaults( get_network_option( (int) $network, self::OPTION ) );
	}

	/**
	 * The same past every cache: a run lasts longer than a setting may.
	 *
	 * @param int $network Network.
	 * @return array
	 * @throws RuntimeException When they can't be read: an exclusion that is not known of is no permission.
	 */
	public static function fresh( $network ) {
		return self::with_defaults( maybe_unserialize( Rollcall_Option_Row::certain( self::OPTION, (int) $network ) ) );
	}

	/**
	 * Changes some of them. Of two requests that change the same list at once both are kept.
	 *
	 * @param int   $network Network.
	 * @param array $part    Those that change.
	 * @param array $lists   Lists that are added to and taken from: name => what shall stand in it, what shall not.
	 * @return array|WP_Error All of them, as they are now.
	 */
	public static function change( $network, array $part, array $lists = array() ) {
		$network = (int) $network;
		if ( ! get_network( $network ) ) {
			return self::refused( __( 'There is no such network.', 'rollcall-connector' ) );
		}
		foreach ( $part as $name => $value ) {
			$wrong = self::wrong( $network, (string) $name, $value );
			if ( null !== $wrong ) {
				return self::refused( $wrong );
			}
			$part[ $name ] = is_array( $value ) ? array_values( array_unique( $value ) ) : $value;
		}
		foreach ( $lists as $name => $list ) {
			$wrong = self::wrong( $network, (string) $name, array_values( $list[0] ) );
			if ( null !== $wrong ) {
				return self::refused( $wrong );
			}
		}
		$before = self::fresh( $network );
		Rollcall_Option_Row::change(
			self::OPTION,
			static function ( array $stored ) use ( $part, $lists ) {
				$all = array_merge( self::with_defaults( $stored ), $part );
				foreach ( $lists as $name => $list ) {
					$all[ $name ] = array_values( array_unique( array_merge( array_diff( $all[ $name ], $list[1] ), $list[0] ) ) );
				}
				return $all;
			},
			$network
		);
		$now = self::fresh( $network );
		Rollcall_Network_Triggers::settings_changed( $network, $before, $now );
		return $now;
	}

	/**
	 * Adds to one of the lists and takes from it.
	 *
	 * @param int    $network Network.
	 * @param string $name    privileged_roles or excluded.
	 * @param array  $add     What shall stand in it.
	 * @param array  $remove  What shall not.
	 * @return array|WP_Error All settings, as they are now.
	 */
	public static function amend( $network, $name, array $add, array $remove ) {
		return self::change( $network, array(), array( $name => array( $add, $remove ) ) );
	}

	/**
	 * Which of some changes would loosen what holds? A hub may switch triggers and tighten, no more.
	 *
	 * @param int   $network Network.
	 * @param array $part    Settings that are to change.
	 * @return string[] Names of the settings.
	 */
	public static function loosens( $network, array $part ) {
		$now   = self::fresh( $network );
		$loose = array();
		if ( isset( $part['privileged_roles'] ) && array_diff( (array) $part['privileged_roles'], $now['privileged_roles'] ) ) {
			$loose[] = 'privileged_roles';
		}
		if ( isset( $part['excluded'] ) && array_diff( $now['excluded'], (array) $part['excluded'] ) ) {
			$loose[] = 'excluded';
		}
		if ( ! empty( $part['site_admins'] ) && ! $now['site_admins'] ) {
			$loose[] = 'site_admins';
		}
		return $loose;
	}

	/**
	 * Forgets the settings of every network.
	 *
	 * @return void
	 */
	public static function erase() {
		if ( ! is_multisite() ) {
			return;
		}
		foreach ( get_networks( array( 'fields' => 'ids', 'number' => 0 ) ) as $network ) { // phpcs:ignore WordPress.Arrays
			foreach ( array( self::OPTION, Rollcall_Network_Marks::OPTION, Rollcall_Network_Errand::OPTION, Rollcall_Network_Unheard::OPTION ) as $option ) {
				delete_network_option( $network, $option );
			}
		}
	}

	/**
	 * Is any trigger on?
	 *
	 * @param array $settings Settings.
	 * @return bool
	 */
	public static function any_trigger( array $settings ) {
		return $settings['new_account'] || $settings['new_site'] || $settings['role_change'];
	}

	/**
	 * What is wrong with a value, for people.
	 *
	 * @param int    $network Network.
	 * @param string $name    Setting.
	 * @param mixed  $value   Its value.
	 * @return string|null
	 */
	private static function wrong( $network, $name, $value ) {
		if ( ! array_key_exists( $name, self::DEFAULTS ) ) {
			/* translators: %s: name of a setting. */
			return sprintf( __( 'There is no setting “%s”.', 'rollcall-connector' ), $name );
		}
		switch ( $name ) {
			case 'role_sites':
				/* translators: %s: name of a setting. */
				return in_array( $value, array( 'existing', 'all' ), true ) ? null : sprintf( __( '“%s” is “existing” or “all”.', 'rollcall-connector' ), $name );
			case 'privileged_roles':
				return self::are_roles( $value ) ? null : __( 'Privileged roles are a list of names of roles.', 'rollcall-connector' );
			case 'excluded':
				return self::are_sites( $network, $value ) ? null : __( 'Excluded sites are a list of ids of sites of this network.', 'rollcall-connector' );
		}
		/* translators: %s: name of a setting. */
		return is_bool( $value ) ? null : sprintf( __( '“%s” is on or off.', 'rollcall-connector' ), $name );
	}

	/**
	 * Could these be names of roles?
	 *
	 * @param mixed $value Value.
	 * @return bool
	 */
	private static function are_roles( $value ) {
		if ( ! is_array( $value ) || count( $value ) > self::MOST_ROLES ) {
			return false;
		}
		foreach ( $value as $role ) {
			if ( ! is_string( $role ) || '' === $role || strlen( $role ) > self::ROLE_CHARS || 1 !== preg_match( '//u', $role ) ) {
				return false;
			}
		}
		return true;
	}

	/**
	 * Are these ids of sites of the network?
	 *
	 * @param int   $network Network.
	 * @param mixed $value   Value.
	 * @return bool
	 */
	private static function are_sites( $network, $value ) {
		if ( ! is_array( $value ) || count( $value ) > self::MOST_SITES ) {
			return false;
		}
		foreach ( $value as $blog ) {
			if ( ! is_int( $blog ) ) {
				return false;
			}
		}
		// One that has ended since may still be named.
		return ! array_diff( $value, Rollcall_Network_Sites::ids( $network ), self::fresh( $network )['excluded'] );
	}

	/**
	 * What is stored, with defaults for what is missing or of the wrong kind.
	 *
	 * @param mixed $stored The option.
	 * @return array
	 */
	private static function with_defaults( $stored ) {
		$all = self::DEFAULTS;
		foreach ( is_array( $stored ) ? $all : array() as $name => $default ) {
			if ( isset( $stored[ $name ] ) && gettype( $default ) === gettype( $stored[ $name ] ) ) {
				$all[ $name ] = $stored[ $name ];
			}
		}
		return $all;
	}

	/**
	 * A refusal.
	 *
	 * @param string $sentence Why.
	 * @return WP_Error
	 */
	private static function refused( $sentence ) {
		return Rollcall_Rest::error( 'request.invalid', 400, $sentence );
	}
}
