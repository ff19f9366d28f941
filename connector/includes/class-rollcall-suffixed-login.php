<?php
/**
 * Another login for somebody whose login is taken here: anna.smith-2.
 *
 * Does: where the operation asks for it, takes the first of login-2, login-3, … that nobody has.
 * Does not: ask for an account: whoever came under such a login before is found by the label first.
 * Always true: the same answer for the same accounts. A login that this site would not take by itself is
 * not made into one that it takes. The hub reads such logins the same way
 * (hub/src/model/suffixed-login.ts).
 * On failure: the operation as it was, which is then the conflict that it is.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Logins with a number.
 */
final class Rollcall_Suffixed_Login {

	/** So many people of one login are more than chance: then a person should look. */
	const LAST = 99;

	/**
	 * The operation, with a login that is free.
	 *
	 * @param array $operation WriteOperation that creates.
	 * @return array
	 */
	public static function chosen( $operation ) {
		$login = $operation['create']['login'];
		if ( empty( $operation['create']['login_taken'] ) || ! Rollcall_Account_Creator::login_is_well_formed( $login ) || null === Rollcall_Account_Finder::by_login( $login ) ) {
			return $operation;
		}
		for ( $number = 2; $number <= self::LAST; $number++ ) {
			$other = self::with( $login, $number );
			if ( ! Rollcall_Account_Creator::login_is_well_formed( $other ) ) {
				break;
			}
			if ( null === Rollcall_Account_Finder::by_login( $other ) ) {
				$operation['create']['login'] = $other;
				break;
			}
		}
		return $operation;
	}

	/**
	 * A login with a number, no longer than WordPress takes.
	 *
	 * @param string $login  Login.
	 * @param int    $number Number.
	 * @return string
	 */
	private static function with( $login, $number ) {
		$suffix = '-' . $number;
		return rtrim( mb_substr( $login, 0, Rollcall_Account_Creator::LONGEST_LOGIN - strlen( $suffix ) ) ) . $suffix;
	}
}
