<?php
/**
 * What this site lets a hub do, whatever the hub says.
 *
 * Does: judges, in this order: credential, bound hub and its term, the installation's own address,
 * read-only site, whitelist, the account, the role.
 * Does not: write anything but a newer term of the bound hub, and from where it calls.
 * Always true: every refusal has a stable reason. Nothing here can be loosened from the hub.
 * On failure: refuses.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Guard.
 */
final class Rollcall_Guard {

	/** Routes that answer even where the installation stands at another address than it was connected. */
	const OPEN_WHEN_MOVED = array( 'status' );

	/**
	 * Who is asking? For permission callbacks.
	 *
	 * @param string               $who     `hub`, `administrator` or `any`.
	 * @param WP_REST_Request|null $request The request; a hub that this site was taken from is told so.
	 * @return true|WP_Error
	 */
	public static function credential( $who, $request = null ) {
		if ( 'administrator' !== $who && Rollcall_Service_Account::is_caller() ) {
			return true;
		}
		if ( 'hub' !== $who && self::is_administrator() ) {
			return true;
		}
		$status = is_user_logged_in() ? 403 : 401;
		if ( 'administrator' !== $who && self::comes_too_late( $request ) ) {
			return Rollcall_Rest::error( 'hub.released', $status, Rollcall_Reasons::sentence( 'hub.released' ) );
		}
		if ( 'hub' === $who ) {
			return Rollcall_Rest::error( 'hub.credential', $status, __( 'This needs the credential that this site issued to its hub.', 'rollcall-connector' ) );
		}
		$refusal = Rollcall_Rest::error( 'administrator.credential', $status, __( 'This needs an Application Password of an administrator.', 'rollcall-connector' ) );
		return self::with_core_code( $refusal );
	}

	/**
	 * Is this the hub that this installation was released from? Its credential ended with that, so all there
	 * is to know it by is the id that it names, which is nobody else's to guess.
	 *
	 * @param WP_REST_Request|null $request The request.
	 * @return bool
	 */
	private static function comes_too_late( $request ) {
		$hub = $request instanceof WP_REST_Request ? $request->get_param( 'hub' ) : null;
		return isset( $hub['id'] ) && is_string( $hub['id'] ) && Rollcall_Settings::was_released_from( $hub['id'] );
	}

	/**
	 * Gives the refusal core's own code where core found an Application Password wrong or switched off.
	 * Since WordPress 6.3.2 core finds out too late in the request to say so itself, and a hub must
	 * tell a wrong password from a header that the host strips. Where no Application Password was ever
	 * made, core does not even look at the one that came. Which of login and password was wrong stays
	 * untold.
	 *
	 * @param WP_Error $refusal The refusal.
	 * @return WP_Error
	 */
	private static function with_core_code( $refusal ) {
		$found = isset( $GLOBALS['wp_rest_application_password_status'] ) ? $GLOBALS['wp_rest_application_password_status'] : null;
		if ( ! is_wp_error( $found ) ) {
			$unseen = ! is_user_logged_in() && isset( $_SERVER['PHP_AUTH_USER'], $_SERVER['PHP_AUTH_PW'] ) && wp_is_application_passwords_available();
			return $unseen ? new WP_Error( 'incorrect_password', $refusal->get_error_message(), $refusal->get_error_data() ) : $refusal;
		}
		$off = 0 === strpos( (string) $found->get_error_code(), 'application_passwords_disabled' );
		return new WP_Error( $off ? $found->get_error_code() : 'incorrect_password', $refusal->get_error_message(), $refusal->get_error_data() );
	}

	/**
	 * May this caller ask this here? Takes over a newer term.
	 *
	 * @param string $route Name of the route.
	 * @param array  $data  The request.
	 * @return true|WP_Error
	 */
	public static function request( $route, $data ) {
		$bound = self::binding( $route, $data );
		$may   = is_wp_error( $bound ) ? $bound : Rollcall_Whitelist::caller_may_speak();
		if ( true === $may && ( 'connect' === $route || Rollcall_Service_Account::is_caller() ) ) {
			Rollcall_Whitelist::note_hub();
		}
		return $may;
	}

	/**
	 * Is it the hub that this installation listens to, and the installation that it means?
	 *
	 * @param string $route Name of the route.
	 * @param array  $data  The request.
	 * @return true|WP_Error
	 */
	private static function binding( $route, $data ) {
		if ( 'connect' === $route ) {
			// An undecided copy is bound to the original's hub: it must not become the original by being connected.
			return Rollcall_Settings::is_bound() && ! Rollcall_Home::matches() ? self::moved() : true;
		}
		if ( 'status' === $route && ( ! isset( $data['hub'] ) || ! Rollcall_Service_Account::is_caller() ) ) {
			return true;
		}
		$stranger = self::stranger( $data['hub'] );
		if ( is_wp_error( $stranger ) ) {
			return $stranger;
		}
		if ( ! in_array( $route, self::OPEN_WHEN_MOVED, true ) && ! Rollcall_Home::matches() ) {
			return self::moved();
		}
		return true;
	}

