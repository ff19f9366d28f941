<?php
/**
 * Runs: actions on many memberships, with where they are, until they are done, cancelled or undone.
 *
 * Does: begins, finds, pauses, resumes, cancels; says what a run wrote.
 * Does not: ask who may; work on memberships itself (Rollcall_Network_Turn, Rollcall_Network_Passing,
 *   Rollcall_Network_Undo).
 * Always true: only runs of the network of this request are seen, begun and worked on; the guard, read-only and
 *   the hub's account are that one's. A run is begun once for its id; where it stands is in its row, and moves in the same
 *   transaction as what was written, so a run that was killed goes on where it was.
 * On failure: a WP_Error with a reason.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Runs.
 */
final class Rollcall_Network_Runs {

	const DRIVERS = array( 'hub', 'cron', 'cli' );

	/** So many characters of who began it. */
	const BY_CHARS = 200;

	/** Pairs. `kept` by an undo are those that it didn't take back; `left` of them another undo may. */
	const COUNTS = array(
		'total'     => 0,
		'done'      => 0,
		'added'     => 0,
		'changed'   => 0,
		'unchanged' => 0,
		'skipped'   => array(),
		'removed'   => 0,
		'kept'      => 0,
		'left'      => array(),
	);

	/** Those of them that are maps: reason => how many. */
	const BY_REASON = array(
		'skipped' => array(),
		'left'    => array(),
	);

	/** From which states a run can be told what; and where it goes then. */
	const CONTROLS = array(
		'pause'  => array( array( 'running' ), 'paused' ),
		'resume' => array( array( 'paused', 'failed' ), 'running' ),
		'cancel' => array( array( 'running', 'paused', 'failed' ), 'cancelled' ),
		'undo'   => array( array( 'paused', 'cancelled', 'done', 'failed', 'undone' ), 'undoing' ),
	);

	/**
	 * Begins a run.
	 *
	 * @param string $id      UUID; a second beginning with the same one gives the first run.
	 * @param int    $network Network.
	 * @param array  $spec    See Rollcall_Network_Spec.
	 * @param string $driver  Who goes on with it: hub, cron or cli.
	 * @param string $by      Who began it, for people.
	 * @return array|WP_Error The run.
	 */
	public static function begin( $id, $network, array $spec, $driver, $by ) {
		global $wpdb;
		$network = (int) $network;
		if ( ! wp_is_uuid( $id ) || ! in_array( $driver, self::DRIVERS, true ) || get_current_network_id() !== $network ) {
			return Rollcall_Rest::error( 'request.invalid', 400, Rollcall_Reasons::sentence( 'request.invalid' ) );
		}
		$id = strtolower( $id );
		if ( self::row( $id ) ) {
			return self::find( $id );
		}
		$spec = Rollcall_Network_Spec::checked( $network, $spec );
		if ( is_wp_error( $spec ) ) {
			return $spec;
		}
		Rollcall_Network_Pairs::forget_old();
		$todo   = Rollcall_Network_Spec::todo( $network, $spec );
		$people = new Rollcall_Network_People( $network, $spec['people'] );
		$counts = array_merge( self::COUNTS, array( 'total' => $people->count() * count( $todo ) ) );
		$made   = $wpdb->query( // phpcs:ignore WordPress.DB
			$wpdb->prepare(
				'INSERT IGNORE INTO ' . Rollcall_Network_Tables::runs() . ' (id, network, spec, state, driver, made_by, began_ms, ended_ms, counts, todo, untold) VALUES (%s, %d, %s, %s, %s, %s, %d, %d, %s, %s, %s)', // phpcs:ignore WordPress.DB
				$id,
				$network,
				wp_json_encode( $spec ),
				$todo ? 'running' : 'done',
				$driver,
				mb_substr( (string) $by, 0, self::BY_CHARS ),
				self::now(),
				$todo ? 0 : self::now(),
				wp_json_encode( $counts ),
				wp_json_encode( $todo ),
				''
			)
		);
		if ( false === $made ) {
			return Rollcall_Rest::error( 'site.database', 500, Rollcall_Reasons::sentence( 'site.database' ) );
		}
		if ( 'cron' === $driver ) {
			Rollcall_Network_Cron::wake();
		}
		return self::find( $id );
	}

