<?php
/**
 * Listens to WordPress, so that no change of an account goes unseen.
 *
 * Does: opens an account before WordPress writes it, and again after, wherever WordPress says so.
 * Does not: alter anything that passes through a filter, or look at what changed.
 * Always true: every filter answers what it was given.
 * On failure: what no hook shows is found by its fingerprint when the account is read.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * WordPress hooks that mark accounts.
 */
final class Rollcall_Hooks {

	/**
	 * Login of the account that is being inserted: its id is not known yet.
	 *
	 * @var string
	 */
	private static $inserting = '';

	/**
	 * Accounts that are being deleted: id => login, uid.
	 *
	 * @var array<int,array>
	 */
	private static $deleting = array();

	/** Hooks in, before everybody else wherever WordPress has not written yet. */
	public static function start() {
		$first = PHP_INT_MIN;
		$me    = __CLASS__;
		add_filter( 'wp_pre_insert_user_data', array( $me, 'before_insert' ), PHP_INT_MAX, 4 );
		add_filter( 'insert_user_meta', array( $me, 'before_first_meta' ), $first, 2 );
		add_action( 'user_register', array( $me, 'created' ), $first, 1 );
		add_action( 'wpmu_new_user', array( $me, 'created' ), $first, 1 );
		foreach ( array( 'profile_update', 'wpmu_activate_user', 'set_user_role', 'add_user_role', 'remove_user_role' ) as $hook ) {
			add_action( $hook, array( $me, 'changed' ), $first, 1 );
		}
		foreach ( array( 'add_user_metadata', 'update_user_metadata' ) as $hook ) {
			add_filter( $hook, array( $me, 'before_meta' ), PHP_INT_MAX, 3 );
		}
		add_filter( 'delete_user_metadata', array( $me, 'before_meta_delete' ), PHP_INT_MAX, 5 );
		foreach ( array( 'update_user_metadata_by_mid', 'delete_user_metadata_by_mid' ) as $hook ) {
			add_filter( $hook, array( $me, 'before_meta_by_mid' ), PHP_INT_MAX, 2 );
		}
		foreach ( array( 'added_user_meta', 'updated_user_meta', 'deleted_user_meta' ) as $hook ) {
			add_action( $hook, array( $me, 'after_meta' ), $first, 3 );
		}
		foreach ( array( 'add_user_to_blog', 'remove_user_from_blog' ) as $hook ) {
			add_action( $hook, array( $me, 'membership' ), $first, 3 );
		}
		foreach ( array( 'granted_super_admin', 'revoked_super_admin' ) as $hook ) {
			add_action( $hook, array( $me, 'privilege' ), $first, 1 );
		}
		add_action( 'delete_user', array( $me, 'before_delete' ), $first, 1 );
		add_action( 'wpmu_delete_user', array( $me, 'before_end' ), $first, 1 );
		add_action( 'deleted_user', array( $me, 'deleted' ), $first, 1 );
		add_action( 'wp_uninitialize_site', array( $me, 'site_ends' ), 1, 1 );
	}

	/**
	 * `wp_pre_insert_user_data`: a row of the users table is about to be written.
	 *
	 * @param array    $data     Row.
	 * @param bool     $update   Whether the account exists.
	 * @param int|null $id       Its id, if it does.
	 * @param array    $userdata What was asked for.
	 */
	public static function before_insert( $data, $update, $id, $userdata = array() ) {
		if ( $update ) {
			Rollcall_Capture::open( (int) $id );
		} elseif ( Rollcall_Capture::is_listening() ) {
			self::$inserting = isset( $data['user_login'] ) ? (string) $data['user_login'] : '';
		}
		return $data;
	}

	/**
	 * `insert_user_meta`: the row of the users table was written. Before WordPress 7.1 nothing tells
	 * earlier which id a new account has.
	 *
	 * @param array   $meta Meta to be written.
	 * @param WP_User $user The account.
	 */
	public static function before_first_meta( $meta, $user ) {
		if ( '' !== self::$inserting && $user instanceof WP_User ) {
			self::seen( (int) $user->ID );
		}
		return $meta;
	}

