<?php
/**
 * Options of the whole installation: on a network, its own; where there are several networks, the main one's.
 *
 * Does: read, store and delete them.
 * Does not: know what is in them. Each network's own rules for memberships are elsewhere (Rollcall_Network_Settings).
 * Always true: accounts, outbox and binding are one for all networks of an installation, whichever is asked.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Options that all networks share.
 */
final class Rollcall_Shared_Option {

	/**
	 * The network that keeps them.
	 *
	 * @return int|null Null where there is none.
	 */
	public static function network() {
		return is_multisite() ? (int) get_main_network_id() : null;
	}

	/**
	 * The main site of the installation.
	 *
	 * @return int
	 */
	public static function main_site() {
		return (int) ( is_multisite() ? get_main_site_id( self::network() ) : get_current_blog_id() );
	}

	/**
	 * What is stored.
	 *
	 * @param string $name Option.
	 * @return mixed False: nothing.
	 */
	public static function get( $name ) {
		return get_network_option( self::network(), $name );
	}

	/**
	 * Stores it.
	 *
	 * @param string $name  Option.
	 * @param mixed  $value Value.
	 * @return void
	 */
	public static function set( $name, $value ) {
		update_network_option( self::network(), $name, $value );
	}

	/**
	 * Deletes it.
	 *
	 * @param string $name Option.
	 * @return void
	 */
	public static function delete( $name ) {
		delete_network_option( self::network(), $name );
	}

	/**
	 * May the present person set what all networks share? On a network it takes the network's right; where there
	 * are several networks, that of the main one: another one's administrators would decide for it.
	 *
	 * @return bool
	 */
	public static function may_be_set() {
		if ( ! is_multisite() ) {
			return current_user_can( 'manage_options' );
		}
		return current_user_can( 'manage_network_options' ) && ( get_current_network_id() === self::network() || in_array( wp_get_current_user()->user_login, self::main_admins(), true ) );
	}

	/**
	 * Logins of those who administer the main network.
	 *
	 * @return string[]
	 */
	private static function main_admins() {
		return (array) ( isset( $GLOBALS['super_admins'] ) ? $GLOBALS['super_admins'] : self::get( 'site_admins' ) );
	}

	/**
	 * Logins of those who administer any network of the installation.
	 *
	 * @return string[]
	 */
	public static function super_admins() {
		global $wpdb;
		$logins = (array) get_super_admins();
		foreach ( $wpdb->get_col( "SELECT meta_value FROM {$wpdb->sitemeta} WHERE meta_key = 'site_admins'" ) as $stored ) { // phpcs:ignore WordPress.DB
			$list   = maybe_unserialize( $stored );
			$logins = is_array( $list ) ? array_merge( $logins, $list ) : $logins;
		}
		return array_values( array_unique( array_map( 'strval', $logins ) ) );
	}
}
