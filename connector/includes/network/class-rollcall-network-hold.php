<?php
/**
 * A run that this request holds: its row, with where it stands and what it has counted.
 *
 * Does: takes a run's lease and lets go of it; adds to the counts; moves the run on, within a site and to the next one.
 * Does not: look at memberships, or write any.
 * Always true: only whoever holds the lease moves a run, and only in the state in which it was taken: who pauses or
 *   cancels it, or takes it over, stops this request at its next save.
 * On failure: what was moved and not saved did not happen; after MOST_FAULTS in a row the run waits as `failed`.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * A held run.
 */
final class Rollcall_Network_Hold {

	/** A killed request holds its run for so long. Renewed with every save. */
	const LEASE_MS = 30000;

	/** Where nothing is to be written, progress is noted as often as this. */
	const NOTE_MS = 3000;

	const MOST_FAULTS = 5;

	/**
	 * Number of the run.
	 *
	 * @var int
	 */
	public $seq;

	/**
	 * Its id.
	 *
	 * @var string
	 */
	public $id;

	/**
	 * Its network.
	 *
	 * @var int
	 */
	public $network;

	/**
	 * Action.
	 *
	 * @var array
	 */
	public $spec;

	/**
	 * The account up to which the site is done.
	 *
	 * @var int
	 */
	public $after;

	/**
	 * Counts.
	 *
	 * @var array
	 */
	public $counts;

	/**
	 * What was written and not told, as stored.
	 *
	 * @var string
	 */
	public $untold;

	/**
	 * Row of the run, as it is stored.
	 *
	 * @var object
	 */
	private $row;

	/**
	 * Which of its sites it is at.
	 *
	 * @var int
	 */
	private $place;

	/**
	 * Sites.
	 *
	 * @var int[]
	 */
	private $todo;

	/**
	 * Holds a run while something works on it, unless somebody else does.
	 *
	 * @param object   $row  Row of the run.
	 * @param callable $work Is given the hold.
	 * @return void
	 */
	public static function during( $row, $work ) {
		$token = bin2hex( random_bytes( 8 ) );
		if ( ! self::take( $row->seq, $token ) ) {
			return;
		}
		try {
			Rollcall_Tables::use_writer();
			$now = Rollcall_Network_Runs::row( $row->id );
			if ( $now->state === $row->state ) {
				$work( new self( $now ) );
			}
		} catch ( Throwable $fault ) {
			Rollcall_Query_Faults::make_good();
			Rollcall_Network_Announcer::complain( $fault );
			self::note_fault( $row->seq, $token );
		} finally {
			self::let_go( $row->seq, $token );
		}
	}

	/**
	 * A new one.
	 *
	 * @param object $row Row of the run.
	 */
	private function __construct( $row ) {
		$this->row     = $row;
		$this->seq     = (int) $row->seq;
		$this->id      = (string) $row->id;
		$this->network = (int) $row->network;
		$this->spec    = (array) json_decode( (string) $row->spec, true );
		$this->counts  = array_merge( Rollcall_Network_Runs::COUNTS, (array) json_decode( (string) $row->counts, true ) );
		$this->todo    = array_map( 'intval', (array) json_decode( (string) $row->todo, true ) );
		$this->place   = (int) $row->place;
		$this->after   = (int) $row->after;
		$this->untold  = (string) $row->untold;
	}

	/**
	 * The site that it is at.
	 *
	 * @return int|null Null: it is through.
	 */
	public function blog() {
		return isset( $this->todo[ $this->place ] ) ? $this->todo[ $this->place ] : null;
	}

	/**
	 * The sites that it has before it, this one first.
	 *
	 * @param int $limit At most so many.
	 * @return int[]
	 */
	public function ahead( $limit ) {
		return array_slice( $this->todo, $this->place, $limit );
	}

	/** Is it being taken back? */
	public function undoes() {
		return 'undoing' === $this->row->state;
	}

	/**
	 * Goes to the next site. Told with the next save.
	 *
	 * @return void
	 */
	public function next_site() {
		++$this->place;
		$this->after  = 0;
		$this->untold = '';
	}

