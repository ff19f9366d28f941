<?php
/**
 * Other WordPress installations over this very users table (CUSTOM_USER_TABLE): one account store, several sites.
 *
 * Does: lets one of them be bound, since outbox and ledger beside the users table have one reader; tells whether
 *   somebody has power, or roles, on another one.
 * Does not: write anything of another installation.
 * Always true: only what lies in this database is known. What is left of an installation whose tables are gone
 *   counts for nothing.
 * On failure: an installation that can't be looked at is taken for one that lives.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Neighbours over one users table.
 */
final class Rollcall_Neighbours {

	/**
	 * Beside the users table: the table in which the installation that is bound keeps its settings, and the name of
	 * the users table then. A copy has another one, and what is noted there means nothing.
	 */
	const FACT = 'bound_in';

	/** What every key of a membership ends with. */
	const ENDING = 'capabilities';

	/**
	 * Role => capabilities of each prefix that was asked for; null: no installation has it.
	 *
	 * @var array<string,array|null>
	 */
	private static $roles = array();

	/**
	 * Logins of those who administer the network that a prefix is of.
	 *
	 * @var array<string,string[]>
	 */
	private static $super_admins = array();

	/**
	 * This installation is to be bound, or is.
	 *
	 * @return string|null Null: its own. Else the home of another one that is bound already.
	 */
	public static function claim() {
		$here = self::here();
		Rollcall_Facts::keep( self::FACT, $here );
		$home = self::home_of_another();
		if ( null === $home && Rollcall_Facts::get( self::FACT ) !== $here ) {
			Rollcall_Facts::set( self::FACT, $here );
		}
		return $home;
	}

	/**
	 * Is another installation over this users table bound?
	 *
	 * @return bool
	 */
	public static function another_is_bound() {
		return null !== self::home_of_another();
	}

	/**
	 * This users table is a copy: whoever was bound over the original is not over this one.
	 *
	 * @return void
	 */
	public static function forget() {
		Rollcall_Facts::delete( self::FACT );
	}

	/**
	 * Does a membership elsewhere give power over the installation that it is of?
	 *
	 * @param string $key    Meta key that ends with `capabilities`, of no site of this installation.
	 * @param string $stored Raw meta value.
	 * @param int    $id     Account.
	 * @return bool
	 */
	public static function gives_power( $key, $stored, $id ) {
		$roles = self::roles_of( $key );
		if ( null === $roles ) {
			return false;
		}
		$caps = Rollcall_Privilege::stored_caps( $stored );
		if ( null === $caps || Rollcall_Privilege::caps_are_privileged( $caps ) ) {
			return true;
		}
		foreach ( array_keys( $caps ) as $role ) {
			if ( isset( $roles[ $role ]['capabilities'] ) && Rollcall_Privilege::caps_are_privileged( (array) $roles[ $role ]['capabilities'] ) ) {
				return true;
			}
		}
		return self::is_super_admin( $key, $id );
	}

	/**
	 * Does somebody administer the network that a key is of?
	 *
	 * @param string $key Meta key.
	 * @param int    $id  Account.
	 * @return bool
	 */
	private static function is_super_admin( $key, $id ) {
		global $wpdb;
		$base = preg_replace( '/(?<=_)\d+_$/D', '', substr( $key, 0, -strlen( self::ENDING ) ) );
		if ( ! isset( self::$super_admins[ $base ] ) ) {
			self::$super_admins[ $base ] = array_map( 'strtolower', array_filter( (array) self::option_beside( $base . 'sitemeta', 'site_admins' ), 'is_string' ) );
		}
		if ( ! self::$super_admins[ $base ] ) {
			return false;
		}
		$login = $wpdb->get_var( $wpdb->prepare( "SELECT user_login FROM {$wpdb->users} WHERE ID = %d", $id ) ); // phpcs:ignore WordPress.DB
		return in_array( strtolower( (string) $login ), self::$super_admins[ $base ], true );
	}

	/**
	 * Has an account a membership of another installation?
	 *
	 * @param int $id Account.
	 * @return bool
	 */
	public static function have_member( $id ) {
		global $wpdb;
		$rows = $wpdb->get_results( $wpdb->prepare( "SELECT meta_key, meta_value FROM {$wpdb->usermeta} WHERE user_id = %d AND meta_key LIKE %s", $id, '%' . self::ENDING ) ); // phpcs:ignore WordPress.DB
		foreach ( $rows as $row ) {
			if ( ! Rollcall_Roles::blog_of_caps_key( $row->meta_key ) && null !== self::roles_of( $row->meta_key ) && array() !== Rollcall_Privilege::stored_caps( (string) $row->meta_value ) ) {
				return true;
			}
		}
		return false;
	}

