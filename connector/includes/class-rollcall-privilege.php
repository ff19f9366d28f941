<?php
/**
 * Who is privileged here.
 *
 * Does: tells by effective capabilities, given by a role or to the person, on any site of the
 *   installation, and by super admin.
 * Does not: ask the `user_has_cap` filter: it can't be asked for many, and only ever takes the view
 *   of one request.
 * Always true: an account with one capability of the list, anywhere, is privileged.
 * On failure: capabilities that can't be read count as privileged.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Privileged roles and accounts.
 */
final class Rollcall_Privilege {

	/** One of these is enough. */
	const CAPS = array(
		'manage_options',
		'promote_users',
		'edit_users',
		'create_users',
		'delete_users',
		'remove_users',
		'add_users',
		'install_plugins',
		'activate_plugins',
		'edit_plugins',
		'update_plugins',
		'delete_plugins',
		'upload_plugins',
		'install_themes',
		'switch_themes',
		'edit_themes',
		'update_themes',
		'delete_themes',
		'upload_themes',
		'edit_files',
		'unfiltered_html',
		'unfiltered_upload',
		'update_core',
		'import',
		'export',
		'export_others_personal_data',
		'erase_others_personal_data',
		'manage_privacy_options',
		'setup_network',
		'upgrade_network',
		'manage_sites',
		'create_sites',
		'delete_sites',
		'delete_site',
		'rollcall_hub',
	);

	/** So is every capability that begins like this. */
	const PREFIX = 'manage_network';

	/**
	 * Does a set of capabilities hold a privileged one?
	 *
	 * @param array $caps Capability => granted.
	 */
	public static function caps_are_privileged( array $caps ) {
		foreach ( $caps as $cap => $granted ) {
			if ( $granted && ( in_array( (string) $cap, self::CAPS, true ) || 0 === strpos( (string) $cap, self::PREFIX ) ) ) {
				return true;
			}
		}
		return false;
	}

	/**
	 * Does a role give a privileged capability?
	 *
	 * @param string $role Role name.
	 * @param int    $blog Blog id.
	 */
	public static function role_is_privileged( $role, $blog ) {
		$roles = Rollcall_Roles::defined( $blog );
		if ( ! isset( $roles[ $role ] ) ) {
			return false;
		}
		$caps = isset( $roles[ $role ]['capabilities'] ) && is_array( $roles[ $role ]['capabilities'] ) ? $roles[ $role ]['capabilities'] : array();
		if ( is_multisite() ) {
			// On a network core grants it to super admins only, whatever the role says.
			unset( $caps['unfiltered_html'] );
		}
		return self::caps_are_privileged( $caps );
	}

	/**
	 * Is an account privileged anywhere on this installation?
	 *
	 * @param int $user_id WordPress user id.
	 */
	public static function account_is_privileged( $user_id ) {
		return array() !== self::privileged_among( array( (int) $user_id ) );
	}

	/**
	 * Is an account privileged by more than this one capability?
	 *
	 * @param int    $user_id WordPress user id.
	 * @param string $cap     Capability that does not count.
	 * @return bool
	 */
	public static function has_more_than( $user_id, $cap ) {
		return array() !== self::privileged_among( array( (int) $user_id ), $cap );
	}

	/**
	 * Those of some accounts that are privileged. Two queries, however many accounts.
	 *
	 * @param int[]  $ids WordPress user ids.
	 * @param string $but Capability that does not count.
	 * @return int[]
	 */
	public static function privileged_among( array $ids, $but = '' ) {
		global $wpdb;
		$ids = array_values( array_unique( array_filter( array_map( 'intval', $ids ) ) ) );
		if ( ! $ids ) {
			return array();
		}
		Rollcall_Tables::use_writer();
		$list  = implode( ',', $ids );
		$found = array();
		$rows  = $wpdb->get_results( // phpcs:ignore WordPress.DB
			$wpdb->prepare(
				"SELECT user_id, meta_key, meta_value FROM {$wpdb->usermeta} WHERE user_id IN ($list) AND meta_key LIKE %s", // phpcs:ignore WordPress.DB
				$wpdb->esc_like( $wpdb->base_prefix ) . '%capabilities'
			)
		);
		foreach ( $rows as $row ) {
			$blog = Rollcall_Roles::blog_of_caps_key( $row->meta_key );
			if ( $blog && self::stored_caps_are_privileged( (string) $row->meta_value, $blog, $but ) ) {
				$found[ (int) $row->user_id ] = true;
			}
		}
		if ( is_multisite() ) {
			$admins = array_map( 'strtolower', array_map( 'strval', get_super_admins() ) );
			$logins = $wpdb->get_results( "SELECT ID, user_login FROM {$wpdb->users} WHERE ID IN ($list)" ); // phpcs:ignore WordPress.DB
			foreach ( $logins as $row ) {
				if ( in_array( strtolower( $row->user_login ), $admins, true ) ) {
					$found[ (int) $row->ID ] = true;
				}
			}
		}
		return array_keys( $found );
	}

	/**
	 * What a stored capabilities value amounts to: its own capabilities, and those of its roles.
	 *
	 * @param string $stored Raw meta value.
	 * @param int    $blog   Blog id.
	 * @param string $but    Capability that does not count.
	 */
	private static function stored_caps_are_privileged( $stored, $blog, $but ) {
		if ( '' === $stored ) {
			return false;
		}
		$caps = is_serialized( $stored ) ? @unserialize( $stored, array( 'allowed_classes' => false ) ) : null; // phpcs:ignore
		if ( ! is_array( $caps ) ) {
			return true;
		}
		unset( $caps[ $but ] );
		if ( self::caps_are_privileged( $caps ) ) {
			return true;
		}
		foreach ( $caps as $role => $granted ) {
			if ( $granted && self::role_is_privileged( (string) $role, $blog ) ) {
				return true;
			}
		}
		return false;
	}
}
