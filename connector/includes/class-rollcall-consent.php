<?php
/**
 * Which privileged roles may come to a site from its hub: nobody's, until somebody on the site has said so.
 *
 * Does: keeps, for each site, the roles by their exact names with the privileged capabilities that they had
 *   when they were consented to; judges accounts and roles by them.
 * Does not: ask who consents; its callers do. Hold for another hub than the one that it was given to.
 * Always true: a role that has got one more privileged capability since counts no more. What a person holds
 *   by themselves, as a super admin or on another site of the network is never covered, nor is a role that
 *   reaches beyond its site.
 * On failure: what can't be read is no consent.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Consents.
 */
final class Rollcall_Consent {

	const OPTION = 'rollcall_consents';

	/** On a network these reach beyond one site. */
	const NETWORK_CAPS = array( 'setup_network', 'upgrade_network', 'manage_sites', 'create_sites', 'delete_sites' );

	/**
	 * Roles that count on a site now.
	 *
	 * @param int $blog Blog id.
	 * @return string[]
	 */
	public static function roles( $blog ) {
		return self::sorted( $blog, true );
	}

	/**
	 * Roles that were consented to and have got more power since.
	 *
	 * @param int $blog Blog id.
	 * @return string[]
	 */
	public static function outgrown( $blog ) {
		return self::sorted( $blog, false );
	}

	/**
	 * Roles that count, of every site where some were consented to.
	 *
	 * @return array<int,string[]> By blog id.
	 */
	public static function everywhere() {
		$found = array();
		foreach ( array_keys( self::all() ) as $blog ) {
			$found[ (int) $blog ] = self::roles( (int) $blog );
		}
		return $found;
	}

	/**
	 * Roles that were consented to.
	 *
	 * @param int  $blog   Blog id.
	 * @param bool $counts Those that count, or those that have outgrown it.
	 * @return string[]
	 */
	private static function sorted( $blog, $counts ) {
		$roles = array();
		foreach ( self::stored( $blog ) as $role => $caps ) {
			$now = self::caps( (string) $role, $blog );
			if ( $now && ( null === self::never( $now ) && ! array_diff( $now, $caps ) ) === $counts ) {
				$roles[] = (string) $role;
			}
		}
		return $roles;
	}

	/**
	 * The privileged capabilities that a role gives.
	 *
	 * @param string $role Role.
	 * @param int    $blog Blog id.
	 * @return string[] None: the role is not privileged, or there is none.
	 */
	public static function caps( $role, $blog ) {
		return Rollcall_Privilege::caps_of_role( $role, $blog );
	}

	/**
	 * Why nobody can consent to a role with these capabilities.
	 *
	 * @param string[] $caps Privileged capabilities.
	 * @return string|null Sentence.
	 */
	private static function never( $caps ) {
		foreach ( $caps as $cap ) {
			if ( 'rollcall_hub' === $cap ) {
				return __( 'That role speaks for the hub itself.', 'rollcall-connector' );
			}
			if ( is_multisite() && ( in_array( $cap, self::NETWORK_CAPS, true ) || 0 === strpos( $cap, Rollcall_Privilege::PREFIX ) ) ) {
				return __( 'That role reaches beyond this site of the network.', 'rollcall-connector' );
			}
		}
		return null;
	}

	/**
	 * Why a role can't be consented to.
	 *
	 * @param string $role Role.
	 * @param int    $blog Blog id.
	 * @return string|null Sentence.
	 */
	public static function why_not( $role, $blog ) {
		if ( ! Rollcall_Settings::is_bound() ) {
			return __( 'Connect this site to its hub first: consent is given to that hub alone.', 'rollcall-connector' );
		}
		if ( ! isset( Rollcall_Roles::defined( $blog )[ $role ] ) ) {
			/* translators: %s: name of a role. */
			return sprintf( __( 'There is no role “%s” on this site.', 'rollcall-connector' ), $role );
		}
		$caps = self::caps( $role, $blog );
		if ( ! $caps ) {
			/* translators: %s: name of a role. */
			return sprintf( __( 'The role “%s” is not privileged: it stands among the roles that may be given.', 'rollcall-connector' ), $role );
		}
		return self::never( $caps );
	}

	/**
	 * Consents to roles as they are now. Those that can't be are left out.
	 *
	 * @param int      $blog  Blog id.
	 * @param string[] $roles Roles, exact names.
	 * @return void
	 */
	public static function allow( $blog, $roles ) {
		$given = array();
		foreach ( $roles as $role ) {
			if ( null === self::why_not( $role, $blog ) ) {
				$given[ $role ] = self::caps( $role, $blog );
			}
		}
		self::change(
			$blog,
			static function ( $now ) use ( $given ) {
				return $given + $now;
			}
		);
	}

