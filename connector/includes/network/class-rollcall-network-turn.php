<?php
/**
 * One turn of work on one site of a run: chunk by chunk, until the time is over or the site is done. What is left of
 * the time goes to the sites behind it on which there is nothing to do (Rollcall_Network_Passing).
 *
 * Does: decides, writes and tells a chunk; moves the run on. Chunks grow and shrink with the time that they take:
 *   listeners of other plugins set the pace.
 * Always true: what a chunk wrote and where the run stands are one transaction, and only whoever holds
 *   the run moves it (Rollcall_Network_Hold); whether the site may be written to is looked at again for every chunk.
 *   What a killed turn had written and not told is told by the next one.
 * On failure: the chunk is rolled back and comes again with the next turn.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * A turn.
 */
final class Rollcall_Network_Turn {

	/** Accounts of the first chunk, of the smallest and of the largest. */
	const FIRST    = 1000;
	const SMALLEST = 20;
	const LARGEST  = 4000;

	/** The first chunk where other plugins listen: how long they take shows only then. */
	const FIRST_HEARD = 100;

	/** A chunk aims at so many seconds: the lease and the time budget are looked at between chunks. */
	const CHUNK_S = 0.5;

	/** A listener that ends the request is met so often before its accounts are left untold. */
	const MOST_TELLS = 2;

	/**
	 * The run.
	 *
	 * @var Rollcall_Network_Hold
	 */
	private $hold;

