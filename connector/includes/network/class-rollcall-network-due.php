<?php
/**
 * What triggers have still to do: one row per account or site and kind, written at the very hook.
 *
 * Does: notes, hands out, drops.
 * Does not: know what is to be done (Rollcall_Network_Chores), or what the roles are: that is read when the
 *   work is done.
 * Always true: a request that is killed after the hook has lost nothing; a row that was noted again while
 *   it was worked on stays.
 * On failure: nothing of the visitor's request is held up.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Rows of what is due.
 */
final class Rollcall_Network_Due {

	const ACCOUNT = 'account';
	const SITE    = 'site';
	const ROLE    = 'role';

	/** What failed comes again after so long, then twice as long, and so on. */
	const PAUSE_MS = 30000;

	/** After so many failures it is dropped. */
	const MOST_FAULTS = 12;

	/**
	 * Has this request noted anything?
	 *
	 * @var bool
	 */
	private static $noted = false;

	/**
	 * Notes something.
	 *
	 * @param int    $network Network.
	 * @param string $kind    See the constants.
	 * @param int    $ref     Account or site.
	 * @param int    $blog    Site on which a role changed: of two the later one counts.
	 * @return void
	 */
	public static function note( $network, $kind, $ref, $blog = 0 ) {
		self::$noted = true;
		Rollcall_Patience::run(
			static function () use ( $network, $kind, $ref, $blog ) {
				global $wpdb;
				$wpdb->query( $wpdb->prepare( 'INSERT INTO ' . Rollcall_Network_Tables::due() . ' (network, kind, ref, blog) VALUES (%d, %s, %d, %d) ON DUPLICATE KEY UPDATE blog = VALUES(blog), done = 0, rev = rev + 1, not_before_ms = 0, faults = 0', $network, $kind, $ref, $blog ) ); // phpcs:ignore WordPress.DB
			}
		);
	}

	/** Has this request noted anything? */
	public static function was_noted() {
		return self::$noted;
	}

	/**
	 * The oldest rows of this network that can be worked on together: of one kind; accounts that are as far.
	 * Those of another network wait for its own turns: what may be written there its own options say.
	 *
	 * @param int $limit At most so many.
	 * @return object[]
	 */
	public static function some( $limit ) {
		global $wpdb;
		$table = Rollcall_Network_Tables::due();
		$now   = Rollcall_Network_Runs::now();
		$mine  = get_current_network_id();
		$first = $wpdb->get_row( $wpdb->prepare( "SELECT * FROM $table WHERE network = %d AND not_before_ms <= $now ORDER BY seq LIMIT 1", $mine ) ); // phpcs:ignore WordPress.DB
		if ( ! $first || self::ACCOUNT !== $first->kind ) {
			return $first ? array( $first ) : array();
		}
		return $wpdb->get_results( $wpdb->prepare( "SELECT * FROM $table WHERE network = %d AND kind = %s AND done = %d AND not_before_ms <= $now ORDER BY seq LIMIT %d", $mine, $first->kind, $first->done, $limit ) ); // phpcs:ignore WordPress.DB
	}

	/**
	 * Rows of this network that an errand names, of one kind, if nobody has noted them again.
	 *
	 * @param array $named Pairs of row and revision.
	 * @return object[]
	 */
	public static function named( array $named ) {
		global $wpdb;
		$each = array();
		foreach ( $named as $pair ) {
			if ( is_array( $pair ) && 2 === count( $pair ) ) {
				$each[] = (object) array_combine( array( 'seq', 'rev' ), array_map( 'intval', array_values( $pair ) ) );
			}
		}
		$rows  = $each ? $wpdb->get_results( $wpdb->prepare( 'SELECT * FROM ' . Rollcall_Network_Tables::due() . ' WHERE network = %d AND (' . self::just( $each ) . ') ORDER BY seq', get_current_network_id() ) ) : array(); // phpcs:ignore WordPress.DB
		$kinds = array_count_values( wp_list_pluck( $rows, 'kind' ) );
		// As some() hands them out.
		return in_array( $kinds, array( array( self::ACCOUNT => count( $rows ) ), array( self::ROLE => 1 ) ), true ) ? $rows : array();
	}

	/**
	 * Is one of these not done up to a site? One that is gone, or was noted again, is behind no more.
	 *
	 * @param object[] $rows Rows.
	 * @param int      $blog Site.
	 * @return bool
	 */
	public static function are_behind( array $rows, $blog ) {
		global $wpdb;
		foreach ( array_chunk( $rows, 200 ) as $some ) {
			if ( $wpdb->get_var( $wpdb->prepare( 'SELECT 1 FROM ' . Rollcall_Network_Tables::due() . ' WHERE done < %d AND (' . self::just( $some ) . ') LIMIT 1', $blog ) ) ) { // phpcs:ignore WordPress.DB
				return true;
			}
		}
		return false;
	}

	/** How many rows this network has. */
	public static function count() {
		global $wpdb;
		return (int) $wpdb->get_var( $wpdb->prepare( 'SELECT COUNT(*) FROM ' . Rollcall_Network_Tables::due() . ' WHERE network = %d', get_current_network_id() ) ); // phpcs:ignore WordPress.DB
	}

	/**
	 * These are done, unless they were noted again.
	 *
	 * @param object[] $rows Rows.
	 * @return void
	 */
	public static function drop( array $rows ) {
		global $wpdb;
		foreach ( array_chunk( $rows, 200 ) as $some ) {
			$wpdb->query( 'DELETE FROM ' . Rollcall_Network_Tables::due() . ' WHERE ' . self::just( $some ) ); // phpcs:ignore WordPress.DB
		}
	}

	/**
	 * These are done up to a site, unless they were noted again.
	 *
	 * @param object[] $rows Rows.
	 * @param int      $blog Site.
	 * @return void
	 */
	public static function advance( array $rows, $blog ) {
		global $wpdb;
		foreach ( array_chunk( $rows, 200 ) as $some ) {
			$wpdb->query( $wpdb->prepare( 'UPDATE ' . Rollcall_Network_Tables::due() . ' SET done = %d WHERE done < %d AND (' . self::just( $some ) . ')', $blog, $blog ) ); // phpcs:ignore WordPress.DB
		}
	}

	/**
	 * These failed: they come again later, and not for ever.
	 *
	 * @param object[] $rows Rows.
	 * @return void
	 */
	public static function put_off( array $rows ) {
		global $wpdb;
		foreach ( $rows as $row ) {
			$later = Rollcall_Network_Runs::now() + self::PAUSE_MS * ( 1 << min( 6, (int) $row->faults ) );
			(int) $row->faults >= self::MOST_FAULTS
				? self::drop( array( $row ) )
				: $wpdb->query( $wpdb->prepare( 'UPDATE ' . Rollcall_Network_Tables::due() . ' SET faults = faults + 1, not_before_ms = %d WHERE ' . self::just( array( $row ) ), $later ) ); // phpcs:ignore WordPress.DB
		}
	}

	/**
	 * A condition for rows as they were read.
	 *
	 * @param object[] $rows Rows.
	 * @return string
	 */
	private static function just( array $rows ) {
		$each = array();
		foreach ( $rows as $row ) {
			$each[] = '(seq = ' . (int) $row->seq . ' AND rev = ' . (int) $row->rev . ')';
		}
		return implode( ' OR ', $each );
	}
}
