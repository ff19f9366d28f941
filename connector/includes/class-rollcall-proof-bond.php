<?php
/**
 * What ties a half of a proof to the account that it was asked for.
 *
 * Does: notes who the account is, with its address and the moment of its last new password; tells later whether
 *   that still holds.
 * Always true: whoever can administer the site is never proven; a mailed link ends with every change of address
 *   or password, made here, brought by the hub, or written past WordPress.
 * On failure: what can't be told does not hold.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * A half and its account.
 */
final class Rollcall_Proof_Bond {

	/**
	 * What is noted of an account.
	 *
	 * @param array $state State of the account, with fields.
	 * @return array who, email, password.
	 */
	public static function of( array $state ) {
		return array(
			'who'      => Rollcall_Ledger::label_print( $state['login'], $state['registered'] ),
			'email'    => hash( 'sha256', $state['email'] ),
			'password' => self::password_stamp( $state ),
		);
	}

	/**
	 * Does a half still stand for the account that it was asked for?
	 *
	 * @param array      $proof A half.
	 * @param array|null $state State of its account, with fields; null when there is none.
	 * @return bool
	 */
	public static function holds( array $proof, $state ) {
		if ( ! $state || $state['privileged'] ) {
			return false;
		}
		$now = self::of( $state );
		if ( 'mail' !== $proof['kind'] ) {
			return $now['who'] === $proof['who'];
		}
		return array( $now['who'], $now['email'], $now['password'] ) === array( $proof['who'], $proof['email'], $proof['password'] );
	}

	/**
	 * When the password was changed last: hashing it anew at a sign-in is no change. Null when it can't be told.
	 *
	 * @param array $state State of the account, with fields.
	 * @return array|null
	 */
	public static function password_stamp( array $state ) {
		$fields = (array) $state['fields'];
		return isset( $fields['password'] ) ? $fields['password']['s'] : null;
	}
}
