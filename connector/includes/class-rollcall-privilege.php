<?php
/**
 * Who is privileged here.
 *
 * Does: tells by effective capabilities, given by a role or to the person, on any site of the
 *   installation or of another one over the same users table, and by super admin; and which of these it is.
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
		return array() !== self::privileged_caps( $caps );
	}

	/**
	 * The privileged ones of a set of capabilities.
	 *
	 * @param array $caps Capability => granted.
	 * @return string[]
	 */
	private static function privileged_caps( array $caps ) {
		$found = array();
		foreach ( $caps as $cap => $granted ) {
			if ( $granted && ( in_array( (string) $cap, self::CAPS, true ) || 0 === strpos( (string) $cap, self::PREFIX ) ) ) {
				$found[] = (string) $cap;
			}
		}
		return $found;
	}

	/**
	 * Does a role give a privileged capability?
	 *
	 * @param string $role Role name.
	 * @param int    $blog Blog id.
	 */
	public static function role_is_privileged( $role, $blog ) {
		return array() !== self::caps_of_role( $role, $blog );
	}

	/**
	 * The privileged capabilities that a role gives.
	 *
	 * @param string $role Role name.
	 * @param int    $blog Blog id.
	 * @return string[]
	 */
	public static function caps_of_role( $role, $blog ) {
		$roles = Rollcall_Roles::defined( $blog );
		if ( ! isset( $roles[ $role ] ) ) {
			return array();
		}
		$caps = isset( $roles[ $role ]['capabilities'] ) && is_array( $roles[ $role ]['capabilities'] ) ? $roles[ $role ]['capabilities'] : array();
		if ( is_multisite() ) {
			// On a network core grants it to super admins only, whatever the role says.
			unset( $caps['unfiltered_html'] );
		}
		return self::privileged_caps( $caps );
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
	 * Those of some accounts that are privileged.
	 *
	 * @param int[]  $ids WordPress user ids.
	 * @param string $but Capability that does not count.
	 * @return int[]
	 */
	public static function privileged_among( array $ids, $but = '' ) {
		return array_keys( self::power_among( $ids, $but ) );
	}

	/**
	 * What makes an account privileged.
	 *
	 * @param int $user_id WordPress user id.
	 * @return array|null { roles: blog id => roles, other: by anything else }; null: nothing does.
	 */
	public static function power_of( $user_id ) {
		$found = self::power_among( array( (int) $user_id ) );
		return isset( $found[ (int) $user_id ] ) ? $found[ (int) $user_id ] : null;
	}

	/**
	 * What makes those of some accounts privileged that are. Two queries, however many accounts.
	 *
	 * @param int[]  $ids WordPress user ids.
	 * @param string $but Capability that does not count.
	 * @return array<int,array> By id, as power_of().
	 */
	public static function power_among( array $ids, $but = '' ) {
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
				'%capabilities'
			)
		);
		foreach ( $rows as $row ) {
			$blog  = Rollcall_Roles::blog_of_caps_key( $row->meta_key );
			$power = $blog ? self::stored_power( (string) $row->meta_value, $blog, $but ) : self::power_elsewhere( $row );
			if ( null !== $power ) {
				$id           = (int) $row->user_id;
				$before       = isset( $found[ $id ] ) ? $found[ $id ] : self::nothing();
				$found[ $id ] = array(
					'roles' => $before['roles'] + ( $power['roles'] ? array( $blog => $power['roles'] ) : array() ),
					// Two rows of one site: which of them holds is WordPress's to know.
					'other' => $before['other'] || $power['other'] || isset( $before['roles'][ $blog ] ),
				);
			}
		}
		foreach ( self::super_admins_among( $list ) as $id ) {
			$found[ $id ] = array( 'other' => true ) + ( isset( $found[ $id ] ) ? $found[ $id ] : self::nothing() );
		}
		return $found;
	}

	/** No power at all. */
	private static function nothing() {
		return array(
			'roles' => array(),
			'other' => false,
		);
	}

	/**
	 * Those of some accounts that are super admins.
	 *
	 * @param string $list Ids, with commas.
	 * @return int[]
	 */
	private static function super_admins_among( $list ) {
		global $wpdb;
		if ( ! is_multisite() ) {
			return array();
		}
		$found  = array();
		$admins = array_map( 'strtolower', Rollcall_Shared_Option::super_admins() );
		$logins = $wpdb->get_results( "SELECT ID, user_login FROM {$wpdb->users} WHERE ID IN ($list)" ); // phpcs:ignore WordPress.DB
		foreach ( $logins as $row ) {
			if ( in_array( strtolower( $row->user_login ), $admins, true ) ) {
				$found[] = (int) $row->ID;
			}
		}
		return $found;
	}

	/**
	 * Power over another installation with the same users table: no role here accounts for it.
	 *
	 * @param object $row Row of usermeta.
	 * @return array|null As stored_power().
	 */
	private static function power_elsewhere( $row ) {
		return Rollcall_Neighbours::gives_power( $row->meta_key, (string) $row->meta_value, (int) $row->user_id ) ? array( 'other' => true ) + self::nothing() : null;
	}

	/**
	 * Capabilities as they are stored.
	 *
	 * @param string $stored Raw meta value.
	 * @return array|null Null: they can't be read.
	 */
	public static function stored_caps( $stored ) {
		if ( '' === $stored ) {
			return array();
		}
		$caps = is_serialized( $stored ) ? @unserialize( $stored, array( 'allowed_classes' => false ) ) : null; // phpcs:ignore
		return is_array( $caps ) ? $caps : null;
	}

	/**
	 * What a stored capabilities value amounts to: its own capabilities, and those of its roles.
	 *
	 * @param string $stored Raw meta value.
	 * @param int    $blog   Blog id.
	 * @param string $but    Capability that does not count.
	 * @return array|null { roles: privileged ones, other: by a capability of its own, or unreadable }; null: nothing.
	 */
	private static function stored_power( $stored, $blog, $but ) {
		$caps = self::stored_caps( $stored );
		if ( null === $caps ) {
			return array( 'other' => true ) + self::nothing();
		}
		unset( $caps[ $but ] );
		$power = array( 'other' => self::caps_are_privileged( $caps ) ) + self::nothing();
		// WordPress gives what a role can do for its name alone, granted or not.
		foreach ( array_keys( $caps ) as $role ) {
			if ( self::role_is_privileged( (string) $role, $blog ) ) {
				$power['roles'][] = (string) $role;
			}
		}
		return $power['other'] || $power['roles'] ? $power : null;
	}
}
