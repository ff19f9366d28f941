<?php
/**
 * Where this installation stands, against where it was connected.
 *
 * Does: notices at the first request of any kind that it woke up at another address, starts another life of
 *   the outbox there, and asks a person: *moved* goes on where it was, *copy* makes an installation of its own.
 *   Notices too when a database that woke up elsewhere was brought back.
 * Does not: judge which hub may speak (Rollcall_Guard), or tell a copy at the same address (the hub's marks do).
 * Always true: until a person has said, nothing is handed out and nothing taken; what is edited meanwhile is
 *   captured here, goes out once it is said to have moved, and is forgotten once it is said to be a copy.
 *   Of a database that was brought back, edits made elsewhere count as from before Rollcall: they win over nothing.
 * On failure: it stays undecided, which is silent.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Moved, copied, brought back.
 */
final class Rollcall_Address {

	/** The epoch of the life that ended when it woke up elsewhere. */
	const EPOCH = 'away_epoch';

	/** Looks, in every request. */
	public static function start() {
		if ( ! wp_installing() && Rollcall_Settings::is_bound() ) {
			self::look();
		}
	}

	/**
	 * Is this still where it was, as far as is known? Costs no query on a site of its own.
	 *
	 * @return void
	 */
	public static function look() {
		$away = Rollcall_Settings::away();
		$home = self::cheap_home();
		if ( Rollcall_Home::connected() === $home ? ! $away : isset( $away['home'] ) && Rollcall_Home::encode( $home ) === $away['home'] ) {
			return;
		}
		// The options of this request may be an object cache's, of yesterday: the table decides.
		if ( ! Rollcall_Home::matches() ) {
			self::wake( $away );
		} elseif ( $away ) {
			self::come_back( $away );
		}
	}

	/** May a person say here that this is a copy? Never where nothing speaks for it. */
	public static function may_be_copy() {
		return Rollcall_Settings::is_bound() && ( ! Rollcall_Home::matches() || Rollcall_Store::has_moved() );
	}

	/**
	 * A person says: this is the installation that was connected, and here it stands now. Its outbox goes on.
	 *
	 * @return void
	 */
	public static function say_moved() {
		self::take_epoch_back();
		Rollcall_Store::note_released( Rollcall_Settings::stored_home() );
		Rollcall_Store::note_bound( Rollcall_Home::encode( Rollcall_Home::now() ) );
		Rollcall_Store::stand_here();
		Rollcall_Settings::update(
			array(
				'home' => Rollcall_Home::encode( Rollcall_Home::now() ),
				'away' => array(),
			)
		);
	}

	/**
	 * A person says: this is another installation. Everything that it has of the original's is forgotten;
	 * tombstones are of people, and stay. No account but the hub's own is touched.
	 *
	 * @return void
	 */
	public static function say_copy() {
		Rollcall_Disconnect::release();
		Rollcall_Facts::delete( self::EPOCH );
		Rollcall_Store::become_another();
		Rollcall_Settings::update(
			array(
				'home'     => '',
				'away'     => array(),
				'returned' => array(),
				'released' => array(),
			)
		);
		Rollcall_Settings::forget_watched();
	}

	/**
	 * Where the database stood before it was brought back here; null when it wasn't, or the hub has taken note:
	 * then it has left a mark again.
	 *
	 * @return string|null
	 */
	public static function brought_back_from() {
		$returned = Rollcall_Settings::returned();
		return isset( $returned['from'] ) && null === Rollcall_Mark::held() ? Rollcall_Home::decode( (string) $returned['from'] ) : null;
	}

	/**
	 * Where the hub should be told that this woke up; null when there is nothing to tell, or it was told.
	 *
	 * @return string|null
	 */
	public static function untold() {
		$away = Rollcall_Settings::away();
		return isset( $away['home'] ) && empty( $away['told'] ) ? Rollcall_Home::decode( $away['home'] ) : null;
	}

	/**
	 * It is being told now, once.
	 *
	 * @return void
	 */
	public static function note_told() {
		Rollcall_Settings::update( array( 'away' => array( 'told' => true ) + Rollcall_Settings::away() ) );
	}