	/**
	 * `user_register`, `wpmu_new_user`: an account came about.
	 *
	 * @param int $id WordPress user id.
	 */
	public static function created( $id ) {
		self::$inserting = '';
		Rollcall_Capture::open( (int) $id, array(), true );
	}

	/**
	 * An account changed.
	 *
	 * @param int $id WordPress user id.
	 */
	public static function changed( $id ) {
		self::seen( (int) $id );
	}

	/**
	 * `add_user_metadata`, `update_user_metadata`: meta is about to be written.
	 *
	 * @param mixed  $check Answered as it came.
	 * @param int    $id    WordPress user id.
	 * @param string $key   Meta key.
	 */
	public static function before_meta( $check, $id, $key ) {
		if ( null === $check && self::matters( $key ) ) {
			self::seen( (int) $id );
		}
		return $check;
	}

	/**
	 * `delete_user_metadata`: meta is about to be deleted, of one account or of all.
	 *
	 * @param mixed  $check Answered as it came.
	 * @param int    $id    WordPress user id.
	 * @param string $key   Meta key.
	 * @param mixed  $value Only rows with this value.
	 * @param bool   $all   Of all accounts.
	 */
	public static function before_meta_delete( $check, $id, $key, $value = '', $all = false ) {
		if ( null !== $check || ! self::matters( $key ) ) {
			return $check;
		}
		if ( $all ) {
			global $wpdb;
			Rollcall_Capture::open_many( array_map( 'intval', $wpdb->get_col( $wpdb->prepare( "SELECT DISTINCT user_id FROM {$wpdb->usermeta} WHERE meta_key = %s", $key ) ) ) ); // phpcs:ignore WordPress.DB
		} else {
			self::seen( (int) $id );
		}
		return $check;
	}

	/**
	 * `update_user_metadata_by_mid`, `delete_user_metadata_by_mid`.
	 *
	 * @param mixed $check   Answered as it came.
	 * @param int   $meta_id Row of usermeta.
	 */
	public static function before_meta_by_mid( $check, $meta_id ) {
		// An account that is being deleted loses all its rows this way, one by one.
		if ( null === $check && ! self::$deleting && Rollcall_Capture::is_listening() ) {
			$row = get_metadata_by_mid( 'user', $meta_id );
			if ( $row && self::matters( $row->meta_key ) ) {
				self::seen( (int) $row->user_id );
			}
		}
		return $check;
	}

	/**
	 * `added_`, `updated_`, `deleted_user_meta`: fired only where something really changed.
	 *
	 * @param int|int[] $meta_id Row or rows of usermeta.
	 * @param int       $id      WordPress user id, 0 where rows of all accounts were deleted.
	 * @param string    $key     Meta key.
	 */
	public static function after_meta( $meta_id, $id, $key ) {
		if ( self::matters( $key ) && ! isset( self::$deleting[ (int) $id ] ) ) {
			self::seen( (int) $id, 0 === Rollcall_Roles::blog_of_caps_key( $key ) ? array( self::field_of( $key ) ) : array() );
		}
	}

	/**
	 * `add_user_to_blog`, `remove_user_from_blog`: a membership begins or ends.
	 *
	 * @param int        $id   WordPress user id.
	 * @param string|int $role Role, or the blog id where a membership ends.
	 * @param int        $blog Blog id, or the heir of the content.
	 */
	public static function membership( $id, $role, $blog = 0 ) {
		$blog = 'remove_user_from_blog' === current_action() ? (int) $role : (int) $blog;
		$blog = $blog > 0 ? $blog : get_current_blog_id();
		if ( isset( Rollcall_Settings::keys()[ $blog ] ) && ! isset( self::$deleting[ (int) $id ] ) ) {
			Rollcall_Capture::open( (int) $id, array(), false, $blog );
		}
	}

