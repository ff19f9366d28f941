<?php
/**
 * Many write operations at once, with the same result as one by one.
 *
 * Does: sifts a set, writes what can be written together in one transaction, tells other plugins, reads
 * back; what is unusual about an operation sends it through Rollcall_Apply_Write afterwards.
 * Does not: stop within the writing; sets are small enough for that.
 * Always true: receipts come in order and without gaps. A set that can't be written together leaves no
 * trace and is done one by one.
 * On failure: a listener's fault is its operation's receipt `failed`.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Set-based apply.
 */
final class Rollcall_Apply_Set {

	/** A set costs some twenty statements however small: below this one by one is no slower. */
	const LEAST = 25;

	/** The first set of a request is small: other plugins' listeners may take a second for each account. */
	const FIRST = 5;

	/** Greatest set: more makes nothing faster, holds rows locked longer, and takes more memory. */
	const MOST = 250;

	/**
	 * How many operations from a place on can be done as sets: writes for one site, from one site, since what
	 * the guard says of the first holds for all.
	 *
	 * @param array $operations Operations.
	 * @param int   $from       Place.
	 * @return int 0: do them one by one.
	 */
	public static function length( $operations, $from ) {
		$blog   = $operations[ $from ]['blog'];
		$source = Rollcall_Whitelist::is_on() ? $operations[ $from ]['source']['url'] : null;
		$count  = count( $operations );
		for ( $end = $from; $end < $count && 'write' === $operations[ $end ]['kind'] && $blog === $operations[ $end ]['blog']; $end++ ) {
			if ( null !== $source && $source !== $operations[ $end ]['source']['url'] ) {
				break;
			}
		}
		$able = Rollcall_Set_Rows::knows_core() && isset( Rollcall_Settings::keys()[ $blog ] );
		return $able && $end - $from >= self::LEAST ? $end - $from : 0;
	}

	/**
	 * Runs a set. The current site is the one that it is for.
	 *
	 * @param array    $operations WriteOperations, at least one.
	 * @param callable $one        Does one operation, gives its receipt.
	 * @param callable $go_on      Is there time for another one?
	 * @return array Receipts of the first so many operations, at least of one.
	 */
	public static function run( $operations, $one, $go_on ) {
		try {
			$set      = new Rollcall_Set_Sifter( $operations );
			$receipts = $set->receipts;
			$later    = $set->later;
			if ( $set->jobs ) {
				$writer    = new Rollcall_Set_Writer( $set->jobs, $set->accounts, $set->look );
				$receipts += $writer->write();
				$later     = array_merge( $later, $writer->later );
			}
		} finally {
			Rollcall_Turns::end();
		}
		sort( $later );
		foreach ( $later as $place ) {
			if ( isset( $receipts[0] ) && ! $go_on() ) {
				break;
			}
			$receipts[ $place ] = $one( $operations[ $place ] );
		}
		$whole = array();
		foreach ( array_keys( $operations ) as $place ) {
			if ( ! isset( $receipts[ $place ] ) ) {
				break;
			}
			$whole[] = $receipts[ $place ];
		}
		return $whole;
	}

	/**
	 * The receipt of a job whose fields have their results.
	 *
	 * @param Rollcall_Set_Job $job The job.
	 * @return array
	 */
	public static function receipt( $job ) {
		if ( null !== $job->fault ) {
			return Rollcall_Receipt::of( $job->operation, 'failed', 'target.error', Rollcall_Rest::describe( $job->fault ) );
		}
		$receipt = Rollcall_Receipt::of_fields( $job->operation, $job->id, $job->login(), $job->fields, $job->creates() );
		if ( $job->creates() ) {
			$receipt = Rollcall_Receipt::with_roles( $receipt, $job->operation, $job->user->roles );
		}
		/** This action is documented in class-rollcall-apply-write.php */
		Rollcall_Callbacks::tell( 'rollcall_after_apply', $receipt, Rollcall_Callbacks::shown( $job->operation ) );
		return $receipt;
	}
}
