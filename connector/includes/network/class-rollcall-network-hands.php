<?php
/**
 * A person's hand on a membership in the very moment in which we write it: the person's word holds.
 *
 * Does: where a person begins a membership that we have just begun, ends ours; where a person gives a role to one that an
 *   undo has just ended, has it there again, so that WordPress writes over it; marks what somebody has touched.
 * Does not: wait for our own tables longer than a second, or show errors of theirs.
 * Always true: called for others' writing alone, with the row that WordPress writes.
 * On failure: nothing of the visitor's request is held up; what we wrote may be left beside theirs.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Hands of others.
 */
final class Rollcall_Network_Hands {

	/** An undo that ended so long ago may have met a request that is still at work. */
	const LATELY_MS = 60000;

	/**
	 * A membership is about to be changed. WordPress has looked for its row, and writes over whatever is there of it.
	 *
	 * @param int    $mid  Row of usermeta.
	 * @param int    $id   Account.
	 * @param int    $blog Site.
	 * @param string $key  Meta key.
	 * @param mixed  $was  Membership as this request knows it.
	 * @return void
	 */
	public static function change( $mid, $id, $blog, $key, $was ) {
		global $wpdb;
		if ( ! Rollcall_Network_Pairs::kept() || ! Rollcall_Network_Transaction::locks_rows() ) {
			return;
		}
		// First marked, then looked: an undo that doesn't see the mark has the row already, and is waited for.
		self::touch( $id, $blog );
		$quiet = $wpdb->suppress_errors();
		$gone  = null === $wpdb->get_var( $wpdb->prepare( "SELECT umeta_id FROM {$wpdb->usermeta} WHERE umeta_id = %d LOCK IN SHARE MODE", $mid ) ) && '' === $wpdb->last_error; // phpcs:ignore WordPress.DB
		if ( $gone && is_array( $was ) && self::was_undone_lately() && ! Rollcall_Network_Removals::stands( $id, $blog ) ) {
			$wpdb->insert( // phpcs:ignore WordPress.DB
				$wpdb->usermeta,
				array(
					'user_id'    => $id,
					'meta_key'   => $key, // phpcs:ignore WordPress.DB
					'meta_value' => maybe_serialize( $was ), // phpcs:ignore WordPress.DB
				)
			);
		}
		$wpdb->suppress_errors( $quiet );
	}

	/**
	 * A membership was begun: that row is the one that counts.
	 *
	 * @param int $mid  Row of usermeta.
	 * @param int $id   Account.
	 * @param int $blog Site.
	 * @return void
	 */
	public static function began( $mid, $id, $blog ) {
		global $wpdb;
		$mids = self::rows( $id, Rollcall_Roles::caps_key( $blog ) );
		$ours = count( $mids ) < 2 || ! isset( $mids[ $mid ] ) ? array() : Rollcall_Network_Pairs::just_begun( $id, $blog, array_diff( array_keys( $mids ), array( $mid ) ) );
		if ( ! $ours ) {
			return;
		}
		$wpdb->query( "DELETE FROM {$wpdb->usermeta} WHERE umeta_id IN (" . implode( ',', $ours ) . ')' ); // phpcs:ignore WordPress.DB
		try {
			Rollcall_Network_Doubles::settle( new Rollcall_Network_Target( $blog, Rollcall_Network_Settings::DEFAULTS ), array( $id ) );
		} catch ( RuntimeException $fault ) {
			Rollcall_Network_Announcer::complain( $fault );
		}
	}

	/**
	 * A level was stored: of two that say the same the older one stays.
	 *
	 * @param int    $mid Row of usermeta.
	 * @param int    $id  Account.
	 * @param string $key Meta key.
	 * @return void
	 */
	public static function leveled( $mid, $id, $key ) {
		global $wpdb;
		$rows  = self::rows( $id, $key );
		$older = isset( $rows[ $mid ] ) ? array_keys( $rows, $rows[ $mid ], true ) : array();
		if ( $older && min( $older ) < $mid ) {
			$wpdb->delete( $wpdb->usermeta, array( 'umeta_id' => $mid ) ); // phpcs:ignore WordPress.DB
		}
	}

	/**
	 * Somebody wrote a membership: no run takes back what it did to it.
	 *
	 * @param int $id   Account.
	 * @param int $blog Site.
	 * @return void
	 */
	public static function touch( $id, $blog ) {
		if ( ! Rollcall_Network_Pairs::kept() ) {
			return;
		}
		Rollcall_Patience::run(
			static function () use ( $id, $blog ) {
				Rollcall_Network_Pairs::touch( $id, $blog );
			}
		);
	}

	/**
	 * Rows of one key of an account, as the database has them now.
	 *
	 * @param int    $id  Account.
	 * @param string $key Meta key.
	 * @return array<int,string> Row => value.
	 */
	private static function rows( $id, $key ) {
		global $wpdb;
		$found = array();
		foreach ( (array) $wpdb->get_results( $wpdb->prepare( "SELECT umeta_id, meta_value FROM {$wpdb->usermeta} WHERE user_id = %d AND meta_key = %s", $id, $key ), ARRAY_N ) as $row ) { // phpcs:ignore WordPress.DB
			$found[ (int) $row[0] ] = (string) $row[1];
		}
		return $found;
	}

	/**
	 * Is a run being undone, or was one just now?
	 *
	 * @return bool
	 */
	private static function was_undone_lately() {
		global $wpdb;
		return null !== $wpdb->get_var( 'SELECT seq FROM ' . Rollcall_Network_Tables::runs() . " WHERE state = 'undoing' OR (state = 'undone' AND ended_ms > " . ( Rollcall_Network_Runs::now() - self::LATELY_MS ) . ') LIMIT 1' ); // phpcs:ignore WordPress.DB
	}
}
