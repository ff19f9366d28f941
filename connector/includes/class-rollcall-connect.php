<?php
/**
 * POST /connect: an administrator binds this installation to a hub.
 *
 * Does: issues the hub's credential, stores the binding, answers with /status. Asking again renews the
 * credential.
 * Does not: take the installation away from another hub, or bind a second one over the same users table.
 * Always true: one hub at a time; the credential is shown once and only its hash is kept.
 * On failure: nothing is bound; 409 with `hub.not_mine`, `hub.superseded` or `hub.bound_beside`.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Connect.
 */
final class Rollcall_Connect {

	/**
	 * Answers the request.
	 *
	 * @param array $request ConnectRequest.
	 * @return array|WP_Error ConnectAnswer.
	 */
	public static function answer( $request ) {
		$hub = $request['hub'];
		if ( Rollcall_Settings::is_bound() ) {
			$stranger = Rollcall_Guard::stranger( $hub, 409 );
			if ( is_wp_error( $stranger ) ) {
				return $stranger;
			}
		}
		$other = Rollcall_Neighbours::claim();
		if ( null !== $other ) {
			/* translators: %s: address of another site. */
			return Rollcall_Rest::error( 'hub.bound_beside', 409, sprintf( __( 'The WordPress at %s has the same table of users, and is connected. One of them is enough; to connect this one, release that one first, in its wp-admin under User Sync.', 'rollcall-connector' ), $other ) );
		}
		Rollcall_Store::settle_in();
		$credential = Rollcall_Service_Account::issue( $hub['name'] );
		if ( is_wp_error( $credential ) ) {
			return Rollcall_Rest::error( 'hub.no_credential', 500, $credential->get_error_message() );
		}
		Rollcall_Settings::bind(
			array(
				'hub_id'          => strtolower( $hub['id'] ),
				'hub_name'        => sanitize_text_field( $hub['name'] ),
				'term'            => $hub['term'],
				'keys'            => $request['keys'],
				'signal'          => $request['signal'],
				'meta'            => $request['meta'],
				'service_user_id' => $credential['id'],
			)
		);
		Rollcall_Newcomers::look( true );
		/**
		 * Fires once the site is connected to a hub, and each time its credential is renewed.
		 *
		 * @param string $hub_id Id of the hub.
		 * @param string $name   Its name.
		 */
		Rollcall_Callbacks::tell( 'rollcall_connected', Rollcall_Settings::hub_id(), Rollcall_Settings::hub_name() );
		$answer = array(
			'credential' => array(
				'user'     => $credential['user'],
				'password' => $credential['password'],
			),
			'status'     => Rollcall_Status::answer(),
		);
		if ( $request['revoke_caller'] ) {
			WP_Application_Passwords::delete_application_password( get_current_user_id(), rest_get_authenticated_app_password() );
		}
		return $answer;
	}
}
