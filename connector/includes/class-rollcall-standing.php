<?php
/**
 * Whether anybody has signed in to an account.
 *
 * Does: notes the first sign-in of each account, and tells of it with the account's state.
 * Does not: note who was there before Rollcall (the hub counts them as signed in), or when anybody
 *   signs in: later sign-ins write nothing. A session that a plugin opens right after a registration,
 *   and an Application Password, are no sign-ins.
 * On failure: signing in goes on; the next sign-in is noted.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * First sign-ins.
 */
final class Rollcall_Standing {

	/** Fact: the hub wants to hear of first sign-ins as of changes. */
	const WATCHED = 'sign_ins';

	/** Hooks in. */
	public static function start() {
		add_action( 'wp_login', array( __CLASS__, 'signed_in' ), 10, 2 );
	}

	/**
	 * The hub wants to hear of first sign-ins, or no longer.
	 *
	 * @param bool $on Whether it does.
	 * @return void
	 */
	public static function watch( $on ) {
		if ( $on ) {
			Rollcall_Facts::set( self::WATCHED, '1' );
		} else {
			Rollcall_Facts::delete( self::WATCHED );
		}
	}

	/**
	 * `wp_login`: somebody signed in with a password.
	 *
	 * @param string       $login Login.
	 * @param WP_User|null $user  The account; some plugins leave it out.
	 */
	public static function signed_in( $login, $user = null ) {
		if ( ! $user instanceof WP_User ) {
			$user = get_user_by( 'login', (string) $login );
		}
		if ( ! $user || ! Rollcall_Settings::is_bound() || ! Rollcall_Capture::wants( (int) $user->ID ) ) {
			return;
		}
		$id = (int) $user->ID;
		Rollcall_Capture::attempt(
			static function () use ( $id ) {
				self::note( $id );
			}
		);
	}

	/**
	 * What an account state says of it.
	 *
	 * @param array $row Ledger row.
	 * @return array{signed_in:bool}
	 */
	public static function told( array $row ) {
		return array( 'signed_in' => isset( $row['noted'] ) && $row['noted'][0] );
	}

	/**
	 * Notes a sign-in, once per account.
	 *
	 * @param int $id WordPress user id.
	 * @return void
	 */
	private static function note( $id ) {
		global $wpdb;
		$before = $wpdb->get_var( $wpdb->prepare( 'SELECT signed_in FROM ' . Rollcall_Tables::accounts() . ' WHERE user_id = %d', $id ) ); // phpcs:ignore WordPress.DB
		if ( '1' === (string) $before ) {
			return;
		}
		$tell = null !== Rollcall_Facts::get( self::WATCHED );
		if ( $tell || null === $before ) {
			// Opened first: a row that is made below must not hide how the account came about.
			Rollcall_Capture::mark( $id, $tell );
		}
		Rollcall_Ledger::insert( array( Rollcall_Ledger::blank( $id ) ) );
		$wpdb->query( $wpdb->prepare( 'UPDATE ' . Rollcall_Tables::accounts() . ' SET signed_in = 1, rev = rev + 1 WHERE user_id = %d', $id ) ); // phpcs:ignore WordPress.DB
	}
}
