<?php
/**
 * What runs wrote: one row for each membership that a run began or changed; for some minutes, what triggers began.
 *
 * Does: keeps them for two weeks, so that a run can be undone and looked at; notes which of them
 *   somebody has touched since. Forgets, later, the runs themselves.
 * Does not: keep anything of a pair that a run left as it was.
 * Always true: written in the transaction of the membership itself.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Pairs of account and site.
 */
final class Rollcall_Network_Pairs {

	/** A run can be undone for so long: 14 days. */
	const KEPT_MS = 1209600000;

	/** A run that is over is remembered for so long: 90 days. */
	const REMEMBERED_MS = 7776000000;

	/** What a trigger wrote is kept under this number, so that it is known as ours; no run undoes it. */
	const TRIGGER = 0;

	/** A membership of ours is “just begun” for so long: a person's request may have looked before, and writes late. */
	const FRESH_MS = 300000;

	/** Rows that one housekeeping drops at most, so that nobody waits for it. */
	const DROPPED = 20000;

	/** A request that writes many accounts asks so often whether there is a run at all. */
	const ASK_MS = 2000;

	/**
	 * Numbers of the runs that can be undone, and when they were read.
	 *
	 * @var array{0:int[],1:int}
	 */
	private static $kept = array( array(), 0 );

	/**
	 * Keeps what a run wrote.
	 *
	 * @param int   $run   Its number.
	 * @param int   $blog  Site.
	 * @param array $pairs Account => { mid, was: ?string, now }.
	 * @return void
	 */
	public static function keep( $run, $blog, array $pairs ) {
		$rows = array();
		foreach ( $pairs as $id => $pair ) {
			$rows[] = array( (int) $run, (int) $blog, (int) $id, (int) $pair['mid'], $pair['was'], $pair['now'], Rollcall_Network_Runs::now() );
		}
		Rollcall_Set_Sql::insert( Rollcall_Network_Tables::pairs(), array( 'run', 'blog', 'user_id', 'umeta_id', 'was', 'now', 'at_ms' ), $rows, ' ON DUPLICATE KEY UPDATE umeta_id = VALUES(umeta_id), was = VALUES(was), now = VALUES(now), at_ms = VALUES(at_ms), touched = 0' );
	}

	/**
	 * Those of some rows of usermeta that a run or a trigger has begun in the last minutes.
	 *
	 * @param int   $id   Account.
	 * @param int   $blog Site.
	 * @param int[] $mids Rows.
	 * @return int[]
	 */
	public static function just_begun( $id, $blog, array $mids ) {
		global $wpdb;
		$since      = Rollcall_Network_Runs::now() - self::FRESH_MS;
		// A run may have begun since this request asked for the first time.
		self::$kept = array( array(), 0 );
		$runs       = implode( ',', array_merge( array( self::TRIGGER ), self::kept() ) );
		$list       = implode( ',', array_map( 'intval', $mids ) );
		return array_map( 'intval', $wpdb->get_col( $wpdb->prepare( 'SELECT umeta_id FROM ' . Rollcall_Network_Tables::pairs() . " WHERE run IN ($runs) AND blog = %d AND user_id = %d AND was IS NULL AND at_ms > $since AND umeta_id IN ($list)", $blog, $id ) ) ); // phpcs:ignore WordPress.DB
	}

	/**
	 * Forgets a pair: it is no longer ours.
	 *
	 * @param int $run  Number of the run.
	 * @param int $blog Site.
	 * @param int $id   Account.
	 * @return void
	 */
	public static function drop( $run, $blog, $id ) {
		global $wpdb;
		$wpdb->delete( // phpcs:ignore WordPress.DB
			Rollcall_Network_Tables::pairs(),
			array(
				'run'     => $run,
				'blog'    => $blog,
				'user_id' => $id,
			)
		);
	}

	/**
	 * Forgets what triggers have begun, as soon as that is not fresh any more.
	 *
	 * @return void
	 */
	public static function forget_triggers() {
		global $wpdb;
		$wpdb->query( 'DELETE FROM ' . Rollcall_Network_Tables::pairs() . ' WHERE run = ' . self::TRIGGER . ' AND at_ms < ' . ( Rollcall_Network_Runs::now() - self::FRESH_MS ) ); // phpcs:ignore WordPress.DB
	}

	/**
	 * Pairs of a run on one site.
	 *
	 * @param int $run   Its number.
	 * @param int $blog  Site.
	 * @param int $after Account after which to begin.
	 * @param int $upto  Account up to which; 0: no end.
	 * @param int $limit At most so many.
	 * @return array Account => { mid, was, now, touched }.
	 */
	public static function of( $run, $blog, $after, $upto, $limit ) {
		global $wpdb;
		$found = array();
		$where = $upto > 0 ? $wpdb->prepare( ' AND user_id <= %d', $upto ) : '';
		foreach ( $wpdb->get_results( $wpdb->prepare( 'SELECT user_id, umeta_id, was, now, touched FROM ' . Rollcall_Network_Tables::pairs() . " WHERE run = %d AND blog = %d AND user_id > %d$where ORDER BY user_id LIMIT %d", $run, $blog, $after, $limit ), ARRAY_N ) as $row ) { // phpcs:ignore WordPress.DB
			$found[ (int) $row[0] ] = array(
				'mid'     => (int) $row[1],
				'was'     => $row[2],
				'now'     => (string) $row[3],
				'touched' => '0' !== (string) $row[4],
			);
		}
		return $found;
	}

