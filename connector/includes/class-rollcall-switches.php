<?php
/**
 * POST /switches: the hub sets switches of accounts.
 *
 * Does: sets what is given, and answers with what holds then.
 * Does not: switch “reject incoming” off: that is the site's guard against the hub, and is loosened on the site.
 * Always true: an order of which anything is refused changes nothing of its account; repeating it does no harm.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Switches of accounts.
 */
final class Rollcall_Switches {

	const NAMES = array( 'stop_outgoing', 'stop_made', 'reject_incoming' );

	/**
	 * Answers the request.
	 *
	 * @param array $request SwitchesRequest.
	 * @return array SwitchesAnswer.
	 */
	public static function answer( $request ) {
		Rollcall_Tables::use_writer();
		$results = array();
		foreach ( $request['switches'] as $order ) {
			$results[] = array( 'id' => $order['id'] ) + self::one( $order );
		}
		return array( 'results' => $results );
	}

	/**
	 * One account.
	 *
	 * @param array $order Order.
	 * @return array result, and reason or switches.
	 */
	private static function one( $order ) {
		global $wpdb;
		$id    = $order['id'];
		$login = $wpdb->get_var( $wpdb->prepare( "SELECT user_login FROM {$wpdb->users} WHERE ID = %d", $id ) ); // phpcs:ignore WordPress.DB
		if ( null === $login || Rollcall_Service_Account::is_it( $id ) ) {
			return array( 'result' => 'missing' );
		}
		if ( $login !== $order['login'] ) {
			return array( 'result' => 'mismatch' );
		}
		$now    = Rollcall_Ledger::switches( $id );
		$wanted = array_intersect_key( $order, array_fill_keys( self::NAMES, true ) );
		if ( $now['reject_incoming'] && isset( $wanted['reject_incoming'] ) && ! $wanted['reject_incoming'] ) {
			return array(
				'result' => 'refused',
				'reason' => 'target.guard_kept',
			);
		}
		if ( array_diff_assoc( $wanted, $now ) ) {
			Rollcall_Ledger::set_switches( $id, $wanted );
			return array(
				'result'   => 'set',
				'switches' => Rollcall_Ledger::switches( $id ),
			);
		}
		return array(
			'result'   => 'already',
			'switches' => $now,
		);
	}
}
