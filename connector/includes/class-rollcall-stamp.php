<?php
/**
 * POST /stamp: the named fields count as changed now, with the values they have.
 *
 * Does: gives new stamps to fields of accounts of this site, and an outbox row each, as for an edit:
 * where "make the target like the source" begins.
 * Does not: change any value.
 * Always true: a new stamp is above every stamp on the account and not below what was asked for, but
 * never more than a minute ahead.
 * On failure: `busy`, `missing` or `mismatch`, and nothing is stamped.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * New stamps.
 */
final class Rollcall_Stamp {

	/**
	 * Answers the request.
	 *
	 * @param array $request StampRequest.
	 * @return array StampAnswer.
	 */
	public static function answer( $request ) {
		Rollcall_Tables::use_writer();
		$locked  = Rollcall_Lock::take( Rollcall_Apply::WAIT_FOR_LOCK_MS );
		$results = array();
		try {
			foreach ( $request['stamps'] as $order ) {
				$results[] = array(
					'id'     => $order['id'],
					'result' => $locked && Rollcall_Lock::renew() ? self::one( $order ) : 'busy',
				);
			}
		} finally {
			Rollcall_Lock::free();
		}
		return array( 'results' => $results );
	}

	/**
	 * One account, on its own site.
	 *
	 * @param array $order { id, uid, blog, fields, at_least }.
	 * @return string Result.
	 */
	private static function one( $order ) {
		$order['uid'] = strtolower( $order['uid'] );
		$found        = Rollcall_Account_Finder::by_label( $order );
		if ( null !== $found['refusal'] || ! $found['id'] ) {
			return 'identity.label_mismatch' === $found['refusal'] ? 'mismatch' : 'missing';
		}
		if ( Rollcall_Outbox::has_fresh_open( array( $order['id'] ) ) ) {
			return 'busy';
		}
		$elsewhere = is_multisite() && get_current_blog_id() !== $order['blog'];
		if ( $elsewhere ) {
			if ( ! get_site( $order['blog'] ) ) {
				return 'missing';
			}
			switch_to_blog( $order['blog'] );
		}
		try {
			return self::stamp( $order );
		} finally {
			if ( $elsewhere ) {
				restore_current_blog();
			}
		}
	}

	/**
	 * Stamps.
	 *
	 * @param array $order See one().
	 * @return string Result.
	 */
	private static function stamp( $order ) {
		$target = Rollcall_Target::load( $order['id'], $order['blog'], false );
		if ( null === $target ) {
			return 'missing';
		}
		$now     = Rollcall_Settings::now_ms();
		$ms      = max( $now, Rollcall_Ledger::greatest_ms( $order['id'] ) + 1, min( $order['at_least'], $now + Rollcall_Incoming::FUTURE_MS ) );
		$key     = Rollcall_Settings::key_of( $order['blog'] );
		$entries = array();
		foreach ( $order['fields'] as $name ) {
			$value = $target->value( $name );
			// What is not watched, can't be read or waits for an operator has no value to stand for.
			if ( null !== $value && ! $target->is_on_hold( $name ) ) {
				$entries[ Rollcall_Target::entry_name( $name, $order['blog'] ) ] = array( $ms, $key, $value );
			}
		}
		if ( $entries ) {
			Rollcall_Outbox::open( $order['id'], 'update', $order['blog'] );
			Rollcall_Ledger::record( $order['id'], $entries );
			Rollcall_Outbox::ready( array( $order['id'] => 'update' ), array( $order['id'] => $order['blog'] ) );
		}
		return 'stamped';
	}
}