	/**
	 * `granted_super_admin`, `revoked_super_admin`: no field changes, but the hub must know.
	 *
	 * @param int $id WordPress user id.
	 */
	public static function privilege( $id ) {
		Rollcall_Capture::mark( (int) $id, true );
	}

	/**
	 * `delete_user`: on a network only a membership ends.
	 *
	 * @param int $id WordPress user id.
	 */
	public static function before_delete( $id ) {
		if ( is_multisite() ) {
			self::seen( (int) $id );
		} else {
			self::before_end( $id );
		}
	}

	/**
	 * The account is about to end.
	 *
	 * @param int $id WordPress user id.
	 */
	public static function before_end( $id ) {
		$id = (int) $id;
		if ( ! Rollcall_Capture::open( $id ) ) {
			return;
		}
		Rollcall_Capture::attempt(
			static function () use ( $id ) {
				global $wpdb;
				$rows = Rollcall_Ledger::load( array( $id ) );
				$gone = array(
					'login' => (string) $wpdb->get_var( $wpdb->prepare( "SELECT user_login FROM {$wpdb->users} WHERE ID = %d", $id ) ), // phpcs:ignore WordPress.DB
					'uid'   => isset( $rows[ $id ] ) ? $rows[ $id ]['uid'] : null,
				);
				Rollcall_Outbox::expect_delete( $id, $gone );
				self::$deleting[ $id ] = $gone;
			}
		);
	}

	/**
	 * `deleted_user`: the account ended.
	 *
	 * @param int $id WordPress user id.
	 */
	public static function deleted( $id ) {
		$id = (int) $id;
		if ( ! isset( self::$deleting[ $id ] ) ) {
			return;
		}
		$gone = self::$deleting[ $id ];
		unset( self::$deleting[ $id ] );
		Rollcall_Capture::let_go( $id );
		Rollcall_Capture::attempt(
			static function () use ( $id, $gone ) {
				$stamp = array( max( Rollcall_Settings::now_ms(), Rollcall_Ledger::greatest_ms( $id ) + 1 ), Rollcall_Settings::key_of( get_current_blog_id() ) );
				Rollcall_Outbox::put_delete( $id, $gone['uid'], $gone['login'], $stamp );
			}
		);
	}

	/**
	 * Is an account not in the middle of being deleted? One that is keeps its row open: whoever reads
	 * it finds out what became of it.
	 *
	 * @param int $id WordPress user id.
	 */
	public static function is_not_ending( $id ) {
		return ! isset( self::$deleting[ $id ] );
	}

	/**
	 * `wp_uninitialize_site`: the removals that follow are nobody's decision.
	 *
	 * @param WP_Site $site The site that ends.
	 */
	public static function site_ends( $site ) {
		if ( Rollcall_Settings::is_bound() ) {
			Rollcall_Settings::drop_key( (int) $site->blog_id );
		}
	}

	/**
	 * Could a change of this meta key be a change of an account?
	 *
	 * @param mixed $key Meta key, or whatever a plugin passed for one.
	 */
	private static function matters( $key ) {
		return is_string( $key ) && Rollcall_Capture::is_listening() && Rollcall_Fields::is_watched( $key );
	}

	/**
	 * The field a meta key is.
	 *
	 * @param string $key Meta key.
	 */
	private static function field_of( $key ) {
		return in_array( $key, Rollcall_Fields::CORE_META, true ) ? $key : 'meta:' . $key;
	}

	/**
	 * Opens an account; the one that is being inserted counts as created.
	 *
	 * @param int      $id      WordPress user id.
	 * @param string[] $touched Field names that were seen changing.
	 */
	public static function seen( $id, array $touched = array() ) {
		$created = false;
		if ( '' !== self::$inserting && ! Rollcall_Capture::is_open( $id ) ) {
			$user    = get_userdata( $id );
			$created = $user && self::$inserting === (string) $user->user_login;
		}
		Rollcall_Capture::open( $id, $touched, $created );
	}
}
