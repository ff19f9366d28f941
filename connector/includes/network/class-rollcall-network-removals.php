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

	/** Hooks in, before anybody who may end the request. */
	public static function start() {
		add_action( 'remove_user_from_blog', array( __CLASS__, 'remember' ), PHP_INT_MIN, 2 );
		add_action( 'add_user_to_blog', array( __CLASS__, 'added' ), PHP_INT_MIN, 3 );
		add_action( 'wpmu_delete_user', array( __CLASS__, 'account_ends' ), PHP_INT_MIN, 1 );
		add_action( 'deleted_user', array( __CLASS__, 'account_ended' ), PHP_INT_MIN, 1 );
		add_action( 'wp_delete_site', array( __CLASS__, 'site_ended' ), PHP_INT_MIN, 1 );
	}

	/**
	 * `remove_user_from_blog`: a membership is about to end.
	 *
	 * @param int $id   Account.
	 * @param int $blog Site.
	 * @return void
	 */
	public static function remember( $id, $blog ) {
		$id   = (int) $id;
		$blog = (int) $blog;
		if ( Rollcall_Network_Triggers::is_writing() || isset( self::$ending[ $id ] ) || doing_action( 'wp_uninitialize_site' ) || doing_action( 'wpmu_activate_user' ) ) {
			return;
		}
		// Whoever is no member is not removed.
		if ( '' === get_user_meta( $id, Rollcall_Roles::caps_key( $blog ), true ) ) {
			return;
		}
		self::$any = array( true, Rollcall_Network_Runs::now() );
		self::write( 'INSERT INTO %s (blog, user_id, at_ms) VALUES (%d, %d, %d) ON DUPLICATE KEY UPDATE at_ms = VALUES(at_ms)', $blog, $id, Rollcall_Network_Runs::now() );
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
		}
	}

	/**
	 * A removal no longer stands.
	 *
	 * @param int $id   Account.
	 * @param int $blog Site.
	 * @return void
	 */
	public static function forget( $id, $blog ) {
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
