<?php
/**
 * Edits made here that came to nothing before the hub had heard of them: another site's later one came first.
 *
 * Does: notes, in the row of the outbox that waits for the hub, which edit an apply is about to overwrite;
 *   gives it out with that row, so that the Sync Log can account for it.
 * Does not: hold any value, or decide which edit wins.
 * Always true: what the hub has acknowledged is not noted: there is no row then, or a younger one. Noted before the writing,
 *   so that a request killed in between loses nothing; whether it was overwritten tells the state beside it.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Notes in `rollcall_outbox`.
 */
final class Rollcall_Overwritten {

	/** More of one account than anybody edits between two pulls. */
	const MOST = 500;

	/**
	 * Notes what is about to be overwritten.
	 *
	 * @param array<int,array> $winners WordPress user id => [ the account (Rollcall_Target), field names ].
	 * @return void
	 */
	public static function note( array $winners ) {
		$own = array();
		foreach ( $winners as $id => $one ) {
			$stamps = $one[0]->edited_here( $one[1] );
			if ( $stamps ) {
				$own[ $id ] = $stamps;
			}
		}
		foreach ( self::waiting( array_keys( $own ) ) as $row ) {
			self::add( $row, $own[ (int) $row->user_id ] );
		}
	}

	/**
	 * What a row of the outbox has to tell of it.
	 *
	 * @param object $row Row of the outbox.
	 * @return array[] Lists of field, blog (roles: whose), s (stamp).
	 */
	public static function told( $row ) {
		$told = array();
		foreach ( self::decode( $row ) as $name => $stamp ) {
			$parts  = 1 === preg_match( '#^(\d+)/(role:.+)$#s', (string) $name, $found ) ? array( (int) $found[1], $found[2] ) : array( null, (string) $name );
			$told[] = array(
				'field' => $parts[1],
				'blog'  => $parts[0],
				's'     => array( (int) $stamp[0], (int) $stamp[1] ),
			);
		}
		return $told;
	}

	/**
	 * Adds notes to a row, unless the hub has acknowledged it meanwhile.
	 *
	 * @param object $row    Row of the outbox.
	 * @param array  $stamps Entry name => stamp.
	 * @return void
	 */
	private static function add( $row, array $stamps ) {
		global $wpdb;
		$notes = self::decode( $row );
		// Older ones went out with an earlier row.
		$since = (int) $row->queued_ms + Rollcall_Settings::now_ms() - Rollcall_Settings::clock_ms();
		foreach ( $stamps as $name => $stamp ) {
			if ( $stamp[0] >= $since && count( $notes ) < self::MOST && ( ! isset( $notes[ $name ] ) || Rollcall_Merge::is_newer( $stamp, $notes[ $name ] ) ) ) {
				$notes[ $name ] = $stamp;
			}
		}
		if ( self::decode( $row ) === $notes ) {
			return;
		}
		$wpdb->query( // phpcs:ignore WordPress.DB
			$wpdb->prepare(
				'UPDATE ' . Rollcall_Tables::outbox() . ' SET overwritten = %s, rev = rev + 1 WHERE subject = %s AND id = %s', // phpcs:ignore WordPress.DB
				wp_json_encode( (object) $notes ),
				$row->subject,
				$row->id
			)
		);
	}

	/**
	 * Rows of living accounts.
	 *
	 * @param int[] $ids WordPress user ids.
	 * @return object[]
	 */
	private static function waiting( array $ids ) {
		global $wpdb;
		$rows = array();
		foreach ( array_chunk( $ids, 500 ) as $some ) {
			$marks = implode( ',', array_fill( 0, count( $some ), '%s' ) );
			$found = $wpdb->get_results( // phpcs:ignore WordPress.DB
				$wpdb->prepare(
					'SELECT subject, id, user_id, queued_ms, overwritten FROM ' . Rollcall_Tables::outbox() . " WHERE subject IN ($marks)", // phpcs:ignore WordPress.DB
					array_map(
						static function ( $id ) {
							return 'u:' . $id;
						},
						$some
					)
				)
			);
			$rows  = array_merge( $rows, is_array( $found ) ? $found : array() );
		}
		return $rows;
	}

	/**
	 * Notes of a row.
	 *
	 * @param object $row Row of the outbox.
	 * @return array Entry name => stamp.
	 */
	private static function decode( $row ) {
		$notes = empty( $row->overwritten ) ? array() : json_decode( $row->overwritten, true );
		return is_array( $notes ) ? $notes : array();
	}
}
