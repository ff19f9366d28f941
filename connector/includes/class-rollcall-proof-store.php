<?php
/**
 * Halves of proofs that the hub asked for, each a fact beside the accounts.
 *
 * Does: keeps them past every object cache; knows which accounts are asked for their password, in a list that
 *   a sign-in reads without a query.
 * Does not: judge whether a half may be asked or confirmed (Rollcall_Proofs).
 * Always true: a half is confirmed once, by whoever comes first; what has ended, or was another hub's, is as
 *   good as gone.
 * On failure: a half that can't be read is not there: then nothing is proven.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Rows of halves.
 */
final class Rollcall_Proof_Store {

	/** Facts of halves are called so. */
	const PREFIX = 'proof:';

	/** Ids of accounts whose password is asked for. */
	const ASKED = 'rollcall_asked';

	/** Open at a time, on this installation and on one account. */
	const MOST        = 1000;
	const MOST_OF_ONE = 20;

	/**
	 * A half.
	 *
	 * @param string $half Its id, in lower case.
	 * @return array|null half, hub, id, who, kind, salt, other, ends, token, sent, email, password, verifier;
	 *   confirmed (bool).
	 */
	public static function get( $half ) {
		global $wpdb;
		$rows = self::living( $wpdb->prepare( 'name = %s', self::PREFIX . $half ) );
		return $rows ? $rows[0] : null;
	}

	/**
	 * Keeps a half that is not there.
	 *
	 * @param array $proof As `get()` gives it.
	 * @return bool False when it is.
	 */
	public static function put( array $proof ) {
		global $wpdb;
		return 1 === (int) $wpdb->query( $wpdb->prepare( 'INSERT IGNORE INTO ' . Rollcall_Tables::facts() . ' (name, value) VALUES (%s, %s)', self::PREFIX . $proof['half'], self::encode( $proof ) ) ); // phpcs:ignore WordPress.DB
	}

	/**
	 * Writes over a half that nobody has confirmed yet.
	 *
	 * @param array $proof As it is to be; with `confirmed` that is its end.
	 * @return bool False when somebody was first, or it is gone.
	 */
	public static function change( array $proof ) {
		global $wpdb;
		return 1 === (int) $wpdb->query( // phpcs:ignore WordPress.DB
			$wpdb->prepare(
				'UPDATE ' . Rollcall_Tables::facts() . ' SET value = %s, counter = %d WHERE name = %s AND counter = 0', // phpcs:ignore WordPress.DB
				self::encode( $proof ),
				$proof['confirmed'] ? 1 : 0,
				self::PREFIX . $proof['half']
			)
		);
	}

	/**
	 * Forgets a half.
	 *
	 * @param string $half Its id.
	 * @return void
	 */
	public static function drop( $half ) {
		Rollcall_Facts::delete( self::PREFIX . $half );
	}

	/**
	 * Those that were confirmed.
	 *
	 * @return array[]
	 */
	public static function confirmed() {
		return self::living( 'counter = 1' );
	}

	/**
	 * Those that nobody has confirmed.
	 *
	 * @return array[]
	 */
	public static function open() {
		return self::living( 'counter = 0' );
	}

	/**
	 * Is there room for one more?
	 *
	 * @param int $id WordPress user id.
	 * @return bool
	 */
	public static function has_room( $id ) {
		$all = self::living( '1 = 1' );
		return count( $all ) < self::MOST && count( wp_list_filter( $all, array( 'id' => $id ) ) ) < self::MOST_OF_ONE;
	}

	/**
	 * Is the password of an account asked for? Costs no query on a site that is no network.
	 *
	 * @param int $id WordPress user id.
	 * @return bool
	 */
	public static function asks_password( $id ) {
		return in_array( (int) $id, self::asked(), true );
	}

	/**
	 * Drops what has ended, and brings the list of asked accounts up to date.
	 *
	 * @return void
	 */
	public static function tidy() {
		global $wpdb;
		$living = wp_list_pluck( self::living( '1 = 1' ), 'half' );
		$names  = $wpdb->get_col( 'SELECT name FROM ' . Rollcall_Tables::facts() . ' WHERE ' . self::is_half() ); // phpcs:ignore WordPress.DB
		foreach ( array_diff( $names, preg_filter( '/^/', self::PREFIX, $living ) ) as $name ) {
			Rollcall_Facts::delete( $name );
		}
		$ids = array_values( array_unique( wp_list_pluck( wp_list_filter( self::open(), array( 'kind' => 'password' ) ), 'id' ) ) );
		if ( self::asked() !== $ids ) {
			self::keep_asked( $ids );
		}
	}

	/**
	 * Forgets every half: the site was released, or is a copy.
	 *
	 * @return void
	 */
	public static function forget_all() {
		global $wpdb;
		$wpdb->query( 'DELETE FROM ' . Rollcall_Tables::facts() . ' WHERE ' . self::is_half() ); // phpcs:ignore WordPress.DB
		self::keep_asked( array() );
	}

	/**
	 * Halves of the bound hub that have not ended.
	 *
	 * @param string $where SQL.
	 * @return array[]
	 */
	private static function living( $where ) {
		global $wpdb;
		$now  = Rollcall_Settings::now_ms();
		$rows = $wpdb->get_results( 'SELECT value, counter FROM ' . Rollcall_Tables::facts() . ' WHERE ' . self::is_half() . " AND $where" ); // phpcs:ignore WordPress.DB
		$all  = array();
		foreach ( (array) $rows as $row ) {
			$proof = json_decode( $row->value, true );
			if ( is_array( $proof ) && Rollcall_Settings::is_bound() && Rollcall_Settings::hub_id() === $proof['hub'] && $now < $proof['ends'] ) {
				$proof['confirmed'] = (bool) (int) $row->counter;
				$all[]              = $proof;
			}
		}
		return $all;
	}

	/** Condition for rows of halves. */
	private static function is_half() {
		return "name LIKE '" . self::PREFIX . "%'";
	}

	/**
	 * As it is stored.
	 *
	 * @param array $proof A half.
	 * @return string
	 */
	private static function encode( array $proof ) {
		unset( $proof['confirmed'] );
		return (string) wp_json_encode( $proof );
	}

	/**
	 * The list of asked accounts. On one site it is read out of what every request has loaded: where there is no
	 * list, asking for it would cost a query.
	 *
	 * @return int[]
	 */
	private static function asked() {
		$all = is_multisite() ? array() : wp_load_alloptions();
		$ids = is_multisite() ? Rollcall_Shared_Option::get( self::ASKED ) : maybe_unserialize( isset( $all[ self::ASKED ] ) ? $all[ self::ASKED ] : '' );
		return is_array( $ids ) ? array_map( 'intval', $ids ) : array();
	}

	/**
	 * Keeps the list of asked accounts; none at all where there are none.
	 *
	 * @param int[] $ids WordPress user ids.
	 * @return void
	 */
	private static function keep_asked( array $ids ) {
		if ( ! $ids ) {
			Rollcall_Shared_Option::delete( self::ASKED );
		} elseif ( is_multisite() ) {
			Rollcall_Shared_Option::set( self::ASKED, $ids );
		} else {
			update_option( self::ASKED, $ids, true );
		}
	}
}
