<?php
/**
 * The mail with which somebody sets a password of their own here, where the one that came can't be verified.
 *
 * Does: after a batch, sends WordPress's own mail with the link to choose a password, to accounts whose
 * password was refused as one that this site can't verify, where the operation asks for it; says in the
 * receipt what became of it.
 * Does not: set a password, or write a mail of its own. Privileged accounts are refused long before.
 * Always true: one mail per account and stamp, however often an operation is repeated; at most one per
 * account and day, and a bounded number per hour: no hub, and no site behind it, makes this site a sender
 * of many mails.
 * On failure: the field's reason stays what it was.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Mails with a link to set a password.
 */
final class Rollcall_Password_Mail {

	const MOST_PER_HOUR = 50;
	const HOUR_MS       = 3600000;
	const DAY_MS        = 86400000;

	/** A mail server that is slow must not keep the hub waiting: the rest is not mailed this time. */
	const SECONDS = 8;

	/** Facts: how many in an hour (with the hour behind), and what was sent to an account (with its id behind). */
	const COUNTER = 'password_mails:';
	const SENT    = 'password_mail_to:';

	/**
	 * Sends what a batch asks for, and says so in the receipts.
	 *
	 * @param array $operations Operations.
	 * @param array $receipts   Receipts of the first so many of them.
	 * @return array Receipts.
	 */
	public static function after( $operations, $receipts ) {
		$until = microtime( true ) + Rollcall_Limits::seconds( self::SECONDS );
		foreach ( $receipts as $place => $receipt ) {
			$stamp = self::wanted( $operations[ $place ], $receipt );
			if ( null === $stamp ) {
				continue;
			}
			$why = microtime( true ) > $until ? 'password.mail_limit' : self::send( (int) $receipt['id'], $stamp );
			if ( null !== $why ) {
				$receipts[ $place ]['fields']['password']['why'] = $why;
				if ( isset( $receipt['reason'] ) && 'password.unverifiable' === $receipt['reason'] ) {
					$receipts[ $place ] = array_merge( $receipts[ $place ], Rollcall_Receipt::of( $operations[ $place ], $receipt['result'], $why ) );
				}
			}
		}
		return $receipts;
	}

	/**
	 * The stamp of a password that its owner is to replace by one set here.
	 *
	 * @param array $operation Operation.
	 * @param array $receipt   Its receipt.
	 * @return array|null Null: nobody is to be mailed.
	 */
	private static function wanted( $operation, $receipt ) {
		if ( empty( $operation['password_mail'] ) || empty( $receipt['id'] ) || ! isset( $receipt['fields']['password']['why'] ) ) {
			return null;
		}
		$field = $receipt['fields']['password'];
		$stamp = $operation['fields']['password']['s'];
		// Where a newer one is set here already, nobody misses the one that came.
		$newer = 'created' === $receipt['result'] || Rollcall_Merge::is_newer( $stamp, $field['s'] );
		return 'password.unverifiable' === $field['why'] && $newer ? $stamp : null;
	}

	/**
	 * Sends one.
	 *
	 * @param int   $id    Account.
	 * @param array $stamp Stamp of the password.
	 * @return string|null Reason code; null when no mail went out.
	 */
	private static function send( $id, $stamp ) {
		$user = get_userdata( $id );
		/**
		 * Filters whether somebody whose password can't be verified here is mailed a link to set one.
		 *
		 * @param bool $send Whether to send it.
		 * @param int  $id   The account.
		 */
		if ( ! $user || ! is_email( $user->user_email ) || ! apply_filters( 'rollcall_send_password_mail', true, $id ) ) {
			return null;
		}
		$now  = Rollcall_Settings::clock_ms();
		$mark = (int) $stamp[0] . ',' . (int) $stamp[1];
		$last = explode( ' ', (string) Rollcall_Facts::get( self::SENT . $id ) . ' ' );
		if ( $last[0] === $mark ) {
			return 'password.mailed';
		}
		if ( ( '' !== $last[1] && $now - (int) $last[1] < self::DAY_MS ) || ! self::counted( $now ) ) {
			return 'password.mail_limit';
		}
		// Noted first: a request that dies in the mail server's hands must not send it again and again.
		Rollcall_Facts::set( self::SENT . $id, $mark . ' ' . $now );
		// WordPress keeps the link's key with the account: nobody's change.
		$sent = Rollcall_Capture::quiet(
			static function () use ( $user ) {
				return retrieve_password( $user->user_login );
			}
		);
		return true === $sent ? 'password.mailed' : null;
	}

	/**
	 * May one more be sent within this hour? Counts it.
	 *
	 * @param int $now Site clock, ms.
	 * @return bool
	 */
	private static function counted( $now ) {
		global $wpdb;
		$name = self::COUNTER . (int) floor( $now / self::HOUR_MS );
		if ( Rollcall_Facts::counter( $name ) >= self::MOST_PER_HOUR ) {
			return false;
		}
		$wpdb->query( $wpdb->prepare( 'DELETE FROM ' . Rollcall_Tables::facts() . ' WHERE name LIKE %s AND name <> %s', $wpdb->esc_like( self::COUNTER ) . '%', $name ) ); // phpcs:ignore WordPress.DB
		Rollcall_Facts::raise( $name );
		return true;
	}
}