	/**
	 * Takes consent back.
	 *
	 * @param int      $blog  Blog id.
	 * @param string[] $roles Roles.
	 * @return void
	 */
	public static function withdraw( $blog, $roles ) {
		if ( ! array_intersect( array_map( 'strval', array_keys( self::stored( $blog ) ) ), $roles ) ) {
			return;
		}
		self::change(
			$blog,
			static function ( $now ) use ( $roles ) {
				return array_diff_key( $now, array_flip( $roles ) );
			}
		);
	}

	/**
	 * May an account with this power be changed from outside?
	 *
	 * @param array|null $power What makes it privileged (Rollcall_Privilege::power_among()); null: nothing does.
	 * @param array      $named Roles that the route names.
	 * @param int        $blog  Site that the change is for.
	 * @return string|null Reason of a refusal.
	 */
	public static function account( $power, $named, $blog ) {
		if ( null === $power ) {
			return null;
		}
		$roles = isset( $power['roles'][ $blog ] ) ? $power['roles'][ $blog ] : array();
		if ( $power['other'] || 1 !== count( $power['roles'] ) || ! $roles || array_diff( $roles, $named ) ) {
			return 'target.privileged_account';
		}
		return array_diff( $roles, self::roles( $blog ) ) ? 'account.not_consented' : null;
	}

	/**
	 * May a privileged role be given or taken from outside?
	 *
	 * @param string $role  Role.
	 * @param array  $named Roles that the route names.
	 * @param int    $blog  Site.
	 * @return string|null Reason of a refusal.
	 */
	public static function role( $role, $named, $blog ) {
		if ( ! in_array( $role, $named, true ) || ! self::caps( $role, $blog ) ) {
			return 'role.not_grantable';
		}
		return in_array( $role, self::roles( $blog ), true ) ? null : 'role.not_consented';
	}

	/**
	 * The roles that the route of an operation names.
	 *
	 * @param array  $operation Operation.
	 * @param string $for       `account` or `roles`.
	 * @return string[]
	 */
	public static function named( $operation, $for ) {
		return isset( $operation['privileged'][ $for ] ) ? $operation['privileged'][ $for ] : array();
	}

	/**
	 * What `/status` warns of, and wp-admin.
	 *
	 * @return array<int,array{code:string,message:string}>
	 */
	public static function warnings() {
		$warnings = array();
		foreach ( array_keys( self::all() ) as $blog ) {
			$roles = self::outgrown( (int) $blog );
			if ( $roles ) {
				$warnings[] = array(
					'code'    => 'role.outgrown_consent',
					'message' => sprintf(
						/* translators: 1: names of roles, 2: number of a site. */
						__( 'The roles %1$s of site %2$d can do more than when it was agreed that they may come from the hub. They count no more until somebody agrees again, under User Sync.', 'rollcall-connector' ),
						'“' . implode( '”, “', $roles ) . '”',
						(int) $blog
					),
				);
			}
		}
		return $warnings;
	}

	/** Forgets all consents: the hub that they were given to is another one, or none. */
	public static function forget() {
		Rollcall_Shared_Option::delete( self::OPTION );
	}

	/**
	 * The consents of one site.
	 *
	 * @param int $blog Blog id.
	 * @return array<string,string[]> Role => privileged capabilities that it had.
	 */
	private static function stored( $blog ) {
		$all = self::all();
		return isset( $all[ $blog ] ) && is_array( $all[ $blog ] ) ? array_filter( $all[ $blog ], 'is_array' ) : array();
	}

	/**
	 * The consents of all sites, given to the present hub.
	 *
	 * @return array
	 */
	private static function all() {
		$stored = Rollcall_Shared_Option::get( self::OPTION );
		$same   = Rollcall_Settings::is_bound() && isset( $stored['hub'] ) && Rollcall_Settings::hub_id() === $stored['hub'];
		return $same && isset( $stored['sites'] ) && is_array( $stored['sites'] ) ? $stored['sites'] : array();
	}

	/**
	 * Changes the consents of one site by what they are now.
	 *
	 * @param int      $blog   Blog id.
	 * @param callable $change From those that are stored to those that shall be.
	 * @return void
	 */
	private static function change( $blog, $change ) {
		$hub = Rollcall_Settings::hub_id();
		Rollcall_Option_Row::change(
			self::OPTION,
			static function ( array $stored ) use ( $hub, $blog, $change ) {
				$sites          = isset( $stored['hub'], $stored['sites'] ) && $hub === $stored['hub'] && is_array( $stored['sites'] ) ? $stored['sites'] : array();
				$sites[ $blog ] = $change( isset( $sites[ $blog ] ) && is_array( $sites[ $blog ] ) ? $sites[ $blog ] : array() );
				return array(
					'hub'   => $hub,
					'sites' => array_filter( $sites ),
				);
			}
		);
		// A site that signals is not asked for minutes otherwise.
		Rollcall_Site_List::note();
	}
}
