<?php
/**
 * What is to become of some accounts on one site: a value, decided before anything is written.
 *
 * Does: decides fills and copies by what was read, pair by pair.
 * Does not: write. Reads nothing but who else administers a site, where somebody no longer would.
 * Always true: a fill leaves every membership as it is; a copy changes roles alone, and leaves those
 *   that the source doesn't define, and capabilities given to the person; nobody is the one who takes
 *   a site's last administrator away.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Plan for one site.
 */
final class Rollcall_Network_Plan {

	/**
	 * Memberships that begin: stored value => accounts.
	 *
	 * @var array<string,int[]>
	 */
	public $add = array();

	/**
	 * Memberships that change: account => row of usermeta, value before, value after.
	 *
	 * @var array<int,array{mid:int,was:string,now:string}>
	 */
	public $change = array();

	/**
	 * Pairs that are as they should be.
	 *
	 * @var int
	 */
	public $unchanged = 0;

	/**
	 * Reason => pairs.
	 *
	 * @var array<string,int>
	 */
	public $skipped = array();

	/**
	 * Does it stand that a person took somebody off the site? Then it is asked again in the transaction that writes.
	 *
	 * @var bool
	 */
	public $removals_stand = true;

	/**
	 * Site.
	 *
	 * @var Rollcall_Network_Target
	 */
	public $target;

	/**
	 * A new one, empty.
	 *
	 * @param Rollcall_Network_Target $target Site.
	 */
	public function __construct( $target ) {
		$this->target = $target;
	}

	/** How many pairs are to be written. */
	public function size() {
		return count( $this->change ) + array_sum( array_map( 'count', $this->add ) );
	}

	/**
	 * Leaves some pairs.
	 *
	 * @param string $reason Why.
	 * @param int    $count  How many.
	 * @return void
	 */
	public function skip( $reason, $count = 1 ) {
		$this->skipped[ $reason ] = ( isset( $this->skipped[ $reason ] ) ? $this->skipped[ $reason ] : 0 ) + $count;
	}

	/**
	 * Decides a fill.
	 *
	 * @param array<int,?string> $people  Account => why it is never written to.
	 * @param array<int,mixed>   $members Who has a membership: account => anything.
	 * @param array<int,mixed>   $removed Whom a person took off the site, as far as that stands.
	 * @return void
	 */
	public function fill( array $people, array $members, array $removed ) {
		list( $role, $none ) = $this->target->fill_role();
		$missing             = array_diff_key( $people, $members );
		$this->unchanged    += count( $people ) - count( $missing );
		foreach ( $missing as $id => $never ) {
			if ( null !== $never || isset( $removed[ $id ] ) || null !== $none ) {
				$this->skip( null !== $never ? $never : ( isset( $removed[ $id ] ) ? 'network.removed_before' : $none ) );
				unset( $missing[ $id ] );
			}
		}
		if ( $missing ) {
			$this->add[ serialize( array( $role => true ) ) ] = array_keys( $missing ); // phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions
		}
	}

	/**
	 * Decides a copy of roles.
	 *
	 * @param array<int,?string>      $people  Account => why it is never written to.
	 * @param Rollcall_Network_Target $source  Site that roles come from.
	 * @param array                   $there   Memberships on it: account => { mid, was }.
	 * @param array                   $here    Memberships on this site, likewise.
	 * @param bool                    $begins  May memberships begin?
	 * @param array<int,mixed>        $removed Whom a person took off the site, as far as that stands.
	 * @return void
	 */
	public function copy( array $people, $source, array $there, array $here, $begins, array $removed ) {
		foreach ( $people as $id => $never ) {
			$roles = isset( $there[ $id ] ) ? $source->roles_in( self::caps( $there[ $id ]['was'] ) ) : array();
			$is    = isset( $here[ $id ] );
			if ( null !== $never ) {
				$this->skip( $never );
			} elseif ( ! $roles ) {
				$this->skip( 'network.no_role' );
			} elseif ( ! $is && ! $begins ) {
				$this->skip( 'network.not_a_member' );
			} elseif ( ! $is && isset( $removed[ $id ] ) ) {
				$this->skip( 'network.removed_before' );
			} else {
				$this->copy_one( $id, $roles, $source, $is ? $here[ $id ] : null );
			}
		}
		$this->keep_an_administrator();
	}

	/**
	 * Decides one account's copy.
	 *
	 * @param int                     $id     Account.
	 * @param string[]                $roles  Its roles on the source.
	 * @param Rollcall_Network_Target $source Site that they come from.
	 * @param array|null              $here   Its membership on this site.
	 * @return void
	 */
	private function copy_one( $id, array $roles, $source, $here ) {
		if ( array_filter( $roles, array( $this->target, 'defines' ) ) !== $roles ) {
			$this->skip( 'network.role_undefined' );
			return;
		}
		$caps  = null === $here ? array() : self::caps( $here['was'] );
		$had   = $this->target->roles_in( $caps );
		// What the source doesn't define is no business of its: a forum plugin's roles, say.
		$taken = array_values( array_diff( array_filter( $had, array( $source, 'defines' ) ), $roles ) );
		$given = array_values( array_diff( $roles, $had ) );
		if ( ! $taken && ! $given ) {
			++$this->unchanged;
			return;
		}
		foreach ( array_merge( $taken, $given ) as $role ) {
			if ( ! $this->target->allows( $role ) ) {
				$this->skip( 'network.role_privileged' );
				return;
			}
		}
		// In the source's order: the first role is the one that people see.
		$now = serialize( array_fill_keys( $roles, true ) + array_diff_key( $caps, array_flip( $taken ) ) ); // phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions
		if ( null === $here ) {
			$this->add[ $now ][] = $id;
		} else {
			$this->change[ $id ] = $here + array( 'now' => $now );
		}
	}

	/**
	 * Somebody stays an administrator of the site, whatever roles are allowed by name. Asked again in the
	 * transaction that writes.
	 *
	 * @return void
	 */
	public function keep_an_administrator() {
		$stays = Rollcall_Network_Last_Administrator::among( $this->target, $this->change );
		if ( null !== $stays ) {
			unset( $this->change[ $stays ] );
			$this->skip( 'target.last_administrator' );
		}
	}

	/**
	 * A stored membership.
	 *
	 * @param string $stored As stored.
	 * @return array
	 */
	public static function caps( $stored ) {
		$caps = is_serialized( $stored ) ? @unserialize( $stored, array( 'allowed_classes' => false ) ) : null; // phpcs:ignore
		return is_array( $caps ) ? $caps : array();
	}
}
