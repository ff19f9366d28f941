<?php
/**
 * The door to the hub's own account: nothing but rollcall/v1, and nobody but the hub.
 *
 * Does: refuses the account to sign-in forms, XML-RPC, resets of its password and every REST route that isn't
 *   ours; takes the credential from where hosts let it through.
 * Does not: know the credential (Rollcall_Service_Account), or decide what the hub may do inside (Rollcall_Guard).
 * Always true: the account counts for one request to a route of ours, and only with a credential that was
 *   issued here. What other plugins ask inside such a request is theirs, and passes.
 * On failure: refuses.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Door to the service account.
 */
final class Rollcall_Service_Door {

	/**
	 * How deep REST requests are nested: ours may make other plugins ask REST inside PHP.
	 *
	 * @var int
	 */
	private static $inside = 0;

	/**
	 * Hooks the fences in.
	 *
	 * @return void
	 */
	public static function start() {
		self::take_authorization();
		if ( self::is_our_request() ) {
			// A cache may remember the credential before this one. WordPress can't look accounts up yet.
			$kept = Rollcall_Shared_Option::get( Rollcall_Service_Account::OPTION );
			Rollcall_User_Cache::drop( isset( $kept['user'] ) ? (int) $kept['user'] : 0, Rollcall_Service_Account::LOGIN );
		}
		// Once more when themes are loaded: those like to give the REST API another address.
		add_action( 'parse_request', array( __CLASS__, 'take_authorization' ), -PHP_INT_MAX );
		add_filter( 'rest_authentication_errors', array( __CLASS__, 'known_to_us' ), PHP_INT_MAX );
		add_filter( 'determine_current_user', array( __CLASS__, 'only_as_hub' ), PHP_INT_MAX );
		add_filter( 'authenticate', array( __CLASS__, 'never_sign_in' ), PHP_INT_MAX );
		add_filter( 'allow_password_reset', array( __CLASS__, 'never_reset' ), PHP_INT_MAX, 2 );
		add_filter( 'rest_pre_dispatch', array( __CLASS__, 'only_our_routes' ), -PHP_INT_MAX, 3 );
		add_filter( 'rest_request_after_callbacks', array( __CLASS__, 'leave_route' ), PHP_INT_MAX, 3 );
	}

	/**
	 * The current user: the account counts only inside rollcall/v1 and with our credential.
	 *
	 * @param int|false $user_id Whom WordPress takes the caller for.
	 * @return int|false
	 */
	public static function only_as_hub( $user_id ) {
		if ( ! Rollcall_Service_Account::is_it( $user_id ) ) {
			return $user_id;
		}
		// An address can name our routes behind the name of any script, xmlrpc.php for one.
		$is_rest = defined( 'REST_REQUEST' ) && REST_REQUEST;
		return $is_rest && self::is_our_request() && Rollcall_Service_Account::of_credential() === (int) $user_id ? $user_id : 0;
	}

	/**
	 * Sign-in forms and XML-RPC: never. (Application Passwords over REST don't come this way.)
	 *
	 * @param WP_User|WP_Error|null $user Whom WordPress found.
	 * @return WP_User|WP_Error|null
	 */
	public static function never_sign_in( $user ) {
		if ( $user instanceof WP_User && Rollcall_Service_Account::is_it( (int) $user->ID ) ) {
			return new WP_Error( 'rollcall_service_account', __( 'This account belongs to the Rollcall hub. Nobody can sign in with it.', 'rollcall-connector' ) );
		}
		return $user;
	}

	/**
	 * No password reset either.
	 *
	 * @param bool|WP_Error $allow   Whether it is allowed.
	 * @param int           $user_id Account.
	 * @return bool|WP_Error
	 */
	public static function never_reset( $allow, $user_id ) {
		return Rollcall_Service_Account::is_it( (int) $user_id ) ? false : $allow;
	}

	/**
	 * Sites that close their REST API to visitors, or to people without some role, close it to the hub as
	 * well: its account has no role. It is let through to our routes, which look at it themselves.
	 *
	 * @param WP_Error|true|null $result What was found so far.
	 * @return WP_Error|true|null
	 */
	public static function known_to_us( $result ) {
		return is_wp_error( $result ) && self::is_our_request() && Rollcall_Service_Account::is_caller() ? true : $result;
	}

	/**
	 * Refuses every REST route but ours to the account. Requests that other plugins make inside one of
	 * ours are theirs and pass.
	 *
	 * @param mixed           $result  What would be answered instead.
	 * @param WP_REST_Server  $server  The server.
	 * @param WP_REST_Request $request The request.
	 * @return mixed
	 */
	public static function only_our_routes( $result, $server, $request ) {
		$ours = Rollcall_Rest::is_ours( $request->get_route() );
		if ( 0 === self::$inside && ! $ours && Rollcall_Service_Account::is_it( get_current_user_id() ) ) {
			return Rollcall_Rest::error( 'hub.only_rollcall', 403, __( 'This credential opens rollcall/v1 and nothing else.', 'rollcall-connector' ) );
		}
		self::$inside += $ours ? 1 : 0;
		return $result;
	}

	/**
	 * Counts back when a request of ours ends.
	 *
	 * @param mixed           $response The answer.
	 * @param array           $handler  The route's handler.
	 * @param WP_REST_Request $request  The request.
	 * @return mixed
	 */
	public static function leave_route( $response, $handler, $request ) {
		self::$inside -= Rollcall_Rest::is_ours( $request->get_route() ) ? 1 : 0;
		return $response;
	}

	/**
	 * Does the address of the running request name a route of ours? Known before WordPress parses it.
	 *
	 * @return bool
	 */
	public static function is_our_request() {
		$mark = '/' . Rollcall_Rest::ROUTE_NAMESPACE . '/';
		// phpcs:disable WordPress.Security.NonceVerification.Recommended, WordPress.Security.ValidatedSanitizedInput
		if ( isset( $_GET['rest_route'] ) && is_string( $_GET['rest_route'] ) ) {
			return 0 === strpos( $_GET['rest_route'], $mark );
		}
		$path = isset( $_SERVER['REQUEST_URI'] ) ? (string) strtok( $_SERVER['REQUEST_URI'], '?' ) : '';
		// phpcs:enable
		// Whatever stands before it: a theme may change the prefix after we are asked, and old rewrite rules stay.
		$at = strpos( $path, $mark );
		return false !== $at && 1 === preg_match( '#^(network/)?[^/]*$#D', substr( $path, $at + strlen( $mark ) ) );
	}

	/**
	 * Takes the credential from `X-Rollcall-Authorization`, for hosts that strip `Authorization`.
	 *
	 * @return void
	 */
	public static function take_authorization() {
		if ( ! self::is_our_request() ) {
			return;
		}
		// phpcs:ignore WordPress.Security.ValidatedSanitizedInput
		$header = isset( $_SERVER['HTTP_X_ROLLCALL_AUTHORIZATION'] ) ? (string) wp_unslash( $_SERVER['HTTP_X_ROLLCALL_AUTHORIZATION'] ) : '';
		if ( 0 !== stripos( $header, 'Basic ' ) ) {
			return;
		}
		$pair = base64_decode( trim( substr( $header, 6 ) ), true );
		if ( false !== $pair && false !== strpos( $pair, ':' ) ) {
			list( $_SERVER['PHP_AUTH_USER'], $_SERVER['PHP_AUTH_PW'] ) = explode( ':', $pair, 2 );
		}
	}
}
