<?php
/**
 * Sees when the tables of users and their meta went back by themselves: put back from a backup, without
 * the rest of the database.
 *
 * Does: keeps the same rising number beside the accounts and in both tables, with the hub's own account,
 * and raises it with every mark of the hub.
 * Does not: see a backup of the whole database; the hub's mark does.
 * Always true: a number is written into the tables first and only over the one that was read, so neither
 * a request that dies in between nor two at once raise an alarm; a number that is missing says nothing.
 * On failure: the number is not raised beside the accounts, and nothing is seen.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Numbers in WordPress's own tables.
 */
final class Rollcall_Table_Marks {

	/** Counter beside the accounts. */
	const FACT = 'tables';

	/** Meta key. */
	const KEY = 'rollcall_tables';

	/** Before the number where WordPress keeps a key for a new password; this account never gets one. */
	const PREFIX = 'rollcall:';

	/**
	 * Is one of the tables older than what Rollcall keeps beside it?
	 *
	 * @return bool
	 */
	public static function went_back() {
		if ( ! self::is_older() ) {
			return false;
		}
		// Replicas may lag each by its own.
		Rollcall_Tables::use_writer();
		return self::is_older();
	}

	/**
	 * As far as this connection to the database sees.
	 *
	 * @return bool
	 */
	private static function is_older() {
		// In this order: a number rises in the tables first.
		$known = Rollcall_Facts::counter( self::FACT );
		foreach ( $known ? self::held() : array() as $stored ) {
			$number = self::number( $stored );
			if ( $number > 0 && $number < $known ) {
				return true;
			}
		}
		return false;
	}

	/**
	 * Raises the number everywhere.
	 *
	 * @return void
	 */
	public static function renew() {
		global $wpdb;
		$id = Rollcall_Service_Account::id();
		if ( ! $id ) {
			return;
		}
		$held   = self::held();
		$next   = max( Rollcall_Facts::counter( self::FACT ), max( array_map( array( __CLASS__, 'number' ), $held ) ) ) + 1;
		$number = self::PREFIX . $next;
		// phpcs:disable WordPress.DB
		$wpdb->query( $wpdb->prepare( "UPDATE {$wpdb->users} SET user_activation_key = %s WHERE ID = %d AND user_activation_key = %s", $number, $id, $held['users'] ) );
		'' === $held['meta']
			? $wpdb->query( $wpdb->prepare( "INSERT INTO {$wpdb->usermeta} (user_id, meta_key, meta_value) VALUES (%d, %s, %s)", $id, self::KEY, $number ) )
			: $wpdb->query( $wpdb->prepare( "UPDATE {$wpdb->usermeta} SET meta_value = %s WHERE user_id = %d AND meta_key = %s AND meta_value = %s", $number, $id, self::KEY, $held['meta'] ) );
		// phpcs:enable
		// Whoever saves the account saves what the cache has of it.
		clean_user_cache( $id );
		// Of two requests at once each may have won one table: what both hold by now is what counts.
		$both = min( array_map( array( __CLASS__, 'number' ), self::held() ) );
		if ( $both > 0 ) {
			Rollcall_Facts::raise_to( self::FACT, $both );
		}
	}

	/**
	 * What both tables hold; empty: nothing.
	 *
	 * @return array{users:string,meta:string}
	 */
	private static function held() {
		global $wpdb;
		$row = $wpdb->get_row( // phpcs:ignore WordPress.DB
			$wpdb->prepare(
				"SELECT u.user_activation_key AS users, m.meta_value AS meta FROM {$wpdb->users} u LEFT JOIN {$wpdb->usermeta} m ON m.user_id = u.ID AND m.meta_key = %s WHERE u.ID = %d ORDER BY LENGTH(m.meta_value) DESC, m.meta_value DESC LIMIT 1", // phpcs:ignore WordPress.DB
				self::KEY,
				Rollcall_Service_Account::id()
			)
		);
		return array(
			'users' => $row ? (string) $row->users : '',
			'meta'  => $row ? (string) $row->meta : '',
		);
	}

	/**
	 * The number in a stored text; 0: none.
	 *
	 * @param string $stored As it is stored.
	 * @return int
	 */
	private static function number( $stored ) {
		return 0 === strpos( $stored, self::PREFIX ) ? (int) substr( $stored, strlen( self::PREFIX ) ) : 0;
	}
}
