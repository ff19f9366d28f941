<?php
/**
 * Whom a person took off a site: that stands for every trigger, and for actions that don't say otherwise.
 *
 * Does: remembers removals, and forgets them when somebody adds the person by hand, or when the account or
 *   the site ends.
 * Does not: remember housekeeping: a site that ends, an account that ends, an invitee whom WordPress
 *   takes off the main site, an undo.
 * Always true: remembered before the membership is gone, so a request that is killed in between has
 *   remembered too much rather than too little.
 * On failure: nothing of the visitor's request is held up; the removal is not remembered.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Memory of removals.
 */
final class Rollcall_Network_Removals {

	/**
	 * Accounts that are being deleted.
	 *
	 * @var array<int,bool>
	 */
	private static $ending = array();

	/**
	 * Is anything remembered at all? And when that was asked: a request that makes many accounts asks once.
	 *
	 * @var array{0:bool,1:int}
	 */
	private static $any = array( false, 0 );

	/**
	 * What this request has remembered: site => accounts.
	 *
	 * @var array<int,array<int,bool>>
	 */
	private static $now = array();

	/** Accounts that one statement names. */
	const AT_ONCE = 1000;

	/** Hooks in, before anybody who may end the request. */
	public static function start() {
		add_action( 'remove_user_from_blog', array( __CLASS__, 'remember' ), PHP_INT_MIN, 2 );
		// Not every plugin takes people off by that function: WordPress itself has wp_revoke_user().
		add_action( 'delete_user_meta', array( __CLASS__, 'ends' ), PHP_INT_MIN, 3 );
		add_action( 'add_user_to_blog', array( __CLASS__, 'added' ), PHP_INT_MIN, 3 );
		add_action( 'wpmu_delete_user', array( __CLASS__, 'account_ends' ), PHP_INT_MIN, 1 );
		add_action( 'deleted_user', array( __CLASS__, 'account_ended' ), PHP_INT_MIN, 1 );
		add_action( 'wp_delete_site', array( __CLASS__, 'site_ended' ), PHP_INT_MIN, 1 );
		add_action( 'make_delete_blog', array( __CLASS__, 'site_closed' ), PHP_INT_MIN, 1 );
	}

	/**
	 * `remove_user_from_blog`: a membership is about to end.
	 *
	 * @param int $id   Account.
	 * @param int $blog Site; 0: the present one, as a link in Network Admin has it.
	 * @return void
	 */
	public static function remember( $id, $blog ) {
		$id   = (int) $id;
		$blog = (int) $blog > 0 ? (int) $blog : get_current_blog_id();
		if ( isset( self::$now[ $blog ][ $id ] ) || Rollcall_Network_Triggers::is_writing() || isset( self::$ending[ $id ] ) || doing_action( 'wp_uninitialize_site' ) || doing_action( 'wpmu_activate_user' ) ) {
			return;
		}
		// Whoever is no member is not removed.
		if ( '' === get_user_meta( $id, Rollcall_Roles::caps_key( $blog ), true ) ) {
			return;
		}
		self::$any                 = array( true, Rollcall_Network_Runs::now() );
		self::$now[ $blog ][ $id ] = true;
		self::write( 'INSERT INTO %s (blog, user_id, at_ms) VALUES (%d, %d, %d) ON DUPLICATE KEY UPDATE at_ms = VALUES(at_ms)', $blog, $id, Rollcall_Network_Runs::now() );
	}

	/**
	 * `delete_user_meta`: a membership may be about to end.
	 *
	 * @param int[] $mids Rows of usermeta.
	 * @param int   $id   Account.
	 * @param mixed $key  Meta key.
	 * @return void
	 */
	public static function ends( $mids, $id, $key ) {
		$blog = Rollcall_Network_Triggers::blog( $key );
		// What wp_insert_user() gives wpmu_create_user() takes again. Of two rows one may go, and the membership stays.
		if ( $blog && $id && ! Rollcall_Network_Triggers::has_begun( (int) $id, $blog ) && count( get_user_meta( (int) $id, $key ) ) <= count( (array) $mids ) ) {
			self::remember( $id, $blog );
		}
	}

