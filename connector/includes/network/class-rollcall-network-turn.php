<?php
/**
 * One turn of work on one site of a run: chunk by chunk, until the time is over or the site is done.
 *
 * Does: takes the run's lease; decides, writes and tells a chunk; moves the run on. Chunks grow and shrink
 *   with the time that they take: listeners of other plugins set the pace.
 * Always true: what a chunk wrote and where the run stands are one transaction, and only whoever holds
 *   the lease moves it; whether the site may be written to is looked at again for every chunk. What a
 *   killed turn had written and not told is told by the next one.
 * On failure: the chunk is rolled back and comes again with the next turn; after MOST_FAULTS in a row the
 *   run waits as `failed`.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * A turn.
 */
final class Rollcall_Network_Turn {

	/** A killed turn holds its run for so long. Renewed with every chunk. */
	const LEASE_MS = 30000;

	/** Accounts of the first chunk, of the smallest and of the largest. */
	const FIRST    = 1000;
	const SMALLEST = 20;
	const LARGEST  = 4000;

	/** Where nothing is to be written, progress is noted as often as this. */
	const NOTE_MS = 3000;

	/** A chunk aims at so many seconds: the lease and the time budget are looked at between chunks. */
	const CHUNK_S = 0.5;

	const MOST_FAULTS = 5;

	/** A listener that ends the request is met so often before its accounts are left untold. */
	const MOST_TELLS = 2;

	/**
	 * Row of the run, as it stands.
	 *
	 * @var object
	 */
	private $row;

	/**
	 * Action.
	 *
	 * @var array
	 */
	private $spec;

	/**
	 * Counts.
	 *
	 * @var array
	 */
	private $counts;

	/**
	 * Sites.
	 *
	 * @var int[]
	 */
	private $todo;

	/**
	 * People.
	 *
	 * @var Rollcall_Network_People
	 */
	private $people;

