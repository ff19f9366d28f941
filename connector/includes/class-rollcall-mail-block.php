<?php
/**
 * Holds back every mail while something runs, and counts them.
 *
 * Does: blocks wp_mail() by `pre_wp_mail`, and core's own notices also where a plugin replaced wp_mail().
 * Does not: undo mails that a plugin sends by other means.
 * Always true: counted once per mail; released when the job ends, also by a fault.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Mail block.
 */
final class Rollcall_Mail_Block {

	/** Core's questions "shall this notice be sent?". */
	const NOTICES = array( 'send_email_change_email', 'send_password_change_email' );

	/**
	 * Mails held back since the request began.
	 *
	 * @var int
	 */
	private static $count = 0;

	/**
	 * Runs a job with mails held back.
	 *
	 * @param callable $job The job.
	 * @return mixed What the job gives.
	 */
	public static function during( $job ) {
		$hold   = static function () {
			++self::$count;
			return false;
		};
		$notice = static function ( $send ) {
			self::$count += $send ? 1 : 0;
			return false;
		};
		// First, before a mailer plugin sends; and last, should one make up its own mind.
		add_filter( 'pre_wp_mail', $hold, -PHP_INT_MAX );
		add_filter( 'pre_wp_mail', '__return_false', PHP_INT_MAX );
		foreach ( self::NOTICES as $name ) {
			add_filter( $name, $notice, PHP_INT_MAX );
		}
		try {
			return $job();
		} finally {
			remove_filter( 'pre_wp_mail', $hold, -PHP_INT_MAX );
			remove_filter( 'pre_wp_mail', '__return_false', PHP_INT_MAX );
			foreach ( self::NOTICES as $name ) {
				remove_filter( $name, $notice, PHP_INT_MAX );
			}
		}
	}

	/**
	 * How many mails were held back in this request.
	 *
	 * @return int
	 */
	public static function count() {
		return self::$count;
	}
}