	/**
	 * Site.
	 *
	 * @var int
	 */
	private $blog;

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
		$until = microtime( true ) + Rollcall_Limits::seconds( $seconds );
		Rollcall_Network_Hold::during(
			$row,
			static function ( $hold ) use ( $blog, $until ) {
				if ( $hold->blog() === $blog ) {
					Rollcall_Network_Triggers::while_writing( array( new self( $hold ), 'work' ), $until );
					Rollcall_Network_Passing::by( $hold, $until );
				}
			}
		);
	}

	/**
	 * A new one.
	 *
	 * @param Rollcall_Network_Hold $hold Run.
	 */
	private function __construct( $hold ) {
		$this->hold   = $hold;
		$this->blog   = $hold->blog();
		$this->people = new Rollcall_Network_People( $hold->network, $hold->spec['people'] );
	}

	/**
	 * Works. Called by at().
	 *
	 * @param float $until When to end.
	 * @return void
	 */
	public function work( $until ) {
		$this->tell_untold();
		$size = Rollcall_Network_Announcer::strangers_listen() ? self::FIRST_HEARD : self::FIRST;
		do {
			$began = microtime( true );
			$more  = $this->chunk( $size );
			$speed = self::CHUNK_S / max( 0.001, microtime( true ) - $began );
			$size  = (int) max( self::SMALLEST, min( self::LARGEST, $size * min( 4, $speed ) ) );
		} while ( $more && microtime( true ) < $until && ! Rollcall_Limits::memory_is_short() );
		if ( ! $more ) {
			$this->hold->next_site();
		}
		// All that was written is told by now.
		$this->hold->save();
	}

	/**
	 * One chunk.
	 *
	 * @param int $size Accounts.
	 * @return bool Is there more to do on this site?
	 */
	private function chunk( $size ) {
		$hold     = $this->hold;
		$settings = Rollcall_Network_Settings::fresh( $hold->network );
		$refusal  = Rollcall_Network_Sites::refusal( $hold->network, $this->blog, $settings );
		if ( $hold->undoes() ) {
			return $this->undo_chunk( $size, $settings, $refusal );
		}
		if ( null !== $refusal ) {
			$left = $this->people->count( $hold->after );
			$hold->count( array( 'done' => $left ), array( $refusal => $left ) );
			return false;
		}
		$page   = $this->people->next( $hold->after, $size );
		$target = new Rollcall_Network_Target( $this->blog, $settings );
		$plan   = Rollcall_Network_Look::at( $hold->spec, $target, $page['people'] );
		Rollcall_Network_Can_Add::ask( $plan );
		if ( $plan->size() > 0 ) {
			$this->write( $plan, array_keys( $page['people'] ) );
		} else {
			$this->count_plan( $plan, count( $page['people'] ), 0, 0 );
		}
		if ( null === $page['after'] ) {
			return false;
		}
		$hold->after = $page['after'];
		if ( 0 === $plan->size() ) {
			$hold->note();
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
		$hold   = $this->hold;
		$before = $hold->counts;
		$after  = $hold->after;
		$pairs  = Rollcall_Network_Transaction::run(
			$this->blog,
			function () use ( $hold, $plan, $ids, $before, $after ) {
				$hold->counts = $before;
				$pairs        = Rollcall_Network_Writer::carry_out( $plan );
				$changed      = count( array_filter( wp_list_pluck( $pairs, 'was' ), 'is_string' ) );
				Rollcall_Network_Pairs::keep( $hold->seq, $this->blog, $pairs );
				Rollcall_Network_Outgoing::put( $this->blog, array_keys( $pairs ), $hold->id );
				$this->count_plan( $plan, count( $ids ), count( $pairs ) - $changed, $changed );
				$hold->untold = wp_json_encode( array( $this->blog, $after, max( $ids ), 0 ) );
				$hold->after  = max( $ids );
				$hold->save();
				return $pairs;
			}
		);
		Rollcall_Network_Doubles::part( $plan->target, $pairs, $hold->seq );
		Rollcall_Network_Homes::give( $plan->target, $pairs );
		$this->tell( $plan->target, $pairs, max( $ids ) );
		// Stored with the next save.
		$hold->untold = '';
	}

	/**
	 * Tells what was written, and notes how far that is: listeners may take longer than the host lets them.
	 *
	 * @param Rollcall_Network_Target $target Site.
	 * @param array                   $pairs  What was written.
	 * @param int                     $upto   Account up to which.
	 * @return void
	 */
	private function tell( $target, array $pairs, $upto ) {
		ksort( $pairs );
		Rollcall_Network_Announcer::tell(
			$target,
			$pairs,
			function ( $id ) use ( $target, $upto ) {
				$this->hold->untold = wp_json_encode( array( $target->blog, $id, $upto, 0 ) );
				try {
					// Keeps the run ours meanwhile, too.
					$this->hold->save();
				} catch ( Rollcall_Network_Stopped $stopped ) {
					// Who pauses or cancels a run stops it at the next chunk: what is written is told.
					return;
				}
			}
		);
	}

	/**
	 * Takes a chunk of what the run wrote back.
	 *
	 * @param int         $size     Accounts.
	 * @param array       $settings Settings.
	 * @param string|null $refusal  Why the site may not be written to.
	 * @return bool Is there more to do on this site?
	 */
	private function undo_chunk( $size, array $settings, $refusal ) {
		$hold  = $this->hold;
		$pairs = Rollcall_Network_Pairs::of( $hold->seq, $this->blog, $hold->after, 0, $size );
		if ( $pairs ) {
			$undo   = new Rollcall_Network_Undo( new Rollcall_Network_Target( $this->blog, $settings ), $hold->seq, $hold->id );
			$before = $hold->counts;
			$undo->carry_out(
				$pairs,
				$refusal,
				static function ( $done, array $left ) use ( $hold, $pairs, $before ) {
					$hold->counts             = $before;
					$hold->counts['removed'] += $done;
					$hold->count( array( 'kept' => count( $pairs ) - $done ), $left, 'left' );
					$hold->after  = max( array_keys( $pairs ) );
					$hold->untold = '';
					$hold->save();
				}
			);
		}
		return count( $pairs ) >= $size;
	}

	/**
	 * Tells what a killed turn has written and not told.
	 *
	 * @return void
	 */
	private function tell_untold() {
		$hold   = $this->hold;
		$untold = json_decode( $hold->untold, true );
		// Stored with the next save.
		$hold->untold = '';
		if ( ! is_array( $untold ) || 4 !== count( $untold ) || $untold[3] >= self::MOST_TELLS ) {
			return;
		}
		list( $blog, $after, $upto, $tells ) = $untold;
		// Noted first: the listener that ended that request may end this one.
		$hold->untold = wp_json_encode( array( $blog, $after, $upto, $tells + 1 ) );
		$hold->save();
		$target = new Rollcall_Network_Target( $blog, Rollcall_Network_Settings::DEFAULTS );
		$pairs  = array();
		foreach ( Rollcall_Network_Pairs::of( $hold->seq, $blog, $after, $upto, self::LARGEST ) as $id => $pair ) {
			// It isn't known what was settled after the transaction.
			$pairs[ $id ] = $pair + array( 'loose' => true );
		}
		Rollcall_Network_Doubles::part( $target, $pairs, $hold->seq );
		Rollcall_Network_Homes::give( $target, $pairs );
		$this->tell( $target, $pairs, $upto );
		$hold->untold = '';
		$hold->save();
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
		$this->hold->count(
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
}
