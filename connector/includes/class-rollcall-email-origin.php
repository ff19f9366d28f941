<?php
/**
 * How an account came by its e-mail address: at its registration, by the person confirming it, or otherwise.
 *
 * Does: notes the address that a visitor registered with, and one that was confirmed by the link that
 *   WordPress mails to it; tells of it with the account's state.
 * Does not: know whether a registration confirms anything: that is declared of the site, in the hub.
 * Always true: what is noted is a fingerprint of the address. One that was set by anybody else, by whatever
 *   way, matches none, and so does one that came from the hub. What was noted ends with the first other
 *   address: one that comes back counts as set otherwise.
 * On failure: nothing is noted, and the address counts as set otherwise.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Where e-mail addresses come from.
 */
final class Rollcall_Email_Origin {

	/** Hooks in. */
	public static function start() {
		add_action( 'user_register', array( __CLASS__, 'registered' ), 10, 1 );
		add_action( 'profile_update', array( __CLASS__, 'updated' ), 10, 2 );
	}

	/**
	 * `user_register`: an account came about. Who is signed in registers others, not themselves.
	 *
	 * @param int $id WordPress user id.
	 */
	public static function registered( $id ) {
		$actor = Rollcall_Actor::current();
		if ( ! isset( $actor['id'] ) && in_array( $actor['kind'], array( 'visitor', 'rest' ), true ) ) {
			self::note( (int) $id, 'registration' );
		}
	}

	/**
	 * `profile_update`: is this WordPress carrying out what a mailed link confirms? If not, what was noted ends.
	 *
	 * @param int     $id  WordPress user id.
	 * @param WP_User $old The account before.
	 */
	public static function updated( $id, $old ) {
		$user = get_userdata( $id );
		if ( ! $user || ! $old instanceof WP_User || $user->user_email === $old->user_email ) {
			return;
		}
		if ( self::is_confirmed( $user ) ) {
			self::note( (int) $id, 'confirmation' );
		} else {
			self::forget( (int) $id );
		}
	}

	/**
	 * What an account state says of it. Of one that was there before Rollcall, and has its address still, nothing.
	 *
	 * @param array  $row   Ledger row.
	 * @param string $email Present address.
	 * @return array{email_by?:string}
	 */
	public static function told( array $row, $email ) {
		if ( isset( $row['noted'] ) && '' !== $row['noted'][1] && hash_equals( $row['noted'][2], self::print_of( $email ) ) ) {
			return array( 'email_by' => $row['noted'][1] );
		}
		$since = isset( $row['entries']['email'] ) ? (int) $row['entries']['email'][0] : 0;
		return $since > 0 ? array( 'email_by' => 'other' ) : array();
	}

	/**
	 * Did the person follow the link, in this very request?
	 *
	 * @param WP_User $user The account, with its new address.
	 * @return bool
	 */
	private static function is_confirmed( $user ) {
		if ( ! defined( 'IS_PROFILE_PAGE' ) || ! IS_PROFILE_PAGE || get_current_user_id() !== (int) $user->ID || ! isset( $_GET['newuseremail'] ) ) { // phpcs:ignore WordPress.Security.NonceVerification -- The link is the nonce.
			return false;
		}
		$given  = sanitize_text_field( wp_unslash( $_GET['newuseremail'] ) ); // phpcs:ignore WordPress.Security.NonceVerification
		$wanted = get_user_meta( $user->ID, '_new_email', true );
		return is_array( $wanted ) && isset( $wanted['hash'], $wanted['newemail'] )
			&& hash_equals( (string) $wanted['hash'], $given )
			&& (string) $wanted['newemail'] === (string) $user->user_email;
	}

	/**
	 * Notes the present address of an account.
	 *
	 * @param int    $id WordPress user id.
	 * @param string $by `registration` or `confirmation`.
	 * @return void
	 */
	private static function note( $id, $by ) {
		if ( ! Rollcall_Capture::captures( $id ) ) {
			return;
		}
		Rollcall_Capture::attempt(
			static function () use ( $id, $by ) {
				global $wpdb;
				$email = (string) $wpdb->get_var( $wpdb->prepare( "SELECT user_email FROM {$wpdb->users} WHERE ID = %d", $id ) ); // phpcs:ignore WordPress.DB
				// Opened first: a row that is made below must not hide how the account came about.
				Rollcall_Capture::mark( $id );
				Rollcall_Ledger::insert( array( Rollcall_Ledger::blank( $id ) ) );
				$wpdb->query( // phpcs:ignore WordPress.DB
					$wpdb->prepare(
						'UPDATE ' . Rollcall_Tables::accounts() . ' SET email_by = %s, email_print = %s, rev = rev + 1 WHERE user_id = %d', // phpcs:ignore WordPress.DB
						$by,
						self::print_of( $email ),
						$id
					)
				);
			}
		);
	}

	/**
	 * Forgets the address that was noted: once an account has moved past its confirmation, the one that it
	 * had before may be somebody else's when it comes back. Also while the hub writes, and unbound.
	 *
	 * @param int $id WordPress user id.
	 * @return void
	 */
	private static function forget( $id ) {
		Rollcall_Capture::attempt(
			static function () use ( $id ) {
				global $wpdb;
				// No other writer of the row touches these: its revision stays.
				$wpdb->query( $wpdb->prepare( 'UPDATE ' . Rollcall_Tables::accounts() . " SET email_by = '', email_print = '' WHERE user_id = %d AND email_by <> ''", $id ) ); // phpcs:ignore WordPress.DB
			}
		);
	}

	/**
	 * Fingerprint of an address: whether it is still the same, and nothing else.
	 *
	 * @param string $email Address.
	 * @return string
	 */
	private static function print_of( $email ) {
		return Rollcall_Values::fingerprint( 'email_by', (string) $email );
	}
}
