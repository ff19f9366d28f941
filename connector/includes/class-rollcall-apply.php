<?php
/**
 * POST /apply: a batch of operations, one receipt for each, in order.
 *
 * Does: takes the lock, runs the operations with mails held back, many writes as sets and everything else
 * one by one, and stops when time or memory runs short.
 * Does not: decide what becomes of an operation (Rollcall_Apply_Set, Rollcall_Apply_Write,
 * Rollcall_Apply_Delete).
 * Always true: repeating a batch does no harm. One operation's fault is one receipt `failed`, never the
 * batch's end. At least one operation is dealt with per request.
 * On failure: `mark.mismatch` where the batch was meant for another state of this site; `busy` receipts when another batch holds the lock.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Batches.
 */
final class Rollcall_Apply {

	/** Hosts and proxies tend to cut at 30 s. */
	const BUDGET_S = 20;

	/** Another batch may be about to end; then its successor needn't be sent home. */
	const WAIT_FOR_LOCK_MS = 3000;

	/**
	 * Answers the request.
	 *
	 * @param array $request ApplyRequest.
	 * @return array|WP_Error ApplyAnswer.
	 */
	public static function answer( $request ) {
		$operations = $request['operations'];
		$dry_run    = $request['dry_run'];
		Rollcall_Tables::use_writer();
		$fits = $dry_run ? Rollcall_Mark::check( $request ) : Rollcall_Mark::take( $request );
		if ( is_wp_error( $fits ) ) {
			return $fits;
		}
		if ( ! $dry_run && $operations && ! Rollcall_Lock::take( self::WAIT_FOR_LOCK_MS ) ) {
			return self::all_busy( $operations );
		}
		if ( function_exists( 'ignore_user_abort' ) ) {
			ignore_user_abort( true );
		}
		// `finally` is not reached when a listener ends the request.
		register_shutdown_function( array( 'Rollcall_Lock', 'free' ) );
		try {
			$receipts = Rollcall_Mail_Block::during(
				static function () use ( $operations, $dry_run ) {
					return self::run( $operations, $dry_run );
				}
			);
		} finally {
			if ( ! $dry_run ) {
				Rollcall_Lock::free();
			}
		}
		// The mails of this very batch alone are not held back, and nobody waits for the lock meanwhile.
		return self::answer_of( $dry_run ? $receipts : Rollcall_Password_Mail::after( $operations, $receipts ) );
	}

	/**
	 * Runs operations until they end or the budget does.
	 *
	 * @param array $operations Operations.
	 * @param bool  $dry_run    Decide only.
	 * @return array Receipts.
	 */
	private static function run( $operations, $dry_run ) {
		$end      = microtime( true ) + self::budget_s();
		$go_on    = static function () use ( $end, $dry_run ) {
			return microtime( true ) <= $end && ! Rollcall_Limits::memory_is_short() && ( $dry_run || Rollcall_Lock::renew() );
		};
		$receipts = array();
		$most     = Rollcall_Apply_Set::FIRST;
		$sets_end = 0;
		$count    = count( $operations );
		for ( $at = 0; $at < $count; $at = count( $receipts ) ) {
			if ( $receipts && ! $go_on() ) {
				break;
			}
			if ( $at >= $sets_end && ! $dry_run ) {
				$sets_end = $at + Rollcall_Apply_Set::length( $operations, $at );
			}
			if ( $at < $sets_end ) {
				$began    = microtime( true );
				$used     = memory_get_usage();
				$set      = array_slice( $operations, $at, min( $most, $sets_end - $at ) );
				$receipts = array_merge( $receipts, self::set( $set, $go_on ) );
				$most     = self::next_size( count( $set ), microtime( true ) - $began, memory_get_usage() - $used, $end );
			} else {
				$receipts[] = self::one( $operations[ $at ], $dry_run );
			}
		}
		return $receipts;
	}

	/**
	 * How large the next set may be: as long as it ends well before the budget and the memory do.
	 *
	 * @param int   $size Size of the last one.
	 * @param float $took Seconds that it took.
	 * @param int   $kept Bytes that it left in use: other plugins may remember everybody they hear of.
	 * @param float $end  When the budget ends.
	 * @return int
	 */
	private static function next_size( $size, $took, $kept, $end ) {
		$in_time   = max( 0, $end - microtime( true ) ) / 2 / max( 0.0001, $took / $size );
		$in_memory = max( 0, Rollcall_Limits::memory_left() ) / 2 / max( 1, $kept / $size );
		return (int) max( 1, min( Rollcall_Apply_Set::MOST, $in_time, $in_memory ) );
	}

