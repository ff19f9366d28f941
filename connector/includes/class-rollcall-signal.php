<?php
/**
 * Tells the hub that there is something new.
 *
 * Does: after the visitor has the answer, one signed POST with epoch and head. An installation that woke up
 *   at another address tells that address, once, and nothing more.
 * Does not: carry any data of accounts, wait for an answer, or try again: the hub polls anyway.
 * Always true: at most one per request, and never while somebody waits.
 * On failure: nothing; the rows stay in the outbox.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Signal.
 */
final class Rollcall_Signal {

	/** Even a request that nobody waits for holds a PHP worker. */
	const TIMEOUT_S = 1;

	/**
	 * Hooks in, behind everybody else's shutdown work (capture settles there).
	 *
	 * @return void
	 */
	public static function start() {
		add_action( 'shutdown', array( __CLASS__, 'send' ), PHP_INT_MAX );
	}

	/**
	 * Sends the signal, if there is a reason to and nobody waits.
	 *
	 * @return void
	 */
	public static function send() {
		$woke_at = Rollcall_Settings::is_bound() ? Rollcall_Address::untold() : null;
		if ( ( null === $woke_at && ! Rollcall_Outbox::readied() && ! Rollcall_Site_List::has_changed() ) || ! Rollcall_Settings::is_bound() ) {
			return;
		}
		$signal = Rollcall_Settings::signal();
		/**
		 * Filters whether this request may signal.
		 *
		 * @param bool $allowed Whether it may.
		 */
		if ( null === $signal || ! apply_filters( 'rollcall_signal_allowed', true ) || ( null === $woke_at && ! Rollcall_Home::matches() ) || ! self::answer_first() ) {
			return;
		}
		$news = array(
			'epoch' => Rollcall_Life::epoch(),
			'head'  => Rollcall_Life::head(),
		);
		if ( null !== $woke_at ) {
			Rollcall_Address::note_told();
			$news['woke_at'] = $woke_at;
		}
		self::post( $signal, (string) wp_json_encode( $news ) );
	}

	/**
	 * Posts a signal, and does not wait for an answer.
	 *
	 * @param array  $signal url and secret.
	 * @param string $body   Body.
	 * @return void
	 */
	private static function post( $signal, $body ) {
		wp_remote_post(
			$signal['url'],
			array(
				'body'        => $body,
				'headers'     => array(
					'Content-Type'         => 'application/json',
					'X-Rollcall-Signature' => self::signature( $body, $signal['secret'], Rollcall_Settings::now_ms() ),
				),
				'timeout'     => self::TIMEOUT_S,
				'redirection' => 0,
				'blocking'    => false,
			)
		);
	}

	/**
	 * Can this host finish the answer and go on afterwards?
	 *
	 * @return bool
	 */
	public static function can_answer_first() {
		return function_exists( 'fastcgi_finish_request' ) || function_exists( 'litespeed_finish_request' );
	}

	/**
	 * The signature header: HMAC over time and body, so that neither can be replayed with another.
	 *
	 * @param string $body   Body.
	 * @param string $secret Shared secret.
	 * @param int    $ms     Site's clock.
	 * @return string
	 */
	public static function signature( $body, $secret, $ms ) {
		return 't=' . $ms . ',v1=' . hash_hmac( 'sha256', $ms . '.' . $body, $secret );
	}

	/**
	 * Ends the answer where that is possible; tells whether anybody still waits.
	 *
	 * @return bool
	 */
	public static function answer_first() {
		// PHP in WebAssembly calls itself `cli` when it serves the web, too.
		$command_line = defined( 'WP_CLI' ) || ( in_array( PHP_SAPI, array( 'cli', 'phpdbg' ), true ) && empty( $_SERVER['REQUEST_METHOD'] ) );
		if ( $command_line || wp_doing_cron() ) {
			return true;
		}
		if ( function_exists( 'fastcgi_finish_request' ) ) {
			fastcgi_finish_request();
			return true;
		}
		if ( function_exists( 'litespeed_finish_request' ) ) {
			litespeed_finish_request();
			return true;
		}
		return false;
	}
}