	/**
	 * A run.
	 *
	 * @param string $id Its id.
	 * @return array|WP_Error
	 */
	public static function find( $id ) {
		$row = self::row( $id );
		return $row ? self::view( $row ) : Rollcall_Rest::error( 'network.run_missing', 404, Rollcall_Reasons::sentence( 'network.run_missing' ) );
	}

	/**
	 * The newest runs of a network.
	 *
	 * @param int         $network Network.
	 * @param string|null $before  Id of the run before which to begin.
	 * @param int         $limit   At most so many.
	 * @return array[]
	 */
	public static function recent( $network, $before, $limit ) {
		global $wpdb;
		$row  = null === $before ? null : self::row( $before );
		$seq  = $row ? (int) $row->seq : PHP_INT_MAX;
		$rows = $wpdb->get_results( $wpdb->prepare( 'SELECT * FROM ' . Rollcall_Network_Tables::runs() . ' WHERE network = %d AND seq < %d ORDER BY seq DESC LIMIT %d', $network, $seq, $limit ) ); // phpcs:ignore WordPress.DB
		return array_map( array( __CLASS__, 'view' ), (array) $rows );
	}

	/**
	 * Has a run pass by the next sites on which there is nothing to write: that needs no turn at the site itself.
	 *
	 * @param string $id      Run.
	 * @param float  $seconds At most so long, roughly.
	 * @return array|WP_Error The run.
	 */
	public static function pass_by( $id, $seconds ) {
		$row = self::row( $id );
		if ( $row ) {
			Rollcall_Network_Passing::at( $row, (float) $seconds );
		}
		return self::find( $id );
	}

	/**
	 * Works on one site of a run, or goes on with it; then passes by those behind it on which there is nothing to write. Safe to repeat: a page for a site that is not the
	 * run's next, or that somebody else is at, changes nothing.
	 *
	 * @param string $id      Run.
	 * @param int    $blog    Site.
	 * @param float  $seconds At most so long, roughly.
	 * @return array|WP_Error The run.
	 */
	public static function page( $id, $blog, $seconds ) {
		$row = self::row( $id );
		if ( $row ) {
			Rollcall_Network_Turn::at( $row, (int) $blog, (float) $seconds );
		}
		return self::find( $id );
	}

	/**
	 * Tells a run what to do.
	 *
	 * @param string      $id     Run.
	 * @param string      $to     pause, resume, cancel or undo.
	 * @param string|null $driver Who goes on with it from here; null: who did so far.
	 * @return array|WP_Error The run.
	 */
	public static function control( $id, $to, $driver = null ) {
		global $wpdb;
		$row = self::row( $id );
		if ( ! $row || ! isset( self::CONTROLS[ $to ] ) ) {
			return $row ? Rollcall_Rest::error( 'request.invalid', 400, Rollcall_Reasons::sentence( 'request.invalid' ) ) : self::find( $id );
		}
		list( $from, $state ) = self::CONTROLS[ $to ];
		if ( $row->state === $state ) {
			return self::view( $row );
		}
		$counts = array_merge( self::COUNTS, (array) json_decode( (string) $row->counts, true ) );
		$why    = 'undo' === $to ? self::why_no_undo( self::view( $row ) ) : null;
		if ( null !== $why ) {
			return Rollcall_Rest::error( $why, 409, Rollcall_Reasons::sentence( $why ) );
		}
		$fields = array(
			'state'    => $state,
			'ended_ms' => 'cancelled' === $state ? self::now() : 0,
			'faults'   => 0,
		) + ( in_array( $driver, self::DRIVERS, true ) ? array( 'driver' => $driver ) : array() );
		if ( 'undo' === $to ) {
			$fields += array(
				'place'  => 0,
				'after'  => 0,
				'counts' => wp_json_encode( array( 'undo' => true, 'kept' => 0, 'left' => array() ) + $counts ), // phpcs:ignore WordPress.Arrays
			);
		} elseif ( 'resume' === $to && ! empty( $counts['undo'] ) ) {
			// It failed while it was taken back.
			$fields['state'] = 'undoing';
		}
		if ( ! self::move( $row, $from, $fields ) ) {
			return Rollcall_Rest::error( 'network.run_state', 409, Rollcall_Reasons::sentence( 'network.run_state' ) );
		}
		Rollcall_Network_Cron::wake();
		return self::find( $id );
	}