	/**
	 * A page of what a run wrote, for people.
	 *
	 * @param int         $run   Its number.
	 * @param string|null $after Where the page before ended.
	 * @param int         $limit At most so many.
	 * @return array { rows, after }
	 */
	public static function page( $run, $after, $limit ) {
		global $wpdb;
		$at    = array_map( 'intval', explode( '.', (string) $after ) ) + array( 0, 0 );
		$found = $wpdb->get_results( // phpcs:ignore WordPress.DB
			$wpdb->prepare(
				'SELECT p.*, u.user_login FROM ' . Rollcall_Network_Tables::pairs() . " p LEFT JOIN {$wpdb->users} u ON u.ID = p.user_id WHERE p.run = %d AND (p.blog > %d OR (p.blog = %d AND p.user_id > %d)) ORDER BY p.blog, p.user_id LIMIT %d", // phpcs:ignore WordPress.DB
				$run,
				$at[0],
				$at[0],
				$at[1],
				$limit
			)
		);
		$rows = array();
		foreach ( $found as $row ) {
			$target = new Rollcall_Network_Target( (int) $row->blog, Rollcall_Network_Settings::DEFAULTS );
			$rows[] = array(
				'id'      => (int) $row->user_id,
				'login'   => $row->user_login,
				'blog'    => (int) $row->blog,
				'was'     => null === $row->was ? null : $target->roles_in( (array) maybe_unserialize( $row->was ) ),
				'now'     => $target->roles_in( (array) maybe_unserialize( $row->now ) ),
				'touched' => '0' !== (string) $row->touched,
			);
		}
		$last = end( $found );
		return array(
			'rows'  => $rows,
			'after' => $last && count( $found ) === $limit ? $last->blog . '.' . $last->user_id : null,
		);
	}

	/**
	 * Somebody else wrote a membership: no run undoes what it did to it.
	 *
	 * @param int $id   Account.
	 * @param int $blog Site.
	 * @return void
	 */
	public static function touch( $id, $blog ) {
		global $wpdb;
		$runs = self::kept();
		if ( $runs ) {
			$list = implode( ',', $runs );
			$wpdb->query( $wpdb->prepare( 'UPDATE ' . Rollcall_Network_Tables::pairs() . " SET touched = 1 WHERE run IN ($list) AND blog = %d AND user_id = %d", $blog, $id ) ); // phpcs:ignore WordPress.DB
		}
	}

	/**
	 * Is there anything that a run wrote, and that nobody has touched since?
	 *
	 * @param string $id Run.
	 * @return bool
	 */
	public static function any_untouched( $id ) {
		global $wpdb;
		return null !== $wpdb->get_var( $wpdb->prepare( 'SELECT 1 FROM ' . Rollcall_Network_Tables::pairs() . ' p JOIN ' . Rollcall_Network_Tables::runs() . ' r ON r.seq = p.run WHERE r.id = %s AND p.touched = 0 LIMIT 1', $id ) ); // phpcs:ignore WordPress.DB
	}

	/**
	 * Numbers of the runs that can be undone. One that began a moment ago may be missing: what it wrote is
	 * compared with what it left as well.
	 *
	 * @return int[]
	 */
	public static function kept() {
		global $wpdb;
		$now = Rollcall_Network_Runs::now();
		if ( self::$kept[1] + self::ASK_MS < $now ) {
			self::$kept = array( array_map( 'intval', $wpdb->get_col( 'SELECT seq FROM ' . Rollcall_Network_Tables::runs() . ' WHERE began_ms > ' . ( $now - self::KEPT_MS ) ) ), $now ); // phpcs:ignore WordPress.DB
		}
		return self::$kept[0];
	}

	/**
	 * Drops pairs of runs that can no longer be undone, some at a time, and runs that are long over.
	 *
	 * @return void
	 */
	public static function forget_old() {
		global $wpdb;
		$first = (int) $wpdb->get_var( 'SELECT MIN(seq) FROM ' . Rollcall_Network_Tables::runs() . ' WHERE began_ms > ' . ( Rollcall_Network_Runs::now() - self::KEPT_MS ) ); // phpcs:ignore WordPress.DB
		$old   = $wpdb->get_col( 'SELECT DISTINCT run FROM ' . Rollcall_Network_Tables::pairs() . ' WHERE run > ' . self::TRIGGER . ( $first ? " AND run < $first" : '' ) . ' ORDER BY run LIMIT 1' ); // phpcs:ignore WordPress.DB
		if ( $old ) {
			$wpdb->query( 'DELETE FROM ' . Rollcall_Network_Tables::pairs() . ' WHERE run = ' . (int) $old[0] . ( false === strpos( get_class( $wpdb ), 'SQLite' ) ? ' LIMIT ' . self::DROPPED : '' ) ); // phpcs:ignore WordPress.DB
		}
		$wpdb->query( 'DELETE FROM ' . Rollcall_Network_Tables::runs() . " WHERE state IN ('done', 'cancelled', 'undone') AND began_ms < " . ( Rollcall_Network_Runs::now() - self::REMEMBERED_MS ) ); // phpcs:ignore WordPress.DB
	}
}
