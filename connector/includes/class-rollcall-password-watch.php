<?php
/**
 * Sees every change of a password, and tells it from a mere re-hash of the same one.
 *
 * Does: listens to resets and `wp_set_password`; where WordPress says no more than that a cache was
 *   cleaned (before 6.2), compares the hash at the end of the request.
 * Does not: keep a plaintext: it is compared while WordPress holds it, and let go.
 * Always true: a re-hash at a sign-in renews the fingerprint and keeps the stamp; a password that
 *   really changed is never taken for one.
 * On failure: the change is found by its fingerprint when the account is read.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Password changes.
 */
final class Rollcall_Password_Watch {

	/** So many accounts wait for a comparison at most. */
	const AT_ONCE = 200;

	/**
	 * Accounts whose cache was cleaned: id => hash they had in memory, '' when unknown.
	 *
	 * @var array<int,string>
	 */
	private static $suspects = array();

	/** Hooks in. */
	public static function start() {
		add_action( 'password_reset', array( __CLASS__, 'reset' ), PHP_INT_MIN, 1 );
		add_action( 'after_password_reset', array( __CLASS__, 'reset' ), PHP_INT_MIN, 1 );
		add_action( 'wp_set_password', array( __CLASS__, 'set' ), PHP_INT_MIN, 3 );
		add_action( 'clean_user_cache', array( __CLASS__, 'cleaned' ), PHP_INT_MIN, 2 );
		add_filter( 'check_password', array( __CLASS__, 'checked' ), PHP_INT_MAX, 4 );
		add_filter( 'password_needs_rehash', array( __CLASS__, 'before_rehash' ), PHP_INT_MAX, 3 );
	}

	/**
	 * `password_reset` (before), `after_password_reset`.
	 *
	 * @param WP_User $user Account.
	 */
	public static function reset( $user ) {
		if ( $user instanceof WP_User ) {
			Rollcall_Capture::open( (int) $user->ID );
		}
	}

	/**
	 * `wp_set_password`: after a password was stored, by whatever path.
	 *
	 * @param string       $password Plaintext.
	 * @param int          $id       WordPress user id.
	 * @param WP_User|null $old      The account before (6.7 and later).
	 */
	public static function set( $password, $id, $old = null ) {
		$id = (int) $id;
		if ( Rollcall_Capture::is_created( $id ) || ! Rollcall_Capture::captures( $id ) ) {
			return;
		}
		$before = self::suspected( $id );
		if ( $old instanceof WP_User && ! empty( $old->user_pass ) ) {
			$before = (string) $old->user_pass;
		}
		$rehash = Rollcall_Capture::attempt(
			static function () use ( $password, $id, $before ) {
				return self::is_rehash( (string) $password, $id, $before );
			}
		);
		if ( ! $rehash ) {
			Rollcall_Hooks::seen( $id, array( 'password' ) );
		}
		unset( self::$suspects[ $id ] );
	}

	/**
	 * `password_needs_rehash` (6.8 and later): WordPress is about to store the password of this sign-in
	 * once more. It checked the hash as it had read it. Has another one arrived since, that one stands;
	 * and none arrives from here on, until the request has ended.
	 *
	 * @param bool       $needs Whether it is to be hashed again.
	 * @param string     $hash  The hash that was checked.
	 * @param int|string $id    WordPress user id, '' when unknown.
	 */
	public static function before_rehash( $needs, $hash, $id = '' ) {
		$id = (int) $id;
		if ( ! $needs || ! Rollcall_Capture::open( $id ) ) {
			return $needs;
		}
		$now = Rollcall_Capture::attempt(
			static function () use ( $id ) {
				return self::stored( $id );
			}
		);
		return null === $now ? $needs : $now === $hash;
	}

	/** Do accounts wait for a comparison? */
	public static function suspects() {
		return count( self::$suspects ) > 0;
	}

