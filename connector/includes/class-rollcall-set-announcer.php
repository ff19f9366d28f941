<?php
/**
 * Tells other plugins what a set has written: the actions that WordPress's own functions fire.
 *
 * Does: fires each job's events in core's order; has core count users once instead of once per account.
 * Always true: everything of the set is in the database, and in the caches, when the first of them fires.
 * On failure: what a listener throws ends the events of that job alone, and is noted there.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Announcer of a set.
 */
final class Rollcall_Set_Announcer {

	/**
	 * Core's own listeners that need to hear of a set only once: one counts all users (below 10,000 of
	 * them), the other notes when users changed last. Listener → actions, accepted arguments.
	 */
	const ONCE = array(
		'wp_maybe_update_user_counts'    => array( array( 'user_register' ), 0 ),
		'wp_cache_set_users_last_changed' => array( array( 'added_user_meta', 'updated_user_meta', 'deleted_user_meta', 'add_user_role', 'set_user_role', 'remove_user_role' ), 1 ),
	);

	/** Slow listeners must not let our lock run out. */
	const RENEW_S = 10;

	/**
	 * Fires the events of jobs.
	 *
	 * @param Rollcall_Set_Job[] $jobs Jobs.
	 * @return void
	 */
	public static function announce( $jobs ) {
		$removed = self::remove_listeners();
		$renewed = microtime( true );
		try {
			foreach ( $jobs as $job ) {
				self::fire( $job );
				if ( microtime( true ) - $renewed > self::RENEW_S ) {
					Rollcall_Lock::renew();
					$renewed = microtime( true );
				}
			}
		} finally {
			foreach ( $removed as $one ) {
				add_action( $one[0], $one[1], $one[2], self::ONCE[ $one[1] ][1] );
			}
		}
		$created = array_filter( wp_list_pluck( $jobs, 'target' ), 'is_null' );
		foreach ( array_unique( array_column( $removed, 1 ) ) as $listener ) {
			if ( $created || ! in_array( 'user_register', self::ONCE[ $listener ][0], true ) ) {
				call_user_func( $listener );
			}
		}
	}

	/**
	 * Removes core's listeners that are called once at the end.
	 *
	 * @return array List of [ action, listener, priority ].
	 */
	private static function remove_listeners() {
		$removed = array();
		foreach ( self::ONCE as $listener => $about ) {
			foreach ( $about[0] as $action ) {
				$priority = has_action( $action, $listener );
				if ( false !== $priority ) {
					remove_action( $action, $listener, $priority );
					$removed[] = array( $action, $listener, $priority );
				}
			}
		}
		return $removed;
	}

	/**
	 * Fires one job's events.
	 *
	 * @param Rollcall_Set_Job $job The job.
	 * @return void
	 */
	private static function fire( $job ) {
		try {
			foreach ( $job->events as $event ) {
				list( $action, $arguments, $row ) = $event;
				if ( $row ) {
					// Its id wasn't known yet when this was noted.
					$arguments[0] = $row[0]->mid;
				}
				do_action_ref_array( $action, $arguments );
			}
		} catch ( Throwable $fault ) {
			$job->fault = $fault;
		}
		$job->events = array();
	}
}