	/**
	 * Works on a site of a run, if it is its next one and nobody else is at it.
	 *
	 * @param object $row     Row of the run.
	 * @param int    $blog    Site.
	 * @param float  $seconds At most so long, roughly.
	 * @return void
	 */
	public static function at( $row, $blog, $seconds ) {
		$view = Rollcall_Network_Runs::view( $row );
		if ( ! in_array( $view['state'], array( 'running', 'undoing' ), true ) || $view['next'] !== $blog ) {
			return;
		}
		$token = bin2hex( random_bytes( 8 ) );
		if ( ! self::take( $row->seq, $token ) ) {
			return;
		}
		try {
			Rollcall_Tables::use_writer();
			$turn = new self( Rollcall_Network_Runs::row( $row->id ) );
			if ( $turn->row->state === $row->state && isset( $turn->todo[ (int) $turn->row->place ] ) && $turn->todo[ (int) $turn->row->place ] === $blog ) {
				Rollcall_Network_Triggers::while_writing( array( $turn, 'work' ), $blog, microtime( true ) + Rollcall_Limits::seconds( $seconds ) );
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
		$this->row    = $row;
		$this->spec   = (array) json_decode( (string) $row->spec, true );
		$this->counts = array_merge( Rollcall_Network_Runs::COUNTS, (array) json_decode( (string) $row->counts, true ) );
		$this->todo   = array_map( 'intval', (array) json_decode( (string) $row->todo, true ) );
		$this->people = new Rollcall_Network_People( (int) $row->network, $this->spec['people'] );
	}

	/**
	 * Works. Called by at().
	 *
	 * @param int   $blog  Site.
	 * @param float $until When to end.
	 * @return void
	 */
	public function work( $blog, $until ) {
		$this->tell_untold();
		$size = self::FIRST;
		do {
			$began = microtime( true );
			$more  = $this->chunk( $blog, $size );
			$speed = self::CHUNK_S / max( 0.001, microtime( true ) - $began );
			$size  = (int) max( self::SMALLEST, min( self::LARGEST, $size * min( 4, $speed ) ) );
		} while ( $more && microtime( true ) < $until && ! Rollcall_Limits::memory_is_short() );
		if ( $more ) {
			// All that was written is told by now.
			$this->save( array( 'untold' => '' ) );
		}
	}

	/**
	 * One chunk.
	 *
	 * @param int $blog Site.
	 * @param int $size Accounts.
	 * @return bool Is there more to do on this site?
	 */
	private function chunk( $blog, $size ) {
		$settings = Rollcall_Network_Settings::fresh( (int) $this->row->network );
		$refusal  = Rollcall_Network_Sites::refusal( (int) $this->row->network, $blog, $settings );
		if ( 'undoing' === $this->row->state ) {
			return $this->undo_chunk( $blog, $size, $settings, $refusal );
		}
		if ( null !== $refusal ) {
			$left = $this->people->count( (int) $this->row->after );
			$this->count( array( 'done' => $left ), array( $refusal => $left ) );
			return $this->next_site();
		}
		$page   = $this->people->next( (int) $this->row->after, $size );
		$target = new Rollcall_Network_Target( $blog, $settings );
		$plan   = Rollcall_Network_Look::at( $this->spec, $target, $page['people'] );
		Rollcall_Network_Can_Add::ask( $plan );
		if ( $plan->size() > 0 ) {
			$this->write( $plan, array_keys( $page['people'] ) );
		} else {
			$this->count_plan( $plan, count( $page['people'] ), 0, 0 );
		}
		if ( null === $page['after'] ) {
			return $this->next_site();
		}
		$this->row->after = $page['after'];
		if ( 0 === $plan->size() && $this->row->lease_ms < Rollcall_Network_Runs::now() + self::LEASE_MS - self::NOTE_MS ) {
			$this->save( array( 'untold' => '' ) );
		}
		return true;
	}

	/**
	 * Writes a plan and moves the run on, then tells.
	 *
	 * @param Rollcall_Network_Plan $plan Plan.
	 * @param int[]                 $ids  Accounts that it is about.
	 * @return void
	 */
	private function write( $plan, array $ids ) {
		$blog   = $plan->target->blog;
		$before = $this->counts;
		$after  = (int) $this->row->after;
		$pairs  = Rollcall_Network_Transaction::run(
			function () use ( $plan, $blog, $ids, $before, $after ) {
				$this->counts = $before;
				$pairs        = Rollcall_Network_Writer::carry_out( $plan );
				$changed      = count( array_filter( wp_list_pluck( $pairs, 'was' ), 'is_string' ) );
				Rollcall_Network_Pairs::keep( $this->row->seq, $blog, $pairs );
				Rollcall_Network_Outgoing::put( $blog, array_keys( $pairs ) );
				$this->count_plan( $plan, count( $ids ), count( $pairs ) - $changed, $changed );
				$untold           = array( $blog, $after, max( $ids ), 0 );
				$this->row->after = max( $ids );
				$this->save( array( 'untold' => wp_json_encode( $untold ) ) );
				return $pairs;
			}
		);
		Rollcall_Network_Doubles::part( $plan->target, $pairs, (int) $this->row->seq );
		Rollcall_Network_Announcer::tell( $plan->target, $pairs );
	}

	/**
	 * Takes a chunk of what the run wrote back.
	 *
	 * @param int         $blog     Site.
	 * @param int         $size     Accounts.
	 * @param array       $settings Settings.
	 * @param string|null $refusal  Why the site may not be written to.
	 * @return bool Is there more to do on this site?
	 */
	private function undo_chunk( $blog, $size, array $settings, $refusal ) {
		$pairs = Rollcall_Network_Pairs::of( (int) $this->row->seq, $blog, (int) $this->row->after, 0, $size );
		if ( $pairs ) {
			$undo   = new Rollcall_Network_Undo( new Rollcall_Network_Target( $blog, $settings ), (int) $this->row->seq );
			$before = $this->counts;
			$undo->carry_out(
				$pairs,
				$refusal,
				function ( $done, array $left ) use ( $pairs, $before ) {
					$this->counts             = $before;
					$this->counts['removed'] += $done;
					$this->count( array( 'kept' => count( $pairs ) - $done ), $left, 'left' );
					$this->row->after = max( array_keys( $pairs ) );
					$this->save( array( 'untold' => '' ) );
				}
			);
		}
		return count( $pairs ) < $size ? $this->next_site() : true;
	}

	/**
	 * This site is done.
	 *
	 * @return bool False.
	 */
	private function next_site() {
		++$this->row->place;
		$this->row->after = 0;
		$fields           = array( 'untold' => '' );
		if ( ! isset( $this->todo[ $this->row->place ] ) ) {
			$fields += array(
				'state'    => 'undoing' === $this->row->state ? 'undone' : 'done',
				'ended_ms' => Rollcall_Network_Runs::now(),
			);
			// People came and went meanwhile.
			$this->counts['total'] = 'done' === $fields['state'] ? $this->counts['done'] : $this->counts['total'];
		}
		$this->save( $fields );
		return false;
	}

	/**
	 * Tells what a killed turn has written and not told.
	 *
	 * @return void
	 */
	private function tell_untold() {
		$untold = json_decode( (string) $this->row->untold, true );
		if ( ! is_array( $untold ) || 4 !== count( $untold ) || $untold[3] >= self::MOST_TELLS ) {
			return;
		}
		list( $blog, $after, $upto, $tells ) = $untold;
		// Noted first: the listener that ended that request may end this one.
		$this->save( array( 'untold' => wp_json_encode( array( $blog, $after, $upto, $tells + 1 ) ) ) );
		$pairs = Rollcall_Network_Pairs::of( (int) $this->row->seq, $blog, $after, $upto, self::LARGEST );
		Rollcall_Network_Announcer::tell( new Rollcall_Network_Target( $blog, Rollcall_Network_Settings::DEFAULTS ), $pairs );
		$this->save( array( 'untold' => '' ) );
	}

	/**
	 * Counts what a plan amounted to.
	 *
	 * @param Rollcall_Network_Plan $plan    Plan.
	 * @param int                   $people  Accounts.
	 * @param int                   $added   Memberships begun.
	 * @param int                   $changed Memberships changed.
	 * @return void
	 */
	private function count_plan( $plan, $people, $added, $changed ) {
		$this->count(
			array(
				'done'      => $people,
				'added'     => $added,
				'changed'   => $changed,
				// Whoever was faster has made it as it is.
				'unchanged' => $plan->unchanged + $plan->size() - $added - $changed,
			),
			$plan->skipped
		);
	}

	/**
	 * Adds to the counts.
	 *
	 * @param array  $more    Count => how many more.
	 * @param array  $reasons Reason => how many more.
	 * @param string $by      The count that is kept by reason.
	 * @return void
	 */
	private function count( array $more, array $reasons, $by = 'skipped' ) {
		foreach ( $more as $name => $number ) {
			$this->counts[ $name ] += $number;
		}
		foreach ( array_filter( $reasons ) as $reason => $number ) {
			$this->counts[ $by ][ $reason ] = $number + ( isset( $this->counts[ $by ][ $reason ] ) ? $this->counts[ $by ][ $reason ] : 0 );
		}
	}

	/**
	 * Moves the run on, as long as it is ours.
	 *
	 * @param array $fields More columns.
	 * @return void
	 * @throws RuntimeException When somebody paused it, or took it over.
	 */
	private function save( array $fields ) {
		global $wpdb;
		// The lease makes the row another one each time, so a row that was met counts as changed.
		$lease  = max( Rollcall_Network_Runs::now() + self::LEASE_MS, (int) $this->row->lease_ms + 1 );
		$where  = array(
			'seq'   => $this->row->seq,
			'token' => $this->row->token,
			'state' => $this->row->state,
		);
		$fields = array_merge(
			array(
				'place'    => $this->row->place,
				'after'    => $this->row->after,
				'counts'   => wp_json_encode( $this->counts ),
				'lease_ms' => $lease,
				'faults'   => 0,
			),
			$fields
		);
		if ( 1 !== $wpdb->update( Rollcall_Network_Tables::runs(), $fields, $where ) ) { // phpcs:ignore WordPress.DB
			throw new Rollcall_Network_Stopped();
		}
		$this->row->lease_ms = $lease;
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
