<?php
/**
 * What an action shall do: which people, which sites, and what with them.
 *
 * Does: checks it, and gives it back whole, with defaults.
 * Always true: what it names belongs to the network; what it doesn't know is refused.
 * On failure: a WP_Error with a sentence.
 *
 * @package Rollcall_Connector
 */

defined( 'ABSPATH' ) || exit;

/**
 * Specification of an action.
 */
final class Rollcall_Network_Spec {

	/** People that can be named one by one. */
	const MOST_PEOPLE = 5000;

	const DEFAULTS = array(
		'sites'       => 'all',
		'people'      => 'all',
		'from'        => 0,
		'memberships' => 'existing',
		'add_back'    => false,
	);

	/**
	 * Checks.
	 *
	 * @param int   $network Network.
	 * @param mixed $spec    As it was asked for.
	 * @return array|WP_Error { action, sites, people, from?, memberships?, add_back }
	 */
	public static function checked( $network, $spec ) {
		if ( ! is_array( $spec ) || ! isset( $spec['action'] ) || ! in_array( $spec['action'], array( 'fill', 'copy' ), true ) ) {
			return self::refused( __( 'An action is “fill” or “copy”.', 'rollcall-connector' ) );
		}
		$copies = 'copy' === $spec['action'];
		$known  = $copies ? self::DEFAULTS : array_diff_key( self::DEFAULTS, array_flip( array( 'from', 'memberships' ) ) );
		if ( array_diff_key( $spec, $known, array( 'action' => 1 ) ) ) {
			return self::refused( __( 'The action names something that is not known.', 'rollcall-connector' ) );
		}
		$spec += $known;
		if ( ! is_bool( $spec['add_back'] ) || ( $copies && ! in_array( $spec['memberships'], array( 'existing', 'all' ), true ) ) ) {
			return self::refused( __( 'The action names something that is not known.', 'rollcall-connector' ) );
		}
		$spec['people'] = self::ids( $spec['people'], self::MOST_PEOPLE );
		if ( null === $spec['people'] ) {
			/* translators: %d: number of accounts. */
			return self::refused( sprintf( __( 'People are “all”, or ids of at most %d accounts.', 'rollcall-connector' ), self::MOST_PEOPLE ) );
		}
		return self::with_sites( $network, $spec, $copies );
	}

	/**
	 * The sites of a checked action, in the order in which they are worked on.
	 *
	 * @param int   $network Network.
	 * @param array $spec    Action.
	 * @return int[]
	 */
	public static function todo( $network, array $spec ) {
		$sites = 'all' === $spec['sites'] ? Rollcall_Network_Sites::ids( $network ) : $spec['sites'];
		return array_values( array_diff( $sites, array( isset( $spec['from'] ) ? $spec['from'] : 0 ) ) );
	}

	/**
	 * Checks the sites.
	 *
	 * @param int   $network Network.
	 * @param array $spec    Action.
	 * @param bool  $copies  Is it a copy?
	 * @return array|WP_Error
	 */
	private static function with_sites( $network, array $spec, $copies ) {
		$all           = Rollcall_Network_Sites::ids( $network );
		$spec['sites'] = self::ids( $spec['sites'], Rollcall_Network_Settings::MOST_SITES );
		if ( null === $spec['sites'] || ( is_array( $spec['sites'] ) && array_diff( $spec['sites'], $all ) ) ) {
			return Rollcall_Rest::error( 'target.site_missing', 400, __( 'Sites are “all”, or ids of sites of this network.', 'rollcall-connector' ) );
		}
		if ( $copies && ( ! is_int( $spec['from'] ) || ! in_array( $spec['from'], $all, true ) ) ) {
			return Rollcall_Rest::error( 'target.site_missing', 400, __( 'Roles are copied from a site of this network.', 'rollcall-connector' ) );
		}
		return $spec;
	}

	/**
	 * “all”, or a list of ids in order.
	 *
	 * @param mixed $value As it was asked for.
	 * @param int   $most  At most so many.
	 * @return string|int[]|null Null: it is neither.
	 */
	private static function ids( $value, $most ) {
		if ( 'all' === $value ) {
			return $value;
		}
		if ( ! is_array( $value ) || ! $value || count( $value ) > $most || array_filter( $value, array( __CLASS__, 'is_no_id' ) ) ) {
			return null;
		}
		$value = array_values( array_unique( $value ) );
		sort( $value );
		return $value;
	}

	/**
	 * Is this no id?
	 *
	 * @param mixed $id Perhaps an id.
	 * @return bool
	 */
	private static function is_no_id( $id ) {
		return ! is_int( $id ) || $id < 1;
	}

	/**
	 * A refusal.
	 *
	 * @param string $sentence Why.
	 * @return WP_Error
	 */
	private static function refused( $sentence ) {
		return Rollcall_Rest::error( 'request.invalid', 400, $sentence );
	}
}
