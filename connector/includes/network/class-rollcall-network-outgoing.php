<?php
/**
 * Memberships that were written inside a network are changes of their sites: the hub hears of them.
 *
 * Does: makes outbox rows of many accounts ready in a few statements.
 * Does not: stamp; whoever reads the rows compares and stamps, as for every row.
 * Always true: nothing where no hub is bound, or where the hub doesn't know the site.
 * On failure: throws within the caller's transaction.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Outbox rows of a set.
 */
final class Rollcall_Network_Outgoing {

	/**
	 * Makes rows ready.
	 *
	 * @param int         $blog Site.
	 * @param int[]       $ids  Accounts.
	 * @param string|null $run  Run that wrote them; the hub's log names it. Null: a trigger did.
	 * @return void
	 */
	public static function put( $blog, array $ids, $run = null ) {
		global $wpdb;
		if ( ! $ids || ! Rollcall_Settings::is_bound() || ! isset( Rollcall_Settings::keys()[ $blog ] ) ) {
			return;
		}
		$now   = Rollcall_Settings::clock_ms();
		$at    = Rollcall_Settings::now_ms();
		$actor = Rollcall_Actor::current();
		if ( null !== $run ) {
			$actor = array( 'login' => 'run ' . $run ) + array_diff_key( $actor, array( 'id' => 0 ) );
		}
		$actor = wp_json_encode( (object) $actor );
		$rows  = array();
		foreach ( $ids as $id ) {
			$rows[] = array( 'u:' . $id, bin2hex( random_bytes( 8 ) ), 1, (int) $id, (int) $blog, 'update', 'ready', '', $now, $now, $at, $actor, '' );
		}
		Rollcall_Set_Sql::insert(
			Rollcall_Tables::outbox(),
			array( 'subject', 'id', 'rev', 'user_id', 'blog', 'kind', 'state', 'owner', 'queued_ms', 'opened_ms', 'at_ms', 'actor', 'gone' ),
			$rows,
			$wpdb->prepare( ' ON DUPLICATE KEY UPDATE rev = rev + 1, at_ms = VALUES(at_ms), actor = CASE WHEN actor LIKE %s THEN VALUES(actor) ELSE actor END', Rollcall_Outbox::STAYS )
		);
		Rollcall_Outbox::note_readied( count( $ids ) );
	}
}