	/**
	 * `clean_user_cache`: the only sign of a new password before 6.2. Nothing is written here.
	 *
	 * @param int          $id   WordPress user id.
	 * @param WP_User|null $user The account as it was in memory.
	 */
	public static function cleaned( $id, $user = null ) {
		$id = (int) $id;
		if ( isset( self::$suspects[ $id ] ) || Rollcall_Capture::is_open( $id ) || ! Rollcall_Capture::is_listening() ) {
			return;
		}
		self::$suspects[ $id ] = $user instanceof WP_User && ! empty( $user->user_pass ) ? (string) $user->user_pass : '';
		if ( count( self::$suspects ) >= self::AT_ONCE ) {
			Rollcall_Capture::attempt( array( __CLASS__, 'look' ) );
		}
	}

	/**
	 * `check_password`: an old WordPress re-hashes right before it asks here.
	 *
	 * @param bool       $check    Answered as it came.
	 * @param string     $password Plaintext.
	 * @param string     $hash     Hash.
	 * @param int|string $id       WordPress user id, '' when unknown.
	 */
	public static function checked( $check, $password, $hash, $id = '' ) {
		$id = (int) $id;
		if ( $check && $id && '' !== self::suspected( $id ) ) {
			$rehash = Rollcall_Capture::attempt(
				static function () use ( $password, $id ) {
					return self::is_rehash( (string) $password, $id, self::suspected( $id ) );
				}
			);
			if ( $rehash ) {
				unset( self::$suspects[ $id ] );
			}
		}
		return $check;
	}

	/**
	 * Compares the hashes of accounts whose cache was cleaned, and captures those that changed.
	 */
	public static function look() {
		global $wpdb;
		$suspects       = self::$suspects;
		self::$suspects = array();
		$ids            = array_map( 'intval', array_keys( $suspects ) );
		if ( ! $ids || ! Rollcall_Capture::is_listening() ) {
			return;
		}
		$list = implode( ',', $ids );
		$rows = Rollcall_Ledger::load( $ids );
		foreach ( $wpdb->get_results( "SELECT ID, user_pass FROM {$wpdb->users} WHERE ID IN ($list)" ) as $user ) { // phpcs:ignore WordPress.DB
			$id   = (int) $user->ID;
			$hash = (string) $user->user_pass;
			if ( Rollcall_Capture::is_open( $id ) ) {
				continue;
			}
			if ( isset( $rows[ $id ]['entries']['password'] ) ) {
				if ( Rollcall_Values::fingerprint( 'password', $hash ) !== $rows[ $id ]['entries']['password'][2] ) {
					Rollcall_Capture::open( $id );
				}
			} elseif ( '' !== $suspects[ $id ] && $suspects[ $id ] !== $hash ) {
				Rollcall_Capture::open( $id, array( 'password' ) );
			}
		}
	}

	/**
	 * Is what is stored now just another hash of the password that was there before? If so its
	 * fingerprint is renewed.
	 *
	 * @param string $password Plaintext that WordPress has just accepted or stored.
	 * @param int    $id       WordPress user id.
	 * @param string $before   Hash there was before, '' when unknown.
	 */
	private static function is_rehash( $password, $id, $before ) {
		if ( '' === $before || '' === $password ) {
			return false;
		}
		$rows  = Rollcall_Ledger::load( array( $id ) );
		$known = isset( $rows[ $id ]['entries']['password'] ) ? $rows[ $id ]['entries']['password'][2] : '';
		// An account that was never read has no fingerprint; then the hash in memory is all we have.
		if ( '' !== $known && Rollcall_Values::fingerprint( 'password', $before ) !== $known ) {
			return false;
		}
		$now = (string) self::stored( $id );
		if ( $now === $before || ! wp_check_password( $password, $before ) || ! wp_check_password( $password, $now ) ) {
			return false;
		}
		Rollcall_Ledger::renew( $id, 'password', $now );
		return true;
	}

	/**
	 * The hash that is stored now.
	 *
	 * @param int $id WordPress user id.
	 * @return string|null
	 */
	private static function stored( $id ) {
		global $wpdb;
		return $wpdb->get_var( $wpdb->prepare( "SELECT user_pass FROM {$wpdb->users} WHERE ID = %d", $id ) ); // phpcs:ignore WordPress.DB
	}

	/**
	 * The hash a suspect had, '' when it is none.
	 *
	 * @param int $id WordPress user id.
	 */
	private static function suspected( $id ) {
		return isset( self::$suspects[ $id ] ) ? self::$suspects[ $id ] : '';
	}
}
