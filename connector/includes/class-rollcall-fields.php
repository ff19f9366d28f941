<?php
/**
 * Reads accounts as they are now.
 *
 * Does: reads core fields, the password's hash, watched meta and roles by SQL, for many accounts at
 *   once, from the writer.
 * Does not: use the object cache, or any filter that changes what is read: a stale or dressed-up
 *   value would look like an edit.
 * Always true: three queries for up to 500 accounts; the hub's own account is never read.
 * On failure: a value that can't travel is named in `unreadable`, the others come out.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Present values of accounts.
 */
final class Rollcall_Fields {

	/** Core fields that WordPress keeps in usermeta. */
	const CORE_META = array( 'first_name', 'last_name', 'nickname', 'description', 'locale' );

	/** Core fields and their column in the users table. */
	const CORE_COLUMNS = array(
		'email'        => 'user_email',
		'display_name' => 'display_name',
		'url'          => 'user_url',
	);

	/** Above so many sites the roles are found by a pattern instead of a list of keys. */
	const MANY_SITES = 20;

	/**
	 * Reads accounts.
	 *
	 * `roles` holds the roles that the site defines; `caps` everything granted, so that a role whose
	 * definition is gone for a while isn't taken for a role that was removed.
	 *
	 * @param int[] $ids           WordPress user ids.
	 * @param bool  $with_password Read the password's hash as field `password`.
	 * @return array<int,array{login:string,email:string,registered:string,fields:array,roles:array,caps:array,unreadable:array,broken:string}>
	 */
	public static function read( array $ids, $with_password = true ) {
		$own = Rollcall_Settings::service_user_id();
		$ids = array_diff( array_unique( array_map( 'intval', $ids ) ), array( 0, $own ) );
		$out = array();
		Rollcall_Tables::use_writer();
		foreach ( array_chunk( $ids, 500 ) as $some ) {
			$read = self::read_users( $some, $with_password );
			if ( $read ) {
				self::add_meta( $read, self::meta_rows( array_keys( $read ) ) );
				Rollcall_Ext_Fields::read_into( $read );
			}
			$out += $read;
		}
		return $out;
	}

	/**
	 * Reads accounts out of rows that somebody has read already. Fields of other plugins are not in them.
	 *
	 * @param array $users Account => row of the users table.
	 * @param array $metas Account => rows of usermeta, oldest first: [umeta_id, key, value].
	 * @return array As `read()`.
	 */
	public static function from_rows( array $users, array $metas ) {
		$own  = Rollcall_Settings::service_user_id();
		$out  = array();
		$rows = array();
		foreach ( $users as $id => $user ) {
			if ( $own === $id ) {
				continue;
			}
			$out[ $id ] = self::user( $user, true );
			foreach ( $metas[ $id ] as $meta ) {
				$rows[] = array( $id, $meta[1], $meta[2], 0 );
			}
		}
		self::add_meta( $out, $rows );
		return $out;
	}

	/**
	 * The watched fields, by meta key.
	 *
	 * @return string[]
	 */
	public static function watched_meta() {
		return array_merge( self::CORE_META, Rollcall_Settings::meta_keys() );
	}

	/**
	 * Is a change of this meta key a change of an account?
	 *
	 * @param string $key Meta key.
	 */
	public static function is_watched( $key ) {
		return in_array( $key, self::CORE_META, true ) || 0 !== Rollcall_Roles::blog_of_caps_key( $key ) || Rollcall_Settings::watches( $key );
	}

	/**
	 * Rows of the users table.
	 *
	 * @param int[] $ids           WordPress user ids.
	 * @param bool  $with_password With the hash.
	 */
	private static function read_users( array $ids, $with_password ) {
		global $wpdb;
		$list = implode( ',', array_map( 'intval', $ids ) );
		$rows = $wpdb->get_results( "SELECT ID, user_login, user_pass, user_email, user_url, user_registered, display_name FROM {$wpdb->users} WHERE ID IN ($list) ORDER BY ID", ARRAY_A ); // phpcs:ignore WordPress.DB
		$out  = array();
		foreach ( $rows as $row ) {
			$out[ (int) $row['ID'] ] = self::user( $row, $with_password );
		}
		return $out;
	}

	/**
	 * An account from its row of the users table.
	 *
	 * @param array $row           Row.
	 * @param bool  $with_password With the hash.
	 */
	private static function user( array $row, $with_password ) {
		$one = array(
			'login'      => (string) $row['user_login'],
			'email'      => (string) $row['user_email'],
			'registered' => (string) $row['user_registered'],
			'fields'     => array(),
			'roles'      => array(),
			'caps'       => array(),
			'unreadable' => array(),
			'broken'     => '',
		);
		foreach ( self::CORE_COLUMNS as $name => $column ) {
			self::add( $one, $name, (string) $row[ $column ] );
		}
		if ( $with_password ) {
			self::add( $one, 'password', (string) $row['user_pass'] );
		}
		foreach ( array( 'login', 'email', 'registered' ) as $part ) {
			if ( 1 !== preg_match( '//u', $one[ $part ] ) ) {
				$one['broken'] = 'value.encoding';
			}
		}
		return $one;
	}

