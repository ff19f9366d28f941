<?php
/**
 * One site that memberships are written to.
 *
 * Does: says which roles it defines, which of them may be given here, which one a fill gives, and what
 *   level a set of roles amounts to.
 * Does not: read anybody's membership. Says nothing about being closed: Rollcall_Network_Sites does.
 * Always true: a role that can administer is given and taken only where the network names it, whatever
 *   the site's default role is.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Target of memberships.
 */
final class Rollcall_Network_Target {

	/** Given where the site's own default role is none, or not defined. */
	const FALLBACK = 'subscriber';

	/**
	 * Site.
	 *
	 * @var int
	 */
	public $blog;

	/**
	 * Key of its memberships.
	 *
	 * @var string
	 */
	public $caps_key;

	/**
	 * Key of its levels.
	 *
	 * @var string
	 */
	public $level_key;

	/**
	 * Definitions of its roles.
	 *
	 * @var array
	 */
	private $defined;

	/**
	 * Privileged roles that the network names.
	 *
	 * @var string[]
	 */
	private $named;

	/**
	 * Levels that were asked for: membership as stored => level.
	 *
	 * @var array<string,int>
	 */
	private $levels = array();

	/**
	 * A new one.
	 *
	 * @param int   $blog     Site.
	 * @param array $settings Settings of its network.
	 */
	public function __construct( $blog, array $settings ) {
		global $wpdb;
		$this->blog      = (int) $blog;
		$this->caps_key  = Rollcall_Roles::caps_key( $this->blog );
		$this->level_key = $wpdb->get_blog_prefix( $this->blog ) . 'user_level';
		$this->defined   = Rollcall_Roles::defined( $this->blog );
		$this->named     = $settings['privileged_roles'];
	}

	/**
	 * Does the site define a role?
	 *
	 * @param string $role Role.
	 * @return bool
	 */
	public function defines( $role ) {
		return isset( $this->defined[ $role ] );
	}

	/**
	 * May a role be given and taken here?
	 *
	 * @param string $role Role.
	 * @return bool
	 */
	public function allows( $role ) {
		return in_array( (string) $role, $this->named, true ) || ! Rollcall_Privilege::role_is_privileged( (string) $role, $this->blog );
	}

	/**
	 * The role that a fill gives.
	 *
	 * @return array{0:?string,1:?string} Role, or why there is none.
	 */
	public function fill_role() {
		$role = Rollcall_Roles::default_of( $this->blog );
		$role = '' !== $role && $this->defines( $role ) ? $role : self::FALLBACK;
		if ( ! $this->defines( $role ) ) {
			return array( null, 'network.role_undefined' );
		}
		return $this->allows( $role ) ? array( $role, null ) : array( null, 'network.role_privileged' );
	}

	/**
	 * Those keys of a stored membership that are roles here, as WordPress sees it.
	 *
	 * @param array $caps Stored membership.
	 * @return string[]
	 */
	public function roles_in( array $caps ) {
		return array_values( array_filter( array_map( 'strval', array_keys( $caps ) ), array( $this, 'defines' ) ) );
	}

	/**
	 * The level that WordPress would store beside a membership.
	 *
	 * @param string $stored Membership as it is stored.
	 * @return int
	 */
	public function level_of( $stored ) {
		if ( ! isset( $this->levels[ $stored ] ) ) {
			$this->levels[ $stored ] = $this->level( Rollcall_Network_Plan::caps( $stored ) );
		}
		return $this->levels[ $stored ];
	}

	/**
	 * The level of a membership.
	 *
	 * @param array $caps Stored membership.
	 * @return int
	 */
	private function level( array $caps ) {
		$all = $caps;
		foreach ( $this->roles_in( $caps ) as $role ) {
			$all += isset( $this->defined[ $role ]['capabilities'] ) ? (array) $this->defined[ $role ]['capabilities'] : array();
		}
		$level = 0;
		foreach ( array_keys( $all ) as $cap ) {
			$level = preg_match( '/^level_(10|[0-9])$/i', (string) $cap, $found ) ? max( $level, (int) $found[1] ) : $level;
		}
		return $level;
	}
}
