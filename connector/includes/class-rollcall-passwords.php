<?php
/**
 * Password hashes: which kinds sign in here, and the one kind that this plugin teaches.
 *
 * Does: lets `$wp$2y$` and `$2y$` hashes verify where WordPress can't (before 6.8, or with a plugin that
 * replaces its hashing), so that sites of different versions share passwords; finds out by trying which
 * kinds verify.
 * Does not: hash, store or see passwords otherwise. Does not re-hash what it verified. Does not take a hash
 * that would keep this server busy for minutes at each attempt to sign in.
 * Always true: it answers only for hashes of those two forms and only where WordPress itself could not
 * judge them; it runs before all other `check_password` filters, so whoever says no afterwards is heard.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Passwords.
 */
final class Rollcall_Passwords {

	/**
	 * One known hash of each kind, made of TRIAL at the lowest cost, to find out what verifies.
	 */
	const SAMPLES = array(
		'phpass'    => '$P$ASvogy9FJ/Rn7niZpJFdmGzCOl1ALQ/',
		'wp_bcrypt' => '$wp$2y$04$WtuXNvJs3rOLsuKJTKIyxOilHAqih5s6E/CK26CRZi3gFYke.a4vu',
		'bcrypt'    => '$2y$04$iLwQ7EJuSKqSfh2gGS8usOsNlBC8VIUAOEVNnOVxW1QYaSVdJklda',
	);
	const TRIAL   = 'rollcall-trial';

	/**
	 * Costs up to 15, and phpass up to 2^17 rounds: a second or two to check. A site can ask for 31, which keeps
	 * PHP busy for a day at each sign-in, and no time limit ends that.
	 */
	const FORMS = array(
		'phpass'    => '/^\$P\$[5-9A-F][.\/0-9A-Za-z]{30}$/D',
		'wp_bcrypt' => '/^\$wp\$2y\$(?:0[4-9]|1[0-5])\$[.\/0-9A-Za-z]{53}$/D',
		'bcrypt'    => '/^\$2y\$(?:0[4-9]|1[0-5])\$[.\/0-9A-Za-z]{53}$/D',
	);

	/** WordPress's own bound: longer passwords are refused, they only cost time. */
	const LONGEST_BYTES = 4096;

	/**
	 * Kind → verifies here; found once per request.
	 *
	 * @var array|null
	 */
	private static $verifies = null;

	/**
	 * Hooks in.
	 *
	 * @return void
	 */
	public static function start() {
		add_filter( 'check_password', array( __CLASS__, 'check' ), -PHP_INT_MAX, 3 );
	}

	/**
	 * Judges the hashes that WordPress itself can't.
	 *
	 * @param bool   $check    What WordPress found.
	 * @param string $password Plaintext.
	 * @param string $hash     Stored hash.
	 * @return bool
	 */
	public static function check( $check, $password, $hash ) {
		if ( $check || self::core_judges() || ! is_string( $hash ) || strlen( $password ) > self::LONGEST_BYTES ) {
			return $check;
		}
		if ( preg_match( self::FORMS['wp_bcrypt'], $hash ) ) {
			// The prehash keeps passwords over 72 bytes whole; as in wp_hash_password() since 6.8.
			$prehash = base64_encode( hash_hmac( 'sha384', $password, 'wp-sha384', true ) );
			return password_verify( $prehash, substr( $hash, 3 ) );
		}
		if ( preg_match( self::FORMS['bcrypt'], $hash ) ) {
			return password_verify( $password, $hash );
		}
		return $check;
	}

	/**
	 * Kind of a hash, null when it is none that Rollcall carries.
	 *
	 * @param string $hash A hash.
	 * @return string|null
	 */
	public static function kind( $hash ) {
		foreach ( self::FORMS as $kind => $form ) {
			if ( preg_match( $form, $hash ) ) {
				return $kind;
			}
		}
		return null;
	}

	/**
	 * Which kinds sign in on this site, found by trying.
	 *
	 * @return array Kind → bool.
	 */
	public static function verifies() {
		if ( null === self::$verifies ) {
			self::$verifies = array();
			foreach ( self::SAMPLES as $kind => $hash ) {
				self::$verifies[ $kind ] = true === wp_check_password( self::TRIAL, $hash );
			}
		}
		return self::$verifies;
	}

	/**
	 * May this hash be stored here? Only if its owner could sign in with it.
	 *
	 * @param string $hash A hash.
	 * @return bool
	 */
	public static function can_store( $hash ) {
		$kind     = self::kind( $hash );
		$verifies = self::verifies();
		return null !== $kind && ! empty( $verifies[ $kind ] );
	}

	/**
	 * The cost that this site hashes with; sites that differ re-hash each other's at sign-in.
	 *
	 * @return int
	 */
	public static function bcrypt_cost() {
		/** This filter is documented in wp-includes/pluggable.php */
		$options = apply_filters( 'wp_hash_password_options', array(), defined( 'PASSWORD_BCRYPT' ) ? PASSWORD_BCRYPT : '2y' ); // phpcs:ignore WordPress.NamingConventions.PrefixAllGlobals
		return is_array( $options ) && isset( $options['cost'] ) ? (int) $options['cost'] : (int) PASSWORD_BCRYPT_DEFAULT_COST;
	}

	/**
	 * Does WordPress itself, unaltered, judge these hashes? Then asking again would only cost time.
	 *
	 * @return bool
	 */
	private static function core_judges() {
		global $wp_hasher;
		static $own = null;
		if ( null === $own ) {
			$reflection = new ReflectionFunction( 'wp_check_password' );
			$own        = function_exists( 'wp_password_needs_rehash' )
				&& wp_normalize_path( (string) $reflection->getFileName() ) === wp_normalize_path( ABSPATH . WPINC . '/pluggable.php' );
		}
		return $own && empty( $wp_hasher );
	}
}
