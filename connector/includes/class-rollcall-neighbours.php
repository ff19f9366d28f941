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

	/** Beside the users table: the table in which the installation that is bound keeps its settings. */
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
		$holder = (string) Rollcall_Facts::get( self::FACT );
		$home   = $here === $holder ? null : self::home_if_bound( $holder );
		if ( null === $home ) {
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
		$holder = (string) Rollcall_Facts::get( self::FACT );
		return ! in_array( $holder, array( '', self::here() ), true ) && null !== self::home_if_bound( $holder );
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
			$logins = self::option( $base . 'sitemeta', 'site_admins' );

			self::$super_admins[ $base ] = array_map( 'strtolower', array_filter( is_array( $logins ) ? $logins : array(), 'is_string' ) );
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
			$stored = ! $former && preg_match( '/^[A-Za-z0-9_]+$/D', $prefix ) ? self::option( $prefix . 'options', $prefix . 'user_roles' ) : null;

			self::$roles[ $prefix ] = is_array( $stored ) ? $stored : null;
		}
		return self::$roles[ $prefix ];
	}

	/**
	 * Where an installation is bound.
	 *
	 * @param string $table Table of its settings.
	 * @return string|null Null: it isn't.
	 */
	private static function home_if_bound( $table ) {
		$settings = self::option( $table, Rollcall_Settings::OPTION );
		if ( false === $settings ) {
			return $table;
		}
		if ( ! is_array( $settings ) || empty( $settings['hub_id'] ) ) {
			return null;
		}
		return Rollcall_Home::decode( isset( $settings['home'] ) ? (string) $settings['home'] : $table );
	}

	/**
	 * An option of another installation, past every cache.
	 *
	 * @param string $table Table of options, or of a network's; with its database where that is another one.
	 * @param string $name  Option.
	 * @return mixed Null: there is none, or no such table; false: it can't be looked at.
	 */
	private static function option( $table, $name ) {
		global $wpdb;
		if ( ! preg_match( '/^(?:([\w$-]+)\.)?([\w$]+)$/D', $table, $part ) ) {
			return null;
		}
		$from  = '' === $part[1] ? '' : "FROM `{$part[1]}` ";
		$keys  = 'sitemeta' === substr( $table, -8 ) ? array( 'meta_key', 'meta_value' ) : array( 'option_name', 'option_value' );
		$quiet = $wpdb->suppress_errors( true );
		try {
			$there = $wpdb->get_var( $wpdb->prepare( "SHOW TABLES {$from}LIKE %s", $wpdb->esc_like( $part[2] ) ) ); // phpcs:ignore WordPress.DB
			if ( null === $there ) {
				// Where it may not be looked for nobody knows.
				return '' === $from ? null : false;
			}
			$raw = $wpdb->get_var( $wpdb->prepare( 'SELECT ' . $keys[1] . ' FROM `' . str_replace( '.', '`.`', $table ) . '` WHERE ' . $keys[0] . ' = %s', $name ) ); // phpcs:ignore WordPress.DB
		} finally {
			$wpdb->suppress_errors( $quiet );
		}
		return is_serialized( $raw ) ? @unserialize( $raw, array( 'allowed_classes' => false ) ) : $raw; // phpcs:ignore
	}

	/**
	 * The table in which this installation keeps its settings. Its database is named where the users table lies
	 * in one that is named, too: then others may have a table of the same name.
	 *
	 * @return string
	 */
	private static function here() {
		global $wpdb;
		$table = is_multisite() ? $wpdb->sitemeta : $wpdb->options;
		return false === strpos( $wpdb->users, '.' ) ? $table : DB_NAME . '.' . $table;
	}
}