	/**
	 * Writes for one site, as a set.
	 *
	 * @param array    $operations WriteOperations.
	 * @param callable $go_on      Is there time for another one?
	 * @return array Receipts of the first so many.
	 */
	private static function set( $operations, $go_on ) {
		$refusal = Rollcall_Guard::operation( $operations[0] );
		if ( null !== $refusal ) {
			// It is the site's, so it holds for all of them.
			return array_map(
				static function ( $operation ) use ( $refusal ) {
					return Rollcall_Receipt::refused( $operation, $refusal );
				},
				$operations
			);
		}
		foreach ( $operations as &$operation ) {
			$operation['uid'] = strtolower( $operation['uid'] );
		}
		unset( $operation );
		return self::on_site(
			$operations[0]['blog'],
			static function () use ( $operations, $go_on ) {
				$one = static function ( $operation ) {
					return self::one( $operation, false );
				};
				try {
					return Rollcall_Apply_Set::run( $operations, $one, $go_on );
				} catch ( Throwable $fault ) {
					return array( $one( $operations[0] ) );
				}
			}
		);
	}

	/**
	 * Does something on a site.
	 *
	 * @param int      $blog Site.
	 * @param callable $job  What to do.
	 * @return mixed What it gives.
	 */
	private static function on_site( $blog, $job ) {
		$elsewhere = is_multisite() && get_current_blog_id() !== $blog;
		if ( $elsewhere ) {
			switch_to_blog( $blog );
		}
		try {
			return $job();
		} finally {
			if ( $elsewhere ) {
				restore_current_blog();
			}
		}
	}

	/**
	 * One operation, on its own site.
	 *
	 * @param array $operation Operation.
	 * @param bool  $dry_run   Decide only.
	 * @return array Receipt.
	 */
	private static function one( $operation, $dry_run ) {
		$operation['uid'] = strtolower( $operation['uid'] );
		$refusal          = Rollcall_Guard::operation( $operation );
		if ( null !== $refusal ) {
			return Rollcall_Receipt::refused( $operation, $refusal );
		}
		return self::on_site(
			$operation['blog'],
			static function () use ( $operation, $dry_run ) {
				try {
					return 'delete' === $operation['kind']
						? Rollcall_Apply_Delete::one( $operation, $dry_run )
						: Rollcall_Apply_Write::one( $operation, $dry_run );
				} catch ( Throwable $fault ) {
					return Rollcall_Receipt::of( $operation, 'failed', 'target.error', Rollcall_Rest::describe( $fault ) );
				}
			}
		);
	}

	/**
	 * The answer to a batch that didn't get the lock.
	 *
	 * @param array $operations Operations.
	 * @return array ApplyAnswer.
	 */
	private static function all_busy( $operations ) {
		$receipts = array();
		foreach ( $operations as $operation ) {
			$receipts[] = Rollcall_Receipt::of( $operation, 'busy', 'target.locked' );
		}
		return self::answer_of( $receipts );
	}

	/**
	 * The answer around receipts.
	 *
	 * @param array $receipts Receipts.
	 * @return array ApplyAnswer.
	 */
	private static function answer_of( $receipts ) {
		return array(
			'receipts'      => $receipts,
			'done'          => count( $receipts ),
			'mails_blocked' => Rollcall_Mail_Block::count(),
			'clock'         => Rollcall_Settings::clock_ms(),
			'mark'          => Rollcall_Mark::held(),
			'epoch'         => Rollcall_Life::epoch(),
		);
	}

	/**
	 * Seconds that a batch may take.
	 *
	 * @return float
	 */
	private static function budget_s() {
		$budget = Rollcall_Limits::seconds( self::BUDGET_S );
		/**
		 * Filters how long a batch may take.
		 *
		 * @param float $budget Seconds.
		 */
		return (float) apply_filters( 'rollcall_apply_budget_seconds', $budget );
	}
}