	/**
	 * The refusal of an installation that stands elsewhere.
	 *
	 * @return WP_Error
	 */
	private static function moved() {
		return Rollcall_Rest::error( 'installation.moved', 423, Rollcall_Reasons::sentence( 'installation.moved' ) );
	}

	/**
	 * Is this hub another one, or an older reign of ours?
	 *
	 * @param array $hub        { id, term }.
	 * @param int   $not_mine   HTTP status for another hub.
	 * @return true|WP_Error
	 */
	public static function stranger( $hub, $not_mine = 403 ) {
		if ( ! Rollcall_Settings::is_bound() || strtolower( (string) Rollcall_Settings::hub_id() ) !== strtolower( $hub['id'] ) ) {
			return Rollcall_Rest::error( 'hub.not_mine', $not_mine, self::whose() );
		}
		if ( $hub['term'] < Rollcall_Settings::term() ) {
			return Rollcall_Rest::error( 'hub.superseded', 409, Rollcall_Reasons::sentence( 'hub.superseded' ) );
		}
		if ( $hub['term'] > Rollcall_Settings::term() ) {
			Rollcall_Settings::set_term( $hub['term'] );
		}
		return true;
	}

	/**
	 * Whose this site is, for whoever may ask that.
	 *
	 * @return string
	 */
	private static function whose() {
		if ( ! Rollcall_Settings::is_bound() ) {
			return Rollcall_Reasons::sentence( 'hub.not_mine' );
		}
		/* translators: %s: name of a hub, and where it is. */
		return sprintf( __( 'This site is connected to the hub %s. Release it first, there or here in wp-admin under User Sync.', 'rollcall-connector' ), Rollcall_Settings::hub_named() );
	}

	/**
	 * Does the site take this operation at all?
	 *
	 * @param array $operation Operation of /apply.
	 * @return string|null Reason of a refusal.
	 */
	public static function operation( $operation ) {
		$blog = $operation['blog'];
		if ( is_multisite() ? ! get_site( $blog ) : get_current_blog_id() !== $blog ) {
			return 'target.site_missing';
		}
		if ( Rollcall_Settings::read_only( $blog ) ) {
			return 'target.read_only';
		}
		return Rollcall_Whitelist::takes_from( $operation['source']['url'] ) ? null : 'whitelist.source';
	}

	/**
	 * May this account be changed from outside?
	 *
	 * @param int        $id        Account.
	 * @param bool       $rejects   Whether the account's own switch rejects incoming changes.
	 * @param array|null $operation The operation, where its route may name privileged roles; null: none counts.
	 * @return string|null Reason of a refusal.
	 */
	public static function account( $id, $rejects, $operation = null ) {
		if ( $rejects ) {
			return 'account.incoming_rejected';
		}
		if ( self::is_hubs_own( $id ) ) {
			return 'target.hub_account';
		}
		$power = Rollcall_Privilege::power_of( $id );
		return null === $operation
			? Rollcall_Consent::account( $power, array(), 0 )
			: Rollcall_Consent::account( $power, Rollcall_Consent::named( $operation, 'account' ), $operation['blog'] );
	}

	/**
	 * Is this the account that the hub itself speaks by?
	 *
	 * @param int $id Account.
	 * @return bool
	 */
	public static function is_hubs_own( $id ) {
		return Rollcall_Service_Account::id() === $id || Rollcall_Settings::service_user_id() === $id;
	}

	/**
	 * Is this the last administrator of a site?
	 *
	 * @param int $id   Account.
	 * @param int $blog Site.
	 * @return bool
	 */
	public static function is_last_administrator( $id, $blog ) {
		$found = get_users(
			array(
				'role'    => 'administrator',
				'blog_id' => $blog,
				'number'  => 2,
				'fields'  => 'ID',
				// WordPress 6.3 remembers the answer, also where somebody changed a role past it.
				'cache_results' => false,
			)
		);
		return 1 === count( $found ) && (int) $found[0] === $id;
	}

	/**
	 * May this role be given or taken on this site, whatever the route names?
	 *
	 * @param string $role Role.
	 * @param int    $blog Site; must be the current one.
	 * @return string|null Reason of a refusal.
	 */
	public static function role( $role, $blog ) {
		if ( ! wp_roles()->is_role( $role ) ) {
			return 'role.unknown';
		}
		if ( ! in_array( $role, Rollcall_Settings::grantable( $blog ), true ) || Rollcall_Privilege::role_is_privileged( $role, $blog ) ) {
			return 'role.not_grantable';
		}
		return null;
	}

	/**
	 * Is the caller an administrator, by an Application Password of their own?
	 *
	 * @return bool
	 */
	private static function is_administrator() {
		if ( ! is_string( rest_get_authenticated_app_password() ) || get_current_user_id() === Rollcall_Service_Account::id() ) {
			return false;
		}
		return ( ! is_multisite() || is_super_admin() ) && Rollcall_Shared_Option::may_be_set();
	}
}