	/**
	 * Adds to the counts.
	 *
	 * @param array  $more    Count => how many more.
	 * @param array  $reasons Reason => how many more.
	 * @param string $by      The count that is kept by reason.
	 * @return void
	 */
	public function count( array $more, array $reasons, $by = 'skipped' ) {
		foreach ( $more as $name => $number ) {
			$this->counts[ $name ] += $number;
		}
		foreach ( array_filter( $reasons ) as $reason => $number ) {
			$this->counts[ $by ][ $reason ] = $number + ( isset( $this->counts[ $by ][ $reason ] ) ? $this->counts[ $by ][ $reason ] : 0 );
		}
	}

	/**
	 * Moves the run on, as long as it is ours. Past its last site it has come to its end.
	 *
	 * @return void
	 * @throws Rollcall_Network_Stopped When somebody paused it, or took it over.
	 * @throws RuntimeException When the database refuses it.
	 */
	public function save() {
		global $wpdb;
		// The lease makes the row another one each time, so a row that was met counts as changed.
		$lease = max( Rollcall_Network_Runs::now() + self::LEASE_MS, (int) $this->row->lease_ms + 1 );
		$where = array(
			'seq'   => $this->seq,
			'token' => $this->row->token,
			'state' => $this->row->state,
		);
		$end   = null === $this->blog() ? $this->end() : array();
		$is    = array(
			'place'    => $this->place,
			'after'    => $this->after,
			'counts'   => wp_json_encode( $this->counts ),
			'untold'   => $this->untold,
			'lease_ms' => $lease,
			'faults'   => 0,
		);
		$met   = $wpdb->update( Rollcall_Network_Tables::runs(), $is + $end, $where ); // phpcs:ignore WordPress.DB
		if ( false === $met ) {
			throw new RuntimeException( 'Where a run stands can’t be kept.' );
		}
		if ( 1 !== $met ) {
			throw new Rollcall_Network_Stopped();
		}
		$this->row->lease_ms = $lease;
	}

	/**
	 * Saves if that was long ago.
	 *
	 * @return void
	 * @throws Rollcall_Network_Stopped As save().
	 */
	public function note() {
		if ( $this->row->lease_ms < Rollcall_Network_Runs::now() + self::LEASE_MS - self::NOTE_MS ) {
			$this->save();
		}
	}

	/**
	 * It is through.
	 *
	 * @return array Column => value.
	 */
	private function end() {
		if ( ! $this->undoes() ) {
			// People came and went meanwhile.
			$this->counts['total'] = $this->counts['done'];
		}
		return array(
			'state'    => $this->undoes() ? 'undone' : 'done',
			'ended_ms' => Rollcall_Network_Runs::now(),
		);
	}

	/**
	 * Takes the lease of a run.
	 *
	 * @param int    $seq   Run.
	 * @param string $token Our mark.
	 * @return bool
	 */
	private static function take( $seq, $token ) {
		global $wpdb;
		$now = Rollcall_Network_Runs::now();
		return 1 === (int) $wpdb->query( $wpdb->prepare( 'UPDATE ' . Rollcall_Network_Tables::runs() . " SET token = %s, lease_ms = %d WHERE seq = %d AND (token = '' OR lease_ms < %d)", $token, $now + self::LEASE_MS, $seq, $now ) ); // phpcs:ignore WordPress.DB
	}

	/**
	 * Lets go of it.
	 *
	 * @param int    $seq   Run.
	 * @param string $token Our mark.
	 * @return void
	 */
	private static function let_go( $seq, $token ) {
		global $wpdb;
		$wpdb->update( // phpcs:ignore WordPress.DB
			Rollcall_Network_Tables::runs(),
			array( 'token' => '' ),
			array(
				'seq'   => $seq,
				'token' => $token,
			)
		);
	}

	/**
	 * Counts a fault.
	 *
	 * @param int    $seq   Run.
	 * @param string $token Our mark.
	 * @return void
	 */
	private static function note_fault( $seq, $token ) {
		global $wpdb;
		$wpdb->query( $wpdb->prepare( 'UPDATE ' . Rollcall_Network_Tables::runs() . " SET faults = faults + 1, state = CASE WHEN faults >= %d AND state IN ('running', 'undoing') THEN 'failed' ELSE state END WHERE seq = %d AND token = %s", self::MOST_FAULTS, $seq, $token ) ); // phpcs:ignore WordPress.DB
	}
}
