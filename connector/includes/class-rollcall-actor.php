<?php
/**
 * Who is making the present change, as the site sees it.
 *
 * Does: tells command line, cron, REST, a signed-in account and a visitor apart.
 * Does not: start signing anybody in: it only looks at who is signed in already.
 * Always true: the hub's own requests are the actor `hub`.
 * On failure: `visitor`.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * The present actor.
 */
final class Rollcall_Actor {

	/**
	 * The present actor.
	 *
	 * @return array{kind:string,id?:int,login?:string,outgoing_stopped?:bool} outgoing_stopped: what it does stays here.
	 */
	public static function current() {
		$user  = isset( $GLOBALS['current_user'] ) && $GLOBALS['current_user'] instanceof WP_User ? $GLOBALS['current_user'] : null;
		$id    = $user ? (int) $user->ID : 0;
		$actor = array( 'kind' => self::kind( $id ) );
		if ( $id ) {
			$actor['id'] = $id;
			if ( 1 === preg_match( '//u', (string) $user->user_login ) ) {
				$actor['login'] = (string) $user->user_login;
			}
			if ( 'hub' !== $actor['kind'] && Rollcall_Ledger::deeds_stay( $id ) ) {
				$actor['outgoing_stopped'] = true;
			}
		}
		return $actor;
	}

	/**
	 * The kind of actor.
	 *
	 * @param int $id Signed-in account, 0 when nobody is.
	 */
	private static function kind( $id ) {
		if ( $id && Rollcall_Settings::service_user_id() === $id ) {
			return 'hub';
		}
		if ( defined( 'WP_CLI' ) && WP_CLI ) {
			return 'cli';
		}
		if ( wp_doing_cron() ) {
			return 'cron';
		}
		if ( defined( 'REST_REQUEST' ) && REST_REQUEST ) {
			return 'rest';
		}
		return $id ? 'account' : 'visitor';
	}
}
