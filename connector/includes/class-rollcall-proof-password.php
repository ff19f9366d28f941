<?php
/**
 * The proof by a password: a slow hash of what somebody signed in with, made for one proof alone.
 *
 * Does: at a sign-in to an account that is asked, makes the verifier from the plaintext that WordPress verified.
 * Does not: keep a plaintext beyond the request, or say to anybody on this site what came of it.
 * Always true: sign-ins to other accounts cost no query; the visitor has the answer first, where the host can
 *   do that; only a sign-in that nobody refused counts, only the account's own password, and only the first.
 * On failure: nothing is proven, and the sign-in is as it was.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Verifiers.
 */
final class Rollcall_Proof_Password {

	/** Rounds, 2 to the power of: what a stolen verifier costs to try a guess on. The same on every site. */
	const COST = 12;

	/** What bcrypt writes in place of base64's own letters. */
	const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
	const BCRYPT = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

	/**
	 * Plaintexts that WordPress found right, of a sign-in that is under way.
	 *
	 * @var array<int,string>
	 */
	private static $typed = array();

	/**
	 * Those of sign-ins that nobody refused.
	 *
	 * @var array<int,string>
	 */
	private static $accepted = array();

	/**
	 * Hooks in, behind whoever refuses sign-ins, and at the end of a request before accounts are settled.
	 *
	 * @return void
	 */
	public static function start() {
		add_filter( 'check_password', array( __CLASS__, 'checked' ), PHP_INT_MAX, 4 );
		add_filter( 'authenticate', array( __CLASS__, 'authenticated' ), PHP_INT_MAX, 1 );
		// A second factor that is still owed takes the session away again.
		add_action( 'clear_auth_cookie', array( __CLASS__, 'forget' ), PHP_INT_MIN, 0 );
		add_action( 'shutdown', array( __CLASS__, 'settle' ), PHP_INT_MAX - 20, 0 );
	}

	/**
	 * `check_password`.
	 *
	 * @param bool       $check    Answered as it came.
	 * @param string     $password Plaintext.
	 * @param string     $hash     Hash.
	 * @param int|string $id       WordPress user id, '' when unknown.
	 * @return bool
	 */
	public static function checked( $check, $password, $hash, $id = '' ) {
		if ( true === $check && (int) $id > 0 && strlen( (string) $password ) <= Rollcall_Passwords::LONGEST_BYTES && Rollcall_Proof_Store::asks_password( (int) $id ) ) {
			self::$typed[ (int) $id ] = (string) $password;
		}
		return $check;
	}

	/**
	 * `authenticate`, at its end.
	 *
	 * @param WP_User|WP_Error|null $user Answered as it came.
	 * @return WP_User|WP_Error|null
	 */
	public static function authenticated( $user ) {
		if ( $user instanceof WP_User && isset( self::$typed[ (int) $user->ID ] ) ) {
			self::$accepted[ (int) $user->ID ] = self::$typed[ (int) $user->ID ];
		}
		self::$typed = array();
		return $user;
	}

	/**
	 * Lets go of every plaintext.
	 *
	 * @return void
	 */
	public static function forget() {
		self::$typed    = array();
		self::$accepted = array();
	}

	/**
	 * Makes the verifiers, once the visitor has the answer.
	 *
	 * @return void
	 */
	public static function settle() {
		$accepted = self::$accepted;
		self::forget();
		if ( ! $accepted || ! Rollcall_Settings::is_bound() ) {
			return;
		}
		Rollcall_Signal::answer_first();
		Rollcall_Capture::attempt(
			static function () use ( $accepted ) {
				foreach ( Rollcall_Proof_Store::open() as $proof ) {
					$id = (int) $proof['id'];
					if ( 'password' === $proof['kind'] && isset( $accepted[ $id ] ) && self::is_own( $id, $accepted[ $id ] ) ) {
						$verifier = self::verifier( $accepted[ $id ], $proof['salt'] );
						// A PHP that can't hash so answers the same for every password.
						if ( 60 === strlen( $verifier ) ) {
							Rollcall_Proofs::confirm( $proof, $verifier );
						}
					}
				}
			}
		);
	}

	/**
	 * The verifier of a password: bcrypt over an HMAC, so that it says nothing without the salt of its proof,
	 * and long passwords count whole.
	 *
	 * @param string $password Plaintext.
	 * @param string $salt     64 hexadecimal digits.
	 * @return string
	 */
	public static function verifier( $password, $salt ) {
		$key     = (string) hex2bin( $salt );
		$letters = rtrim( base64_encode( substr( hash( 'sha256', $key, true ), 0, 16 ) ), '=' ); // phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions
		$prehash = base64_encode( hash_hmac( 'sha384', trim( $password ), $key, true ) ); // phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions
		return crypt( $prehash, '$2y$' . self::COST . '$' . strtr( $letters, self::BASE64, self::BCRYPT ) );
	}

	/**
	 * Is this the password of the account itself? WordPress asks the same question of Application Passwords.
	 *
	 * @param int    $id       WordPress user id.
	 * @param string $password Plaintext.
	 * @return bool
	 */
	private static function is_own( $id, $password ) {
		global $wpdb;
		$hash = (string) $wpdb->get_var( $wpdb->prepare( "SELECT user_pass FROM {$wpdb->users} WHERE ID = %d", $id ) ); // phpcs:ignore WordPress.DB
		return '' !== $hash && true === wp_check_password( $password, $hash );
	}
}