	/**
	 * Starts another life of the outbox at an address that it was not connected at.
	 *
	 * @param array $away What is known of an earlier waking; empty for the first.
	 * @return void
	 */
	private static function wake( array $away ) {
		$place = Rollcall_Store::place();
		Rollcall_Facts::once( self::EPOCH, array( 'Rollcall_Life', 'epoch' ) );
		Rollcall_Settings::update(
			array(
				'away' => array(
					'home'  => Rollcall_Home::encode( Rollcall_Home::now() ),
					'since' => isset( $away['since'] ) ? (int) $away['since'] : Rollcall_Settings::now_ms(),
					// One that went on to yet another place can't be told from a copy that comes back.
					'place' => ! $away || $away['place'] === $place ? $place : '',
					'told'  => false,
				),
			)
		);
		Rollcall_Life::renew_epoch();
	}

	/**
	 * It stands at its own address again, and nobody has said anything.
	 *
	 * @param array $away What is known of the waking.
	 * @return void
	 */
	private static function come_back( array $away ) {
		if ( Rollcall_Store::place() === $away['place'] ) {
			// The address was changed and changed back, under one and the same database.
			self::take_epoch_back();
			Rollcall_Settings::update( array( 'away' => array() ) );
			return;
		}
		self::set_aside( (int) $away['since'] );
		Rollcall_Facts::delete( self::EPOCH );
		// Whatever its mark says: this is not where the hub left this site.
		Rollcall_Mark::forget_all();
		Rollcall_Life::renew_epoch();
		Rollcall_Settings::update(
			array(
				'away'     => array(),
				'returned' => array(
					'from' => $away['home'],
					'at'   => Rollcall_Settings::now_ms(),
				),
			)
		);
	}

	/**
	 * The life of the outbox goes on that ended when it woke up elsewhere.
	 *
	 * @return void
	 */
	private static function take_epoch_back() {
		$epoch = Rollcall_Facts::get( self::EPOCH );
		if ( null !== $epoch ) {
			Rollcall_Facts::set( 'epoch', $epoch );
			Rollcall_Facts::delete( self::EPOCH );
		}
	}

	/**
	 * What was edited elsewhere is not this site's doing: it loses its stamps, its deletions their weight.
	 *
	 * @param int $since When it woke up there, hub time in ms.
	 * @return void
	 */
	private static function set_aside( $since ) {
		global $wpdb;
		$outbox = Rollcall_Tables::outbox();
		$ids    = array_map( 'intval', $wpdb->get_col( $wpdb->prepare( "SELECT user_id FROM $outbox WHERE at_ms >= %d AND kind <> 'delete'", $since ) ) ); // phpcs:ignore WordPress.DB
		$keys   = array_values( Rollcall_Settings::keys() );
		foreach ( array_chunk( $ids, 500 ) as $some ) {
			foreach ( Rollcall_Ledger::load( $some ) as $row ) {
				foreach ( $row['entries'] as $name => $entry ) {
					if ( $entry[0] >= $since && in_array( (int) $entry[1], $keys, true ) ) {
						$row['entries'][ $name ][0] = 0;
					}
				}
				$row['born'][0] = $row['born'][0] >= $since ? 0 : $row['born'][0];
				Rollcall_Ledger::replace( $row );
			}
		}
		$wpdb->query( $wpdb->prepare( "DELETE FROM $outbox WHERE at_ms >= %d", $since ) ); // phpcs:ignore WordPress.DB
		$wpdb->query( $wpdb->prepare( 'DELETE FROM ' . Rollcall_Tables::tombstones() . ' WHERE stamp_ms >= %d', $since ) ); // phpcs:ignore WordPress.DB
	}

	/**
	 * The home as every request has loaded it, without a filter's or WP_HOME's say.
	 *
	 * @return string
	 */
	private static function cheap_home() {
		if ( get_current_blog_id() !== Rollcall_Shared_Option::main_site() ) {
			return Rollcall_Home::now();
		}
		$options = wp_load_alloptions();
		return isset( $options['home'] ) ? Rollcall_Home::bare( $options['home'] ) : Rollcall_Home::now();
	}
}
