<?php
/**
 * The account store: one users table, whoever shares it.
 *
 * Does: names it by a random id, the same for every site over this users table; remembers where that id was
 * made, so that a copied database gets another one when it is connected.
 * Does not: judge addresses of sites (Rollcall_Home::matches()).
 * Always true: as long as a site over this users table is bound the id stays, wherever the database goes;
 * then a move is only warned of. Unbound, a copy answers at once with the id that it will have.
 * On failure: where no place can be told the id stays.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Identity of the account store.
 */
final class Rollcall_Store {

	const ID     = 'store';
	const ORIGIN = 'store_origin';

	/** Homes of the sites that are bound, as Rollcall_Settings stores them. */
	const BOUND = 'store_bound';

	/**
	 * The id.
	 *
	 * @return string
	 */
	public static function id() {
		$id = self::kept_id();
		return self::is_copy() ? self::id_of_copy( $id ) : $id;
	}

	/**
	 * A site is about to be bound: a copy becomes a store of its own. What was known of its accounts was
	 * known of the original's; tombstones hold for people and stay.
	 *
	 * @return void
	 */
	public static function settle_in() {
		$id = self::kept_id();
		if ( Rollcall_Settings::is_bound() ) {
			// An administrator connects it once more: it moved, and here it stands.
			self::stand_here();
		}
		if ( self::is_copy() ) {
			self::forget_original( self::id_of_copy( $id ) );
		}
	}

	/**
	 * A person says that this is a copy, wherever it lies.
	 *
	 * @return void
	 */
	public static function become_another() {
		self::keep_bound( array() );
		Rollcall_Neighbours::forget();
		self::forget_original( bin2hex( random_bytes( 8 ) ) );
	}

	/**
	 * A person says that the store lies where it belongs.
	 *
	 * @return void
	 */
	public static function stand_here() {
		Rollcall_Facts::set( self::ORIGIN, self::origin() );
	}

	/**
	 * A store of its own from now on.
	 *
	 * @param string $id Its id.
	 * @return void
	 */
	private static function forget_original( $id ) {
		global $wpdb;
		Rollcall_Facts::set( self::ID, $id );
		self::stand_here();
		foreach ( array( Rollcall_Tables::accounts(), Rollcall_Tables::outbox() ) as $table ) {
			$wpdb->query( "DELETE FROM $table" ); // phpcs:ignore WordPress.DB
		}
		foreach ( array( 'fingerprint_key', Rollcall_Outside::FACT, Rollcall_Newcomers::FACT, Rollcall_Table_Marks::FACT ) as $fact ) {
			Rollcall_Facts::delete( $fact );
		}
		Rollcall_Proof_Store::forget_all();
		Rollcall_Mark::forget_all();
		Rollcall_Life::renew_epoch();
	}

	/**
	 * Has the database been moved since this installation was bound?
	 *
	 * @return bool
	 */
	public static function has_moved() {
		$kept = json_decode( (string) Rollcall_Facts::get( self::ORIGIN ), true );
		return isset( $kept['place'] ) && $kept['place'] !== self::place();
	}

	/**
	 * The place of the database alone, as wp-config.php has it.
	 *
	 * @return string
	 */
	public static function place() {
		$now = json_decode( self::origin(), true );
		return (string) $now['place'];
	}

	/**
	 * Notes that a site over this users table is bound.
	 *
	 * @param string $home Its home.
	 * @return void
	 */
	public static function note_bound( $home ) {
		self::keep_bound( array_merge( self::bound(), array( $home ) ) );
	}

	/**
	 * Notes that it no longer is.
	 *
	 * @param string $home Its home when it was bound.
	 * @return void
	 */
	public static function note_released( $home ) {
		self::keep_bound( array_diff( self::bound(), array( $home ) ) );
	}

	/**
	 * Id and place of origin, made together.
	 *
	 * @return string The id.
	 */
	private static function kept_id() {
		$id = Rollcall_Facts::once(
			self::ID,
			static function () {
				return bin2hex( random_bytes( 8 ) );
			}
		);
		Rollcall_Facts::once( self::ORIGIN, array( __CLASS__, 'origin' ) );
		return $id;
	}

	/**
	 * Does this look like a copy of the store that the id was made for?
	 *
	 * @return bool
	 */
	private static function is_copy() {
		return ! self::bound() && ! Rollcall_Settings::is_bound() && Rollcall_Facts::get( self::ORIGIN ) !== self::origin();
	}

	/**
	 * The id that a copy here gets: always the same, so that it can be told before it is written.
	 *
	 * @param string $id Id of the original.
	 * @return string
	 */
	private static function id_of_copy( $id ) {
		return substr( hash( 'sha256', $id . "\n" . self::origin() ), 0, 16 );
	}

	/**
	 * Where this users table lies: the place as wp-config.php has it, and the server itself, since two
	 * hosts may call different servers by one name.
	 *
	 * @return string
	 */
	public static function origin() {
		global $wpdb;
		if ( false !== strpos( get_class( $wpdb ), 'SQLite' ) ) {
			// A file of one site's own; a copy of it may lie at the same path on another host.
			$place  = array( 'sqlite', (string) realpath( defined( 'FQDB' ) ? FQDB : ABSPATH ), $wpdb->users );
			$server = Rollcall_Home::now();
		} else {
			$host   = preg_replace( '/^(?:127\.0\.0\.1|\[?::1\]?|localhost)(?::.*)?$/', 'localhost', strtolower( DB_HOST ) );
			$place  = array( $host, DB_NAME, $wpdb->users );
			$server = (string) $wpdb->get_var( 'SELECT @@hostname' ); // phpcs:ignore WordPress.DB
		}
		return (string) wp_json_encode(
			array(
				// Names of databases are nobody's business in a dump of this table.
				'place'  => substr( hash( 'sha256', implode( "\n", $place ) ), 0, 16 ),
				'server' => substr( hash( 'sha256', $server ), 0, 16 ),
			)
		);
	}

	/**
	 * Homes of the sites that are bound.
	 *
	 * @return string[]
	 */
	private static function bound() {
		$homes = json_decode( (string) Rollcall_Facts::get( self::BOUND ), true );
		return is_array( $homes ) ? array_map( 'strval', $homes ) : array();
	}

	/**
	 * Keeps that list.
	 *
	 * @param string[] $homes Homes.
	 * @return void
	 */
	private static function keep_bound( $homes ) {
		Rollcall_Facts::set( self::BOUND, wp_json_encode( array_values( array_unique( $homes ) ) ) );
	}
}