	/**
	 * `add_user_to_blog`: somebody added a person.
	 *
	 * @param int    $id   Account.
	 * @param string $role Role.
	 * @param int    $blog Site.
	 * @return void
	 */
	public static function added( $id, $role, $blog ) {
		if ( ! Rollcall_Network_Triggers::is_writing() ) {
			self::forget( (int) $id, (int) $blog );
			// Also where there was such a membership already, and nothing of it was written: it is theirs now.
			Rollcall_Network_Hands::touch( (int) $id, (int) $blog );
		}
	}

	/**
	 * Did a person take somebody off a site, and does that stand?
	 *
	 * @param int $id   Account.
	 * @param int $blog Site.
	 * @return bool
	 */
	public static function stands( $id, $blog ) {
		global $wpdb;
		return null !== $wpdb->get_var( $wpdb->prepare( 'SELECT 1 FROM ' . Rollcall_Network_Tables::removed() . ' WHERE blog = %d AND user_id = %d', $blog, $id ) ); // phpcs:ignore WordPress.DB
	}

	/**
	 * A removal no longer stands.
	 *
	 * @param int $id   Account.
	 * @param int $blog Site.
	 * @return void
	 */
	public static function forget( $id, $blog ) {
		unset( self::$now[ $blog ][ $id ] );
		if ( self::any() ) {
			self::write( 'DELETE FROM %s WHERE blog = %d AND user_id = %d', $blog, $id );
		}
	}

	/**
	 * All that is remembered of an account: it is new, or ended.
	 *
	 * @param int $id Account.
	 * @return void
	 */
	public static function forget_account( $id ) {
		if ( self::any() ) {
			self::write( 'DELETE FROM %s WHERE user_id = %d', $id );
		}
	}

	/**
	 * `wpmu_delete_user`: an account is about to end on the whole network.
	 *
	 * @param int $id Account.
	 * @return void
	 */
	public static function account_ends( $id ) {
		self::$ending[ (int) $id ] = true;
	}

	/**
	 * `deleted_user`: fired on a network, too, where only a membership ended.
	 *
	 * @param int $id Account.
	 * @return void
	 */
	public static function account_ended( $id ) {
		$id = (int) $id;
		if ( isset( self::$ending[ $id ] ) ) {
			unset( self::$ending[ $id ] );
			self::forget_account( $id );
		}
	}

	/**
	 * `wp_delete_site`: a site ended.
	 *
	 * @param WP_Site $site The site.
	 * @return void
	 */
	public static function site_ended( $site ) {
		self::write( 'DELETE FROM %s WHERE blog = %d', (int) $site->blog_id );
	}

	/**
	 * `make_delete_blog`: a site is deactivated. Its own administrator's “Delete Site” takes everybody off first, which
	 * is nobody's decision about any of them.
	 *
	 * @param int $blog Site.
	 * @return void
	 */
	public static function site_closed( $blog ) {
		$blog = (int) $blog;
		foreach ( array_chunk( array_keys( isset( self::$now[ $blog ] ) ? self::$now[ $blog ] : array() ), self::AT_ONCE ) as $ids ) {
			self::write( 'DELETE FROM %s WHERE blog = %d AND user_id IN (' . implode( ',', $ids ) . ')', $blog );
		}
		unset( self::$now[ $blog ] );
	}

	/**
	 * Is anything remembered at all?
	 *
	 * @return bool
	 */
	private static function any() {
		global $wpdb;
		$now = Rollcall_Network_Runs::now();
		if ( self::$any[1] + Rollcall_Network_Pairs::ASK_MS < $now ) {
			self::$any = array( null !== $wpdb->get_var( 'SELECT 1 FROM ' . Rollcall_Network_Tables::removed() . ' LIMIT 1' ), $now ); // phpcs:ignore WordPress.DB
		}
		return self::$any[0];
	}

	/**
	 * Writes, without holding the visitor up.
	 *
	 * @param string $sql       Statement, with the table first.
	 * @param int    ...$values Its values.
	 * @return void
	 */
	private static function write( $sql, ...$values ) {
		Rollcall_Patience::run(
			static function () use ( $sql, $values ) {
				global $wpdb;
				$wpdb->query( vsprintf( $sql, array_merge( array( Rollcall_Network_Tables::removed() ), array_map( 'intval', $values ) ) ) ); // phpcs:ignore WordPress.DB
			}
		);
	}
}