	/**
	 * Roles of the installation that a key is of.
	 *
	 * @param string $key Meta key.
	 * @return array|null Null: there is none such.
	 */
	private static function roles_of( $key ) {
		global $wpdb;
		$prefix = substr( $key, 0, -strlen( self::ENDING ) );
		if ( ! array_key_exists( $prefix, self::$roles ) ) {
			// What a site of this network has left behind is of no other installation.
			$former = is_multisite() && preg_match( '/^' . preg_quote( $wpdb->base_prefix, '/' ) . '\d+_$/D', $prefix );
			self::$roles[ $prefix ] = ! $former && preg_match( '/^[A-Za-z0-9_]+$/D', $prefix ) ? self::option_beside( $prefix . 'options', $prefix . 'user_roles' ) : null;
		}
		return self::$roles[ $prefix ];
	}

	/**
	 * Where another installation over this users table is bound.
	 *
	 * @return string|null Null: none is.
	 */
	private static function home_of_another() {
		$holder = (string) Rollcall_Facts::get( self::FACT );
		$parts  = explode( ' ', $holder );
		if ( self::here() === $holder || ! isset( $parts[1] ) || self::users_table() !== $parts[1] ) {
			return null;
		}
		$settings = self::option( $parts[0], Rollcall_Settings::OPTION );
		if ( false === $settings ) {
			return $parts[0];
		}
		if ( ! is_array( $settings ) || empty( $settings['hub_id'] ) ) {
			return null;
		}
		return Rollcall_Home::decode( isset( $settings['home'] ) ? (string) $settings['home'] : $parts[0] );
	}

	/**
	 * An option of another installation, past every cache.
	 *
	 * @param string $table Table of options, or of a network's, with its database.
	 * @param string $name  Option.
	 * @return mixed Null: there is none, or no such table; false: it can't be looked at.
	 */
	private static function option( $table, $name ) {
		global $wpdb;
		if ( ! preg_match( '/^([\w$-]+)\.([\w$]+)$/D', $table, $part ) ) {
			return null;
		}
		$keys  = 'sitemeta' === substr( $table, -8 ) ? array( 'meta_key', 'meta_value' ) : array( 'option_name', 'option_value' );
		$quiet = $wpdb->suppress_errors( true );
		try {
			$there = $wpdb->get_var( $wpdb->prepare( "SHOW TABLES FROM `{$part[1]}` LIKE %s", $wpdb->esc_like( $part[2] ) ) ); // phpcs:ignore WordPress.DB
			if ( null === $there ) {
				// In a database of others, where it may not be looked for, nobody knows.
				return DB_NAME === $part[1] ? null : false;
			}
			$raw = $wpdb->get_var( $wpdb->prepare( "SELECT {$keys[1]} FROM `{$part[1]}`.`{$part[2]}` WHERE {$keys[0]} = %s", $name ) ); // phpcs:ignore WordPress.DB
		} finally {
			$wpdb->suppress_errors( $quiet );
		}
		return is_serialized( $raw ) ? @unserialize( $raw, array( 'allowed_classes' => false ) ) : $raw; // phpcs:ignore
	}

	/**
	 * An option of an installation whose tables begin so, in this database or in that of the users table.
	 *
	 * @param string $table Table.
	 * @param string $name  Option.
	 * @return array|null
	 */
	private static function option_beside( $table, $name ) {
		foreach ( array_unique( array( DB_NAME, (string) strstr( self::users_table(), '.', true ) ) ) as $database ) {
			$found = self::option( $database . '.' . $table, $name );
			if ( is_array( $found ) ) {
				return $found;
			}
		}
		return null;
	}

	/**
	 * This installation, as it is noted.
	 *
	 * @return string
	 */
	private static function here() {
		global $wpdb;
		return DB_NAME . '.' . ( is_multisite() ? $wpdb->sitemeta : $wpdb->options ) . ' ' . self::users_table();
	}

	/**
	 * The users table, with its database.
	 *
	 * @return string
	 */
	private static function users_table() {
		global $wpdb;
		return false === strpos( $wpdb->users, '.' ) ? DB_NAME . '.' . $wpdb->users : str_replace( '`', '', $wpdb->users );
	}
}
