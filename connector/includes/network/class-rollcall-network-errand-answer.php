<?php
/**
 * Carries out errands: `network/errand`, asked by another process of this very network.
 *
 * Does: works on a page of a run that cron drives, or on what triggers have noted, on the site that was asked.
 * Does not: take any account's word; a cookie, an Application Password and the hub's credential open nothing here.
 * Always true: only what the tables hold is done, so an errand that comes twice changes nothing; one that is for
 *   another site or network, too old, or signed with another key is refused.
 * On failure: 403 and nothing is done, or 500; whoever asked does it.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Receiver of errands.
 */
final class Rollcall_Network_Errand_Answer {

	/** 500 rows of what is due take a quarter of it. */
	const MOST_BYTES = 65536;

	/** No errand works for longer, in seconds. */
	const MOST_S = 20;

	/** Hooks in. */
	public static function start() {
		if ( ! is_multisite() ) {
			return;
		}
		add_action( 'rest_api_init', array( __CLASS__, 'register' ) );
		add_filter( 'rest_authentication_errors', array( __CLASS__, 'let_in' ), PHP_INT_MAX );
	}

	/**
	 * Registers the route.
	 *
	 * @return void
	 */
	public static function register() {
		register_rest_route(
			Rollcall_Rest::ROUTE_NAMESPACE,
			'/' . Rollcall_Network_Errand::ROUTE,
			array(
				'methods'             => 'POST',
				'show_in_index'       => false,
				'permission_callback' => static function ( $request ) {
					return null !== self::opened( $request->get_body() ) ? true : new WP_Error( 'rollcall_errand', __( 'Only this network itself asks that.', 'rollcall-connector' ), array( 'status' => 403 ) );
				},
				'callback'            => array( __CLASS__, 'carry_out' ),
			)
		);
	}

	/**
	 * Sites that close their REST API to visitors close it to an errand as well.
	 *
	 * @param WP_Error|true|null $result What was found so far.
	 * @return WP_Error|true|null
	 */
	public static function let_in( $result ) {
		return is_wp_error( $result ) && Rollcall_Service_Door::is_our_request() && null !== self::opened( WP_REST_Server::get_raw_data() ) ? true : $result;
	}

	/**
	 * Carries an errand out.
	 *
	 * @param WP_REST_Request $request The request.
	 * @return array|WP_Error
	 */
	public static function carry_out( $request ) {
		list( $errand, $mac ) = self::opened( $request->get_body() );
		// What other plugins print while they hear must not get into the JSON.
		ob_start();
		try {
			if ( isset( $errand['run'] ) && is_string( $errand['run'] ) ) {
				self::run( $errand['run'], min( self::MOST_S, (float) $errand['seconds'] ) );
			} elseif ( isset( $errand['due'] ) && is_array( $errand['due'] ) ) {
				Rollcall_Network_Chores::errand( $errand['due'], get_current_blog_id() );
			}
		} catch ( Throwable $fault ) {
			Rollcall_Query_Faults::make_good();
			Rollcall_Network_Announcer::complain( $fault );
			return new WP_Error( 'rollcall_errand', Rollcall_Rest::describe( $fault ), array( 'status' => 500 ) );
		} finally {
			ob_end_clean();
		}
		return array( 'done' => $mac );
	}

	/**
	 * Works on a run, where it is cron's to go on with.
	 *
	 * @param string $id      Run.
	 * @param float  $seconds At most so long, roughly.
	 * @return void
	 */
	private static function run( $id, $seconds ) {
		$row = Rollcall_Network_Runs::row( $id );
		if ( $row && 'cron' === $row->driver ) {
			Rollcall_Network_Runs::page( $id, get_current_blog_id(), $seconds );
		}
	}

	/**
	 * An errand for this site, if it is one.
	 *
	 * @param string $body Body of the request.
	 * @return array{0:array,1:string}|null Errand and signature.
	 */
	private static function opened( $body ) {
		$sent = is_string( $body ) && strlen( $body ) <= self::MOST_BYTES ? json_decode( $body, true ) : null;
		if ( ! is_array( $sent ) || ! isset( $sent['errand'], $sent['mac'] ) || ! is_string( $sent['errand'] ) || ! is_string( $sent['mac'] ) ) {
			return null;
		}
		$network = get_current_network_id();
		if ( ! Rollcall_Network_Errand::is_signed( $sent['errand'], $sent['mac'], $network ) ) {
			return null;
		}
		$errand = json_decode( $sent['errand'], true );
		$left   = isset( $errand['until'] ) ? (int) $errand['until'] - Rollcall_Network_Runs::now() : 0;
		$mine   = isset( $errand['network'], $errand['blog'], $errand['seconds'] ) && array( $network, get_current_blog_id() ) === array( $errand['network'], $errand['blog'] );
		// Clocks of several web servers may differ a little.
		return $mine && $left > 0 && $left <= 2 * Rollcall_Network_Errand::LIFE_MS ? array( $errand, $sent['mac'] ) : null;
	}
}