	/**
	 * Why a run can't be undone, whatever state it is in.
	 *
	 * @param array $run Run.
	 * @return string|null Reason.
	 */
	public static function why_no_undo( array $run ) {
		if ( $run['began_ms'] < self::now() - Rollcall_Network_Pairs::KEPT_MS ) {
			return 'run.undo_expired';
		}
		$more = 'undone' !== $run['state'] || ( $run['counts']['left'] && Rollcall_Network_Pairs::any_untouched( $run['id'] ) );
		return $more ? null : 'network.nothing_to_undo';
	}

	/**
	 * Writes to a run's row, if it is in one of some states still.
	 *
	 * @param object   $row    Row.
	 * @param string[] $from   States.
	 * @param array    $fields Column => value.
	 * @return bool
	 */
	private static function move( $row, array $from, array $fields ) {
		global $wpdb;
		foreach ( $from as $state ) {
			$where = array(
				'seq'   => $row->seq,
				'state' => $state,
			);
			if ( $wpdb->update( Rollcall_Network_Tables::runs(), $fields, $where ) ) { // phpcs:ignore WordPress.DB
				return true;
			}
		}
		return false;
	}

	/**
	 * What a run wrote.
	 *
	 * @param string      $id    Run.
	 * @param string|null $after Where the page before ended.
	 * @param int         $limit At most so many.
	 * @return array|WP_Error { rows: [ { id, login, blog, was: ?string[], now: string[], touched } ], after: ?string }
	 */
	public static function rows( $id, $after, $limit ) {
		$row = self::row( $id );
		return $row ? Rollcall_Network_Pairs::page( (int) $row->seq, $after, (int) $limit ) : self::find( $id );
	}

	/**
	 * The row of a run of this network.
	 *
	 * @param string $id Run.
	 * @return object|null
	 */
	public static function row( $id ) {
		global $wpdb;
		return $wpdb->get_row( $wpdb->prepare( 'SELECT * FROM ' . Rollcall_Network_Tables::runs() . ' WHERE id = %s AND network = %d', strtolower( (string) $id ), get_current_network_id() ) ); // phpcs:ignore WordPress.DB
	}

	/**
	 * As others see it.
	 *
	 * @param object $row Row.
	 * @return array
	 */
	public static function view( $row ) {
		$todo  = (array) json_decode( (string) $row->todo, true );
		$works = in_array( $row->state, array( 'running', 'paused', 'failed', 'undoing' ), true );
		return array(
			'id'       => (string) $row->id,
			'network'  => (int) $row->network,
			'spec'     => (array) json_decode( (string) $row->spec, true ),
			'state'    => (string) $row->state,
			'driver'   => (string) $row->driver,
			'by'       => (string) $row->made_by,
			'began_ms' => (int) $row->began_ms,
			'ended_ms' => $row->ended_ms ? (int) $row->ended_ms : null,
			'counts'   => array_intersect_key( array_merge( self::COUNTS, (array) json_decode( (string) $row->counts, true ) ), self::COUNTS ),
			'next'     => $works && isset( $todo[ (int) $row->place ] ) ? (int) $todo[ (int) $row->place ] : null,
		);
	}

	/** The site's clock, ms. */
	public static function now() {
		return (int) floor( microtime( true ) * 1000 );
	}
}