	/**
	 * Adds meta and roles.
	 *
	 * @param array $read Accounts without them, by id.
	 * @param array $rows Rows of usermeta, oldest first: [user_id, key, value, bytes].
	 */
	private static function add_meta( array &$read, array $rows ) {
		$watched = Rollcall_Settings::meta_keys();
		$names   = array_flip( $watched );
		$core    = array_flip( self::CORE_META );
		$seen    = array();
		foreach ( $rows as $row ) {
			$id  = (int) $row[0];
			$key = (string) $row[1];
			if ( isset( $core[ $key ] ) ) {
				if ( ! isset( $seen[ $id ][ $key ] ) ) {
					$seen[ $id ][ $key ] = true;
					self::add_core_meta( $read[ $id ], $key, $row );
				}
			} elseif ( isset( $names[ $key ] ) ) {
				$seen[ $id ][ $key ][] = self::value_of( $row );
			} else {
				$blog = Rollcall_Roles::blog_of_caps_key( $key );
				if ( $blog && ! isset( $read[ $id ]['caps'][ $blog ] ) ) {
					self::add_roles( $read[ $id ], $blog, (string) $row[2] );
				}
			}
		}
		foreach ( $read as $id => &$one ) {
			foreach ( self::CORE_META as $key ) {
				if ( ! isset( $seen[ $id ][ $key ] ) ) {
					$one['fields'][ $key ] = '';
				}
			}
			foreach ( $watched as $key ) {
				self::add_list( $one, 'meta:' . $key, isset( $seen[ $id ][ $key ] ) ? $seen[ $id ][ $key ] : array() );
			}
		}
	}

	/**
	 * Rows of usermeta; a value too large to travel comes without it.
	 *
	 * @param int[] $ids WordPress user ids.
	 * @return array Rows as `add_meta()` takes them.
	 */
	private static function meta_rows( array $ids ) {
		global $wpdb;
		$keys  = self::watched_meta();
		$blogs = array_keys( Rollcall_Settings::keys() );
		$like  = '';
		if ( count( $blogs ) > self::MANY_SITES ) {
			$like = $wpdb->prepare( ' OR meta_key LIKE %s', $wpdb->esc_like( $wpdb->base_prefix ) . '%capabilities' );
		} else {
			foreach ( $blogs as $blog ) {
				$keys[] = Rollcall_Roles::caps_key( $blog );
			}
		}
		$list  = implode( ',', array_map( 'intval', $ids ) );
		$marks = implode( ',', array_fill( 0, count( $keys ), '%s' ) );
		$max   = Rollcall_Values::MAX_BYTES;
		return $wpdb->get_results( // phpcs:ignore WordPress.DB
			$wpdb->prepare(
				"SELECT user_id, meta_key, CASE WHEN LENGTH(meta_value) > $max THEN NULL ELSE meta_value END AS meta_value, LENGTH(meta_value) AS bytes
				FROM {$wpdb->usermeta} WHERE user_id IN ($list) AND (meta_key IN ($marks)$like) ORDER BY umeta_id", // phpcs:ignore WordPress.DB
				$keys
			),
			ARRAY_N
		);
	}

	/**
	 * The value of one row of usermeta.
	 *
	 * @param array $row Row of `meta_rows()`.
	 * @return array{0:mixed,1:string}
	 */
	private static function value_of( $row ) {
		if ( null === $row[2] && (int) $row[3] > Rollcall_Values::MAX_BYTES ) {
			return array( null, 'value.too_large' );
		}
		return Rollcall_Values::from_stored( (string) $row[2] );
	}

	/**
	 * A core field from usermeta: always text.
	 *
	 * @param array  $one Account.
	 * @param string $key Meta key, which is the field's name.
	 * @param array  $row Row of usermeta.
	 */
	private static function add_core_meta( array &$one, $key, $row ) {
		list( $value, $why ) = self::value_of( $row );
		if ( '' === $why && ! is_string( $value ) ) {
			$why = 'value.object';
		}
		if ( '' === $why ) {
			$one['fields'][ $key ] = $value;
		} else {
			$one['unreadable'][ $key ] = $why;
		}
	}

	/**
	 * A list of meta rows.
	 *
	 * @param array  $one  Account.
	 * @param string $name Field name.
	 * @param array  $rows Pairs of value and reason.
	 */
	private static function add_list( array &$one, $name, array $rows ) {
		$values = array();
		$bytes  = 0;
		foreach ( $rows as $row ) {
			if ( '' !== $row[1] ) {
				$one['unreadable'][ $name ] = $row[1];
				return;
			}
			$values[] = $row[0];
			$bytes   += is_string( $row[0] ) ? strlen( $row[0] ) + 2 : strlen( Rollcall_Values::canonical( $row[0] ) );
		}
		if ( $bytes > Rollcall_Values::MAX_BYTES ) {
			$one['unreadable'][ $name ] = 'value.too_large';
			return;
		}
		$one['fields'][ $name ] = $values;
	}

	/**
	 * Roles on one site.
	 *
	 * @param array  $one    Account.
	 * @param int    $blog   Blog id.
	 * @param string $stored Raw meta value.
	 */
	private static function add_roles( array &$one, $blog, $stored ) {
		$keys = Rollcall_Settings::keys();
		if ( ! isset( $keys[ $blog ] ) ) {
			return;
		}
		$one['caps'][ $blog ] = array();
		$caps                 = is_serialized( $stored ) ? @unserialize( $stored, array( 'allowed_classes' => false ) ) : array(); // phpcs:ignore
		$defined              = Rollcall_Roles::defined( $blog );
		foreach ( is_array( $caps ) ? $caps : array() as $cap => $granted ) {
			if ( $granted && 1 === preg_match( '//u', (string) $cap ) ) {
				$one['caps'][ $blog ][ (string) $cap ] = true;
				if ( isset( $defined[ $cap ] ) ) {
					$one['roles'][ $blog ][ (string) $cap ] = true;
				}
			}
		}
	}

	/**
	 * Text from a column.
	 *
	 * @param array  $one   Account.
	 * @param string $name  Field name.
	 * @param string $value Text.
	 */
	private static function add( array &$one, $name, $value ) {
		if ( 1 === preg_match( '//u', $value ) ) {
			$one['fields'][ $name ] = $value;
		} else {
			$one['unreadable'][ $name ] = 'value.encoding';
		}
	}
}
