<?php
/**
 * The routes of rollcall/v1.
 *
 * Does: registers every route, opens and closes the envelope, checks the shape of a request, asks the guard,
 * calls the class that answers, and marks every answer with the contract version.
 * Does not: decide or write anything itself.
 * Always true: nothing has happened on the site when a request is answered with an error, unless its
 * reason is `site.database` or `site.error`; and every request may be repeated.
 * On failure: answers a REST error { code, message, data: { status, reason } }, `reason` stable.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Transport only.
 */
final class Rollcall_Rest {

	const ROUTE_NAMESPACE = 'rollcall/v1';

	/** What hub and connector speak; its history is kept in contract/version.ts. */
	const CONTRACT = 2;

	/** What a request calls itself comes back in the answer, up to so many bytes of it. */
	const LONGEST_ASK = 64;

	/**
	 * Route → who may call it and what answers. `hub`: the hub's own credential; `any`: it or an
	 * administrator; `administrator`: an administrator's Application Password. The class's method is `answer`
	 * unless another one is named.
	 */
	const ROUTES = array(
		'status'           => array( 'any', 'Rollcall_Status' ),
		'connect'          => array( 'administrator', 'Rollcall_Connect' ),
		'credential'       => array( 'hub', 'Rollcall_Credential' ),
		'disconnect'       => array( 'hub', 'Rollcall_Disconnect' ),
		'settings'         => array( 'hub', 'Rollcall_Hub_Settings' ),
		'changes'          => array( 'hub', 'Rollcall_Changes' ),
		'accounts'         => array( 'hub', 'Rollcall_Accounts' ),
		'digests'          => array( 'hub', 'Rollcall_Digests' ),
		'labels'           => array( 'hub', 'Rollcall_Labels' ),
		'apply'            => array( 'hub', 'Rollcall_Apply' ),
		'proofs'           => array( 'hub', 'Rollcall_Proofs' ),
		'stamp'            => array( 'hub', 'Rollcall_Stamp' ),
		'outside'          => array( 'hub', 'Rollcall_Outside_Answer' ),
		'guard'            => array( 'hub', 'Rollcall_Tighten' ),
		'switches'         => array( 'hub', 'Rollcall_Switches' ),
		'erase'            => array( 'hub', 'Rollcall_Erasures' ),
		'network/show'     => array( 'hub', 'Rollcall_Network_Answers', 'show' ),
		'network/settings' => array( 'hub', 'Rollcall_Network_Answers', 'settings' ),
		'network/preview'  => array( 'hub', 'Rollcall_Network_Answers', 'preview' ),
		'network/begin'    => array( 'hub', 'Rollcall_Network_Answers', 'begin' ),
		'network/page'     => array( 'hub', 'Rollcall_Network_Answers', 'page' ),
		'network/control'  => array( 'hub', 'Rollcall_Network_Answers', 'control' ),
		'network/runs'     => array( 'hub', 'Rollcall_Network_Answers', 'runs' ),
		'network/rows'     => array( 'hub', 'Rollcall_Network_Answers', 'rows' ),
	);

	/**
	 * Hooks the routes in. Safe to call once per request.
	 *
	 * @return void
	 */
	public static function start() {
		Rollcall_Service_Door::start();
		if ( Rollcall_Service_Door::is_our_request() ) {
			// What most page caches look for.
			defined( 'DONOTCACHEPAGE' ) || define( 'DONOTCACHEPAGE', true );
			// A notice of any other plugin would make our JSON unreadable.
			// phpcs:ignore WordPress.PHP.IniSet.display_errors_Disallowed, WordPress.PHP.NoSilencedErrors.Discouraged
			@ini_set( 'display_errors', '0' );
			Rollcall_Query_Faults::wait_no_longer();
		}
		add_action( 'rest_api_init', array( __CLASS__, 'register' ) );
		add_filter( 'rest_request_before_callbacks', array( __CLASS__, 'broken' ), PHP_INT_MAX, 3 );
		add_filter( 'rest_post_dispatch', array( __CLASS__, 'doubt' ), 99, 3 );
		add_filter( 'rest_post_dispatch', array( __CLASS__, 'mark' ), 100, 3 );
	}

	/**
	 * Registers the routes.
	 *
	 * @return void
	 */
	public static function register() {
		foreach ( self::ROUTES as $route => $about ) {
			register_rest_route(
				self::ROUTE_NAMESPACE,
				'/' . $route,
				array(
					'methods'             => 'POST',
					'show_in_index'       => false,
					'permission_callback' => static function ( $request ) use ( $about ) {
						return Rollcall_Guard::credential( $about[0], $request );
					},
					'callback'            => static function ( $request ) use ( $route ) {
						return self::respond( $route, $request );
					},
				)
			);
		}
	}

	/**
	 * Answers one request.
	 *
	 * @param string          $route   Name of the route.
	 * @param WP_REST_Request $request The request.
	 * @return WP_REST_Response|WP_Error
	 */
	public static function respond( $route, $request ) {
		$packed = false;
		$data   = Rollcall_Envelope::open( $request->get_body(), $packed );
		if ( is_wp_error( $data ) ) {
			return $data;
		}
		$ask    = isset( $data['ask'] ) && is_string( $data['ask'] ) ? substr( $data['ask'], 0, self::LONGEST_ASK ) : null;
		$answer = self::answer( $route, $data );
		if ( is_wp_error( $answer ) ) {
			return null === $ask ? $answer : new WP_Error( $answer->get_error_code(), $answer->get_error_message(), array( 'ask' => $ask ) + $answer->get_error_data() );
		}
		if ( null !== $ask ) {
			// A cache that knows the address alone would give this answer to the next request, too.
			$answer['ask'] = $ask;
		}
		return new WP_REST_Response( $packed ? Rollcall_Envelope::close( $answer ) : $answer );
	}

