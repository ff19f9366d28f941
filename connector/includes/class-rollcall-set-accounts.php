<?php
/**
 * Accounts of a set as they lie in the database, read once for everybody who needs them.
 *
 * Does: reads whole rows of users and usermeta in two queries; gives the state that Rollcall_Fields would
 * read; fills WordPress's object cache; says which accounts differ from another reading.
 * Always true: read past the object cache, from the writer.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Rows of accounts.
 */
final class Rollcall_Set_Accounts {

	/**
	 * Account → row of the users table.
	 *
	 * @var array<int,array<string,string>>
	 */
	public $users = array();

	/**
	 * Account → rows of usermeta, oldest first: [ umeta_id, key, value ].
	 *
	 * @var array<int,array>
	 */
	public $metas = array();

	/**
	 * As they must be after a write that is known.
	 *
	 * @param array $users Account → row of the users table.
	 * @param array $metas Account → rows of usermeta.
	 * @return self
	 */
	public static function known( $users, $metas ) {
		$accounts        = new self( array() );
		$accounts->users = $users;
		$accounts->metas = $metas + array_fill_keys( array_keys( $users ), array() );
		return $accounts;
	}

	/**
	 * Reads.
	 *
	 * @param int[] $ids Accounts.
	 */
	public function __construct( $ids ) {
		global $wpdb;
		Rollcall_Tables::use_writer();
		foreach ( array_chunk( array_unique( $ids ), 500 ) as $some ) {
			$list = implode( ',', array_map( 'intval', $some ) );
			foreach ( $wpdb->get_results( "SELECT * FROM {$wpdb->users} WHERE ID IN ($list) ORDER BY ID", ARRAY_A ) as $row ) { // phpcs:ignore WordPress.DB
				$this->users[ (int) $row['ID'] ] = $row;
				$this->metas[ (int) $row['ID'] ] = array();
			}
			foreach ( $wpdb->get_results( "SELECT user_id, umeta_id, meta_key, meta_value FROM {$wpdb->usermeta} WHERE user_id IN ($list) ORDER BY umeta_id", ARRAY_N ) as $row ) { // phpcs:ignore WordPress.DB
				if ( isset( $this->users[ (int) $row[0] ] ) ) {
					$this->metas[ (int) $row[0] ][] = array( (int) $row[1], (string) $row[2], $row[3] );
				}
			}
		}
	}

	/**
	 * Present states, as Rollcall_Fields::read() gives them.
	 *
	 * @param int[]|null $ids Only these accounts.
	 * @return array
	 */
	public function present( $ids = null ) {
		$only = null === $ids ? $this->users : array_intersect_key( $this->users, array_flip( $ids ) );
		return Rollcall_Fields::from_rows( $only, $this->metas );
	}

	/**
	 * Puts accounts into WordPress's object cache, over what is there.
	 *
	 * @param int[] $ids Accounts.
	 * @return void
	 */
	public function prime( $ids ) {
		foreach ( array_intersect_key( $this->users, array_flip( $ids ) ) as $id => $row ) {
			$user = (object) $row;
			wp_cache_set( $id, $user, 'users' );
			update_user_caches( $user );
			$grouped = array();
			foreach ( $this->metas[ $id ] as $meta ) {
				$grouped[ $meta[1] ][] = $meta[2];
			}
			wp_cache_set( $id, $grouped, 'user_meta' );
		}
	}

	/**
	 * Is an account the same in another reading?
	 *
	 * @param self $other The other one.
	 * @param int  $id    Account.
	 * @return bool
	 */
	public function same( $other, $id ) {
		return isset( $this->users[ $id ], $other->users[ $id ] ) && $this->users[ $id ] === $other->users[ $id ] && $this->metas[ $id ] === $other->metas[ $id ];
	}
}
