<?php
/**
 * Erasures of persons, from site to site.
 *
 * Does: tells the hub when a person's erasure was completed here; answers `/erase`: opens a confirmed erasure
 *   request, as if the person had asked for it on this site.
 * Does not: erase anything: an administrator does, or this site by itself where it says so (Rollcall_Erasure_Run).
 * Always true: one request for one erasure, however often it is asked for; none for an account that can
 *   administer the site, that rejects what comes in, or that does not carry the hub's label.
 * On failure: `refused` with a reason.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Erasures.
 */
final class Rollcall_Erasures {

	/** Names the erasure that a request was opened for. */
	const META = '_rollcall_erasure';

	/** Hooks in. */
	public static function start() {
		add_action( 'wp_privacy_personal_data_erased', array( __CLASS__, 'completed' ), 10, 1 );
	}

	/**
	 * `wp_privacy_personal_data_erased`: an erasure was completed here.
	 *
	 * @param int $request_id Request.
	 * @return void
	 */
	public static function completed( $request_id ) {
		$request = wp_get_user_request( $request_id );
		$id      = $request ? (int) $request->user_id : 0;
		if ( ! $id || 'remove_personal_data' !== $request->action_name || ! Rollcall_Settings::is_bound() || Rollcall_Settings::service_user_id() === $id ) {
			return;
		}
		Rollcall_Capture::attempt(
			static function () use ( $request_id, $id ) {
				$user = get_userdata( $id );
				if ( $user ) {
					$of = get_post_meta( $request_id, self::META, true );
					self::put( $user, is_string( $of ) && '' !== $of ? $of : null );
				}
			}
		);
	}

	/**
	 * A row of the outbox on the wire.
	 *
	 * @param array  $wire What every row has.
	 * @param object $row  Row of the outbox.
	 * @return array
	 */
	public static function row( array $wire, $row ) {
		return $wire + array( 'erased' => json_decode( $row->gone, true ) );
	}

	/**
	 * Answers the request.
	 *
	 * @param array $request EraseRequest.
	 * @return array EraseAnswer.
	 */
	public static function answer( $request ) {
		Rollcall_Tables::use_writer();
		$results = array();
		foreach ( $request['erasures'] as $order ) {
			$result    = self::one( array( 'uid' => strtolower( $order['uid'] ) ) + $order );
			$refused   = false !== strpos( $result, '.' );
			$results[] = array(
				'erasure' => $order['erasure'],
				'result'  => $refused ? 'refused' : $result,
			) + ( $refused ? array( 'reason' => $result ) : array() );
		}
		return array( 'results' => $results );
	}

	/**
	 * One order.
	 *
	 * @param array $order Order.
	 * @return string `opened`, `already`, or the reason of a refusal.
	 */
	private static function one( array $order ) {
		$refusal = Rollcall_Guard::operation( $order );
		if ( null !== $refusal ) {
			return $refusal;
		}
		$found = Rollcall_Account_Finder::by_label( $order );
		if ( null !== $found['refusal'] || ! $found['id'] ) {
			return null === $found['refusal'] ? 'target.account_missing' : $found['refusal'];
		}
		$switches = Rollcall_Ledger::switches( $found['id'] );
		$refusal  = Rollcall_Guard::account( $found['id'], $switches['reject_incoming'] );
		$user     = get_userdata( $found['id'] );
		if ( null !== $refusal || ! $user || '' === $user->user_email ) {
			return null === $refusal ? 'email.missing' : $refusal;
		}
		$elsewhere = is_multisite() && get_current_blog_id() !== $order['blog'];
		if ( $elsewhere ) {
			switch_to_blog( $order['blog'] );
		}
		try {
			return self::open( strtolower( $order['erasure'] ), (string) $user->user_email );
		} finally {
			if ( $elsewhere ) {
				restore_current_blog();
			}
		}
	}

	/**
	 * Opens a request, on the current site.
	 *
	 * @param string $erasure Erasure.
	 * @param string $email   Address.
	 * @return string
	 */
	private static function open( $erasure, $email ) {
		if ( self::requests( array( 'meta_key' => self::META, 'meta_value' => $erasure ) ) ) { // phpcs:ignore
			return 'already';
		}
		// Somebody has asked for it here as well, and not confirmed it, or nobody has carried it out yet.
		$open = self::requests(
			array(
				'title'       => $email,
				'post_status' => array( 'request-pending', 'request-confirmed' ),
			)
		);
		$id   = $open ? $open[0] : wp_create_user_request( $email, 'remove_personal_data' );
		if ( is_wp_error( $id ) ) {
			return 'target.error';
		}
		update_post_meta( $id, self::META, $erasure );
		/** This action is WordPress's own: the request counts as confirmed, and the administrator is told. */
		do_action( 'user_request_action_confirmed', $id ); // phpcs:ignore WordPress.NamingConventions.PrefixAllGlobals
		Rollcall_Erasure_Run::begin( (int) $id );
		return 'opened';
	}

	/**
	 * Erasure requests on the current site.
	 *
	 * @param array $wanted What they must be like.
	 * @return int[]
	 */
	private static function requests( array $wanted ) {
		return get_posts(
			$wanted + array(
				'post_type'        => 'user_request',
				'post_status'      => 'any',
				'name'             => 'remove_personal_data',
				'numberposts'      => 1,
				'fields'           => 'ids',
				'suppress_filters' => true,
			)
		);
	}

	/**
	 * Puts a row of its own into the outbox.
	 *
	 * @param WP_User     $user Account.
	 * @param string|null $of   Erasure that this was asked for by.
	 * @return void
	 */
	private static function put( $user, $of ) {
		global $wpdb;
		$row    = bin2hex( random_bytes( 8 ) );
		$now    = Rollcall_Settings::clock_ms();
		$rows   = Rollcall_Ledger::load( array( (int) $user->ID ) );
		$erased = array(
			'id'    => (int) $user->ID,
			'uid'   => isset( $rows[ (int) $user->ID ] ) ? $rows[ (int) $user->ID ]['uid'] : null,
			'login' => (string) $user->user_login,
		) + ( null === $of ? array() : array( 'of' => $of ) );
		$wpdb->insert( // phpcs:ignore WordPress.DB
			Rollcall_Tables::outbox(),
			array(
				'subject'   => 'e:' . $row,
				'id'        => $row,
				'rev'       => 1,
				'user_id'   => (int) $user->ID,
				'blog'      => get_current_blog_id(),
				'kind'      => 'erase',
				'state'     => 'ready',
				'queued_ms' => $now,
				'opened_ms' => $now,
				'at_ms'     => Rollcall_Settings::now_ms(),
				'actor'     => wp_json_encode( array( 'kind' => Rollcall_Actor::current()['kind'] ) ),
				'gone'      => wp_json_encode( $erased ),
			)
		);
		Rollcall_Outbox::count_ready();
	}
}