	/**
	 * What is answered to a request that was opened.
	 *
	 * @param string $route Name of the route.
	 * @param array  $data  The request.
	 * @return array|WP_Error
	 */
	private static function answer( $route, $data ) {
		$problem = Rollcall_Shape::problem( $data, Rollcall_Messages::of( $route ) );
		if ( null !== $problem ) {
			/* translators: %s: name of a field in a request, and what is wrong with it. */
			return self::error( 'request.invalid', 400, sprintf( __( 'The request is not understood: %s.', 'rollcall-connector' ), $problem ) );
		}
		$refusal = Rollcall_Guard::request( $route, $data );
		if ( is_wp_error( $refusal ) ) {
			return $refusal;
		}
		Rollcall_Service_Account::was_used();
		list( , $class, $method ) = self::ROUTES[ $route ] + array( 2 => 'answer' );
		if ( ! class_exists( $class ) ) {
			return self::error( 'route.missing', 501, __( 'This connector does not know that request yet.', 'rollcall-connector' ) );
		}
		// What other plugins print while they hear our writes must not get into the JSON.
		ob_start();
		try {
			$answer = $class::$method( $data );
		} catch ( Throwable $fault ) {
			$answer = self::error( 'site.error', 500, self::describe( $fault ) );
			Rollcall_Tables::mend();
		} finally {
			ob_end_clean();
		}
		return $answer;
	}

	/**
	 * Answers a body that is no JSON as we answer any other that is not understood. Core refuses it before
	 * it asks who is calling.
	 *
	 * @param mixed           $response What would be answered.
	 * @param array           $handler  The route's handler.
	 * @param WP_REST_Request $request  The request.
	 * @return mixed
	 */
	public static function broken( $response, $handler, $request ) {
		if ( ! is_wp_error( $response ) || 'rest_invalid_json' !== $response->get_error_code() || ! self::is_ours( $request->get_route() ) ) {
			return $response;
		}
		$route   = substr( $request->get_route(), strlen( '/' . self::ROUTE_NAMESPACE . '/' ) );
		$allowed = Rollcall_Guard::credential( isset( self::ROUTES[ $route ] ) ? self::ROUTES[ $route ][0] : 'hub' );
		return is_wp_error( $allowed ) ? $allowed : Rollcall_Envelope::open( $request->get_body() );
	}

	/**
	 * Takes back an answer that was made while the database failed, a refused credential too.
	 *
	 * @param WP_HTTP_Response $response The answer.
	 * @param WP_REST_Server   $server   The server.
	 * @param WP_REST_Request  $request  The request.
	 * @return WP_HTTP_Response
	 */
	public static function doubt( $response, $server, $request ) {
		if ( ! self::is_ours( $request->get_route() ) || ! Rollcall_Query_Faults::spoil_the_answer() ) {
			return $response;
		}
		if ( Rollcall_Query_Faults::database_is_well() ) {
			return rest_convert_error_to_response( self::error( 'site.error', 500, __( 'A statement failed in the database of this site.', 'rollcall-connector' ) ) );
		}
		return rest_convert_error_to_response( self::error( 'site.database', 503, Rollcall_Reasons::sentence( 'site.database' ) ) );
	}

	/**
	 * Names the contract on every answer of ours, and keeps caches away from it.
	 *
	 * @param WP_HTTP_Response $response The answer.
	 * @param WP_REST_Server   $server   The server.
	 * @param WP_REST_Request  $request  The request.
	 * @return WP_HTTP_Response
	 */
	public static function mark( $response, $server, $request ) {
		if ( self::is_ours( $request->get_route() ) && $response instanceof WP_HTTP_Response ) {
			$response->header( 'X-Rollcall-Contract', (string) self::CONTRACT );
			foreach ( wp_get_nocache_headers() as $name => $value ) {
				if ( is_string( $value ) && '' !== $value ) {
					$response->header( $name, $value );
				}
			}
		}
		return $response;
	}

	/**
	 * Is this one of our routes?
	 *
	 * @param string $route A REST route, with its leading slash.
	 * @return bool
	 */
	public static function is_ours( $route ) {
		return 0 === strpos( $route, '/' . self::ROUTE_NAMESPACE . '/' );
	}

	/**
	 * A REST error with its stable reason.
	 *
	 * @param string $reason  Reason code.
	 * @param int    $status  HTTP status.
	 * @param string $message One sentence for people.
	 * @param array  $more    What else a hub must know.
	 * @return WP_Error
	 */
	public static function error( $reason, $status, $message, $more = array() ) {
		return new WP_Error(
			'rollcall_' . str_replace( '.', '_', $reason ),
			$message,
			array(
				'status' => $status,
				'reason' => $reason,
			) + $more
		);
	}

	/**
	 * Where a fault happened, without its message: that may hold values or SQL.
	 *
	 * @param Throwable $fault The fault.
	 * @return string
	 */
	public static function describe( $fault ) {
		return sprintf(
			/* translators: 1: kind of PHP error, 2: file name, 3: line. */
			__( 'The site failed: %1$s in %2$s, line %3$d.', 'rollcall-connector' ),
			get_class( $fault ),
			basename( $fault->getFile() ),
			$fault->getLine()
		);
	}
}
