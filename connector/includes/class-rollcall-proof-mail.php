<?php
/**
 * The mail with the link that proves a link.
 *
 * Does: writes to the account's own address, in its owner's language; counts, so that no hub makes this site a
 *   sender of many mails.
 * Does not: know the other account's address or login.
 * Always true: of the other site it says the host alone, never a text of its own choice; the token is in the
 *   mail and nowhere else.
 * On failure: tells that the mail was not taken.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Mail of a half.
 */
final class Rollcall_Proof_Mail {

	const MOST_PER_HOUR = 100;
	const HOUR_MS       = 3600000;

	/** Facts that count are called so, with the hour behind. */
	const COUNTER = 'proof_mails:';

	/**
	 * May one more be sent within this hour? Counts it.
	 *
	 * @return bool
	 */
	public static function may_send() {
		global $wpdb;
		$name = self::COUNTER . (int) floor( Rollcall_Settings::clock_ms() / self::HOUR_MS );
		if ( Rollcall_Facts::counter( $name ) >= self::MOST_PER_HOUR ) {
			return false;
		}
		$wpdb->query( $wpdb->prepare( 'DELETE FROM ' . Rollcall_Tables::facts() . ' WHERE name LIKE %s AND name <> %s', $wpdb->esc_like( self::COUNTER ) . '%', $name ) ); // phpcs:ignore WordPress.DB
		Rollcall_Facts::raise( $name );
		return true;
	}

	/**
	 * Sends it.
	 *
	 * @param array  $proof A half.
	 * @param string $token What the link proves itself with.
	 * @return bool
	 */
	public static function send( array $proof, $token ) {
		$user = get_userdata( $proof['id'] );
		if ( ! $user || ! is_email( $user->user_email ) ) {
			return false;
		}
		$switched = switch_to_locale( get_user_locale( $user ) );
		try {
			$other = self::host_of( $proof['other'] );
			$here  = wp_specialchars_decode( get_option( 'blogname' ), ENT_QUOTES );
			/* translators: 1: name of this site, 2: host of another site. */
			$subject = sprintf( __( '[%1$s] Is the account at %2$s yours, too?', 'rollcall-connector' ), $here, $other );
			return (bool) wp_mail( $user->user_email, $subject, self::text( $user, $proof, $token, $here, $other ) );
		} finally {
			if ( $switched ) {
				restore_previous_locale();
			}
		}
	}

	/**
	 * Where the link leads.
	 *
	 * @param string $half  Id of a half.
	 * @param string $token Its token.
	 * @return string
	 */
	public static function link( $half, $token ) {
		return add_query_arg(
			array(
				'action' => Rollcall_Proof_Page::ACTION,
				'half'   => $half,
				'token'  => $token,
			),
			site_url( 'wp-login.php', 'login' )
		);
	}

	/**
	 * Host of the other site, for people to read.
	 *
	 * @param array $other What is known of the other account.
	 * @return string
	 */
	public static function host_of( array $other ) {
		return (string) preg_replace( '/[^a-z0-9.:\-]/', '', strtolower( (string) wp_parse_url( $other['url'], PHP_URL_HOST ) ) );
	}

	/**
	 * Since when the other account has been there.
	 *
	 * @param array $other What is known of the other account.
	 * @return string
	 */
	public static function since( array $other ) {
		return (string) wp_date( get_option( 'date_format' ), (int) strtotime( $other['registered'] . ' UTC' ) );
	}

	/**
	 * The text.
	 *
	 * @param WP_User $user  The account.
	 * @param array   $proof A half.
	 * @param string  $token Its token.
	 * @param string  $here  Name of this site.
	 * @param string  $other Host of the other one.
	 * @return string
	 */
	private static function text( $user, array $proof, $token, $here, $other ) {
		$lines = array(
			/* translators: 1: name of a site, 2: its address, 3: login. */
			sprintf( __( 'At %1$s (%2$s) you have the account “%3$s”.', 'rollcall-connector' ), $here, home_url(), $user->user_login ),
			/* translators: 1: host of another site, 2: date. */
			sprintf( __( 'At %1$s there is an account too, since %2$s. An operator of these sites asks whether it is yours as well, so that both are kept in step.', 'rollcall-connector' ), $other, self::since( $proof['other'] ) ),
			__( 'If both accounts are yours, open this link, and the one in the mail that the other site sends:', 'rollcall-connector' ),
			self::link( $proof['half'], $token ),
			__( 'If you ignore this mail, nothing happens.', 'rollcall-connector' ),
		);
		return implode( "\r\n\r\n", $lines ) . "\r\n";
	}
}
